/**
 * An image whose containers run inside the Batch stand-in: `stage` and `publish` are the product's own code; `main` does
 * nothing, but fails the share FAIL_SHARE of the children of a first generation, those with the lowest indexes.
 *
 * @module
 */
import { S3Client } from '@aws-sdk/client-s3';
import type { ModuleRun } from '../../../infra/local/aws/batch/images.ts';
import { runRole } from '../../../jobs/run.ts';

let client: S3Client | undefined;

export const run: ModuleRun = async ({ argv, env, say }) => {
  const [role] = argv;
  if (role !== 'stage' && role !== 'publish') return failing(env) ? 9 : 0;
  client ??= new S3Client({
    region: env.AWS_REGION ?? '',
    endpoint: env.AWS_ENDPOINT_URL ?? '',
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' },
    forcePathStyle: true,
    maxAttempts: 6,
  });
  return runRole(role, client, env, say);
};

/** A retry is a smaller array, in which nobody fails. */
function failing(env: Readonly<Record<string, string>>): boolean {
  const [index, size] = [Number(env.AWS_BATCH_JOB_ARRAY_INDEX), Number(env.AWS_BATCH_JOB_ARRAY_SIZE)];
  return size >= Number(env.FAIL_FROM_SIZE ?? 0) && index < size * Number(env.FAIL_SHARE ?? 0);
}
