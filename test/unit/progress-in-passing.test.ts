/** Progress told with a record that is written anyway: as sure as the record, and never in its way for good. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { tellLaunch } from '../../activities/cost/tell-launch.ts';
import { tellInPassing } from '../../activities/progress/in-passing.ts';
import type { ProgressWriter } from '../../lib/progress/log.ts';
import { InvalidProgressError } from '../../lib/progress/report.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { EventKind } from '../../workflows/progress/model.ts';
import { createStoredLog } from '../support/stored-log.ts';

beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => {}) });
});

const batch = (kind: EventKind = 'status') => ({
  run: 'launch/1',
  facts: { domain: 'launch' },
  reports: [{ kind, source: { name: 'workflow', attempt: 1 }, localSeq: 1, at: 1, status: 'READY' }],
});
const failing = (error: Error): ProgressWriter => ({
  async append() {
    throw error;
  },
});
const tell = (writer: ProgressWriter | undefined, attempt: number, kind?: EventKind) =>
  new MockActivityEnvironment({ attempt }).run(() => tellInPassing(writer, batch(kind)));

describe('what goes with a record', () => {
  it('is in the log', async () => {
    const { store } = createStoredLog();

    expect(await tell(store, 1)).toBe(true);
    expect(await store.head('launch/1')).toMatchObject({ status: 'READY', seq: 1 });
  });

  it('has the activity tried again while the log is down, an end for longer, and is given back then', async () => {
    const down = failing(new Error('the table is gone'));

    await expect(tell(down, 4)).rejects.toThrow('the table is gone');
    expect(await tell(down, 5)).toBe(false);
    await expect(tell(down, 19, 'end')).rejects.toThrow('the table is gone');
    expect(await tell(down, 20, 'end')).toBe(false);
  });

  it('that the log can never take is done with at once', async () => {
    expect(await tell(failing(new InvalidProgressError('progress: status: expected a text')), 1)).toBe(true);
  });

  it('is nothing where there is no log', async () => {
    expect(await tell(undefined, 1)).toBe(false);
  });
});

describe('the cost of a launch', () => {
  const item = { workflow_id: 'launch/1', attempt: 1, consumer: 'lab-a' } as LaunchItem;
  const cost = { total_cost: '1.5000', currency: 'USD', cost_status: 'PENDING' } as const;
  const at = (scheduledTimestampMs: number, run: () => Promise<void>) =>
    new MockActivityEnvironment({ scheduledTimestampMs }).run(run);

  it('is told to its watchers once, and again when it has changed', async () => {
    const { store, events } = createStoredLog();
    await store.append('launch/1', { domain: 'launch' }, batch('end').reports);
    for (let time = 0; time < 2; time += 1) await at(100, () => tellLaunch(store, item, cost));
    await at(200, () => tellLaunch(store, item, { ...cost, total_cost: '1.7000', cost_status: 'FINAL' }));
    // Of a pricing before that one.
    await at(100, () => tellLaunch(store, item, cost));

    expect((await events('launch/1')).map(({ kind, cost: told }) => [kind, told?.total, told?.status])).toEqual([
      ['end', undefined, undefined],
      ['cost', '1.5000', 'PENDING'],
      ['cost', '1.7000', 'FINAL'],
    ]);
    expect((await store.head('launch/1'))?.endedAt).toBe(1);
  });

  it('begins no log of a launch that has none', async () => {
    const { store } = createStoredLog();
    await at(100, () => tellLaunch(store, item, cost));

    expect(await store.head('launch/1')).toBeUndefined();
  });
});
