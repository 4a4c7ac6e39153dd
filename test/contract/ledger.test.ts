/**
 * The ledger on DynamoDB: replaced as a whole, fenced by attempts, and read by its indexes, never by a scan.
 *
 * @module
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { costReport } from '../../lib/cost/report.ts';
import type { ActualItem, DayItem, HeldItem, HistoryItem, LineItem, ReadCount } from '../../lib/store/ledger.ts';
import { LedgerStore } from '../../lib/store/ledger.ts';
import { lineOf } from '../support/focus-lines.ts';
import { freshTables } from '../support/fresh-tables.ts';

const tables = freshTables();
let ledger: LedgerStore;

beforeEach(() => {
  ledger = new LedgerStore(tables.client, tables.names);
});

const PRICING = ['line#', 'day#', 'held#', 'work#'];

const line = (name: string, parts: Partial<LineItem> = {}): LineItem => ({
  ...lineOf({ amount: '0.1' }),
  launch_id: 'run-1',
  attempt: 1,
  line: `line#2026-11-26#instance#${name}`,
  ...parts,
});

const day = (date: string, parts: Partial<DayItem> = {}): DayItem => ({
  launch_id: 'run-1',
  attempt: 1,
  line: `day#${date}#USD`,
  day: date,
  consumer: 'lab-a',
  workflow_type: 'steps',
  compute_service: 'batch',
  currency: 'USD',
  total: '0.2',
  components: { instance: '0.2' },
  lost: '0',
  idle: '0',
  packing: '0',
  ...parts,
});

const held = (parts: Partial<HeldItem> = {}): HeldItem => ({
  launch_id: 'run-1',
  attempt: 1,
  line: 'held#i-1',
  resource: 'i-1',
  held_from: '2026-11-26T08:00:00.000Z',
  held_to: Date.parse('2026-11-26T09:00:00Z'),
  held: [[Date.parse('2026-11-26T08:00:00Z'), Date.parse('2026-11-26T09:00:00Z'), 2, 4096]],
  ...parts,
});

const work = (parts: Partial<HistoryItem> = {}): HistoryItem => ({
  launch_id: 'run-1',
  attempt: 1,
  line: 'work#align#m5.xlarge',
  work: 'steps#align#aligner',
  at: '2026-11-26T09:00:00.000Z',
  consumer_name: 'lab-a',
  step: 'align',
  resource_type: 'm5.xlarge',
  market: 'on-demand',
  items: 1,
  failed: 0,
  vcpus: 2,
  memory_mib: 4096,
  samples: [[1000, 60]],
  ...parts,
});

const replace = (items: Parameters<LedgerStore['replace']>[2], attempt = 1) =>
  ledger.replace(items[0]?.launch_id ?? 'run-1', attempt, items, PRICING);

describe('a pricing', () => {
  it('is replaced as a whole: the same again changes nothing, what is gone is removed', async () => {
    const items = [line('a'), line('b'), day('2026-11-26'), held(), work()];
    expect(await replace(items)).toBe(true);
    expect(await replace(items)).toBe(true);
    expect(await ledger.lines('run-1')).toEqual([line('a'), line('b')]);

    expect(await replace([line('b', { amount: '0.3' }), day('2026-11-27')])).toBe(true);
    expect(await ledger.lines('run-1')).toEqual([line('b', { amount: '0.3' })]);
    expect(await ledger.day('2026-11-26')).toEqual([]);
    expect(await ledger.day('2026-11-27')).toHaveLength(1);
    expect(await ledger.history('steps#align#aligner', 10)).toEqual([]);
    expect(await ledger.holdings('i-1', 'run-2', 0, Date.parse('2027-01-01'))).toEqual([]);
  });

  it('of more lines than one call takes is whole', async () => {
    const items = Array.from({ length: 130 }, (_, place) => line(String(place).padStart(3, '0')));
    await replace(items);
    expect(await ledger.lines('run-1')).toEqual(items);
    await replace(items.slice(0, 3));
    expect(await ledger.lines('run-1')).toHaveLength(3);
  });

  it('of an earlier attempt comes too late', async () => {
    await replace([line('a', { attempt: 2 })], 2);
    expect(await replace([line('b')], 1)).toBe(false);
    expect((await ledger.lines('run-1')).map(({ attempt }) => attempt)).toEqual([2]);
    expect(await replace([line('b', { attempt: 3 })], 3)).toBe(true);
  });

  it('and the bill leave each other alone', async () => {
    const actual: ActualItem = {
      launch_id: 'run-1',
      attempt: 1,
      line: 'actual#2026-11-26#EC2 - Other',
      service: 'EC2 - Other',
      amount: '0.4',
      currency: 'USD',
    };
    await replace([line('a')]);
    await ledger.replace('run-1', 1, [actual], ['actual#']);
    await replace([line('b')]);

    expect(await ledger.actuals('run-1')).toEqual([actual]);
    expect(await ledger.lines('run-1')).toEqual([line('b')]);
  });

  it('of one launch is not that of another', async () => {
    await replace([line('a')]);
    await replace([line('a', { launch_id: 'run-2' })]);
    await replace([line('b')]);
    expect(await ledger.lines('run-2')).toHaveLength(1);
  });
});

describe('indexes', () => {
  beforeEach(async () => {
    await replace([line('a'), day('2026-11-26'), day('2026-11-27'), held(), work()]);
    await replace([
      line('a', { launch_id: 'run-2' }),
      day('2026-11-27', { launch_id: 'run-2', consumer: 'lab-b' }),
      held({ launch_id: 'run-2' }),
      work({ launch_id: 'run-2', at: '2026-11-27T09:00:00.000Z' }),
    ]);
  });

  it('find the days of all launches, and of one consumer from one day to another', async () => {
    const launches = (items: DayItem[]) => items.map(({ launch_id: id, day: date }) => `${id} ${date}`);
    expect(launches(await ledger.day('2026-11-27'))).toEqual(['run-1 2026-11-27', 'run-2 2026-11-27']);
    expect(launches(await ledger.daysOf('lab-a', '2026-11-01', '2026-11-26'))).toEqual(['run-1 2026-11-26']);
    expect(launches(await ledger.daysOf('lab-b', '2026-11-01', '2026-11-30'))).toEqual(['run-2 2026-11-27']);
    expect(await ledger.day('2026-11-28')).toEqual([]);
  });

  it('find what others held of a resource in a time', async () => {
    const at = (time: string) => Date.parse(`2026-11-26T${time}:00Z`);
    const found = await ledger.holdings('i-1', 'run-1', at('08:30'), at('10:00'));
    expect(found).toEqual([{ launchId: 'run-2', from: at('08:00'), to: at('09:00'), vcpus: 2, memoryMib: 4096 }]);
    expect(await ledger.holdings('i-1', 'run-1', at('09:00'), at('10:00'))).toEqual([]);
    expect(await ledger.holdings('i-1', 'run-1', at('06:00'), at('08:00'))).toEqual([]);
  });

  it('find the newest that is known of some work', async () => {
    const found = await ledger.history('steps#align#aligner', 1);
    expect(found.map(({ launch_id: id }) => id)).toEqual(['run-2']);
  });

  it('hold nothing else: lines and the bill are in none', async () => {
    const read: ReadCount = { pages: 0, items: 0 };
    await ledger.day('2026-11-27', read);
    await ledger.daysOf('lab-a', '2026-01-01', '2026-12-31', read);
    expect(read).toEqual({ pages: 2, items: 4 });
  });

  it('are all that a report reads', async () => {
    const before = tables.kit.calls.list({ operation: 'Query' }).length;
    const report = await costReport({ ledger }, { by: 'consumer', from: '2026-11-01', to: '2026-11-30' });
    expect(report.rows.map(({ group, total, launches }) => [group, total, launches])).toEqual([
      ['lab-a', '0.4000', 1],
      ['lab-b', '0.2000', 1],
    ]);
    expect(report.read).toEqual({ pages: 30, items: 3 });
    expect(tables.kit.calls.list({ operation: 'Query' }).length - before).toBe(30);
  });

  it('are not needed for the lines of some days', async () => {
    const others = ['2026-11-25', '2026-11-27', '2026-12-01'].map((date) =>
      line('x', { line: `line#${date}#volume#x`, from: `${date}T00:00:00Z` }),
    );
    await replace([line('a'), ...others]);
    const found = await ledger.linesOfDays('run-1', '2026-11-26', '2026-11-30');
    expect(found.map((item) => item.line)).toEqual(['line#2026-11-26#instance#a', 'line#2026-11-27#volume#x']);
  });
});
