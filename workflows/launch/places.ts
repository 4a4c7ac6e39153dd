/**
 * Where things of a launch lie in S3.
 *
 * @module
 */

/** `s3://<bucket>/launches/<id>/<attempt>/`: plan and manifests of one attempt. */
export const attemptState = (bucket: string, launchId: string, attempt: number): string =>
  `${launchState(bucket, launchId)}attempts/${attempt}/`;

/** `s3://<bucket>/launches/<id>/`: claims and commits, which outlive an attempt. */
export const launchState = (bucket: string, launchId: string): string => `s3://${bucket}/launches/${launchId}/`;

/** `…/steps/<step>/`: items, manifests and reviews of one step in one attempt. */
export const stepState = (bucket: string, launchId: string, attempt: number, step: string): string =>
  `${attemptState(bucket, launchId, attempt)}steps/${step}/`;

/** What was there of the outside inputs when the launch was planned. */
export const inventoryAddress = (bucket: string, launchId: string, attempt: number): string =>
  `${attemptState(bucket, launchId, attempt)}inputs.json`;

/** What preflight found, and the digests of the images. */
export const preflightAddress = (bucket: string, launchId: string, attempt: number): string =>
  `${attemptState(bucket, launchId, attempt)}preflight.json`;

/** Folder of a consumer's cache entries of one step key; a consumer sees only its own. */
export const cacheGroup = (bucket: string, consumer: string, stepKey: string): string =>
  `s3://${bucket}/cache/${consumer}/${stepKey}/`;

/** Folder of a file that was made from a sheet: by its content, so that the same has one address. */
export const artifactFolder = (bucket: string, consumer: string, digest: string): string =>
  `s3://${bucket}/artifacts/${consumer}/${digest}/`;

/** Metadata of an uploaded sheet (`x-amz-meta-longhaul-cache: off`): run everything. */
export const CACHE_METADATA = 'longhaul-cache';

/** Where the sheet of a retry is put: below sheets/ it would start a launch of its own. */
export const retrySheet = (bucket: string, launchId: string, name: string): string =>
  `${launchState(bucket, launchId)}sheets/${name}`;

/** The consumer a sheet was uploaded for: `s3://<bucket>/sheets/<consumer>/…`; undefined elsewhere. */
export function consumerOfUpload(bucket: string, configurationFile: string): string | undefined {
  const prefix = `s3://${bucket}/sheets/`;
  if (!configurationFile.startsWith(prefix)) return undefined;
  const [consumer, ...rest] = configurationFile.slice(prefix.length).split('/');
  return rest.length > 0 ? consumer : undefined;
}
