/** The activities by which workflows report, and what activities report of themselves. */
import type { PutEventsCommand, PutEventsCommandOutput } from '@aws-sdk/client-eventbridge';
import { ApplicationFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { createProgressActivities } from '../../activities/progress/index.ts';
import { progressOf } from '../../activities/progress/source.ts';
import { readDetail } from '../../lib/progress/bus.ts';
import type { Nudge } from '../../lib/progress/nudges.ts';
import { ProgressStore } from '../../lib/store/progress.ts';
import type { Report } from '../../workflows/progress/model.ts';
import { FACTS, RUN } from '../support/progress-reports.ts';
import { memoryTable } from '../support/progress-table.ts';

const report = (localSeq: number, more: Partial<Report> = {}): Report => ({
  kind: 'status',
  source: { name: 'workflow', attempt: 1 },
  localSeq,
  at: localSeq,
  status: `S${localSeq}`,
  ...more,
});

/** @param failing error codes of entries, by call */
function open(failing: (string | undefined)[][] = []) {
  const store = new ProgressStore(memoryTable());
  const nudges: Nudge[] = [];
  const calls: { details: string[]; bus: (string | undefined)[] }[] = [];
  const client = {
    send: async (command: PutEventsCommand): Promise<Partial<PutEventsCommandOutput>> => {
      const { Entries = [] } = command.input;
      const codes = failing[calls.length] ?? [];
      calls.push({
        details: Entries.map(({ Detail = '' }) => Detail),
        bus: Entries.map(({ EventBusName }) => EventBusName),
      });
      expect(
        Entries.every(({ Source, DetailType }) => Source === 'longhaul.progress' && DetailType === 'Progress Reported'),
      ).toBe(true);
      return {
        FailedEntryCount: codes.filter((code) => code !== undefined).length,
        Entries: Entries.map((_, index) => (codes[index] ? { ErrorCode: codes[index] } : { EventId: String(index) })),
      };
    },
  };
  const activities = createProgressActivities({
    writer: store,
    nudge: { nudge: (nudge) => nudges.push(nudge) },
    bus: { client: client as never, name: 'progress' },
  });
  const run = async (name: keyof typeof activities, reports: readonly Report[], workflow = RUN): Promise<void> =>
    new MockActivityEnvironment().run(activities[name], { run: workflow, facts: FACTS, reports });
  return { store, nudges, calls, run };
}

const statuses = async (store: ProgressStore) => (await store.read(RUN, 0, 100)).map(({ status }) => status);

describe('appendProgress', () => {
  it('appends, tells gateways, and changes nothing when it runs again', async () => {
    const { store, nudges, run } = open();
    await run('appendProgress', [report(1), report(2)]);
    await run('appendProgress', [report(1), report(2)]);

    expect(await statuses(store)).toEqual(['S1', 'S2']);
    expect(nudges).toEqual([{ run: RUN, epoch: expect.any(String), events: await store.read(RUN, 0, 10) }]);
  });

  it('leaves out what cannot be taken, so that it keeps nothing back; splits what is too large', async () => {
    const { store, run } = open();
    const steps = Array.from({ length: 100 }, (_, index) => ({ name: `s${index}`, state: 'PENDING' as const }));
    await run('appendProgress', [
      report(1),
      report(2, { percent: Number.NaN }),
      report(3, { data: 'x'.repeat(70_000) }),
      report(4, { steps }),
    ]);

    expect(await statuses(store)).toEqual(['S1', undefined, undefined, 'S4']);
    expect((await store.snapshot(RUN))?.steps).toHaveLength(100);
  });

  it('fails for good where the call itself is wrong', async () => {
    const { run } = open();
    const failing = run('appendProgress', [report(1)], '');

    await expect(failing).rejects.toThrow(ApplicationFailure);
    await expect(failing).rejects.toMatchObject({ nonRetryable: true, type: 'InvalidProgressError' });
  });
});

describe('publishProgress', () => {
  it('puts what the other end reads', async () => {
    const { calls, run } = open();
    await run('publishProgress', [report(1), report(2)]);

    expect(calls).toMatchObject([{ bus: ['progress'] }]);
    expect(readDetail(JSON.parse(calls[0]?.details[0] ?? ''))).toEqual({
      run: RUN,
      facts: FACTS,
      reports: [report(1), report(2)],
    });
  });

  it('makes no call larger than EventBridge takes', async () => {
    const { calls, run } = open();
    const reports = Array.from({ length: 40 }, (_, index) =>
      report(index + 1, { kind: 'data', data: 'x'.repeat(20_000) }),
    );
    await run('publishProgress', reports);

    for (const { details } of calls) {
      expect(details.length).toBeLessThanOrEqual(10);
      expect(details.reduce((sum, detail) => sum + Buffer.byteLength(detail), 0)).toBeLessThan(256 * 1024);
    }
    expect(calls.flatMap(({ details }) => details.flatMap((detail) => readDetail(JSON.parse(detail)).reports))).toEqual(
      reports,
    );
  });

  it('puts entries again that were not taken, and those alone', async () => {
    const { calls, run } = open([['ThrottlingException'], ['InternalFailure']]);
    await run('publishProgress', [report(1)]);

    expect(calls).toHaveLength(3);
    expect(new Set(calls.map(({ details }) => details[0])).size).toBe(1);
  });

  it('fails, to be tried again, when they are not taken for longer', async () => {
    const { run } = open(Array.from({ length: 5 }, () => ['ThrottlingException']));

    await expect(run('publishProgress', [report(1)])).rejects.toThrow(
      'EventBridge did not take 1 events of progress: ThrottlingException',
    );
  });

  it('puts nothing where there is nothing', async () => {
    const { calls, run } = open();
    await run('publishProgress', []);
    expect(calls).toEqual([]);
  });
});

describe('progress of an activity', () => {
  const appended: [string, Report][] = [];
  const appender = { report: (run: string, _facts: unknown, report: Report) => void appended.push([run, report]) };
  const info = (at: number) => ({
    activityType: 'mapReads',
    workflowExecution: { workflowId: RUN, runId: 'r' },
    currentAttemptScheduledTimestampMs: at,
  });

  it('is superseded by its next attempt, and by another call of the same', async () => {
    const [first, next] = [info(1_000), info(2_000)].map((one) =>
      progressOf(one, { appender, key: 'sample-7', facts: FACTS }),
    );
    first?.report({ percent: 10 });
    next?.report({ percent: 1 });
    first?.report({ percent: 20 });
    const store = new ProgressStore(memoryTable());
    const { refused } = await store.append(
      RUN,
      FACTS,
      appended.map(([, report]) => report),
    );

    expect(appended.map(([run, { source }]) => [run, source.name])).toEqual(
      appended.map(() => [RUN, 'mapReads/sample-7']),
    );
    expect(refused).toBe(1);
    expect(await store.snapshot(RUN)).toMatchObject({ percent: 1 });
  });

  it('needs a run', () => {
    const { workflowExecution: _none, ...alone } = info(1);
    expect(() => progressOf(alone, { appender, key: 'k', facts: FACTS })).toThrow('say which run it reports to');
    expect(() => progressOf(alone, { appender, key: 'k', facts: FACTS, run: RUN })).not.toThrow();
  });
});
