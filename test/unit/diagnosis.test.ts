/** Why a launch is stuck or has failed: one cause, one remedy, from whatever is known. */
import { describe, expect, it } from 'vitest';
import { diagnose, type LiveFacts } from '../../clients/launch/diagnosis.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { StepItem } from '../../lib/store/steps.ts';
import { CAUSE_NAMES } from '../../workflows/launch/causes.ts';

const NOW = Date.parse('2026-03-02T10:00:00Z');
const launch = (more: Partial<LaunchItem>): LaunchItem => ({
  launch_id: 'run-1',
  status: 'RUNNING',
  statuses: { PREPARING: '2026-03-02T08:00:00Z' },
  attempt: 1,
  sequence: 3,
  workflow_id: 'launch/run-1',
  run_id: 'r',
  created_at: '2026-03-02T08:00:00Z',
  configuration_file: 's3://b/sheets/lab-a/x.yaml',
  ...more,
});
const step = (more: Partial<StepItem>): StepItem => ({
  launch_id: 'run-1',
  step_key: '0001#align',
  step: 'align',
  attempt: 1,
  generation: 1,
  state: 'RUNNING',
  workflow_id: 'launch/run-1',
  job_id: 'job-1',
  job_queue: 'longhaul',
  jobs: [
    {
      id: 'job-1',
      name: 'n',
      generation: 1,
      shard: 0,
      items: 1,
      memory_mib: 1024,
      submitted_at: '2026-03-02T08:00:00Z',
    },
  ],
  open_in: '1/r',
  items: { total: 1, running: 0, succeeded: 0, failed: 0 },
  settled: 0,
  reports: 20,
  image: 'tools:1',
  vcpus: 1,
  memory_mib: 1024,
  submitted_at: '2026-03-02T08:00:00Z',
  log_group: '/aws/batch/job',
  ...more,
});
const live = (more: Partial<LiveFacts> = {}): LiveFacts => ({
  workflow: { status: 'RUNNING', historyLength: 100, taskFailures: 0 },
  pending: [],
  pollers: { longhaul: 1, 'longhaul-launch': 1 },
  queueProblems: [],
  stuck: {},
  ...more,
});
const say = (item: Partial<LaunchItem>, steps: StepItem[] = [], facts = live()) =>
  diagnose(launch(item), steps, facts, NOW);

describe('a launch that has ended', () => {
  it.each(CAUSE_NAMES)('is explained by %s with a remedy and evidence', (cause) => {
    const failures = [
      { item: 's7', cause, generation: 1, job_id: 'job-1:7', reason: 'because', last_log_lines: ['the end'] },
    ];
    const failed = step({
      state: 'FAILED',
      items: { total: 9, running: 0, succeeded: 8, failed: 1 },
      failures,
      failed_jobs: { [cause]: 1 },
    });
    const found = say({ status: 'FAILED', error_type: 'StepFailedError' }, [failed]);
    expect(found.cause).toBe(cause);
    expect(found.summary).toContain('s7');
    expect(found.remedy).toContain('launch retry run-1');
    expect(found.evidence.join('\n')).toMatch(/job-1:7[\s\S]*because[\s\S]*the end/);
  });

  it('names the cause of most failures, not of the first', () => {
    const failures = [
      { item: 'a', cause: 'EXIT_CODE' as const, generation: 1, job_id: 'j:0', reason: '' },
      { item: 'b', cause: 'OUT_OF_MEMORY' as const, generation: 1, job_id: 'j:1', reason: '' },
    ];
    const failed = step({ state: 'FAILED', failures, failed_jobs: { EXIT_CODE: 1, OUT_OF_MEMORY: 40 } });
    expect(say({ status: 'FAILED' }, [failed]).cause).toBe('OUT_OF_MEMORY');
  });

  it('says every problem of a sheet, and how to go on', () => {
    const found = say({ status: 'FAILED', error_type: 'InvalidSheetError', error_message: 'x.yaml:3: a\nx.yaml:4: b' });
    expect(found).toMatchObject({ cause: 'InvalidSheetError', evidence: ['x.yaml:3: a', 'x.yaml:4: b'] });
    expect(found.remedy).toContain('launch retry run-1 --sheet');
  });

  it('says that nothing is wrong with a COMPLETE one, and who ended a CANCELLED one', () => {
    expect(say({ status: 'COMPLETE' })).toMatchObject({ cause: 'HEALTHY', remedy: '' });
    expect(say({ status: 'CANCELLED' }).cause).toBe('CANCELLED');
    expect(say({ status: 'CANCELLED', error_type: 'LaunchTerminatedError' }).cause).toBe('LaunchTerminatedError');
  });
});

describe('a launch that is open', () => {
  const { workflow: _, ...unknown } = live();
  it.each<[string, LiveFacts, Partial<StepItem>, string]>([
    ['whose workflow is gone', unknown, {}, 'WORKFLOW_GONE'],
    [
      'whose workflow was terminated',
      live({ workflow: { status: 'TERMINATED', historyLength: 9, taskFailures: 0 } }),
      {},
      'WORKFLOW_GONE',
    ],
    ['without a worker', live({ pollers: { longhaul: 1, 'longhaul-launch': 0 } }), {}, 'NO_WORKER'],
    [
      'whose code fails',
      live({ workflow: { status: 'RUNNING', historyLength: 9, taskFailures: 4, taskFailure: 'Nondeterminism' } }),
      {},
      'WORKFLOW_TASK_FAILING',
    ],
    [
      'that cannot be placed',
      live({ stuck: { align: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - x' } }),
      { state: 'RUNNABLE' },
      'STUCK',
    ],
    ['that could not be placed at the last look', live(), { state: 'RUNNABLE', stuck: 'UNDETERMINED - x' }, 'STUCK'],
    [
      'that is being tried again',
      live({ pending: [{ type: 'submitStep', attempt: 7, failure: 'Too Many Requests' }] }),
      {},
      'RETRYING',
    ],
    [
      'in a queue that is off',
      live({ queueProblems: ['job queue longhaul is DISABLED, VALID: '] }),
      { state: 'RUNNABLE' },
      'QUEUE',
    ],
    ['that waits for long', live(), { state: 'RUNNABLE' }, 'WAITING_FOR_CAPACITY'],
    ['that runs', live(), { state: 'RUNNING' }, 'HEALTHY'],
    ['that waits for a minute', live(), { state: 'RUNNABLE', submitted_at: '2026-03-02T09:59:00Z' }, 'HEALTHY'],
  ])('%s is told', (_name, facts, more, cause) => {
    const found = say({}, [step(more)], facts);
    expect(found.cause).toBe(cause);
    if (cause !== 'HEALTHY') {
      expect(found.remedy).not.toBe('');
      expect(found.evidence.length).toBeGreaterThan(0);
    }
  });
});

describe('a launch on another compute service', () => {
  const SERVICES = [
    ['slurm', 'default', '12', 'Slurm', ['to ask: squeue --jobs=12', 'to ask: scontrol show job 12']],
    [
      'eks',
      'prod/lab',
      'lh-run-1-0a',
      'Kubernetes',
      [
        'to ask: kubectl --namespace lab describe job lh-run-1-0a',
        'to ask: kubectl --namespace lab describe pods --selector batch.kubernetes.io/job-name=lh-run-1-0a',
      ],
    ],
    [
      'ec2',
      'ec2',
      'lh-1',
      'Amazon EC2',
      ['to ask: aws ec2 describe-instances --filters Name=tag:longhaul:job,Values=lh-1'],
    ],
  ] as const;
  const on = (service: string, queue: string, id: string, more: Partial<StepItem>) => {
    const [job] = step({}).jobs;
    return step({ compute_service: service, job_queue: queue, job_id: id, jobs: job ? [{ ...job, id }] : [], ...more });
  };

  it.each(SERVICES)('%s that cannot place a job is quoted by its name, with what to ask it', (...one) => {
    const [service, queue, id, title, commands] = one;
    const stuck = on(service, queue, id, { state: 'RUNNABLE', stuck: 'QOSMaxJobsPerUserLimit' });
    const found = say({}, [stuck]);

    expect(found).toMatchObject({ cause: 'STUCK', remedy: expect.stringContaining('QOS') });
    expect(found.evidence).toEqual(expect.arrayContaining([`${title}: QOSMaxJobsPerUserLimit`, ...commands]));
  });

  it.each(SERVICES)('%s that lets a job wait has no compute environment', (...one) => {
    const [service, queue, id, title, commands] = one;
    const found = say({}, [on(service, queue, id, { state: 'SUBMITTED' })]);

    expect(found.cause).toBe('WAITING_FOR_CAPACITY');
    expect(found.summary).toContain(`${title} gives no reason`);
    expect(found.evidence).toEqual(expect.arrayContaining([...commands]));
  });

  it.each(SERVICES)('%s is not AWS Batch in anything that is said', (...one) => {
    const [service, queue, id, , commands] = one;
    const failures = [{ item: 'a', cause: 'UNKNOWN' as const, generation: 1, job_id: id, reason: 'because' }];
    const all = [
      say({}, [on(service, queue, id, { state: 'RUNNABLE', stuck: 'x' })]),
      say({}, [on(service, queue, id, { state: 'SUBMITTED' })]),
      say({}, [on(service, queue, id, { state: 'RUNNING' })]),
      say({}, [on(service, queue, id, { state: 'RUNNABLE', submitted_at: '2026-03-02T09:59:00Z' })]),
      say({ status: 'FAILED', error_type: 'JobRejectedError' }),
      ...CAUSE_NAMES.map((cause) => {
        const failed = on(service, queue, id, {
          state: 'FAILED',
          failures: failures.map((one) => ({ ...one, cause })),
        });
        return say({ status: 'FAILED' }, [failed]);
      }),
    ];

    expect(JSON.stringify(all)).not.toMatch(/Batch|maxvCpus/);
    expect(all[2]?.evidence).toEqual(expect.arrayContaining([...commands]));
    expect(all[3]).toMatchObject({ cause: 'HEALTHY', evidence: [expect.stringContaining('RUNNABLE'), ...commands] });
  });
});

describe('a launch that waits for its archived inputs', () => {
  const waiting = (waiting_for: 'restore' | 'approval' | 'budget') =>
    launch({ status: 'WAITING', waiting_for, statuses: { WAITING: '2026-03-02T09:00:00Z' } });
  const restore = {
    restore_id: 'run-1',
    created_at: '2026-03-02T09:00:00Z',
    sequence: 3,
    status: 'RESTORING' as const,
    statuses: {},
    workflow_id: 'restore/run-1',
    run_id: 'r',
    counts: { total: 24, bytes: 1, requested: 24, readable: 7, readableBytes: 1, restoring: 17, failed: 0 },
    plan: {
      days: 3,
      tiers: { DEEP_ARCHIVE: 'Bulk' as const },
      objects: 24,
      bytes: 1,
      usd: 0.5,
      seconds: 172_800,
      soonestSeconds: 1,
    },
  };

  it('goes on by itself, with how far it is', () => {
    expect(diagnose(waiting('restore'), [], live({ restore }), NOW)).toMatchObject({
      cause: 'WAITING_FOR_RESTORE',
      remedy: '',
      evidence: [
        'waits since 2026-03-02T09:00:00Z',
        '7 of 24 objects can be read, 0 have failed',
        'Bulk from DEEP_ARCHIVE: $0.5000, up to 48 h',
        'to ask: longhaul restore show run-1',
      ],
    });
  });

  it('asks for the approval by its command, also where the registry of restores is down', () => {
    expect(diagnose(waiting('approval'), [], live(), NOW)).toMatchObject({
      cause: 'WAITING_FOR_APPROVAL',
      remedy: '"longhaul approve launch/run-1", or the same with --refuse',
    });
  });

  it('of a budget that is used up says whose, and how it goes on', () => {
    expect(diagnose(waiting('budget'), [], live(), NOW)).toMatchObject({
      cause: 'WAITING_FOR_BUDGET',
      summary: expect.stringContaining('goes on by itself next month') as string,
      remedy: expect.stringContaining('longhaul approve launch/run-1') as string,
    });
  });

  it('an activity that does not get through comes first', () => {
    const pending = [{ type: 'recordStatus', attempt: 4, failure: 'throttled' }];
    expect(diagnose(waiting('restore'), [], live({ restore, pending }), NOW).cause).toBe('RETRYING');
  });
});
