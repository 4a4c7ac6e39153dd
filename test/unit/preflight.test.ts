/** Each check against the stand-ins, by the real clients. */

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { RegisterJobDefinitionCommand, SubmitJobCommand, UpdateComputeEnvironmentCommand } from '@aws-sdk/client-batch';
import { CreateRoleCommand } from '@aws-sdk/client-iam';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPreflightActivities, type PreflightInput } from '../../activities/launch/preflight/index.ts';
import type { FaultRule } from '../../infra/local/kit/faults.ts';
import { readPools, readQueue } from '../../lib/launch/batch-queue.ts';
import { HELPER_RESOURCES, requirements, submission } from '../../lib/launch/batch-submission.ts';
import { largestHost } from '../../lib/launch/hosts.ts';
import { createPreflightClients } from '../../lib/launch/preflight/clients.ts';
import { preflight } from '../../lib/launch/preflight/index.ts';
import type { Plan } from '../../workflows/launch/plan.ts';
import type { Finding, Preflight } from '../../workflows/launch/preflight.ts';
import { ECR_IMAGE, openPreflightWorld, type PreflightWorld, trustPolicy } from '../support/preflight-world.ts';

let world: PreflightWorld;

beforeAll(async () => {
  world = await openPreflightWorld();
  await world.put('data/reads/a.fq', 'ACGT');
});
afterAll(() => world.close());
afterEach(() => world.kit.faults.set([]));

const fault = (rule: Partial<FaultRule>) => world.kit.faults.set([{ effect: 'error', times: 100, ...rule }]);
const denied = (service: string, operation: string, code = 'AccessDenied') =>
  fault({ service, operation, status: 403, code });
const said = ({ findings }: { findings: readonly Finding[] }) =>
  findings.map(({ level, check, at, message }) => `${level} ${check} ${at}: ${message}`);

describe('a launch in order', () => {
  it('has no findings, and a digest for each image', async () => {
    const found = await world.check(world.plan({ inputs: { reads: 'reads/a.fq' } }));

    expect(found.findings).toEqual([]);
    expect(Object.keys(found.digests).toSorted()).toEqual(['lab/tools:1', 'longhaul/jobs:0.1.0']);
    for (const digest of Object.values(found.digests)) expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('is asked about as often with 10,000 items as with one', async () => {
    const count = () => ['batch', 'iam', 'ec2', 'registry', 'ecr', 's3'].map((service) => world.calls(service).length);
    const scatter = { sample: Array.from({ length: 10_000 }, (_, index) => `s${index}`) };
    const many = world.plan({ scatter: ['sample'], inputs: { reads: 'reads/${{ sample }}.fq' } }, { scatter });
    const run = async (plan: typeof many) => {
      const before = count();
      await preflight(plan, world.dependencies, { inputs: false });
      return count().map((calls, index) => calls - (before[index] ?? 0));
    };

    expect(await run(many)).toEqual(await run(world.plan()));
  });
});

describe('what is asked', () => {
  const IMAGES = { step: 'lab/tools:2', job: 'longhaul/jobs:2' };
  const asked = async (computeService: Plan['computeService'], jobRuntime: string, image = IMAGES.step) => {
    const before = ['iam', 'batch', 'ec2'].map((service) => world.calls(service).length);
    const plan = { ...world.plan({ image, resources: { vcpus: 1000 }, retries: { hostLoss: 10 } }), computeService };
    const { findings } = await world.check(plan, { jobRuntime, jobImage: IMAGES.job, batchQueue: 'not-there' });
    const calls = ['iam', 'batch', 'ec2'].map((service) => world.calls(service).length);
    return { places: findings.map(({ at }) => at), aws: calls.some((count, place) => count !== before[place]) };
  };

  it('of batch is everything', async () => {
    const { places, aws } = await asked('batch', 'none');
    expect(places).toEqual(expect.arrayContaining(['steps.align.image', 'jobImage', 'batchQueue']));
    expect(aws).toBe(true);
  });

  it.each([
    ['eks', 'none', ['jobImage', 'steps.align.image']],
    ['slurm', 'none', []],
    ['ec2', 'none', []],
    ['slurm', 'docker', ['steps.align.image']],
    ['ec2', 'apptainer', ['steps.align.image']],
  ] as const)('of %s with jobRuntime %s is no more than its jobs use', async (service, runtime, places) => {
    expect(await asked(service, runtime)).toEqual({ places: expect.toSatisfy(same(places)), aws: false });
  });

  it.each(['/images/tools.sif', 'oras://registry.example/lab/tools:1'])(
    'of %s, which is Apptainer’s alone, is nothing',
    async (image) => {
      expect((await asked('slurm', 'apptainer', image)).places).toEqual([]);
    },
  );
});

const same = (wanted: readonly string[]) => (found: string[]) =>
  JSON.stringify(found.toSorted()) === JSON.stringify([...wanted].toSorted());

describe('images', () => {
  it('are there by the digest of their manifest', async () => {
    const { digests } = await world.check(world.plan());
    const pinned = `lab/tools@${digests['lab/tools:1']}`;

    await expect(world.check(world.plan({ image: pinned }))).resolves.toMatchObject({
      findings: [],
      digests: { [pinned]: digests['lab/tools:1'] },
    });
  });

  it.each([
    ['another digest', `lab/tools@sha256:${'0'.repeat(64)}`, /has no sha256:0{64} of lab\/tools$/],
    ['another tag', 'lab/tools:2', /has no 2 of lab\/tools$/],
    ['another name', 'lab/nothing:1', /has no 1 of lab\/nothing$/],
    ['a registry that has no address', 'a.test:99999/tools:1', /^a.test:99999.* is no address of a registry$/],
    ['a reference Docker cannot read', 'lab/tools:1@sha256:0', /is not an image reference/],
    [
      'no such tag in ECR',
      ECR_IMAGE.replace(':1', ':2'),
      /ECR repository lab\/tools of account 123456789012 has no 2$/,
    ],
    ['no such repository in ECR', ECR_IMAGE.replace('lab/', 'no/'), /in us-east-1 has no repository no\/tools$/],
  ])('of %s are an error', async (_, image, message) => {
    const { findings, digests } = await world.check(world.plan({ image }));

    expect(findings).toMatchObject([{ level: 'error', check: 'image', at: 'steps.align.image' }]);
    expect(findings[0]?.message).toMatch(message);
    expect(digests).not.toHaveProperty([image]);
  });

  it('of ECR are found by its own API, in the Region of their name', async () => {
    const { findings, digests } = await world.check(world.plan({ image: ECR_IMAGE }));

    expect(findings).toEqual([]);
    expect(digests[ECR_IMAGE]).toMatch(/^sha256:/);
    expect(world.calls('ecr')).toContain('BatchGetImage');
  });

  it.each([
    ['ECR denies', ECR_IMAGE, () => denied('ecr', 'BatchGetImage', 'AccessDeniedException')],
    ['the registry wants credentials', 'lab/tools:1', () => denied('registry', 'GetManifest', 'DENIED')],
    ["lie on the job's own host", 'localhost:5000/tools:1', () => {}],
    ['lie there by another name of it', '0x7f.1:5000/tools:1', () => {}],
  ])('that %s are a warning', async (_, image, prepare) => {
    prepare();
    const { findings } = await world.check(world.plan({ image }), { jobImage: ECR_IMAGE });

    expect(findings[0]).toMatchObject({ level: 'warning', check: 'image', at: 'steps.align.image' });
    expect(findings[0]?.message).toMatch(/could not be checked/);
  });

  it('whose name ECR refuses are an error', async () => {
    fault({ service: 'ecr', status: 400, code: 'InvalidParameterException' });
    const { findings } = await world.check(world.plan({ image: ECR_IMAGE }));

    expect(findings).toMatchObject([
      { level: 'error', message: expect.stringMatching(/ECR refuses the name lab\/tools/) },
    ]);
  });

  it('are asked for once, and all places are named', async () => {
    const scatter = { sample: ['a'] };
    const plan = world.plan({ image: 'lab/nothing:1' }, { scatter });
    const [step] = plan.steps;
    if (!step) throw new Error('the plan of this test is wrong');
    const before = world.calls('registry').length;
    const found = await world.check({ ...plan, steps: [step, { ...step, name: 'sort' }] });

    expect(said(found)[0]).toMatch(/^error image steps.align.image: .* \(also at steps.sort.image\)$/);
    expect(world.calls('registry').length - before).toBe(2);
  });

  it('of a registry that does not answer are asked for again', async () => {
    fault({ service: 'registry', effect: 'reset' });
    await expect(world.check(world.plan())).rejects.toThrow(/cannot be reached/);

    fault({ service: 'registry', effect: 'throttle' });
    await expect(world.check(world.plan())).rejects.toThrow(/status 429/);
  });

  it('of a mirror that is down are asked for again', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const { images } = createPreflightClients({ imageRegistry: `http://127.0.0.1:${port}` });
    const down = preflight(world.plan(), { ...world.dependencies, images }, { inputs: false });

    await expect(down).rejects.toThrow(/cannot be reached \(ECONNREFUSED\)/);
  });
});

describe('roles', () => {
  const arn = (name: string) => `arn:aws:iam::123456789012:role/${name}`;

  it('that are not set are not looked for', async () => {
    const before = world.calls('iam').length;
    await world.check(world.plan(), { jobRole: '', executionRole: '' });
    expect(world.calls('iam').length).toBe(before);
  });

  it.each([
    ['is not there', arn('nobody'), /^there is no role nobody in this account$/],
    [
      'is of another account',
      'arn:aws:iam::210987654321:role/jobs',
      /is arn:aws:iam::123456789012:role\/jobs, not arn/,
    ],
    ['has another path', arn('team/jobs'), /is arn:aws:iam::123456789012:role\/jobs, not arn/],
    ['is no ARN', 'jobs', /^jobs is not the ARN of a role$/],
  ])('that %s is an error', async (_, jobRole, message) => {
    const { findings } = await world.check(world.plan(), { jobRole });

    expect(findings).toMatchObject([{ level: 'error', check: 'role', at: 'jobRole' }]);
    expect(findings[0]?.message).toMatch(message);
  });

  it('that tasks may not assume is an error', async () => {
    const create = { RoleName: 'lambda', AssumeRolePolicyDocument: trustPolicy('lambda') };
    await world.iam.send(new CreateRoleCommand(create));

    expect(said(await world.check(world.plan(), { executionRole: arn('lambda') }))).toEqual([
      `error role executionRole: the trust policy of ${arn('lambda')} does not let ecs-tasks.amazonaws.com assume it, so no job can start`,
    ]);
  });

  it('that may not be looked at are a warning that names the permission', async () => {
    denied('iam', 'GetRole');
    const { findings } = await world.check(world.plan());

    expect(findings.map(({ level, at }) => `${level} ${at}`)).toEqual(['warning jobRole', 'warning executionRole']);
    expect(findings[0]).toMatchObject({
      message: expect.stringMatching(/could not be checked/),
      remedy: /iam:GetRole/,
    });
  });

  it.each(['ExpiredToken', 'ServiceUnavailable'])('are asked for again after %s', async (code) => {
    fault({ service: 'iam', operation: 'GetRole', status: code === 'ExpiredToken' ? 403 : 500, code });
    await expect(world.check(world.plan())).rejects.toMatchObject({ name: code });
  });
});

describe('the queue', () => {
  it('that is not there is an error', async () => {
    expect(said(await world.check(world.plan(), { batchQueue: 'nobody' }))).toEqual([
      'error queue batchQueue: there is no job queue nobody in this account and Region',
    ]);
  });

  it('that Batch does not even look up is an error', async () => {
    fault({ service: 'batch', operation: 'DescribeJobQueues', status: 400, code: 'ClientException' });

    expect(said(await world.check(world.plan()))).toEqual([
      'error queue batchQueue: AWS Batch refuses longhaul as the name of a job queue: injected by the fault plan',
    ]);
  });

  it('that is disabled is an error with what the service says', async () => {
    await world.queue('off', ['genomics'], 'DISABLED');

    expect(said(await world.check(world.plan(), { batchQueue: 'off' }))).toEqual([
      'error queue batchQueue: the job queue off is DISABLED (JobQueue Healthy)',
    ]);
  });

  it('whose environment is disabled is an error, and nothing is said of hosts', async () => {
    await world.environment('asleep');
    await world.queue('waiting', ['asleep']);
    await world.batch.send(new UpdateComputeEnvironmentCommand({ computeEnvironment: 'asleep', state: 'DISABLED' }));

    expect(said(await world.check(world.plan({ resources: { vcpus: 200 } }), { batchQueue: 'waiting' }))).toEqual([
      'error queue batchQueue: no compute environment of the job queue waiting is enabled and valid: asleep is DISABLED and VALID (ComputeEnvironment Healthy)',
    ]);
  });

  it.each(['DescribeJobQueues', 'DescribeComputeEnvironments'])('is a warning without %s', async (operation) => {
    denied('batch', operation, 'AccessDeniedException');
    const { findings } = await world.check(world.plan());

    expect(findings).toMatchObject([{ level: 'warning', check: 'queue', at: 'batchQueue' }]);
    expect(findings[0]?.remedy).toMatch(/batch:DescribeJobQueues and batch:DescribeComputeEnvironments/);
  });

  it('is asked for again when Batch is busy', async () => {
    fault({ service: 'batch', effect: 'throttle' });
    await expect(world.check(world.plan())).rejects.toMatchObject({ name: 'TooManyRequestsException' });
  });
});

describe('resources', () => {
  it('of 32,000 MiB do not fit a host of 32 GiB', async () => {
    const { findings } = await world.check(world.plan({ resources: { vcpus: 2, memoryMiB: 32_000 } }));

    expect(findings).toEqual([
      {
        level: 'error',
        check: 'resources',
        at: 'steps.align.resources',
        message:
          'asks for 4 vCPUs and 33,024 MiB (main 32,000, stage 512, publish 512), but the largest host of compute environment genomics (m5.2xlarge) offers 8 vCPUs and 31,431 MiB',
        remedy: 'ask for at most 30,407 MiB, or add a larger instance type',
      },
    ]);
  });

  it('as the remedy says fit', async () => {
    const { findings } = await world.check(world.plan({ resources: { vcpus: 6, memoryMiB: 30_407 } }));
    expect(findings).toEqual([]);
  });

  it('are compared with all pages of EC2, for families and groups', async () => {
    await world.environment('families', { instanceTypes: ['c5', 'optimal'], maxvCpus: 1000 });
    await world.queue('large', ['families']);
    const read = await readQueue(world.batch, 'large');
    const pools = await readPools(read?.environments ?? [], world.dependencies.instanceTypes);

    expect(largestHost(pools)).toEqual({
      environment: 'families',
      type: 'r6i.32xlarge',
      vcpus: 128,
      memoryMiB: Math.floor(1024 * 1024 * 0.963 - 124),
    });
    const { findings } = await world.check(world.plan({ resources: { vcpus: 180, memoryMiB: 300_000 } }), {
      batchQueue: 'large',
    });
    expect(findings).toEqual([]);
  });

  it('of Fargate are tasks, and the queue does not run jobs of Longhaul', async () => {
    await world.environment('serverless', {
      type: 'FARGATE',
      instanceTypes: undefined,
      instanceRole: undefined,
      allocationStrategy: undefined,
    });
    await world.queue('fargate', ['serverless']);

    const found = await world.check(world.plan({ resources: { vcpus: 31 } }), { batchQueue: 'fargate' });

    expect(found.findings.map(({ check }) => check)).toEqual(['queue', 'resources']);
    expect(found.findings[1]?.message).toMatch(/^asks for 33 vCPUs \(main 31, stage 1, publish 1\)/);
  });

  it('are a warning without ec2:DescribeInstanceTypes', async () => {
    denied('ec2', 'DescribeInstanceTypes', 'UnauthorizedOperation');
    const { findings } = await world.check(world.plan({ resources: { memoryMiB: 99_999 } }));

    expect(findings).toMatchObject([{ level: 'warning', check: 'resources', at: 'batchQueue' }]);
    expect(findings[0]?.remedy).toBe('allow ec2:DescribeInstanceTypes to whoever checks');
  });

  it('are asked for again when EC2 is busy', async () => {
    fault({ service: 'ec2', effect: 'throttle' });
    await expect(world.check(world.plan())).rejects.toMatchObject({ name: 'RequestLimitExceeded' });
  });
});

describe('limits', () => {
  it('of the payload are those of the service, to the byte', async () => {
    const container = (name: string, essential: boolean) => ({
      name,
      essential,
      image: 'lab/tools:1',
      resourceRequirements: requirements(HELPER_RESOURCES.vcpus, HELPER_RESOURCES.memoryMiB),
    });
    const containers = [container('stage', false), container('main', false), container('publish', true)];
    const { jobDefinitionName: jobDefinition = '' } = await world.batch.send(
      new RegisterJobDefinitionCommand({
        jobDefinitionName: 'longhaul-0123456789abcdef',
        type: 'container',
        ecsProperties: { taskProperties: [{ containers }] },
      }),
    );
    await world.queue('submits', ['genomics']);
    const request = (bytes: number) => ({
      name: 'payload',
      items: 1,
      argv: ['true'],
      vcpus: 1,
      memoryMiB: 64,
      hostRetries: 0,
      environment: { X: 'x'.repeat(bytes) },
      contract: {},
      tags: {},
    });
    const input = (bytes: number) => submission(request(bytes), { queue: 'submits', jobDefinition });
    const room = 30 * 1024 - Buffer.byteLength(JSON.stringify(input(0)));

    await expect(world.batch.send(new SubmitJobCommand(input(room + 1)))).rejects.toMatchObject({
      name: 'ClientException',
    });
    await expect(world.batch.send(new SubmitJobCommand(input(room)))).resolves.toHaveProperty('jobId');
  });
});

describe('inputs', () => {
  it('that are not there are errors with their addresses', async () => {
    const plan = world.plan({ inputs: { reads: 'reads/b.fq', all: 'reads/*.bam' } });

    expect(said(await world.check(plan))).toEqual([
      'error inputs steps.align.inputs.all: s3://longhaul/data/reads/*.bam: nothing matches this pattern',
      'error inputs steps.align.inputs.reads: s3://longhaul/data/reads/b.fq: there is no such object',
    ]);
  });
});

describe('archived inputs', () => {
  it('are counted by class in one warning that says what becomes of them', async () => {
    await world.put('data/cold/a.fq', 'ACGT');
    await world.put('data/cold/b.fq', 'ACGTACGT');
    await world.put('data/cold/c.fq', 'AC');
    const archive = (prefix: string, storageClass: string) =>
      world.kit.actions.get('POST archive')?.({ bucket: 'longhaul', prefix, storageClass });
    await archive('data/cold/a', 'GLACIER');
    await archive('data/cold/b', 'DEEP_ARCHIVE');

    const found = await world.check(world.plan({ inputs: { reads: 'cold/*.fq' } }));

    expect(said(found)).toEqual([
      'warning inputs dataPath: inputs are archived: 1 in GLACIER (4 B), 1 in DEEP_ARCHIVE (8 B)',
    ]);
    expect(found.findings[0]?.remedy).toContain('up to 48 h');
  });
});

describe('the activity', () => {
  it('reads the plan, and leaves inputs to planning unless it is told otherwise', async () => {
    const { preflightLaunch } = createPreflightActivities(world.dependencies);
    const run = (name: string, more: { inputs?: boolean } = {}) =>
      new MockActivityEnvironment().run<[PreflightInput], Preflight, typeof preflightLaunch>(preflightLaunch, {
        launchId: 'run-1',
        attempt: 1,
        planAddress: `s3://longhaul/plans/${name}.json`,
        ...more,
      });
    await world.put('plans/one.json', JSON.stringify(world.plan({ inputs: { reads: 'reads/b.fq' } })));

    expect((await run('one')).findings).toEqual([]);
    expect((await run('one', { inputs: true })).findings).toHaveLength(1);
    await expect(run('none')).rejects.toThrow('there is no such object');
  });
});
