/** Launches are priced by themselves: started by the stream of the table, over all attempts, with lines that add up. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awaitCost } from '../../clients/cost/follow.ts';
import { Money, sumOf } from '../../lib/cost/money.ts';
import { LedgerStore } from '../../lib/store/ledger.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { LAUNCH_COMPONENTS, workflowIdOf } from '../../workflows/cost/model.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';
import { until } from '../support/stand-ins.ts';

const PATIENCE_MS = 120_000;

let longhaul: Longhaul;
let ledger: LedgerStore;
beforeAll(async () => {
  const rates = join(mkdtempSync(join(tmpdir(), 'longhaul-rates-')), 'rates.yaml');
  writeFileSync(rates, 'currency: USD\nbudgets:\n  lab-poor: "0.0000001"\n');
  longhaul = await openLonghaul({ LONGHAUL_COST_RATES: rates });
  ledger = new LedgerStore(longhaul.aws.dynamodb, tableNames(longhaul.settings.tablePrefix));
});
afterAll(() => longhaul?.close());

const put = (launchId: string, text: string, consumer = 'lab-a') =>
  longhaul.put(`sheets/${consumer}/${launchId}.yaml`, text);
const costOf = (launchId: string) => awaitCost(longhaul.launches, launchId, PATIENCE_MS);
/** How often something has been told of in the log of the event consumer. */
const toldOf = async (launchId: string) =>
  (await longhaul.logs())
    .split('\n')
    .filter((line) => line.includes('an ended launch is priced') && line.includes(`"${launchId}"`)).length;

/** The item's strings against each other, and against the ledger. */
async function addsUp(launchId: string) {
  const item = await costOf(launchId);
  const lines = await ledger.lines(launchId);
  const parts = LAUNCH_COMPONENTS.flatMap((component) => item[`${component}_cost`] ?? []);
  expect(sumOf(parts).toFixed()).toBe(new Money(item.total_cost ?? '').toFixed());
  const places = item.total_cost?.split('.')[1]?.length ?? 0;
  const total = sumOf(lines.map(({ amount }) => amount));
  expect(total.toDecimalPlaces(places).toFixed(places)).toBe(item.total_cost);
  expect(item.unpriced).toBeUndefined();
  return { item, lines };
}

describe('a launch that has ended', () => {
  it('has what it cost, line by line, and what was lost to attempts that failed', async () => {
    const once = join(longhaul.directory, 'once');
    const work = {
      scatter: ['sample'],
      retries: 1,
      command: `if [ \${{ sample }} = b ] && mkdir ${once}; then exit 3; fi\necho \${{ sample }} > out\necho '{"rows/s": 12.5}' > longhaul-metrics.json`,
      outputs: { out: 'out' },
    };
    await put('priced-1', sheet('priced-1', { work }, { scatter: { sample: ['a', 'b'] } }));
    expect((await longhaul.follow('priced-1')).status).toBe('COMPLETE');

    const { item, lines } = await addsUp('priced-1');

    expect(Number(item.instance_cost)).toBeGreaterThan(0);
    expect(Number(item.volume_cost)).toBeGreaterThan(0);
    // Requests are too few to be read at the total's places.
    expect(item.request_cost).toMatch(/^0\.\d{4}$/);
    expect(lines.some(({ component, amount }) => component === 'request' && Number(amount) > 0)).toBe(true);
    expect(item).toMatchObject({ filesystem_cost: expect.stringMatching(/^0\.0+$/) as string, currency: 'USD' });
    expect(Object.keys(item.durations ?? {})).toEqual(expect.arrayContaining(['PREPARING', 'READY', 'RUNNING']));
    const outcomes = lines.filter(({ step, component }) => step === 'work' && component === 'instance');
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['done', 'failed']));
    for (const line of lines.filter(({ component }) => component === 'instance'))
      expect(line).toMatchObject({ resourceType: expect.stringMatching(/^m5\./) as string, source: 'price-list' });
    expect(lines.every(({ sku, pricesAt }) => sku !== undefined && !Number.isNaN(Date.parse(pricesAt)))).toBe(true);
  });

  it('is told of once: writing the cost starts no pricing', async () => {
    await put('priced-2', sheet('priced-2', { work: { command: 'true' } }));
    await longhaul.follow('priced-2');
    await costOf('priced-2');
    // Another launch comes to its cost after this one's own writes have passed through the stream.
    await put('priced-3', sheet('priced-3', { work: { command: 'echo other' } }));
    await longhaul.follow('priced-3');
    await costOf('priced-3');
    expect(await toldOf('priced-2')).toBe(1);
    const history = await longhaul.temporal.client.workflow.getHandle(workflowIdOf('priced-2')).fetchHistory();
    const signals = history.events?.filter((event) => event.workflowExecutionSignaledEventAttributes);
    expect(signals).toHaveLength(1);
  });

  it('by its sheet, before anything ran, has cost nothing and says so', async () => {
    await put('bad-1', sheet('bad-1', { work: { command: 'true', inputs: { x: 'nothing.txt' } } }));
    expect((await longhaul.follow('bad-1')).status).toBe('FAILED');
    const { item, lines } = await addsUp('bad-1');
    expect(item).toMatchObject({ total_cost: '0.00', instance_cost: '0.00', cost_status: 'FINAL' });
    expect(lines).toEqual([]);
  });

  it('without running anything, because all of it was known, has cost nothing', async () => {
    const steps = { work: { command: 'echo known > out', outputs: { out: 'out' } } };
    await put('known-1', sheet('known-1', steps));
    await longhaul.follow('known-1');
    await costOf('known-1');
    await put('known-2', sheet('known-2', steps));
    expect((await longhaul.follow('known-2')).steps[0]?.items).toMatchObject({ cached: 1 });
    const { item } = await addsUp('known-2');
    expect(item.total_cost).toBe('0.00');
  });
});

describe('a launch on a file system of FSx for Lustre', () => {
  it('pays for it as long as its jobs run', async () => {
    const { FileSystemId } = await longhaul.action('POST file-systems', {
      StorageCapacity: 1200,
      StorageType: 'SSD',
      LustreConfiguration: { DeploymentType: 'PERSISTENT_2', PerUnitStorageThroughput: 125 },
    });
    const hostPath = mkdtempSync(join(tmpdir(), 'longhaul-lustre-'));
    const shared = { type: 'lustre' as const, fileSystemId: String(FileSystemId), hostPath };
    const steps = { work: { command: 'sleep 1; echo 1 > out', outputs: { out: 'out' } } };
    await put('lustre-1', sheet('lustre-1', steps, { sharedFileSystem: shared }));
    expect((await longhaul.follow('lustre-1')).status).toBe('COMPLETE');

    const { item, lines } = await addsUp('lustre-1');

    expect(Number(item.filesystem_cost)).toBeGreaterThan(0);
    const line = lines.find(({ component }) => component === 'filesystem');
    expect(line).toMatchObject({ resource: FileSystemId, resourceType: 'PERSISTENT_2 SSD 125', service: 'AmazonFSx' });
    // 1,200 GiB for at least a second of a month.
    expect(new Money(line?.quantity ?? 0).gte(1_200 / (31 * 86_400))).toBe(true);
  });
});

describe('a retry', () => {
  it('takes the cost away, and what is priced after it covers all attempts', async () => {
    const gate = join(longhaul.directory, 'gate');
    const steps = {
      first: { command: 'echo 1 > out', outputs: { out: 'out' } },
      second: { command: `[ -e ${gate} ] || exit 7`, after: ['first'] },
    };
    await put('again-1', sheet('again-1', steps));
    expect((await longhaul.follow('again-1')).status).toBe('FAILED');
    const before = await addsUp('again-1');
    writeFileSync(gate, '');
    const retried = await longhaul.cli('launch', 'retry', 'again-1', '--watch', '--json');
    expect(retried.json()).toMatchObject({ status: 'COMPLETE', attempt: 2 });

    const after = await addsUp('again-1');

    expect(after.item.attempt).toBe(2);
    expect(new Money(after.item.total_cost ?? '').gte(before.item.total_cost ?? '')).toBe(true);
    expect(after.lines.every(({ attempt }) => attempt === 2)).toBe(true);
    const use = after.lines.filter(({ component, purpose }) => component === 'instance' && purpose === 'use');
    expect(new Set(use.map(({ step, outcome }) => `${step} ${outcome}`))).toEqual(
      new Set(['first done', 'second failed', 'second done']),
    );
  });
});

describe('a consumer whose budget is used up', () => {
  const launch = async (launchId: string) => {
    const text = sheet(launchId, { work: { command: `echo ${launchId}` } }, { consumer: 'lab-poor' });
    await put(launchId, text, 'lab-poor');
  };

  it('waits for an approval, and for nothing else of its launches', async () => {
    await launch('poor-1');
    expect((await longhaul.follow('poor-1')).status).toBe('COMPLETE');
    await costOf('poor-1');

    await launch('poor-2');
    const item = await until('it waits', async () => {
      const found = await longhaul.launches.get('poor-2');
      return found?.status === 'WAITING' ? found : undefined;
    });
    expect(item.waiting_for).toBe('budget');
    const shown = await longhaul.cli('launch', 'show', 'poor-2');
    expect(shown.stdout).toMatch(/budget/);
    const approved = await longhaul.cli('approve', 'launch/poor-2', '--json');
    expect(approved.code, approved.stderr).toBe(0);
    expect((await longhaul.follow('poor-2')).status).toBe('COMPLETE');
  });
});

describe('longhaul cost', () => {
  // Launches that run over midnight are in it too.
  const since = ['--from', new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)];
  const file = (name: string) => join(longhaul.directory, name);
  const first = {
    work: { command: `echo '{"rows/s": 10}' > longhaul-metrics.json; echo first > out`, outputs: { out: 'out' } },
  };
  const second = {
    work: { command: `echo '{"rows/s": 30}' > longhaul-metrics.json; echo 2 > out`, outputs: { out: 'out' } },
  };

  it('shows, sums and compares what launches have cost', async () => {
    for (const [launchId, steps] of Object.entries({ 'shown-1': first, 'shown-2': second })) {
      await put(launchId, sheet(launchId, steps, { consumer: 'lab-shown' }), 'lab-shown');
      expect((await longhaul.follow(launchId)).status).toBe('COMPLETE');
      await costOf(launchId);
    }
    const item = await costOf('shown-1');

    const shown = await longhaul.cli('cost', 'show', 'shown-1');
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toContain(`${item.total_cost} USD`);
    expect(shown.stdout).toMatch(/STEP +LOST +COST[\s\S]*work[\s\S]*RESOURCE +TYPE/);
    const seen = (await longhaul.cli('cost', 'show', 'shown-1', '--json')).json();
    expect(seen).toMatchObject({ cost: { total_cost: item.total_cost }, currencies: [{ currency: 'USD' }] });

    const lines = [...(await ledger.lines('shown-1')), ...(await ledger.lines('shown-2'))];
    const sum = sumOf(lines.map(({ amount }) => amount)).toFixed();
    const reported = await longhaul.cli(
      'cost',
      'report',
      '--consumer',
      'lab-shown',
      '--by',
      'type',
      '--json',
      ...since,
    );
    expect(reported.json()).toMatchObject({ rows: [{ group: 'steps', launches: 2, exact: { total: sum } }] });
    const table = await longhaul.cli('cost', 'report', ...since);
    expect(table.stdout).toMatch(/^CONSUMER[\s\S]*lab-shown +USD +2/);
    const focus = file('focus.csv');
    const written = await longhaul.cli(
      'cost',
      'report',
      '--consumer',
      'lab-shown',
      '--format',
      'focus',
      '--output',
      focus,
      ...since,
    );
    expect(written, written.stderr).toMatchObject({ code: 0, stdout: '' });
    const [header = '', ...rows] = readFileSync(focus, 'utf8').trim().split('\n');
    expect(header).toMatch(/^BilledCost,BillingAccountId/);
    expect(rows).toHaveLength(lines.length);
    expect(sumOf(rows.map((row) => row.slice(0, row.indexOf(',')))).toFixed()).toBe(sum);

    const svg = file('compare.svg');
    const compared = await longhaul.cli('cost', 'compare', 'shown-1', 'shown-2', '--svg', svg);
    expect(compared.code, compared.stderr).toBe(0);
    expect(compared.stdout).toMatch(/work: rows\/s +10 +30/);
    expect(readFileSync(svg, 'utf8')).toContain('<title id="title">Time and cost of 2 launches</title>');
  });

  it.each([
    [['show', 'nobody'], 1, 'there is no launch nobody'],
    [['report', '--from', '2026-02-30'], 2, '"2026-02-30" is no date'],
    [['compare', 'shown-1'], 2, 'name two launches or more'],
    [['compare', 'shown-1', 'nobody'], 1, 'there is no launch nobody'],
  ])('%j says what is wrong', async (args, code, message) => {
    const result = await longhaul.cli('cost', ...args);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
  });
});
