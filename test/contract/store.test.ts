/**
 * The registry on DynamoDB: fenced writes that may come late or twice, and reads that never scan.
 *
 * @module
 */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { type LaunchItem, LaunchStore } from '../../lib/store/launches.ts';
import { PriceStore } from '../../lib/store/prices.ts';
import { type StepItem, StepStore, stepKey } from '../../lib/store/steps.ts';
import { LAUNCH_STATUSES } from '../../workflows/launch/model.ts';
import { freshTables } from '../support/fresh-tables.ts';

const tables = freshTables();
let launches: LaunchStore;
let steps: StepStore;

beforeEach(() => {
  launches = new LaunchStore(tables.client, tables.names);
  steps = new StepStore(tables.client, tables.names);
});

const launch = (more: Partial<LaunchItem> = {}): LaunchItem => ({
  launch_id: 'run-1',
  status: 'PREPARING',
  statuses: { PREPARING: '2026-03-02T08:00:00.000Z' },
  attempt: 1,
  sequence: 1,
  workflow_id: 'launch/run-1',
  run_id: 'r1',
  created_at: '2026-03-02T08:00:00.000Z',
  configuration_file: 's3://longhaul/sheets/lab-a/x.yaml',
  sheet_digest: 'd1',
  ...more,
});

describe('registering a launch', () => {
  it('puts it once, whoever comes how often', async () => {
    expect((await launches.register(launch())).outcome).toBe('new');
    expect((await launches.register(launch())).outcome).toBe('resumed');
    expect((await launches.register(launch({ run_id: 'r2' }))).outcome).toBe('existing');
    const conflict = await launches.register(launch({ run_id: 'r3', sheet_digest: 'd2' }));
    expect(conflict).toMatchObject({ outcome: 'conflict', item: { run_id: 'r1', sheet_digest: 'd1' } });
    expect(await launches.get('run-1')).toEqual(launch());
  });

  it('lets exactly one of many at once be new', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, run) => launches.register(launch({ run_id: `r${run}` }))),
    );
    expect(all.filter(({ outcome }) => outcome === 'new')).toHaveLength(1);
    expect(all.filter(({ outcome }) => outcome === 'existing')).toHaveLength(7);
  });

  it('takes two unreadable sheets for different ones', async () => {
    const { sheet_digest: _, ...unread } = launch();
    await launches.register(unread);
    expect((await launches.register({ ...unread, run_id: 'r2' })).outcome).toBe('conflict');
  });

  it('whose answer is lost is resumed', async () => {
    tables.kit.faults.set([{ service: 'dynamodb', operation: 'PutItem', effect: 'reset', when: 'after' }]);
    expect((await launches.register(launch())).outcome).toBe('resumed');
  });
});

describe('the status of a launch', () => {
  const write = (status: LaunchItem['status'], sequence: number, more = {}) =>
    launches.recordStatus({
      launchId: 'run-1',
      attempt: 1,
      sequence,
      status,
      at: `2026-03-02T08:0${sequence}:00.000Z`,
      ...more,
    });

  it('is written once, and not by a late or doubled write', async () => {
    await launches.register(launch());
    expect(await write('READY', 2)).toBe(true);
    expect(await write('READY', 2)).toBe(false);
    expect(await write('RUNNING', 3)).toBe(true);
    expect(await write('READY', 2)).toBe(false);
    expect(await launches.get('run-1')).toMatchObject({
      status: 'RUNNING',
      sequence: 3,
      statuses: { READY: '2026-03-02T08:02:00.000Z', RUNNING: '2026-03-02T08:03:00.000Z' },
    });
  });

  it('of another attempt, or of a launch that is not there, is not written', async () => {
    await launches.register(launch());
    expect(await write('READY', 2, { attempt: 2 })).toBe(false);
    expect(await write('READY', 2, { launchId: 'none' })).toBe(false);
    expect(await launches.get('none')).toBeUndefined();
  });

  it('brings its error, and what is waited for only while it is waited for', async () => {
    await launches.register(launch());
    await write('WAITING', 2, { waitingFor: 'approval' });
    expect(await launches.get('run-1')).toMatchObject({ waiting_for: 'approval' });
    await write('FAILED', 3, { error: { type: 'StepFailedError', message: 'step a' } });
    const failed = await launches.get('run-1');
    expect(failed).toMatchObject({ error_type: 'StepFailedError', error_message: 'step a' });
    expect(failed).not.toHaveProperty('waiting_for');
  });

  it('is the same whatever order its writes arrive in, the last one decides', async () => {
    await launches.register(launch());
    await Promise.all([write('READY', 2), write('COMPLETE', 4), write('RUNNING', 3), write('READY', 2)]);
    expect(await launches.get('run-1')).toMatchObject({ status: 'COMPLETE', sequence: 4 });
  });
});

describe('what the sheet says', () => {
  it('is added, repeatedly the same, and not to another attempt', async () => {
    const ranWith = { configuration_file: 's3://b/sheet.yaml' };
    await launches.register(launch({ ran_with: ranWith }));
    const facts = { consumer: 'lab-a', data_path: 's3://d/' };
    await launches.describe('run-1', 1, facts);
    await launches.describe('run-1', 1, facts);
    // What a retry is compared with, to know what a person has edited.
    const ran_with = { ...ranWith, data_path: 's3://d/' };
    expect(await launches.get('run-1')).toEqual({ ...launch(), ...facts, ran_with });
    await expect(launches.describe('run-1', 2, { consumer: 'lab-b' })).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
    });
  });
});

describe('a retry', () => {
  const next = (more: Partial<Parameters<LaunchStore['retry']>[1]> = {}) =>
    launches.retry('run-1', {
      attempt: 2,
      run_id: 'run-b',
      created_at: '2026-03-02T10:00:00Z',
      configuration_file: 's3://b/2',
      ...more,
    });
  const end = (status: LaunchItem['status']) =>
    launches.recordStatus({
      launchId: 'run-1',
      attempt: 1,
      sequence: 9,
      status,
      at: 'now',
      error: { type: 'X', message: 'm' },
    });

  it('makes a launch that ended its next attempt, once, and takes away what the last one left', async () => {
    await launches.register(launch());
    await end('FAILED');
    expect((await next()).outcome).toBe('new');
    expect((await next()).outcome).toBe('resumed');
    expect((await next({ run_id: 'run-c' })).outcome).toBe('refused');
    const item = await launches.get('run-1');
    expect(item).toMatchObject({ attempt: 2, status: 'PREPARING', sequence: 1, configuration_file: 's3://b/2' });
    expect(item?.statuses).toEqual({ PREPARING: '2026-03-02T10:00:00Z' });
    expect(item).not.toHaveProperty('error_type');
  });

  it('takes the cost away, and keeps when the statuses of the attempts before were reached', async () => {
    await launches.register(launch());
    await end('FAILED');
    const costs = { total_cost: '1.50', instance_cost: '1.50', currency: 'USD', request_cost: '0.00' };
    expect(await launches.recordCost('run-1', 1, { ...costs, cost_status: 'FINAL' })).toBe(true);
    expect(await launches.recordCost('run-1', 1, { total_cost: '1.60' }, ['request_cost'])).toBe(true);
    const priced = await launches.get('run-1');
    expect(priced).toMatchObject({ total_cost: '1.60', instance_cost: '1.50', cost_status: 'FINAL', status: 'FAILED' });
    expect(priced).not.toHaveProperty('request_cost');
    await next();
    const item = await launches.get('run-1');
    expect(item).not.toHaveProperty('total_cost');
    expect(item).not.toHaveProperty('cost_status');
    expect(item?.earlier).toEqual([{ attempt: 1, statuses: priced?.statuses }]);
  });

  it('leaves no way for the cost of an earlier attempt, or of a launch that runs', async () => {
    await launches.register(launch());
    expect(await launches.recordCost('run-1', 1, { total_cost: '1.50' })).toBe(false);
    await end('FAILED');
    await next();
    expect(await launches.recordCost('run-1', 1, { total_cost: '1.50' })).toBe(false);
    expect(await launches.get('run-1')).not.toHaveProperty('total_cost');
  });

  it.each(['PREPARING', 'RUNNING', 'COMPLETE'] as const)('is refused of one that is %s', async (status) => {
    await launches.register(launch());
    if (status !== 'PREPARING') await end(status);
    expect(await next()).toMatchObject({ outcome: 'refused', item: { attempt: 1, status } });
  });

  it('that cannot be followed is taken back with a reason, unless something has happened meanwhile', async () => {
    await launches.register(launch());
    await end('COMPLETE');
    await setStatus('RETRY');
    expect((await next()).outcome).toBe('refused');
    await launches.refuseRetry('run-1', 'COMPLETE', 'it is COMPLETE');
    expect(await launches.get('run-1')).toMatchObject({ status: 'COMPLETE', retry_refused: 'it is COMPLETE' });
    await launches.refuseRetry('run-1', 'FAILED', 'too late');
    expect((await launches.get('run-1'))?.status).toBe('COMPLETE');
  });

  it('follows a status a person has set, of one that FAILED', async () => {
    await launches.register(launch());
    await end('FAILED');
    await setStatus('RETRY');
    expect((await next()).outcome).toBe('new');
  });
});

/** As a person does it in the console. */
const setStatus = (status: string) =>
  tables.client.send(
    new UpdateItemCommand({
      TableName: tables.names.launches,
      Key: { launch_id: { S: 'run-1' } },
      UpdateExpression: 'SET #s = :s',
      ExpressionAttributeNames: { '#s': 'status' },
      ExpressionAttributeValues: { ':s': { S: status } },
    }),
  );

describe('the list of launches', () => {
  beforeEach(async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        launches.register(
          launch({
            launch_id: `run-${index}`,
            created_at: `2026-03-02T08:${String(index).padStart(2, '0')}:00.000Z`,
            status: index % 3 === 0 ? 'FAILED' : 'RUNNING',
            consumer: index % 2 === 0 ? 'lab-a' : 'lab-b',
            workflow_type: 'steps',
          }),
        ),
      ),
    );
  });
  const list = async (filter: Parameters<LaunchStore['list']>[0]) =>
    (await launches.list(filter, LAUNCH_STATUSES)).map(({ launch_id }) => Number(launch_id.slice('run-'.length)));

  it('has the newest first, of all statuses', async () => {
    expect(await list({ limit: 5 })).toEqual([29, 28, 27, 26, 25]);
    expect(await list({ limit: 100 })).toHaveLength(30);
  });

  it.each([
    [{ status: 'FAILED' as const, limit: 3 }, [27, 24, 21]],
    [{ consumer: 'lab-b', limit: 3 }, [29, 27, 25]],
    [{ workflowType: 'steps', limit: 2 }, [29, 28]],
    [{ consumer: 'nobody', limit: 2 }, []],
  ])('by %j', async (filter, expected) => expect(await list(filter)).toEqual(expected));

  it('pages on until enough are found that fit a second filter', async () => {
    const before = tables.kit.calls.lastSeq;
    expect(await list({ consumer: 'lab-a', status: 'FAILED', limit: 4 })).toEqual([24, 18, 12, 6]);
    expect(tables.kit.calls.list({ operation: 'Query', afterSeq: before }).length).toBeGreaterThan(1);
  });
});

const step = (more: Partial<StepItem> = {}): StepItem => ({
  launch_id: 'run-1',
  step_key: stepKey(1, 'align'),
  step: 'align',
  attempt: 1,
  generation: 1,
  state: 'SUBMITTED',
  workflow_id: 'launch/run-1',
  job_id: 'job-1',
  job_name: 'lh-run-1-align-1-1',
  job_queue: 'longhaul',
  open_in: '123456789012/us-east-1',
  jobs: [],
  items: { total: 2, running: 0, succeeded: 0, failed: 0 },
  settled: 0,
  reports: 20,
  image: 'tools:1',
  vcpus: 1,
  memory_mib: 1024,
  submitted_at: '2026-03-02T08:00:00.000Z',
  log_group: '/aws/batch/job',
  ...more,
});
const END = {
  state: 'SUCCEEDED' as const,
  items: { total: 2, running: 0, succeeded: 2, failed: 0 },
  ended_at: 'later',
};
const onlyStep = async () => (await steps.ofLaunch('run-1', 1))[0];

describe('the steps of a launch', () => {
  it('are those of one attempt, by name', async () => {
    for (const [attempt, name] of [
      [1, 'b'],
      [1, 'a'],
      [2, 'a'],
      [10, 'a'],
    ] as const)
      await steps.submitted(step({ attempt, step: name, step_key: stepKey(attempt, name) }));
    expect((await steps.ofLaunch('run-1', 1)).map(({ step_key }) => step_key)).toEqual(['0001#a', '0001#b']);
    expect((await steps.ofLaunch('run-1', 10)).map(({ step_key }) => step_key)).toEqual(['0010#a']);
  });

  it('are written anew by a later submission only', async () => {
    await steps.submitted(step({ generation: 2, job_id: 'job-2' }));
    await steps.submitted(step({ generation: 1, job_id: 'job-1' }));
    await steps.submitted(step({ generation: 2, job_id: 'job-x' }));
    expect(await onlyStep()).toMatchObject({ generation: 2, job_id: 'job-2' });
    await steps.submitted(step({ generation: 3, job_id: 'job-3' }));
    expect(await onlyStep()).toMatchObject({ generation: 3, job_id: 'job-3' });
  });

  it('take counts as news only when they are', async () => {
    await steps.submitted(step());
    const items = { total: 2, running: 1, succeeded: 0, failed: 0 };
    expect(await steps.counted(step(), items, 'RUNNING')).toBe(true);
    expect(await steps.counted(step(), items, 'RUNNING')).toBe(false);
    expect(await steps.counted(step({ generation: 2 }), { ...items, running: 2 }, 'RUNNING')).toBe(false);
    await steps.ended(step(), END);
    expect(await steps.counted(step(), items, 'RUNNING')).toBe(false);
    expect(await onlyStep()).toMatchObject(END);
  });

  it('keep the first end, whoever tells another one later', async () => {
    await steps.submitted(step());
    await steps.ended(step({ generation: 2 }), { ...END, state: 'FAILED' });
    expect(await onlyStep()).toMatchObject({ state: 'SUBMITTED' });
    await steps.ended(step(), END);
    await steps.ended(step(), END);
    await steps.ended(step(), { ...END, state: 'CANCELLED', cause: 'the launch is gone' });
    expect(await onlyStep()).toMatchObject(END);
    expect(await onlyStep()).not.toHaveProperty('cause');
  });
});

describe('open jobs', () => {
  it('are those of one account and Region that have not ended', async () => {
    await steps.submitted(step());
    await steps.submitted(step({ step_key: stepKey(1, 'call'), step: 'call', job_id: 'job-2' }));
    await steps.submitted(step({ launch_id: 'run-2', job_id: 'job-3', open_in: '123456789012/eu-west-1' }));
    const open = async (place: string) => (await steps.open(place)).map(({ job_id }) => job_id).sort();
    expect(await open('123456789012/us-east-1')).toEqual(['job-1', 'job-2']);
    await steps.ended(step(), END);
    expect(await open('123456789012/us-east-1')).toEqual(['job-2']);
    expect(await open('123456789012/eu-west-1')).toEqual(['job-3']);
    expect(await onlyStep()).not.toHaveProperty('open_in');
  });

  it('are found over pages: more than the megabyte one query gives', async () => {
    const image = `tools:${'x'.repeat(60_000)}`;
    await Promise.all(
      Array.from({ length: 25 }, (_, index) =>
        steps.submitted(step({ step_key: stepKey(1, `s${index}`), job_id: `job-${index}`, image })),
      ),
    );
    expect(await steps.open('123456789012/us-east-1')).toHaveLength(25);
    expect(await steps.ofLaunch('run-1', 1)).toHaveLength(25);
  });
});

describe('list prices', () => {
  it('are shared as they are, and the last one written stays', async () => {
    const prices = new PriceStore(tables.client, tables.names);
    const price = {
      perUnit: '0.1920000000',
      unit: 'Hrs',
      currency: 'USD',
      tiers: [{ from: '0', perUnit: '0.1920000000' }],
      pricesAt: '2026-09-01T00:00:00Z',
      source: 'price-list' as const,
    };
    expect(await prices.get('instance/type=m5.xlarge')).toBeUndefined();
    await prices.put('instance/type=m5.xlarge', { price, until: 1_000_999 });
    await prices.put('instance/type=m5.xlarge', { price: { ...price, perUnit: '0.2' }, until: 2_000_999 });

    expect(await prices.get('instance/type=m5.xlarge')).toEqual({
      price: { ...price, perUnit: '0.2' },
      until: 2_000_000,
    });
  });
});
