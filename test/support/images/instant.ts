/**
 * An image whose containers run inside the Batch stand-in: `stage` and `publish` are the product's own code; `main`
 * does nothing, unless its variable FAIL_PERCENT makes its first attempt fail.
 *
 * @module
 */
import { S3Client } from '@aws-sdk/client-s3';
import type { ModuleRun } from '../../../infra/local/aws/batch/images.ts';
import { runRole } from '../../../jobs/run.ts';

let client: S3Client | undefined;

export const run: ModuleRun = async ({ argv, env, say }) => {
  const [role] = argv;
  if (role !== 'stage' && role !== 'publish') return 0;
  client ??= new S3Client({
    region: env.AWS_REGION ?? '',
    endpoint: env.AWS_ENDPOINT_URL ?? '',
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' },
    maxAttempts: 6,
  });
  return runRole(role, client, env, say);
};
