/**
 * A month's report by consumer over a ledger of many launches, in DynamoDB Local: what is read, and how long it takes,
 * beside a scan of the table by the same client; see docs/performance.md.
 *
 *   npm run bench -- cost-report [--launches 100000] [--lines 2] [--json]
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { BatchWriteCommand, DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { mapLimited } from '../../lib/concurrency.ts';
import { Money } from '../../lib/cost/money.ts';
import { costReport } from '../../lib/cost/report.ts';
import { type DayItem, LedgerStore, type LineItem } from '../../lib/store/ledger.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { openDynamoDb } from '../support/dynamodb.ts';
import { lineOf } from '../support/focus-lines.ts';
import { option, report } from './report.ts';

const launches = Number(option('launches') ?? 100_000);
/** A launch has dozens to thousands; a scan reads them all. */
const linesEach = Number(option('lines') ?? 2);
/** Launches are spread over so many days from August on: one of the months is asked for. */
const DAYS = 120;
const FIRST = Date.UTC(2026, 7, 1);
const MONTH = { from: '2026-10-01', to: '2026-10-31' };
const BATCH = 25;
const WRITING = 16;
const MEMORY = '/dev/shm';

// DynamoDB Local has the disk confirm each write: the table would take hours.
if (existsSync(MEMORY)) process.env.TMPDIR = MEMORY;
const tables = await openDynamoDb();
try {
  await tables.create('');
  const documents = DynamoDBDocumentClient.from(tables.client);
  const { ledger: TableName } = tableNames('');
  const begun = performance.now();
  const batches = Array.from({ length: Math.ceil(launches / BATCH) }, (_, place) => place * BATCH);
  let total = new Money(0);
  await mapLimited(batches, WRITING, async (first) => {
    const count = Math.min(BATCH, launches - first);
    const items = Array.from({ length: count }, (_, place) => itemsOf(first + place)).flat();
    for (const { Item } of items)
      if ('day' in Item && Item.day >= MONTH.from && Item.day <= MONTH.to) total = total.plus(Item.total);
    for (let from = 0; from < items.length; from += BATCH)
      await documents.send(
        new BatchWriteCommand({
          RequestItems: { [TableName]: items.slice(from, from + BATCH).map((PutRequest) => ({ PutRequest })) },
        }),
      );
  });
  const writtenSeconds = secondsSince(begun);

  const store = new LedgerStore(tables.client, tableNames(''));
  const reported = performance.now();
  const { rows, totals, read } = await costReport({ ledger: store }, { by: 'consumer', ...MONTH });
  const seconds = secondsSince(reported);
  if (totals[0]?.exact.total !== total.toFixed())
    throw new Error(`${totals[0]?.exact.total} is not ${total.toFixed()}`);

  const scanned = performance.now();
  const scan = await scanAll(documents, TableName);
  const baselineSeconds = secondsSince(scanned);
  if (!scan.sum.eq(total)) throw new Error(`the scan found ${scan.sum.toFixed()}, and not ${total.toFixed()}`);
  report({
    launches,
    rows: rows.length,
    pages: read.pages,
    items: read.items,
    seconds,
    baselinePages: scan.pages,
    baselineItems: scan.items,
    baselineSeconds,
    ratio: Math.round((10 * baselineSeconds) / seconds) / 10,
    scans: tables.kit.calls.list({ operation: 'Scan' }).length - scan.pages,
    writtenSeconds,
  });
} finally {
  await tables.close();
}
process.exit(0);

function itemsOf(nth: number): { Item: DayItem | LineItem }[] {
  const day = new Date(FIRST + (nth % DAYS) * 86_400_000).toISOString().slice(0, 10);
  const of = { launch_id: `launch-${nth}`, attempt: 1 };
  // Different amounts, so that a launch that is left out or read twice shows.
  const amount = `0.${String((nth * 7_919) % 1_000_000).padStart(6, '0')}1`;
  const sum: DayItem = {
    ...of,
    line: `day#${day}#USD`,
    day,
    consumer: `lab-${(nth + Math.floor(nth / DAYS)) % 40}`,
    workflow_type: 'steps',
    compute_service: 'batch',
    currency: 'USD',
    total: amount,
    components: { instance: amount },
    lost: '0',
    idle: '0',
    packing: '0',
  };
  const lines = Array.from({ length: linesEach }, (_, line) => ({
    ...of,
    ...lineOf({ from: `${day}T08:00:00.000Z`, amount }),
    line: `line#${day}#instance#${line}`,
  }));
  return [sum, ...lines].map((Item) => ({ Item }));
}

/** The same sum, by reading the table: what a report without indexes would do. */
async function scanAll(documents: DynamoDBDocumentClient, TableName: string) {
  const found = { pages: 0, items: 0, sum: new Money(0) };
  let start: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(new ScanCommand({ TableName, ...(start && { ExclusiveStartKey: start }) }));
    found.pages += 1;
    found.items += page.ScannedCount ?? 0;
    for (const item of (page.Items ?? []) as Partial<DayItem>[])
      if (item.day !== undefined && item.day >= MONTH.from && item.day <= MONTH.to)
        found.sum = found.sum.plus(item.total ?? 0);
    start = page.LastEvaluatedKey;
  } while (start);
  return found;
}

function secondsSince(begun: number): number {
  return Math.round(performance.now() - begun) / 1000;
}
