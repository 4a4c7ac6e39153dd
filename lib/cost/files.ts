/**
 * Where the facts of a launch's cost lie in S3: what was used, kept as it was found, so that a price can be checked when
 * instances and jobs are long forgotten.
 *
 * @module
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Usage } from '../../workflows/cost/model.ts';
import { parseS3Address } from '../s3-address.ts';
import { readObject } from '../s3-objects.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);
/** Of 100,000 items with a few attempts each, compressed. */
const LIMIT = 256 * 1024 * 1024;

export const usageAddress = (bucket: string, launchId: string, attempt: number): string =>
  `s3://${bucket}/costs/${launchId}/attempt-${attempt}/usage.json.gz`;

export async function putUsage(s3: S3Client, address: string, usage: Usage): Promise<void> {
  const { bucket, key } = parseS3Address(address);
  const Body = await compress(JSON.stringify(usage));
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentType: 'application/gzip' }));
}

/** @throws UnreadableObjectError */
export async function readUsage(s3: S3Client, address: string): Promise<Usage> {
  const { bytes } = await readObject(s3, address, { limit: LIMIT });
  return JSON.parse((await decompress(bytes)).toString('utf8')) as Usage;
}
