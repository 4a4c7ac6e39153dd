/** The ledger as FOCUS 1.2: its columns and values, and sums that are the ledger's. test/integration/focus.test.ts has its validator. */
import { describe, expect, it } from 'vitest';
import { FOCUS_COLUMNS, type FocusEntry, focusCsv } from '../../lib/cost/focus.ts';
import { launchLines } from '../../lib/cost/launch-lines.ts';
import { Money, sumOf } from '../../lib/cost/money.ts';
import { csvRows } from '../../lib/restore/csv.ts';
import { ACCOUNT, ENTRIES, lineOf } from '../support/focus-lines.ts';

/** FOCUS 1.2, "Mandatory" in its column library. */
const MANDATORY = `BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodStart BillingPeriodEnd
  ChargeCategory ChargeClass ChargeDescription ChargePeriodStart ChargePeriodEnd ContractedCost EffectiveCost ListCost
  InvoiceIssuerName ProviderName PublisherName ServiceCategory ServiceName PricingQuantity PricingUnit`.split(/\s+/);
const NUMBERS = FOCUS_COLUMNS.filter((name) => /(Cost|Price|Quantity)$/.test(name));

async function rowsOf(entries: Iterable<FocusEntry>): Promise<Record<string, string>[]> {
  let csv = '';
  for await (const piece of focusCsv(entries, ACCOUNT)) csv += piece;
  const rows: string[][] = [];
  for await (const row of csvRows([Buffer.from(csv)])) rows.push(row);
  const [header = [], ...others] = rows;
  return others.map((row) => Object.fromEntries(header.map((name, column) => [name, row[column] ?? ''])));
}

const launch = { launchId: 'run-1', consumer: 'lab-a', workflowType: 'steps', computeService: 'batch' };
const rowOf = async (line: Parameters<typeof lineOf>[0]) => (await rowsOf([{ launch, lines: [lineOf(line)] }]))[0];

describe('a FOCUS file', () => {
  it('has every mandatory column, and columns of its own under x_ only', async () => {
    expect(MANDATORY.filter((name) => !FOCUS_COLUMNS.includes(name))).toEqual([]);
    for (const row of await rowsOf(ENTRIES))
      expect(MANDATORY.filter((name) => name !== 'ChargeClass' && row[name] === '')).toEqual([]);
  });

  it('has plain decimals as numbers, whole seconds as times, and the bounds of the month', async () => {
    for (const row of await rowsOf(ENTRIES)) {
      for (const name of NUMBERS) expect(row[name], name).toMatch(/^\d+(\.\d+)?$/);
      for (const name of Object.keys(row).filter((column) => /Period(Start|End)$/.test(column)))
        expect(row[name], name).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect((row.ChargePeriodStart ?? '') < (row.ChargePeriodEnd ?? '')).toBe(true);
      expect((row.BillingPeriodStart ?? '') <= (row.ChargePeriodStart ?? '')).toBe(true);
      expect((row.ChargePeriodEnd ?? '') <= (row.BillingPeriodEnd ?? '')).toBe(true);
    }
  });

  it('has the ledger’s sums, of each currency and of each resource: idle and packing are rows too', async () => {
    const rows = await rowsOf(ENTRIES);
    const lines = ENTRIES.flatMap((entry) => entry.lines);
    const sums = (values: { key: string; amount: string }[]) => {
      const keys = [...new Set(values.map(({ key }) => key))].toSorted();
      return keys.map((key) => [
        key,
        sumOf(values.filter((value) => value.key === key).map(({ amount }) => amount)).toFixed(),
      ]);
    };

    for (const cost of ['BilledCost', 'ContractedCost', 'EffectiveCost'])
      expect(sums(rows.map((row) => ({ key: row.BillingCurrency ?? '', amount: row[cost] ?? '' })))).toEqual(
        sums(lines.map(({ currency, amount }) => ({ key: currency, amount }))),
      );
    const bare = (resource: string) => resource.replace(/^'/, '');
    expect(sums(rows.map((row) => ({ key: bare(row.ResourceId ?? ''), amount: row.BilledCost ?? '' })))).toEqual(
      sums(lines.map(({ resource, amount }) => ({ key: resource, amount }))),
    );
    // One hour of an instance: a third used, a quarter failed, a quarter packing, the rest idle.
    const instance = rows.filter((row) => row.ResourceId === 'i-0a1b2c3d4e5f67890' && row.x_Component === 'instance');
    expect(sumOf(instance.map((row) => row.PricingQuantity ?? '')).gte(1)).toBe(true);
    expect(instance.map((row) => row.x_Purpose)).toEqual(['use', 'use', 'packing', 'idle']);
  });

  it('has prices and quantities whose product is the cost', async () => {
    for (const row of await rowsOf(ENTRIES)) {
      const product = new Money(row.ContractedUnitPrice ?? '').times(row.PricingQuantity ?? '');
      expect(
        product
          .minus(row.ContractedCost ?? '')
          .abs()
          .lt('1e-28'),
        row.ChargeDescription,
      ).toBe(true);
    }
  });

  it('has list costs before a negotiated discount', async () => {
    expect(await rowOf({ unitPrice: '0.1776', amount: '0.1776', marks: ['assumed', 'discount 7.5 %'] })).toMatchObject({
      ListUnitPrice: '0.192',
      ListCost: '0.192',
      ContractedCost: '0.1776',
    });
    expect(await rowOf({ unitPrice: '0', amount: '0', marks: ['discount 100 %'] })).toMatchObject({ ListCost: '0' });
  });

  it('tells on-premises work by its provider, and spot by its pricing', async () => {
    expect(await rowOf({ market: 'spot', source: 'spot-history' })).toMatchObject({ PricingCategory: 'Dynamic' });
    const rows = await rowsOf(ENTRIES);
    expect(rows.find((row) => row.x_LaunchId === 'run-2')).toMatchObject({
      ProviderName: 'On-premises',
      InvoiceIssuerName: 'On-premises',
      BillingAccountId: 'on-premises',
      RegionId: '',
      BillingCurrency: 'EUR',
    });
  });

  it('tells tokens of a story by who sells them, in no Region, and by the million', async () => {
    const rows = await rowsOf(ENTRIES);
    expect(rows.find((row) => row.x_Component === 'text')).toMatchObject({
      ProviderName: 'OpenAI',
      InvoiceIssuerName: 'OpenAI',
      BillingAccountId: 'openai',
      RegionId: '',
      ServiceCategory: 'AI and Machine Learning',
      ServiceSubcategory: 'Generative AI',
      PricingUnit: '1000000 Tokens',
      x_Outcome: 'failed',
      ChargeDescription: 'output tokens: use by step text-1 of story fox-family/2026-11-26, failed',
      Tags: '{"longhaul:story":"fox-family/2026-11-26","longhaul:consumer":"fox-family","longhaul:step":"text-1"}',
    });
    expect(rows.find((row) => row.x_Component === 'image')).toMatchObject({ ListUnitPrice: '30', ListCost: '0.05268' });
    expect(rows.find((row) => row.x_Component === 'audio')).toMatchObject({
      ProviderName: 'AWS',
      BillingAccountId: ACCOUNT.id,
      RegionId: 'us-east-1',
      ServiceName: 'Amazon Polly',
      PricingUnit: '1000000 Characters',
    });
  });

  it.each([
    ['volume', 'AmazonEC2', 'Storage', 'Amazon Elastic Block Store'],
    ['instance', 'AmazonEC2', 'Compute', 'Amazon Elastic Compute Cloud'],
    ['request', 'AmazonS3', 'Storage', 'Amazon Simple Storage Service'],
    ['instance', 'SomethingNew', 'Other', 'SomethingNew'],
  ] as const)('calls %s of %s %s', async (component, service, ServiceCategory, ServiceName) => {
    expect(await rowOf({ component, service })).toMatchObject({ ServiceCategory, ServiceName });
  });

  it.each(['=1+1', '+1', '-1', '@sum', '\tx', '\rx', '＝1'])('makes no formula of %j', async (consumer) => {
    const [row] = await rowsOf([{ launch: { ...launch, consumer }, lines: [lineOf({ resource: consumer })] }]);
    expect(row).toMatchObject({ x_Consumer: `'${consumer}`, ResourceId: `'${consumer}`, BilledCost: '0.192' });
  });

  it('refuses an amount that is no plain number', async () => {
    await expect(rowOf({ amount: '1e-7' })).rejects.toThrow('"1e-7" is no plain number');
  });

  it('of nothing has its header', async () => {
    expect(await rowsOf([])).toEqual([]);
  });
});

describe('the lines of a time', () => {
  it('are those of each launch once, in the order of their ids', async () => {
    const dayOf = (launch_id: string, day: string) => ({
      launch_id,
      attempt: 1,
      line: `day#${day}#USD`,
      day,
      consumer: 'lab-a',
      workflow_type: 'steps',
      compute_service: 'batch',
      currency: 'USD',
      total: '1',
      components: {},
      lost: '0',
      idle: '0',
      packing: '0',
    });
    const days = [dayOf('b', '2026-11-01'), dayOf('a', '2026-11-02'), dayOf('b', '2026-11-02')];
    const asked: string[][] = [];
    const ledger = {
      day: (day: string) => Promise.resolve(days.filter((item) => item.day === day)),
      daysOf: () => Promise.resolve(days),
      linesOfDays(...args: [string, string, string]) {
        asked.push(args);
        return Promise.resolve([]);
      },
    };
    const found: string[] = [];
    for await (const entry of launchLines(ledger, { from: '2026-11-01', to: '2026-11-02' }))
      found.push(entry.launch.launchId);

    expect(found).toEqual(['a', 'b']);
    expect(asked).toEqual([
      ['a', '2026-11-01', '2026-11-02'],
      ['b', '2026-11-01', '2026-11-02'],
    ]);
  });
});
