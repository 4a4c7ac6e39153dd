/** A real Slurm of one node on loopback, where Debian's slurm-wlm is installed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { onThisMachine } from '../../activities/launch/compute/slurm/transport.ts';
import { createSlurmCompute } from '../../activities/launch/compute/slurm.ts';
import { openAws } from '../../infra/local/aws/server.ts';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { readSettings } from '../../lib/settings.ts';
import { launchThrough } from '../support/compute-launch.ts';
import { type ComputeRig, describeConformance } from '../support/conformance.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';
import { hasAccounting, type SlurmCluster, startSlurm, whyNoSlurm } from '../support/slurm-cluster.ts';
import { until } from '../support/stand-ins.ts';

const missing = whyNoSlurm();
const JOBS = `${process.execPath} ${join(packageRoot(), 'dist', 'jobs.cjs')}`;

describeConformance('slurm', () => openSlurmRig(hasAccounting()), { missing });

async function openSlurmRig(accounting: boolean): Promise<ComputeRig> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-slurm-aws-'));
  const cluster = await startSlurm({ accounting });
  const aws = await openAws({ directory, imagesFile: join(directory, 'images.json'), port: 0 });
  const client = {
    region: 'us-east-1',
    endpoint: aws.url,
    credentials: { accessKeyId: 'slurm', secretAccessKey: 'slurm' },
  };
  const [s3, logs] = [new S3Client({ ...client, forcePathStyle: true }), new CloudWatchLogsClient(client)];
  await s3.send(new CreateBucketCommand({ Bucket: 'longhaul' }));
  const settings = readSettings({
    LONGHAUL_SLURM_HOST: 'local',
    LONGHAUL_SLURM_JOBS: JOBS,
  });
  const variables = {
    AWS_REGION: client.region,
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: 'slurm',
    AWS_SECRET_ACCESS_KEY: 'slurm',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url,
  };
  return {
    service: createSlurmCompute({ s3, logs, settings, variables, transport: onThisMachine(cluster.env) }),
    s3,
    bucket: 'longhaul',
    image: 'longhaul/shell:1',
    unknownId: '999999',
    timeoutSeconds: 2,
    loseHost: () => cluster.loseNode(),
    async close() {
      s3.destroy();
      logs.destroy();
      await cluster.close();
      await aws.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

describe('a launch on Slurm', () => {
  let cluster: SlurmCluster;
  let longhaul: Longhaul;

  beforeAll(async () => {
    if (missing !== undefined) return;
    // Without accounting: the controller alone has to do.
    cluster = await startSlurm({ accounting: false });
    longhaul = await openLonghaul({
      ...cluster.env,
      LONGHAUL_SLURM_HOST: 'local',
      LONGHAUL_SLURM_JOBS: JOBS,
      LONGHAUL_JOB_VARIABLES:
        'AWS_REGION,AWS_ENDPOINT_URL,AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY,AWS_EC2_METADATA_SERVICE_ENDPOINT',
    });
  });
  afterAll(async () => {
    await longhaul?.close();
    await cluster?.close();
  });
  beforeEach((context) => context.skip(missing !== undefined, missing));

  it('comes from a sheet to its outputs, and its logs are read as ever', async () => {
    await launchThrough(longhaul, 'slurm', 'slurm-1');
  });

  it('that fails says which item, with what code, and its last words', async () => {
    const text = sheet(
      'slurm-2',
      { work: { command: 'echo "no reference genome"\nexit 3' } },
      { computeService: 'slurm' },
    );
    await longhaul.put('sheets/lab-a/slurm-2.yaml', text);

    const progress = await longhaul.follow('slurm-2');

    expect(progress.status).toBe('FAILED');
    expect(progress.error?.message).toMatch(/item all: the command failed, main exited with 3.*no reference genome/);
  });

  it('that is cancelled leaves nothing in the queue', async () => {
    await longhaul.put(
      'sheets/lab-a/slurm-3.yaml',
      sheet('slurm-3', { work: { command: 'sleep 300' } }, { computeService: 'slurm' }),
    );
    await until('a running job', () => cluster.call('squeue', '--noheader', '--states=RUNNING').trim() !== '', 60_000);

    await longhaul.cli('launch', 'cancel', 'slurm-3');

    expect((await longhaul.follow('slurm-3')).status).toBe('CANCELLED');
    expect(cluster.call('squeue', '--noheader').trim()).toBe('');
  });
});
