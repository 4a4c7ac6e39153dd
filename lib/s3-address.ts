/**
 * `s3://bucket/key` addresses.
 *
 * @module
 */

export interface S3Address {
  bucket: string;
  key: string;
}

/** @throws TypeError for anything else than `s3://bucket/key`; the key may be empty (a whole bucket) */
export function parseS3Address(address: string): S3Address {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(address);
  if (!match?.[1]) throw new TypeError(`${address} is not an S3 address of the form s3://bucket/key`);
  return { bucket: match[1], key: match[2] ?? '' };
}

export const formatS3Address = ({ bucket, key }: S3Address): string => `s3://${bucket}/${key}`;

/** Joins a prefix address, which ends in a slash, and a relative key; an address of its own stays as it is. */
export const resolveS3Address = (base: string, path: string): string =>
  path.startsWith('s3://') ? path : `${base}${path}`;
