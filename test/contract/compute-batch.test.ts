/** AWS Batch by its stand-in, as a compute service. */
import { dirname, join } from 'node:path';
import { BatchClient } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { describe } from 'vitest';
import { createBatchCompute } from '../../activities/launch/compute/batch.ts';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { type ComputeRig, describeConformance } from '../support/conformance.ts';
import { createQueue } from './batch-target.ts';
import { openTarget } from './target.ts';

const IMAGE = 'longhaul/shell:1';
const JOBS = 'longhaul/jobs:test';

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('on the stand-in', () => {
  describeConformance('batch', openBatchRig);
});

async function openBatchRig(): Promise<ComputeRig> {
  const target = await openTarget({
    images: {
      [IMAGE]: { path: [dirname(process.execPath)] },
      [JOBS]: { entrypoint: [process.execPath, join(packageRoot(), 'dist', 'jobs.cjs')] },
    },
  });
  const { client, local } = target;
  const [batch, logs, s3] = [new BatchClient(client), new CloudWatchLogsClient(client), new S3Client(client)];
  const submitter = new BatchClient({ ...client, maxAttempts: 1 });
  const queue = target.unique('queue');
  const bucket = target.unique('bucket');
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await createQueue(batch, queue, queue);
  const settings = { batchQueue: queue, headQueue: '', jobImage: JOBS, jobRole: '', executionRole: '' };
  const act = async (topic: string, input: Record<string, unknown> = {}) =>
    (await local?.kit.actions.get(topic)?.(input)) as Record<string, unknown>;
  return {
    service: createBatchCompute({ batch, submitter, logs, settings }),
    s3,
    bucket,
    image: IMAGE,
    unknownId: '00000000-0000-4000-8000-000000000000',
    timeoutSeconds: 60,
    pass: async (seconds) => local?.kit.clock.advance(seconds * 1000),
    async loseHost() {
      await act('POST lose-instance');
    },
    async close() {
      for (const one of [batch, submitter, logs, s3]) one.destroy();
      await target.close();
    },
  };
}
