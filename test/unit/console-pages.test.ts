/**
 * What pages of the console are made of, without a browser: addresses, figures, rows, log lines, what a resume says.
 *
 * @module
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counted, duration, money, percentText, relative } from '../../clients/console/src/format.ts';
import { resumeText } from '../../clients/console/src/resume-text.ts';
import { changedQuery, domainOf, parseRoute, runPath } from '../../clients/console/src/routes.ts';
import { appendLines, cutAtHits, logFiltersOf, MOST_LINES } from '../../clients/console/src/run/log-lines.ts';
import { replayOf } from '../../clients/console/src/run/replay.ts';
import { filtersOf, listQuery, rowsOf, withSnapshot } from '../../clients/console/src/run-rows.ts';
import { isOver, toneOf } from '../../clients/console/src/status.ts';
import type { LogLine, RunSummary } from '../../clients/live/api.ts';
import type { ProgressEvent, Snapshot } from '../../workflows/progress/model.ts';

const row = (more: Partial<RunSummary> = {}): RunSummary => ({
  workflowId: 'launch/a',
  domain: 'launch',
  id: 'a',
  status: 'RUNNING',
  createdAt: '2026-11-26T10:00:00.000Z',
  ...more,
});

const picture = (more: Partial<Snapshot> = {}): Snapshot => ({
  run: 'launch/a',
  domain: 'launch',
  epoch: 'e',
  seq: 7,
  attempt: 1,
  statuses: [],
  steps: [],
  startedAt: 1_000,
  changedAt: 2_000,
  ...more,
});

const line = (at: number): LogLine => ({ at, step: 's', item: 'i', attempt: 1, container: 'main', text: `line ${at}` });

describe('addresses', () => {
  it('bring any workflow id there and back, with its slashes', () => {
    // A URL drops segments that are dots, whoever encodes them.
    const segment = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/^\.{1,2}$|\//.test(text));
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 3 }), (segments) => {
        const workflowId = segments.join('/');
        const { pathname } = new URL(runPath(workflowId), 'http://localhost');
        expect(parseRoute(pathname)).toEqual({ page: 'run', workflowId });
      }),
    );
    expect(runPath('launch/cohort 7')).toBe('/run/launch/cohort%207');
  });

  it('that are none lead to no page', () => {
    for (const path of ['/run/%E0%A4%A', '/run/', '/nothing', '/runs/x']) expect(parseRoute(path).page).toBe('unknown');
    expect(parseRoute('/costs/').page).toBe('costs');
    expect(parseRoute('/stories').page).toBe('stories');
    // Of the page that stories are read on: not the console's.
    expect(parseRoute('/stories/moon/2026-11-26').page).toBe('unknown');
    expect(parseRoute('/').page).toBe('runs');
  });

  it('keep parameters that are not changed, and lose empty ones', () => {
    expect(changedQuery('?tab=logs&step=a', { step: undefined, at: '5' })).toBe('?tab=logs&at=5');
    expect(changedQuery('?q=x', { q: '' })).toBe('');
  });

  it('tell domain and id of a run', () => {
    expect(domainOf('launch/a/b')).toEqual({ domain: 'launch', id: 'a/b' });
    expect(domainOf('loose')).toEqual({ domain: '', id: 'loose' });
  });
});

describe('figures', () => {
  it.each([
    [0, '0 ms'],
    [9_990, '9.9 s'],
    [59_999, '59 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [273_600_000, '3 d 4 h'],
    [-5, '0 ms'],
  ])('%i ms is %s', (ms, text) => expect(duration(ms)).toBe(text));

  it('say 100 % of what is done only', () => {
    expect(percentText(99.99)).toBe('99 %');
    expect(percentText(100)).toBe('100 %');
  });

  it('never show what costs as nothing', () => {
    expect(money('0.00412', 'USD')).toBe('0.00412 USD');
    expect(money('0.4', 'USD')).toBe('0.40 USD');
    expect(money('1234.5', 'EUR')).toBe('1,234.50 EUR');
    expect(money('0', 'USD')).toBe('0.00 USD');
    expect(money('what?', 'USD')).toBe('what? USD');
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1, noNaN: true }), (amount) => {
        expect(Number.parseFloat(money(amount, ''))).toBeGreaterThan(0);
      }),
    );
  });

  it('tell how long ago, and how soon', () => {
    expect(relative(0, 61_000)).toBe('1 min ago');
    expect(relative(61_000, 0)).toBe('in 1 min');
    expect(relative(1_000, 3_000)).toBe('now');
    expect(counted(1, 'step')).toBe('1 step');
    expect(counted(12_000, 'step')).toBe('12,000 steps');
  });
});

describe('rows of the list', () => {
  it('are each run once, the newest answer first, however pages overlap', () => {
    const runs = fc.uniqueArray(fc.nat(40), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(runs, { maxLength: 4 }), (pages) => {
        const rows = rowsOf(pages.map((ids) => ({ runs: ids.map((id) => row({ workflowId: `launch/${id}` })) })));
        expect(rows.map(({ workflowId }) => workflowId)).toEqual([
          ...new Set(pages.flat().map((id) => `launch/${id}`)),
        ]);
      }),
    );
  });

  it('take what a picture says, and nothing of an earlier attempt', () => {
    const listed = row({ attempt: 2, waitingFor: 'restore', status: 'WAITING' });
    expect(withSnapshot(listed, picture({ attempt: 1, status: 'FAILED' }))).toBe(listed);
    const told = withSnapshot(listed, picture({ attempt: 2, status: 'RUNNING', percent: 12, endedAt: 5_000 }));
    expect(told).toMatchObject({ status: 'RUNNING', percent: 12, endedAt: '1970-01-01T00:00:05.000Z' });
    expect(told.waitingFor).toBeUndefined();
    expect(withSnapshot(listed, picture({ attempt: 2, percent: 3 }))).toMatchObject({ waitingFor: 'restore' });
  });

  it('are filtered by what the address says', () => {
    const filters = filtersOf(new URLSearchParams('?status=FAILED&q=%20x%20&consumer=&other=1'));
    expect(filters).toEqual({ status: 'FAILED', q: 'x' });
    expect(listQuery(filters, 50, 'n')).toBe('status=FAILED&q=x&limit=50&before=n');
  });
});

describe('statuses', () => {
  it('are taken for what they mean', () => {
    expect(toneOf('FAILED')).toBe('bad');
    expect(toneOf('RESTORING')).toBe('busy');
    expect(toneOf('READY', true)).toBe('good');
    expect(toneOf('CANCELLED', true)).toBe('off');
    expect(isOver({ status: 'READY' })).toBe(false);
    expect(isOver({ status: 'READY', endedAt: 1 })).toBe(true);
    expect(isOver({ status: 'COMPLETE' })).toBe(true);
  });
});

describe('lines of a log', () => {
  it('are cut at what was searched for without losing a letter', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 1, maxLength: 3 }), (text, search) => {
        expect(cutAtHits(text, search).join('')).toBe(text);
      }),
    );
    expect(cutAtHits('an ERROR, an error', 'error')).toEqual(['an ', 'ERROR', ', an ', 'error', '']);
    expect(cutAtHits('İstanbul error', 'error').join('')).toBe('İstanbul error');
  });

  it('are kept up to a limit, the newest', () => {
    const many = Array.from({ length: MOST_LINES }, (_, at) => line(at));
    const { lines, dropped } = appendLines({ lines: many, dropped: 3 }, [line(1e6), line(2e6)]);
    expect(lines).toHaveLength(MOST_LINES);
    expect(lines.at(-1)?.at).toBe(2e6);
    expect(dropped).toBe(5);
  });

  it('are asked for by what the address says', () => {
    expect(logFiltersOf(new URLSearchParams('?tab=logs&step=call&errors=true&search='))).toEqual({
      step: 'call',
      errors: 'true',
    });
  });
});

describe('what a resume says', () => {
  it('is told in a few words', () => {
    const position = { epoch: 'e', seq: 4 };
    expect(resumeText({ verdict: 'fresh', snapshot: picture() })).toBeUndefined();
    expect(resumeText({ verdict: 'current', position })).toBe('nothing missed');
    expect(resumeText({ verdict: 'replayed', position, count: 12 })).toBe('12 events caught up');
    expect(resumeText({ verdict: 'gap', from: 5, to: 1200, snapshot: picture() })).toContain('5 to 1,200');
    expect(resumeText({ verdict: 'purged' })).toContain('anew');
  });
});

describe('a replay of a log whose beginning is no longer kept', () => {
  const event = (seq: number, more: Partial<ProgressEvent>): ProgressEvent => ({
    seq,
    kind: 'progress',
    source: { name: 'workflow', attempt: 1 },
    at: seq * 1_000,
    ...more,
  });
  const newest = picture({
    seq: 12,
    attempt: 2,
    status: 'RUNNING',
    statuses: [{ status: 'RUNNING', at: 500, attempt: 2 }],
    steps: [
      { name: 'old', state: 'SUCCEEDED' },
      { name: 'new', state: 'RUNNING' },
    ],
  });

  it('has the steps that none of its events tells of as they are', () => {
    const history = replayOf(newest, [
      event(11, { steps: [{ name: 'new', state: 'SUBMITTED' }] }),
      event(12, { steps: [{ name: 'new', state: 'RUNNING' }] }),
    ]);
    expect(history.at(11_000).steps).toEqual([
      { name: 'old', state: 'SUCCEEDED' },
      { name: 'new', state: 'SUBMITTED' },
    ]);
    expect(history.at(12_000)).toMatchObject({ attempt: 2, seq: 12, steps: newest.steps });
    expect(history.at(10_000).steps).toEqual([{ name: 'old', state: 'SUCCEEDED' }]);
  });

  it('has none of them where a new attempt has begun since', () => {
    const history = replayOf(newest, [event(11, { begins: { attempt: 2 } }), event(12, { status: 'RUNNING' })]);
    expect(history.at(10_000).steps).toEqual([]);
    expect(history.at(12_000).attempt).toBe(2);
  });
});
