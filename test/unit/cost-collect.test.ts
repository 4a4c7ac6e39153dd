/**
 * What a launch has used, from what it has left in S3 and what AWS still knows: nothing is lost when AWS forgets, and
 * nothing is made up.
 *
 * @module
 */
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Collected, createCollectActivities } from '../../activities/cost/collect.ts';
import type { CostDependencies } from '../../activities/cost/dependencies.ts';
import type { InstanceFacts, LustreFacts, VolumeFacts } from '../../activities/cost/resources.ts';
import type { AttemptView } from '../../activities/launch/compute/service.ts';
import type { Commit, StartRecord } from '../../jobs/commit.ts';
import { readUsage } from '../../lib/cost/files.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { StepItem } from '../../lib/store/steps.ts';
import type { Occupancy, Usage } from '../../workflows/cost/model.ts';
import { openStandIns, type StandIns } from '../support/stand-ins.ts';

const BUCKET = 'longhaul';
const T = Date.parse('2026-11-20T10:00:00Z');
const at = (minutes: number): number => T + minutes * 60_000;
const iso = (minutes: number): string => new Date(at(minutes)).toISOString();
const GIB = 1024 ** 3;

let standIns: StandIns;
let nth = 0;
let launchId = '';
let item: LaunchItem | undefined;
let rows: StepItem[] = [];
let running: LaunchItem[] = [];
/** What AWS knows. */
let knownInstances: InstanceFacts[] = [];
let knownVolumes: VolumeFacts[] = [];
let existingVolumes: string[] = [];
let lustre: LustreFacts | undefined;
let views = new Map<string, AttemptView[]>();
let held: Record<string, Occupancy[]> = {};

beforeAll(async () => {
  standIns = await openStandIns();
  await standIns.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(() => standIns.close());
beforeEach(() => {
  nth += 1;
  launchId = `run-${nth}`;
  rows = [row(1)];
  running = [];
  knownInstances = [];
  knownVolumes = [];
  existingVolumes = [];
  lustre = undefined;
  views = new Map();
  held = {};
  item = launch();
});

const launch = (more: Partial<LaunchItem> = {}): LaunchItem => ({
  launch_id: launchId,
  status: 'COMPLETE',
  statuses: { PREPARING: iso(0), READY: iso(1), RUNNING: iso(2), COMPLETE: iso(60) },
  attempt: 1,
  sequence: 5,
  workflow_id: `launch/${launchId}`,
  run_id: 'r',
  created_at: iso(0),
  configuration_file: 's3://b/sheet.yaml',
  workflow_type: 'steps',
  compute_service: 'batch',
  consumer: 'lab-a',
  ...more,
});

function row(attempt: number, more: Partial<StepItem> = {}): StepItem {
  return {
    launch_id: launchId,
    step_key: `000${attempt}#align`,
    step: 'align',
    attempt,
    generation: 1,
    state: 'SUCCEEDED',
    workflow_id: `launch/${launchId}`,
    jobs: [
      { id: `job-${attempt}`, name: 'n', generation: 1, shard: 0, items: 2, memory_mib: 3072, submitted_at: iso(1) },
    ],
    items: { total: 2, running: 0, succeeded: 2, failed: 0 },
    settled: 0,
    reports: 0,
    image: 'tools:1',
    vcpus: 2,
    memory_mib: 3072,
    submitted_at: iso(1),
    ended_at: iso(50),
    log_group: '/aws/batch/job',
    ...more,
  };
}

const put = (key: string, value: unknown) =>
  standIns.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: JSON.stringify(value) }));

const INSTANCE = { id: 'i-1', type: 'm5.xlarge', zone: 'us-east-1a', lifecycle: 'on-demand', launchedAt: iso(2) };

async function started(name: string, minute: number, more: Partial<StartRecord> = {}): Promise<StartRecord> {
  const record: StartRecord = {
    item: name,
    jobId: 'job-1:0',
    jobAttempt: 1,
    generation: 1,
    startedAt: iso(minute),
    instance: INSTANCE,
    ...more,
  };
  const attempt = `${record.jobId.replaceAll(':', '_')}-${record.jobAttempt}`;
  await put(`launches/${launchId}/starts/align/${name}/${attempt}.json`, record);
  return record;
}

async function committed(record: StartRecord, minute: number, more: Partial<Commit> = {}): Promise<void> {
  const commit: Commit = {
    version: 2,
    step: 'align',
    item: record.item,
    key: 'k',
    jobId: record.jobId,
    jobAttempt: record.jobAttempt,
    generation: 1,
    exitCode: 0,
    outputs: {},
    startedAt: record.startedAt,
    committedAt: iso(minute),
    usage: { inputBytes: 5, outputBytes: 7, requests: { put: 3, get: 4 } },
    ...more,
  };
  await put(`launches/${launchId}/commits/align/${record.item}/k.json`, commit);
}

async function collect(again = false): Promise<{ collected: Collected; usage: Usage }> {
  const dependencies = {
    s3: standIns.s3,
    launches: { get: async () => item, list: async () => running },
    steps: { ofLaunch: async (_: string, attempt: number) => rows.filter((one) => one.attempt === attempt) },
    restores: { get: async () => undefined },
    ledger: { holdings: async (resource: string) => held[resource] ?? [] },
    compute: new Map([['batch', { attempts: async () => views }]]),
    resources: {
      instances: async () => knownInstances,
      volumes: async () => knownVolumes,
      existing: async (_: string, ids: string[]) => new Set(ids.filter((id) => existingVolumes.includes(id))),
      types: async () => new Map([['m5.xlarge', { vcpus: 4, memoryMib: 16_384 }]]),
      lustre: async () => lustre,
      cluster: async () => undefined,
    },
    settings: { bucket: BUCKET, slurmCluster: 'hpc', eksCluster: '' },
    region: async () => 'us-east-1',
    sharing: async () => ({ fileSystems: 'pro-rata', clusters: 'pro-rata' }),
    now: () => at(90),
  } as unknown as CostDependencies;
  const { collectUsage } = createCollectActivities(dependencies);
  const collected = (await new MockActivityEnvironment().run(collectUsage, { launchId, again })) as
    | Collected
    | undefined;
  if (!collected) throw new Error('nothing was collected');
  return { collected, usage: await readUsage(standIns.s3, collected.usageAddress) };
}

describe('attempts of jobs', () => {
  it('last as long as the service says, and reserve what stage and publish need too', async () => {
    await committed(await started('a', 5), 20);
    views.set('job-1:0', [{ attempt: 1, from: at(4), to: at(21) }]);
    const { usage } = await collect();
    expect(usage.attempts).toEqual([
      {
        attempt: 1,
        step: 'align',
        item: 'a',
        jobId: 'job-1:0',
        jobAttempt: 1,
        from: at(4),
        to: at(21),
        endKnownBy: 'service',
        outcome: 'done',
        vcpus: 4,
        memoryMib: 4096,
        inputBytes: 5,
        on: { kind: 'instance', id: 'i-1' },
      },
    ]);
    expect(usage.requests).toEqual([{ step: 'align', region: 'us-east-1', put: 3, get: 4, at: at(20) }]);
  });

  it('last until the commit where the service has forgotten them', async () => {
    await committed(await started('a', 5), 20);
    const { usage } = await collect();
    expect(usage.attempts).toMatchObject([{ from: at(5), to: at(20), endKnownBy: 'commit' }]);
  });

  it('of which nobody says the end have ended when the item was begun again, or the step had ended', async () => {
    await started('a', 5, { jobAttempt: 1 });
    await committed(await started('a', 12, { jobAttempt: 2 }), 20);
    await started('b', 30, { jobId: 'job-1:1' });
    const { usage } = await collect();
    const ends = usage.attempts.map(({ item: name, jobAttempt, to, endKnownBy }) => [name, jobAttempt, to, endKnownBy]);
    expect(ends).toEqual([
      ['a', 1, at(12), 'bound'],
      ['a', 2, at(20), 'commit'],
      ['b', 1, at(50), 'bound'],
    ]);
  });

  it.each([
    ['HOST_LOST', 'host-lost'],
    ['SUPERSEDED', 'superseded'],
    ['TERMINATED', 'cancelled'],
    ['OUT_OF_MEMORY', 'failed'],
  ] as const)('that ended by %s are %s', async (cause, outcome) => {
    await started('a', 5);
    views.set('job-1:0', [{ attempt: 1, to: at(9), cause }]);
    expect((await collect()).usage.attempts).toMatchObject([{ from: at(5), to: at(9), outcome }]);
  });

  it('of all attempts of the launch count', async () => {
    item = launch({ attempt: 2 });
    rows = [row(1, { state: 'FAILED' }), row(2)];
    await started('a', 5);
    await committed(await started('a', 30, { jobId: 'job-2' }), 40);
    expect((await collect()).usage.attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'failed'],
      [2, 'done'],
    ]);
  });

  it('of a job that no step knows are named', async () => {
    await started('a', 5, { jobId: 'stranger' });
    const { usage } = await collect();
    expect(usage.attempts).toEqual([]);
    expect(usage.unknown).toMatchObject([{ resource: 'stranger', component: 'instance' }]);
  });

  it('run on Fargate, on a cluster on premises, or nobody knows where', async () => {
    rows = [row(1), row(2, { compute_service: 'slurm' })];
    item = launch({ attempt: 2 });
    const nowhere = { instance: undefined } as unknown as Partial<StartRecord>;
    await started('a', 5, { ...nowhere, task: { launchType: 'FARGATE', vcpus: 4, memoryMib: 8192 } });
    await started('b', 5, { ...nowhere, jobId: 'job-1:1' });
    await started('c', 30, { ...nowhere, jobId: 'job-2' });
    const on = (await collect()).usage.attempts.map((attempt) => attempt.on);
    expect(on).toMatchObject([
      { kind: 'fargate', vcpus: 4, memoryMib: 8192, architecture: 'x86_64' },
      { kind: 'unknown' },
      { kind: 'on-premises', cluster: 'hpc' },
    ]);
  });
});

describe('instances', () => {
  const fact = (more: Partial<InstanceFacts> = {}): InstanceFacts => ({
    id: 'i-1',
    live: false,
    launchedAt: at(1),
    endedAt: at(30),
    spot: false,
    capacityBlock: false,
    autoScalingGroup: 'group-1',
    ...more,
  });

  it('have what EC2 says: their own times, type and group', async () => {
    await committed(await started('a', 5), 20);
    knownInstances = [fact()];
    const { usage, collected } = await collect();
    expect(usage.instances).toEqual([
      {
        id: 'i-1',
        type: 'm5.xlarge',
        zone: 'us-east-1a',
        region: 'us-east-1',
        market: 'on-demand',
        vcpus: 4,
        memoryMib: 16_384,
        launchedAt: at(1),
        endedAt: at(30),
        autoScalingGroup: 'group-1',
        others: [],
      },
    ]);
    expect(collected.live).toBe(false);
  });

  it('that EC2 has forgotten have what the start record says', async () => {
    await committed(await started('a', 5), 20);
    const [found] = (await collect()).usage.instances;
    expect(found).toMatchObject({ launchedAt: at(2) });
    expect(found).not.toHaveProperty('endedAt');
  });

  it('that were up for long before and after were up for somebody else', async () => {
    await committed(await started('a', 25, { instance: { ...INSTANCE, launchedAt: iso(0) } }), 30);
    knownInstances = [fact({ launchedAt: at(0), endedAt: at(55) })];
    const [found] = (await collect()).usage.instances;
    expect(found).not.toHaveProperty('launchedAt');
    expect(found).not.toHaveProperty('endedAt');
  });

  it('were up for a launch that is known to have been there before', async () => {
    await committed(await started('a', 25, { instance: { ...INSTANCE, launchedAt: iso(0) } }), 30);
    held = { 'i-1': [{ launchId: 'other', from: at(3), to: at(24), vcpus: 4, memoryMib: 4096 }] };
    const [found] = (await collect()).usage.instances;
    expect(found).toMatchObject({ launchedAt: at(0), others: held['i-1'] });
  });

  it('that still run are looked at again', async () => {
    await committed(await started('a', 5), 20);
    knownInstances = [fact({ live: true, endedAt: undefined as unknown as number })];
    expect((await collect()).collected.live).toBe(true);
  });
});

describe('volumes', () => {
  const volume = (more: Partial<VolumeFacts> = {}): VolumeFacts => ({
    id: 'vol-1',
    instanceId: 'i-1',
    type: 'gp3',
    gib: 30,
    iops: 3000,
    throughput: 125,
    createdAt: at(2),
    ...more,
  });

  it('are those EC2 has, for as long as their instance is known', async () => {
    await committed(await started('a', 5), 20);
    knownVolumes = [volume()];
    const { usage } = await collect();
    expect(usage.volumes).toMatchObject([{ id: 'vol-1', type: 'gp3', gib: 30, from: at(2), to: at(20) }]);
  });

  it('that a first look has seen are remembered, and go on when they outlive their instance', async () => {
    await committed(await started('a', 5), 20);
    knownVolumes = [volume(), volume({ id: 'vol-2', gib: 100 })];
    await collect();
    knownVolumes = [];
    existingVolumes = ['vol-2'];
    knownInstances = [
      { id: 'i-1', live: false, launchedAt: at(2), endedAt: at(25), spot: false, capacityBlock: false },
    ];
    const { usage } = await collect(true);
    expect(usage.volumes.map(({ id, from, to }) => [id, from, to])).toEqual([
      ['vol-1', at(2), at(25)],
      ['vol-2', at(2), at(90)],
    ]);
  });

  it('that nobody can be asked about any more have the size the job has seen, and say so', async () => {
    await committed(await started('a', 5, { volumeBytes: 29.9 * GIB }), 20);
    const { usage } = await collect();
    expect(usage.volumes).toMatchObject([{ instanceId: 'i-1', type: 'gp3', gib: 30, assumed: true }]);
  });
});

describe('a shared file system', () => {
  it('was used from the first job to the last, beside launches that are priced and such as run', async () => {
    item = launch({ shared_file_system: 'fs-1' });
    lustre = { id: 'fs-1', deploymentType: 'PERSISTENT_2', storageType: 'SSD', gib: 1200, throughputPerUnit: 125 };
    held = { 'fs-1': [{ launchId: 'before', from: at(0), to: at(10), vcpus: 1, memoryMib: 0 }] };
    running = [{ ...launch(), launch_id: 'beside', status: 'RUNNING', shared_file_system: 'fs-1' }];
    await committed(await started('a', 5), 20);
    const { usage } = await collect();
    expect(usage.fileSystems).toEqual([
      {
        ...lustre,
        region: 'us-east-1',
        sharing: 'pro-rata',
        used: [{ from: at(5), to: at(20) }],
        others: [
          { launchId: 'before', from: at(0), to: at(10) },
          { launchId: 'beside', from: at(1), to: at(90) },
        ],
      },
    ]);
  });

  it('that FSx does not know is named', async () => {
    item = launch({ shared_file_system: 'fs-gone' });
    await committed(await started('a', 5), 20);
    expect((await collect()).usage.unknown).toMatchObject([{ resource: 'fs-gone', component: 'filesystem' }]);
  });
});

describe('a launch', () => {
  it('that is not there is an error that says so', async () => {
    item = undefined;
    await expect(collect()).rejects.toMatchObject({ type: 'LaunchNotFoundError' });
  });

  it('that runs, or has its cost, is left alone', async () => {
    item = launch({ status: 'RUNNING' });
    await expect(collect()).rejects.toThrow('nothing was collected');
    item = launch({ total_cost: '1.00' });
    await expect(collect()).rejects.toThrow('nothing was collected');
    expect((await collect(true)).usage.attempts).toEqual([]);
  });

  it('that never ran a job has used nothing', async () => {
    item = launch({ status: 'FAILED', statuses: { PREPARING: iso(0), FAILED: iso(1) } });
    rows = [];
    const { usage } = await collect();
    expect(usage).toMatchObject({ attempts: [], instances: [], volumes: [], requests: [], unknown: [] });
  });
});
