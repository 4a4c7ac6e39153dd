/** Kubernetes by its stand-in, as a compute service. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { describe } from 'vitest';
import { createEksCompute } from '../../activities/launch/compute/eks.ts';
import { openKubernetes } from '../../infra/local/kubernetes/server.ts';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { type ComputeRig, describeConformance } from '../support/conformance.ts';
import { openTarget } from './target.ts';

const IMAGE = 'longhaul/shell:1';
const JOBS = 'longhaul/jobs:test';

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('on the stand-in', () => {
  describeConformance('eks', openEksRig);
});

async function openEksRig(): Promise<ComputeRig> {
  const target = await openTarget();
  const s3 = new S3Client(target.client);
  const bucket = target.unique('bucket');
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-kubernetes-'));
  const imagesFile = join(directory, 'images.json');
  const images = {
    [IMAGE]: { path: [dirname(process.execPath)] },
    [JOBS]: { entrypoint: [process.execPath, join(packageRoot(), 'dist', 'jobs.cjs')] },
  };
  await writeFile(imagesFile, JSON.stringify(images));
  const kubernetes = await openKubernetes({
    directory: join(directory, 'cluster'),
    imagesFile,
    environment: {
      AWS_ENDPOINT_URL: target.client.endpoint ?? '',
      AWS_REGION: target.client.region,
      AWS_ACCESS_KEY_ID: 'job',
      AWS_SECRET_ACCESS_KEY: 'job',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, kubernetes.kubeconfig());
  process.env.KUBECONFIG = kubeconfig;
  return {
    service: createEksCompute({
      settings: {
        eksCluster: 'stand-in',
        eksContext: '',
        eksNamespace: 'longhaul',
        eksServiceAccount: 'longhaul-jobs',
        eksParallelism: 500,
        jobImage: JOBS,
      },
    }),
    s3,
    bucket,
    image: IMAGE,
    unknownId: 'lh-nobody-000000000000',
    timeoutSeconds: 60,
    pass: async (seconds) => kubernetes.clock.advance(seconds * 1000),
    async loseHost() {
      for (const node of kubernetes.nodes()) kubernetes.loseNode(node);
    },
    async close() {
      delete process.env.KUBECONFIG;
      s3.destroy();
      await kubernetes.close();
      await target.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
