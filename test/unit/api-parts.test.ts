/** Parts of the API that stand alone: stored pictures, actions, telemetry, the ledger of some consumers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actionsOf } from '../../clients/gateway/http/actions.ts';
import { ofConsumers, type SeenLedger } from '../../clients/gateway/http/consumer-ledger.ts';
import { inputsOf } from '../../clients/gateway/http/plans.ts';
import { launchSnapshot, restoreSnapshot } from '../../clients/gateway/http/stored-snapshot.ts';
import { TelemetryBook } from '../../clients/gateway/http/telemetry-book.ts';
import { toProgress } from '../../clients/launch/progress.ts';
import { STORED_EPOCH } from '../../clients/live/api.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { StepItem } from '../../lib/store/steps.ts';
import type { Plan } from '../../workflows/launch/plan.ts';
import { planLaunch } from '../../workflows/launch/plan-launch.ts';
import { parseSheet } from '../../workflows/launch/sheet/parse.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';
import { sheet } from '../support/live-sheet.ts';

const minute = (n: number): string => new Date(Date.UTC(2026, 10, 1, 0, n)).toISOString();
const ms = (n: number): number => Date.parse(minute(n));

const item = (more: Partial<LaunchItem> = {}): LaunchItem => ({
  launch_id: 'run-1',
  status: 'FAILED',
  statuses: { PREPARING: minute(5), READY: minute(6), RUNNING: minute(7), FAILED: minute(9) },
  attempt: 2,
  sequence: 4,
  workflow_id: 'launch/run-1',
  run_id: 'r',
  created_at: minute(0),
  configuration_file: 's3://longhaul/sheets/lab-a/run-1.yaml',
  consumer: 'lab-a',
  error_type: 'StepFailedError',
  error_message: 'step align failed',
  earlier: [{ attempt: 1, statuses: { CANCELLED: minute(3), PREPARING: minute(0) } }],
  total_cost: '1.25',
  currency: 'USD',
  cost_status: 'PENDING',
  ...more,
});

const row = (step: string, more: Partial<StepItem> = {}): StepItem =>
  ({
    launch_id: 'run-1',
    step_key: `0002#${step}`,
    step,
    attempt: 2,
    generation: 1,
    state: 'SUCCEEDED',
    workflow_id: 'launch/run-1',
    jobs: [],
    items: { total: 2, running: 0, succeeded: 2, failed: 0 },
    submitted_at: minute(7),
    ...more,
  }) as StepItem;

function plan(): Plan {
  const { sheet: parsed } = parseSheet(
    sheet(
      'run-1',
      {
        align: { scatter: ['sample'], command: 'cat ${{ inputs.reads }}', inputs: { reads: 'in/${{ sample }}.fq' } },
        call: { command: 'true', after: ['align'] },
      },
      { scatter: { sample: ['a', 'b', 'c'] } },
    ),
    'sheet',
  );
  const context = {
    launchId: 'run-1',
    attempt: 2,
    computeService: 'batch',
    defaultResultsPath: 's3://r/',
    discovered: {},
  };
  const planned = planLaunch(parsed, context);
  if ('problems' in planned) throw new Error('the sheet of the test has problems');
  return planned.plan;
}

describe('the picture of a launch from the registry', () => {
  it('has statuses of all attempts, the graph, and steps that never began', () => {
    const stored = [row('align', { state: 'FAILED', items: { total: 3, running: 0, succeeded: 1, failed: 2 } })];
    const picture = launchSnapshot(item(), toProgress(item(), stored), plan());

    expect(picture).toMatchObject({
      run: 'launch/run-1',
      domain: 'launch',
      consumer: 'lab-a',
      epoch: STORED_EPOCH,
      seq: 0,
      attempt: 2,
      status: 'FAILED',
      percent: 50,
      error: { type: 'StepFailedError' },
      cost: { total: '1.25', currency: 'USD', status: 'PENDING' },
      startedAt: ms(0),
      endedAt: ms(9),
      changedAt: ms(9),
    });
    expect(picture.statuses).toEqual([
      { status: 'PREPARING', at: ms(0), attempt: 1 },
      { status: 'CANCELLED', at: ms(3), attempt: 1 },
      { status: 'PREPARING', at: ms(5), attempt: 2 },
      { status: 'READY', at: ms(6), attempt: 2 },
      { status: 'RUNNING', at: ms(7), attempt: 2 },
      { status: 'FAILED', at: ms(9), attempt: 2 },
    ]);
    expect(picture.steps).toMatchObject([
      { name: 'align', state: 'FAILED', after: [], attempt: 1 },
      { name: 'call', state: 'CANCELLED', after: ['align'], items: { total: 1 } },
    ]);
    // It is one that a picture can go on from.
    expect(new RunPicture(picture).snapshot()).toEqual(picture);
  });

  it('has steps to come while it runs, and those alone that were submitted where the plan is gone', () => {
    const open = item({ status: 'RUNNING', statuses: { RUNNING: minute(7) } });
    const progress = toProgress(open, [
      row('align', { state: 'RUNNING', stuck: 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT' }),
    ]);
    expect(launchSnapshot(open, progress, plan()).steps).toMatchObject([
      { stuck: { since: ms(7) } },
      { state: 'PENDING' },
    ]);
    expect(launchSnapshot(open, progress).steps.map(({ name }) => name)).toEqual(['align']);
    expect(launchSnapshot(open, progress)).not.toHaveProperty('endedAt');
  });

  it('tells of a restore its counts, and what it waits for', () => {
    const counts = { total: 4, bytes: 40, requested: 4, readable: 1, readableBytes: 10, restoring: 2, failed: 1 };
    const progress = {
      restoreId: 'c',
      status: 'APPROVAL' as const,
      counts,
      statuses: { PLANNING: ms(1), APPROVAL: ms(2) },
    };
    const registered = { workflow_id: 'restore/c', created_at: minute(1), launch_id: 'c' };
    expect(restoreSnapshot(progress, registered)).toMatchObject({
      domain: 'restore',
      parent: 'launch/c',
      waitingFor: 'approval',
      percent: 50,
      counts: { objects: 4, restored: 1, failed: 1 },
    });
  });
});

describe('inputs', () => {
  it('are counted all, and shown as far as there is room', () => {
    expect(inputsOf(plan(), 2)).toEqual({
      total: 3,
      first: ['a', 'b'].map((sample) => ({
        step: 'align',
        item: sample,
        name: 'reads',
        address: `s3://longhaul/data/in/${sample}.fq`,
      })),
    });
  });
});

describe('actions', () => {
  const as = (role: 'viewer' | 'operator' | 'approver') => ({ userId: 'u', role, consumers: ['lab-a'] });
  const run = { domain: 'launch', consumer: 'lab-a' };

  it.each([
    ['viewer', { status: 'RUNNING' }, []],
    ['operator', { status: 'RUNNING' }, ['cancel']],
    ['operator', { status: 'FAILED' }, ['retry']],
    ['operator', { status: 'COMPLETE' }, []],
    ['operator', { status: 'FAILED', completed: true }, []],
    ['operator', { status: 'WAITING', waitingFor: 'approval' }, ['cancel']],
    ['approver', { status: 'WAITING', waitingFor: 'budget' }, ['approve', 'refuse', 'cancel']],
    ['approver', { status: 'WAITING', waitingFor: 'restore' }, ['cancel']],
    ['approver', { domain: 'restore', status: 'READY' }, []],
    ['operator', { domain: 'story', status: 'WRITING' }, ['cancel']],
    ['operator', { domain: 'story', status: 'READY' }, ['cancel']],
    ['operator', { domain: 'story', status: 'COMPLETE' }, []],
    ['operator', { domain: 'story', status: 'CANCELLED' }, ['retry']],
    ['viewer', { domain: 'story', status: 'WRITING' }, []],
    ['approver', { domain: 'order', status: 'RUNNING' }, []],
    ['approver', { consumer: 'lab-b', status: 'RUNNING' }, []],
  ] as const)('of a %s with %j are %j', (role, more, expected) => {
    expect(actionsOf(as(role), { ...run, ...more })).toEqual(expected);
  });
});

describe('telemetry', () => {
  it('counts, and keeps the last times and errors', () => {
    const book = new TelemetryBook();
    for (let time = 1; time <= 1_000; time += 1)
      book.add({ kind: 'request', route: '/runs', ms: time, status: 200 }, 0);
    book.add({ kind: 'request', route: '/runs', ms: 1_000, status: 503 }, 0);
    book.add({ kind: 'page', route: '/launches/:id' }, 0);
    for (let nth = 0; nth < 60; nth += 1) book.add({ kind: 'error', route: '/runs', message: 'x'.repeat(900) }, nth);
    const view = book.view();
    expect(view.pages).toEqual({ '/launches/:id': 1 });
    // Of the last 512: 490 to 1,000, and one more of 1,000.
    expect(view.requests['/runs']).toEqual({ count: 1_001, failed: 1, p50Ms: 745, p95Ms: 976 });
    expect(view.errors).toHaveLength(50);
    expect(view.errors[0]).toMatchObject({ at: 10, message: 'x'.repeat(500) });
  });

  it('is bounded, whatever is sent by however many', () => {
    const book = new TelemetryBook();
    for (let nth = 0; nth < 5_000; nth += 1) {
      book.admit(`user-${nth}`, 1, 0);
      book.add({ kind: 'page', route: `/${nth}` }, 0);
      book.add({ kind: 'request', route: `/${nth}`, ms: 1, status: 200 }, 0);
    }
    expect(Object.keys(book.view().pages)).toHaveLength(101);
    expect(book.view().pages.other).toBe(4_900);
    expect(Object.keys(book.view().requests)).toHaveLength(101);
  });

  it('admits a burst and then so many a second, of each user', () => {
    const book = new TelemetryBook();
    expect([1, 2, 3, 4].map(() => book.admit('a', 50, 0).ok)).toEqual([true, true, true, true]);
    expect(book.admit('a', 50, 0)).toEqual({ ok: false, waitSeconds: 10 });
    expect(book.admit('b', 50, 0)).toEqual({ ok: true });
    expect(book.admit('a', 50, 10_000)).toEqual({ ok: true });
    expect(book.view().refused).toBe(50);
  });
});

describe('the ledger of some consumers', () => {
  it('has nothing of others, in whatever it is asked', async () => {
    const entry = fc.record({
      consumer: fc.constantFrom('a', 'b', 'c'),
      day: fc.constantFrom('2026-11-01', '2026-11-02'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry), fc.uniqueArray(fc.constantFrom('a', 'b', 'c')), async (entries, owned) => {
        const mine: readonly string[] = owned;
        const all = {
          day: async (day: string) => entries.filter((one) => one.day === day),
          daysOf: async (consumer: string, from: string, to: string) =>
            entries.filter((one) => one.consumer === consumer && one.day >= from && one.day <= to),
          history: async () => entries.map(({ consumer }) => ({ consumer_name: consumer })),
        } as unknown as SeenLedger;
        const seen = ofConsumers(all, mine);
        const day = await seen.day('2026-11-01');
        const expected = entries.filter((one) => mine.includes(one.consumer) && one.day === '2026-11-01');
        expect(day).toHaveLength(expected.length);
        expect(day.every(({ consumer }) => mine.includes(consumer))).toBe(true);
        expect((await seen.history('w', 99)).every((one) => mine.includes(one.consumer_name))).toBe(true);
        if (!mine.includes('a')) expect(await seen.daysOf('a', '2026-11-01', '2026-11-02')).toEqual([]);
      }),
    );
  });
});
