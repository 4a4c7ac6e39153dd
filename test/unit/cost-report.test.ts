/** Sums of what the ledger keeps of days: by every group, exact, over weeks, months and currencies. */
import { describe, expect, it } from 'vitest';
import { daysBetween, isoWeek, monthToDate, ReportError } from '../../lib/cost/calendar.ts';
import { Money } from '../../lib/cost/money.ts';
import { costReport, GROUPINGS, type ReportQuery } from '../../lib/cost/report.ts';
import { reportCsv } from '../../lib/cost/report-csv.ts';
import type { DayItem, LedgerStore, ReadCount } from '../../lib/store/ledger.ts';

const day = (parts: Partial<DayItem> = {}): DayItem => ({
  launch_id: 'run-1',
  attempt: 1,
  line: 'day#2026-11-26#USD',
  day: '2026-11-26',
  consumer: 'lab-a',
  workflow_type: 'steps',
  compute_service: 'batch',
  currency: 'USD',
  total: '1.1',
  components: { instance: '1', volume: '0.1' },
  lost: '0',
  idle: '0.2',
  packing: '0.05',
  ...parts,
});

/** A ledger that holds these; what is asked of it is noted. */
function ledgerOf(items: readonly DayItem[]) {
  const asked: string[] = [];
  const counted = (found: DayItem[], read?: ReadCount) => {
    if (read) {
      read.pages += 1;
      read.items += found.length;
    }
    return Promise.resolve(found);
  };
  const ledger: Pick<LedgerStore, 'day' | 'daysOf'> = {
    day(wanted, read) {
      asked.push(wanted);
      return counted(
        items.filter((item) => item.day === wanted),
        read,
      );
    },
    daysOf(consumer, from, to, read) {
      asked.push(consumer);
      return counted(
        items.filter((item) => item.consumer === consumer && item.day >= from && item.day <= to),
        read,
      );
    },
  };
  return { ledger, asked };
}

const NOVEMBER = { from: '2026-11-01', to: '2026-11-30' };
const reportOf = (items: readonly DayItem[], query: Partial<ReportQuery> = {}) =>
  costReport(ledgerOf(items), { by: 'consumer', ...NOVEMBER, ...query });

describe('a report', () => {
  it('sums every group exactly, and counts a launch once in each', async () => {
    const items = [
      day(),
      day({ day: '2026-11-27' }),
      day({ launch_id: 'run-2', consumer: 'lab-b', total: '0.3', components: { instance: '0.3' } }),
      day({ day: '2026-12-01' }),
    ];

    const { rows, totals, read } = await reportOf(items);

    expect(rows).toMatchObject([
      { group: 'lab-a', currency: 'USD', total: '2.20', launches: 1, components: { instance: '2.00', volume: '0.20' } },
      { group: 'lab-b', total: '0.3000', launches: 1, components: { instance: '0.3000' } },
    ]);
    expect(totals).toMatchObject([
      { currency: 'USD', total: '2.50', launches: 2, exact: { total: '2.5', idle: '0.6' } },
    ]);
    expect(read).toEqual({ pages: 30, items: 3 });
  });

  it.each([
    ['type', 'steps'],
    ['compute', 'batch'],
    ['day', '2026-11-26'],
    ['week', '2026-W48'],
    ['month', '2026-11'],
  ] as const)('by %s', async (by, group) => {
    expect((await reportOf([day()], { by })).rows.map((row) => row.group)).toEqual([group]);
  });

  it('has the same total whatever it is summed by, to the last of thirty digits', async () => {
    const items = Array.from({ length: 50 }, (_, nth) =>
      day({
        launch_id: `run-${nth}`,
        day: `2026-11-${String((nth % 28) + 1).padStart(2, '0')}`,
        consumer: `lab-${nth % 3}`,
        workflow_type: `type-${nth % 4}`,
        compute_service: `on-${nth % 2}`,
        total: '0.333333333333333333333333333333',
        components: { instance: '0.333333333333333333333333333333' },
      }),
    );
    for (const by of GROUPINGS) {
      const { rows } = await reportOf(items, { by });
      const sum = rows.reduce((all, { exact }) => all.plus(exact.total), new Money(0));
      expect(sum.toFixed(), by).toBe('16.66666666666666666666666666665');
    }
  });

  it('keeps currencies apart', async () => {
    const { rows, totals } = await reportOf([
      day(),
      day({ currency: 'EUR', total: '5', components: { instance: '5' } }),
    ]);

    expect(rows.map(({ currency, total }) => [currency, total])).toEqual([
      ['EUR', '5.00'],
      ['USD', '1.10'],
    ]);
    expect(totals.map(({ currency }) => currency)).toEqual(['EUR', 'USD']);
  });

  it('has parts that add up to the total when all of them would be rounded down', async () => {
    const thirds = { instance: '3.333333', volume: '3.333333', filesystem: '3.333334' } as const;
    const { rows } = await reportOf([day({ total: '10', components: thirds })]);

    const parts = Object.values(rows[0]?.components ?? {});
    expect(rows[0]?.total).toBe('10.00');
    expect(parts.reduce((sum, part) => sum.plus(part), new Money(0)).toFixed(2)).toBe('10.00');
  });

  it('of one consumer asks for that one only', async () => {
    const { ledger, asked } = ledgerOf([day(), day({ consumer: 'lab-b' })]);

    const { rows } = await costReport({ ledger }, { by: 'day', ...NOVEMBER, consumer: 'lab-b' });

    expect(asked).toEqual(['lab-b']);
    expect(rows).toHaveLength(1);
  });

  it('of nothing is empty', async () => {
    expect(await reportOf([])).toMatchObject({ rows: [], totals: [], read: { items: 0 } });
  });

  it('as CSV has unrounded sums, and no formula in a name', async () => {
    const csv = reportCsv(await reportOf([day({ consumer: '=HYPERLINK("http://x")' })]));

    expect(csv.split('\n')).toEqual([
      'consumer,currency,launches,total,instance,volume,filesystem,control_plane,restore,request,text,image,audio,lost,idle,packing',
      '"\'=HYPERLINK(""http://x"")",USD,1,1.1,1,0.1,0,0,0,0,0,0,0,0,0.2,0.05',
      '',
    ]);
  });
});

describe('the calendar', () => {
  it.each([
    ['2026-11-26', '2026-W48'],
    ['2026-12-31', '2026-W53'],
    ['2027-01-03', '2026-W53'],
    ['2027-01-04', '2027-W01'],
    ['2024-12-30', '2025-W01'],
    ['2021-01-01', '2020-W53'],
    ['2022-01-02', '2021-W52'],
  ])('%s lies in %s', (date, week) => {
    expect(isoWeek(date)).toBe(week);
  });

  it('has every day, also the 29th of February', () => {
    expect(daysBetween('2028-02-28', '2028-03-01')).toEqual(['2028-02-28', '2028-02-29', '2028-03-01']);
  });

  it.each([
    ['2026-02-30', '2026-03-01', 'from: "2026-02-30" is no date'],
    ['2026-02-01', 'yesterday', 'to: "yesterday" is no date'],
    ['2026-2-1', '2026-02-02', 'from: "2026-2-1" is no date'],
    ['2026-03-02', '2026-03-01', 'the end lies before the beginning'],
    ['1970-01-01', '2026-01-01', 'days; a report has 3660 at most'],
  ])('refuses %s to %s', async (from, to, message) => {
    await expect(reportOf([], { from, to })).rejects.toThrow(ReportError);
    await expect(reportOf([], { from, to })).rejects.toThrow(message);
  });

  it('knows the month so far', () => {
    expect(monthToDate(Date.UTC(2026, 10, 26, 23, 59))).toEqual({ from: '2026-11-01', to: '2026-11-26' });
  });
});
