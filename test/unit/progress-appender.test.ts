/** How a process tells logs what happens, also while the table cannot be used. */
import { describe, expect, it } from 'vitest';
import { createAppender } from '../../lib/progress/appender.ts';
import type { ProgressWriter } from '../../lib/progress/log.ts';
import type { Nudge } from '../../lib/progress/nudges.ts';
import { InvalidProgressError } from '../../lib/progress/report.ts';
import { createSource } from '../../lib/progress/source.ts';
import { ProgressStore } from '../../lib/store/progress.ts';
import type { Report } from '../../workflows/progress/model.ts';
import { FACTS, RUN } from '../support/progress-reports.ts';
import { memoryTable } from '../support/progress-table.ts';

interface World {
  everyMs?: number;
  mostBytes?: number;
  /** What comes before each append. */
  before?(call: number): Promise<void> | void;
  /** What comes after each one that was written. */
  after?(call: number): void;
}

function open({ everyMs = 5, mostBytes, before, after }: World = {}) {
  const store = new ProgressStore(memoryTable());
  const appends: (readonly Report[])[] = [];
  const nudges: Nudge[] = [];
  const warnings: string[] = [];
  const writer: ProgressWriter = {
    async append(run, facts, reports) {
      appends.push(reports);
      const call = appends.length;
      await before?.(call);
      const appended = await store.append(run, facts, reports);
      after?.(call);
      return appended;
    },
  };
  const appender = createAppender({
    writer,
    nudge: { nudge: (nudge) => nudges.push(nudge) },
    warn: (message) => warnings.push(message),
    everyMs,
    ...(mostBytes !== undefined && { mostBytes }),
  });
  return { appender, store, appends, nudges, warnings };
}

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

const messages = async (store: ProgressStore, run = RUN) =>
  (await store.read(run, 0, 1_000)).map(({ message }) => message);

describe('reporting', () => {
  it('goes at once, then in merged appends, and tells gateways', async () => {
    const { open: letGo, opened } = gate();
    const { appender, store, appends, nudges } = open({ before: (call) => (call === 1 ? opened : undefined) });
    const source = createSource('workflow', 1);
    appender.report(RUN, FACTS, source.report({ message: 'first' }));
    await expect.poll(() => appends.length).toBe(1);
    for (let n = 1; n <= 50; n += 1)
      appender.report(RUN, FACTS, source.report({ percent: n, steps: [{ name: `s${n % 3}`, state: 'RUNNING' }] }));
    appender.report(RUN, FACTS, source.report({ status: 'RUNNING' }, 'status'));
    for (let n = 1; n <= 50; n += 1) appender.report(RUN, FACTS, source.report({ message: `m${n}` }));
    letGo();

    expect(await appender.flush()).toBe(0);
    const events = await store.read(RUN, 0, 100);
    expect(events).toMatchObject([
      { message: 'first' },
      { percent: 50, steps: [{ name: 's1' }, { name: 's2' }, { name: 's0' }] },
      { status: 'RUNNING' },
      { message: 'm50' },
    ]);
    expect(appends).toHaveLength(2);
    expect(nudges.flatMap((nudge) => nudge.events)).toEqual(events);
  });

  it('leaves time between two appends of a run, none to those of another', async () => {
    const { appender, appends, store } = open({ everyMs: 60_000 });
    const source = createSource('workflow', 1);
    for (const run of ['a', 'b']) appender.report(run, FACTS, source.report({ message: 'first' }));
    await expect
      .poll(async () => (await Promise.all(['a', 'b'].map((run) => messages(store, run)))).flat())
      .toHaveLength(2);
    appender.report('a', FACTS, source.report({ message: 'second' }));
    await Promise.resolve();
    expect(appends).toHaveLength(2);

    expect(await appender.flush()).toBe(0);
    expect(await messages(store, 'a')).toEqual(['first', 'second']);
  });

  it('splits what one append cannot take', async () => {
    const { appender, store } = open();
    const steps = Array.from({ length: 500 }, (_, index) => ({ name: `s${index}`, state: 'PENDING' as const }));
    appender.report(RUN, FACTS, createSource('workflow', 1).report({ steps, status: 'RUNNING' }, 'status'));
    await appender.flush();

    expect((await store.snapshot(RUN))?.steps).toEqual(steps);
    expect(await store.head(RUN)).toMatchObject({ seq: 13, status: 'RUNNING' });
  });

  it('never throws, whatever it is given, and says what is lost', async () => {
    const { appender, appends, warnings } = open();
    const source = createSource('workflow', 1);
    appender.report('', FACTS, source.report({}));
    appender.report(RUN, { domain: '' }, source.report({}));
    appender.report(RUN, FACTS, source.report({ percent: Number.NaN }));
    appender.report(RUN, FACTS, source.report({ data: 'x'.repeat(70_000) }, 'data'));
    await appender.flush();

    expect(appends.flat()).toEqual([]);
    expect(warnings).toEqual(
      ['run: expected a text', 'facts.domain', 'percent', 'at most 65536 bytes'].map((reason) =>
        expect.stringContaining(reason),
      ),
    );
  });
});

describe('while the table cannot be used', () => {
  it('keeps everything, merges on, and warns once', async () => {
    let down = true;
    const { appender, store, warnings, appends } = open({
      before: () => {
        if (down) throw new Error('connect ECONNREFUSED');
      },
    });
    const source = createSource('workflow', 1);
    for (let n = 1; n <= 3; n += 1) {
      appender.report(RUN, FACTS, source.report({ message: `m${n}` }));
      appender.report(RUN, FACTS, source.report({ status: `S${n}` }, 'status'));
      await expect.poll(() => appends.length).toBeGreaterThan(n);
    }
    down = false;

    expect(await appender.flush()).toBe(0);
    expect((await store.read(RUN, 0, 100)).map(({ message, status }) => message ?? status)).toEqual([
      'm1',
      'S1',
      'm2',
      'S2',
      'm3',
      'S3',
    ]);
    expect(warnings).toEqual([expect.stringContaining('ECONNREFUSED')]);
  });

  it('does not tell twice what was written though the answer was lost, and has gateways look', async () => {
    const { appender, store, nudges } = open({
      after: (call) => {
        if (call === 1) throw new Error('socket hang up');
      },
    });
    appender.report(RUN, FACTS, createSource('workflow', 1).report({ status: 'RUNNING' }, 'status'));
    expect(await appender.flush()).toBe(0);

    expect(await store.head(RUN)).toMatchObject({ seq: 1 });
    expect(nudges).toEqual([{ run: RUN, epoch: (await store.head(RUN))?.epoch, events: [] }]);
  });

  it('keeps within its bound: progress goes first, and it is said', async () => {
    const { open: letGo, opened } = gate();
    const { appender, store, warnings, appends } = open({ mostBytes: 20_000, before: () => opened });
    const source = createSource('workflow', 1);
    appender.report(RUN, FACTS, source.report({ message: 'first' }));
    await expect.poll(() => appends.length).toBe(1);
    for (let n = 1; n <= 20; n += 1) {
      appender.report(RUN, FACTS, createSource(`a${n}`, 1).report({ message: 'x'.repeat(900) }));
      appender.report(RUN, FACTS, source.report({ error: { type: 'E', message: 'x'.repeat(600) } }, 'error'));
    }
    letGo();
    await appender.flush();
    const kinds = (await store.read(RUN, 0, 100)).map(({ kind }) => kind);

    expect(kinds.filter((kind) => kind === 'error')).toHaveLength(20);
    expect(kinds.length).toBeLessThan(35);
    expect(warnings.length).toBe(41 - kinds.length);
    expect(warnings[0]).toContain('is lost (progress)');
  });

  it('says after a while what is not written', async () => {
    const { appender } = open({
      before: () => {
        throw new Error('down');
      },
    });
    const source = createSource('workflow', 1);
    appender.report(RUN, FACTS, source.report({ status: 'A' }, 'status'));
    appender.report(RUN, FACTS, source.report({ status: 'B' }, 'status'));

    expect(await appender.flush(50)).toBe(2);
  });

  it('lets go of what the log refuses for good', async () => {
    const { appender, store, warnings } = open({
      before: (call) => {
        if (call === 1) throw new InvalidProgressError('progress: x: expected y');
      },
    });
    const source = createSource('workflow', 1);
    appender.report(RUN, FACTS, source.report({ message: 'bad' }));
    await expect.poll(() => warnings).toHaveLength(1);
    appender.report(RUN, FACTS, source.report({ message: 'good' }));
    await appender.flush();

    expect(await messages(store)).toEqual(['good']);
  });
});
