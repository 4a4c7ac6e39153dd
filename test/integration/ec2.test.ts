/** Instances of EC2 for one launch: the API is moto's, instances are processes of this machine. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeImagesCommand, DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createInstances } from '../../activities/launch/compute/ec2/instances.ts';
import { createEc2Compute } from '../../activities/launch/compute/ec2.ts';
import { createComputeServices } from '../../activities/launch/compute/index.ts';
import type { JobRequest } from '../../activities/launch/compute/service.ts';
import { openAws } from '../../infra/local/aws/server.ts';
import { type Hypervisor, openHypervisor } from '../../infra/local/ec2/hypervisor.ts';
import { type Moto, openMoto } from '../../infra/local/ec2/moto.ts';
import { Clock } from '../../infra/local/kit/clock.ts';
import { packageRoot } from '../../infra/local/platform/root.ts';
import type { Commit } from '../../jobs/commit.ts';
import { createInstanceTypeReader } from '../../lib/launch/instance-types.ts';
import { readJson } from '../../lib/s3-objects.ts';
import { readSettings } from '../../lib/settings.ts';
import { stuckReason } from '../../workflows/launch/causes.ts';
import { JOB_ENVIRONMENT } from '../../workflows/launch/model.ts';
import { launchThrough } from '../support/compute-launch.ts';
import { type ComputeRig, describeConformance, prepareJob } from '../support/conformance.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

const JOBS = `${process.execPath} ${join(packageRoot(), 'dist', 'jobs.cjs')}`;
const CREDENTIALS = { accessKeyId: 'ec2', secretAccessKey: 'ec2' };
/** One job each, and the first cannot be had. */
const TYPES = 't3.small,m7i.large';

let moto: Moto;
let ec2: EC2Client;
let image: string;

beforeAll(async () => {
  moto = await openMoto({ noCapacity: ['t3.small'] });
  ec2 = new EC2Client({ region: 'us-east-1', endpoint: moto.url, credentials: CREDENTIALS });
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ['amazon'] }));
  image = Images[0]?.ImageId ?? '';
});
afterAll(async () => {
  ec2?.destroy();
  await moto?.close();
});

const instancesOf = async (job: string) => {
  const Filters = [{ Name: 'tag:longhaul:job', Values: [job] }];
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters }));
  return Reservations.flatMap(({ Instances = [] }) => Instances);
};
const liveInstances = async () => {
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
  return Reservations.flatMap(({ Instances = [] }) => Instances).filter(({ State }) => State?.Name !== 'terminated');
};

describeConformance('ec2', () => openEc2Rig());

interface Ec2Rig extends ComputeRig {
  hypervisor: Hypervisor;
}

async function openEc2Rig(env: Record<string, string> = {}): Promise<Ec2Rig> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-ec2-'));
  const aws = await openAws({ directory, imagesFile: join(directory, 'images.json'), port: 0 });
  const client = { region: 'us-east-1', endpoint: aws.url, credentials: CREDENTIALS };
  const [s3, logs] = [new S3Client({ ...client, forcePathStyle: true }), new CloudWatchLogsClient(client)];
  await s3.send(new CreateBucketCommand({ Bucket: 'longhaul' }));
  const settings = readSettings({
    LONGHAUL_EC2_IMAGE: image,
    LONGHAUL_EC2_JOBS: JOBS,
    LONGHAUL_EC2_INSTANCE_TYPES: TYPES,
    LONGHAUL_EC2_MAX_INSTANCES: '2',
    ...env,
  });
  const hypervisor = await openHypervisor({
    ec2,
    clock: new Clock(),
    directory: join(directory, 'instances'),
    environment: {
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
  });
  const atMoto = { region: client.region, endpoint: moto.url, credentials: CREDENTIALS };
  const instances = createInstances(settings.bucket, atMoto);
  return {
    service: createEc2Compute({
      s3,
      logs,
      settings,
      instances,
      instanceTypes: createInstanceTypeReader(atMoto),
      region: client.region,
      variables: { AWS_REGION: client.region },
    }),
    s3,
    hypervisor,
    bucket: 'longhaul',
    image: 'longhaul/shell:1',
    unknownId: 'lh-nobody-work-1-1-0-000000000000',
    timeoutSeconds: 2,
    async loseHost({ id }) {
      for (const { InstanceId = '', State } of await instancesOf(id))
        if (State?.Name === 'running') await hypervisor.lose(InstanceId);
    },
    async close() {
      await hypervisor.close();
      instances.destroy();
      s3.destroy();
      logs.destroy();
      await aws.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

describe('instances', () => {
  let rig: Ec2Rig;
  afterEach(() => rig?.close());

  /** A job that is submitted by a service that then looks no more. */
  async function submit(script: string, more: Partial<JobRequest> = {}) {
    const { request } = await prepareJob(rig, [script], more);
    return { job: await rig.service.submit(request, { lookFirst: false }), request };
  }

  it('end by themselves when nobody looks after them any more', async () => {
    rig = await openEc2Rig();
    const { job } = await submit('echo done > out.txt');

    await expect.poll(() => instancesOf(job.id)).toMatchObject([{ State: { Name: 'terminated' } }]);
    expect(await rig.service.describe([job.id])).toMatchObject([{ status: 'SUCCEEDED' }]);
  });

  it('end also when the job program cannot be started', async () => {
    rig = await openEc2Rig({ LONGHAUL_EC2_JOBS: '/nowhere/at/all' });
    const { job } = await submit('echo done > out.txt');

    await expect.poll(() => instancesOf(job.id)).toMatchObject([{ State: { Name: 'terminated' } }]);
    expect(await rig.service.describe([job.id])).toMatchObject([{ status: 'FAILED', reason: /^Host EC2/ }]);
  });

  it('of a job that was ended while they started do not run it', async () => {
    rig = await openEc2Rig({ LONGHAUL_EC2_INSTANCE_TYPES: 't3.small' });
    const { job } = await submit('echo done > out.txt');
    await rig.service.terminate(job.id, 'the launch was cancelled');

    expect(await rig.service.describe([job.id])).toMatchObject([
      { status: 'FAILED', reason: 'the launch was cancelled' },
    ]);
    expect(await instancesOf(job.id)).toEqual([]);
  });

  it('that cannot be had keep the job waiting, with the reason', async () => {
    rig = await openEc2Rig({ LONGHAUL_EC2_INSTANCE_TYPES: 't3.small' });
    const { job } = await submit('echo done > out.txt');
    const [view] = await rig.service.describe([job.id]);

    expect(view).toMatchObject({ status: 'RUNNABLE', reason: /^CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - t3.small/ });
    expect(stuckReason(view?.reason ?? '')?.remedy).toContain('on-demand beside spot');
    expect(await rig.service.whyNotPlaced(job.id)).toBe(view?.reason);
  });

  it('that are refused for good fail the submission, with the remedy in the words of EC2', async () => {
    rig = await openEc2Rig({ LONGHAUL_EC2_IMAGE: 'ami-00000000000000000' });

    await expect(submit('echo done > out.txt')).rejects.toMatchObject({
      type: 'JobRejectedError',
      message: /EC2 refuses the instances: InvalidAMIID.NotFound/,
    });
  });

  it('are none where no allowed type is large enough', async () => {
    rig = await openEc2Rig();

    await expect(submit('echo done > out.txt', { memoryMiB: 65_536 })).rejects.toMatchObject({
      type: 'JobRejectedError',
      message: 'no instance type of ec2InstanceTypes (t3.small,m7i.large) holds 1 vCPU and 65536 MiB',
    });
  });

  it('say themselves which launch holds them', async () => {
    rig = await openEc2Rig();
    const { job, request } = await submit('sleep 300');
    const [workflowId] = (request.contract[JOB_ENVIRONMENT.submission] ?? '').split('|');

    expect(await rig.service.held?.()).toEqual([{ id: job.id, workflowId }]);
    await rig.service.terminate(job.id, 'the launch is gone');
    expect(await rig.service.held?.()).toEqual([]);
  });

  it('run no item again that has ended, when their host is lost', async () => {
    rig = await openEc2Rig({ LONGHAUL_EC2_MAX_INSTANCES: '1', LONGHAUL_EC2_INSTANCE_TYPES: 't3.medium' });
    const slow = 'if [ "$LONGHAUL_JOB_ATTEMPT" = 1 ]; then sleep 300; fi; echo slow > out.txt';
    const { request, rows } = await prepareJob(rig, ['echo quick > out.txt', slow], { hostRetries: 1 });
    const job = await rig.service.submit(request, { lookFirst: false });
    await expect
      .poll(async () => (await rig.service.describe([job.id]))[0]?.counts)
      .toEqual({ running: 1, succeeded: 1, failed: 0 });
    await rig.loseHost(job);
    await expect.poll(async () => (await rig.service.describe([job.id]))[0]?.status).toBe('SUCCEEDED');

    const attempts = await Promise.all(
      rows.map(async ({ commit }) => (await readJson<Commit>(rig.s3, commit, 65_536)).jobAttempt),
    );
    expect(attempts).toEqual([1, 2]);
  });
});

describe('a launch on EC2', () => {
  let longhaul: Longhaul;
  let hypervisor: Hypervisor;

  beforeAll(async () => {
    longhaul = await openLonghaul({
      AWS_ENDPOINT_URL_EC2: moto.url,
      LONGHAUL_EC2_IMAGE: image,
      LONGHAUL_EC2_JOBS: JOBS,
      LONGHAUL_EC2_INSTANCE_TYPES: TYPES,
      LONGHAUL_POLL_SECONDS: '1',
    });
    const { environment } = longhaul.platform;
    hypervisor = await openHypervisor({
      ec2,
      clock: new Clock(),
      directory: join(longhaul.directory, 'instances'),
      environment: Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('AWS_'))),
    });
  });
  afterAll(async () => {
    await hypervisor?.close();
    await longhaul?.close();
    delete process.env.AWS_ENDPOINT_URL_EC2;
  });

  it('has instances of its own, by type, tags and end', async () => {
    const row = await launchThrough(longhaul, 'ec2', 'ec2-1');

    const started = await instancesOf(row.job_id ?? '');
    expect(started).toHaveLength(2);
    for (const { InstanceType, Tags = [] } of started) {
      expect(InstanceType).toBe('m7i.large');
      expect(Tags).toEqual(
        expect.arrayContaining([
          { Key: 'longhaul:launch', Value: 'ec2-1' },
          { Key: 'longhaul:step', Value: 'part' },
          { Key: 'longhaul:consumer', Value: 'lab-a' },
        ]),
      );
    }
    await expect.poll(liveInstances).toEqual([]);
  });

  it('ends its instances when it is terminated from outside', async () => {
    await longhaul.put(
      'sheets/lab-a/ec2-2.yaml',
      sheet('ec2-2', { work: { command: 'sleep 300' } }, { computeService: 'ec2' }),
    );
    await expect.poll(() => hypervisor.running().length).toBe(1);
    await longhaul.temporal.client.workflow.getHandle('launch/ec2-2').terminate('nobody asked');

    await expect.poll(liveInstances).toEqual([]);
    await expect.poll(() => hypervisor.running()).toEqual([]);
  });

  it('whose worker died before it had recorded its job leaves no instance behind either', async () => {
    const services = createComputeServices({ ...longhaul.aws, settings: longhaul.settings }, longhaul.env);
    const { request } = await prepareJob({ s3: longhaul.aws.s3, bucket: 'longhaul', image: 'longhaul/shell:1' }, [
      'sleep 300',
    ]);
    const job = await services.get('ec2')?.submit(request, { lookFirst: false });
    await expect.poll(() => hypervisor.running().length).toBe(1);

    // The poller of these instances looks as long as there are jobs, and once more.
    await longhaul.put(
      'sheets/lab-a/ec2-3.yaml',
      sheet('ec2-3', { work: { command: 'true' } }, { computeService: 'ec2' }),
    );
    expect((await longhaul.follow('ec2-3')).status).toBe('COMPLETE');
    await expect.poll(() => instancesOf(job?.id ?? '')).toMatchObject([{ State: { Name: 'terminated' } }]);
  });
});
