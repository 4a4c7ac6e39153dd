/**
 * Logs of runs on DynamoDB: sequences without gaps, each report once, whoever writes at the same time and whatever answer
 * is lost.
 *
 * @module
 */
import { DescribeTimeToLiveCommand, DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeTables } from '../../infra/local/bootstrap.ts';
import { gatewayTable } from '../../lib/store/gateways.ts';
import { ProgressStore, type ProgressStoreOptions } from '../../lib/store/progress.ts';
import { progressTable } from '../../lib/store/progress-table.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { LIMITS, type ProgressEvent, type Report, type StepView } from '../../workflows/progress/model.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';
import { openDynamoDb, type Tables } from '../support/dynamodb.ts';

const RUN = 'launch/run-1';
const FACTS = { domain: 'launch', consumer: 'lab-a' };
const DAY = 86_400_000;

let local: Tables;
let nth = 0;
let prefix: string;
let store: ProgressStore;
let clock: number;
const clients: DynamoDBClient[] = [];

beforeAll(async () => {
  local = await openDynamoDb();
});
afterAll(() => local.close());
beforeEach(async () => {
  nth += 1;
  prefix = `p${nth}-`;
  await local.create(prefix);
  clock = Date.now();
  store = openStore();
});
afterEach(() => {
  local.kit.faults.set([]);
  for (const client of clients.splice(0)) client.destroy();
  expect(local.kit.calls.list({ operation: 'Scan' })).toEqual([]);
});

/** A store with a client of its own, as in a process of its own. */
function openStore(options: ProgressStoreOptions = {}, maxAttempts = 3): ProgressStore {
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: local.url,
    credentials: { accessKeyId: 'contract', secretAccessKey: 'contract' },
    maxAttempts,
  });
  clients.push(client);
  return new ProgressStore(progressTable(client, tableNames(prefix)), { now: () => clock, ...options });
}

const report = (localSeq: number, more: Partial<Report> = {}): Report => ({
  kind: 'progress',
  source: { name: 'workflow', attempt: 1 },
  localSeq,
  at: 1_000 + localSeq,
  message: `report ${localSeq}`,
  ...more,
});

const from = (name: string, localSeq: number, more: Partial<Report> = {}): Report =>
  report(localSeq, { source: { name, attempt: 1 }, message: `${name} ${localSeq}`, ...more });

async function readAll(of: ProgressStore, run = RUN, pageSize = 50): Promise<ProgressEvent[]> {
  const events: ProgressEvent[] = [];
  for (;;) {
    const page = await of.read(run, events.at(-1)?.seq ?? 0, pageSize);
    if (page.length === 0) return events;
    events.push(...page);
  }
}

async function fold(of: ProgressStore, run = RUN) {
  const events = await readAll(of, run);
  const head = await of.head(run);
  const picture = RunPicture.empty(run, FACTS, head?.epoch ?? '', events[0]?.at ?? 0);
  for (const event of events) picture.apply(event);
  return picture.snapshot();
}

describe('an append', () => {
  it('numbers reports from 1, keeps them, and says what they add up to', async () => {
    const first = await store.append(RUN, FACTS, [
      report(1, { kind: 'status', status: 'RUNNING' }),
      report(2, {
        steps: [
          { name: 'align', state: 'RUNNING', weight: 3, items: { total: 4, running: 2, succeeded: 2, failed: 0 } },
        ],
      }),
    ]);
    const second = await store.append(RUN, FACTS, [
      report(3, { steps: [{ name: 'call', state: 'PENDING', after: ['align'] }], counts: { objects: 7 } }),
    ]);

    expect(first.events.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(second).toMatchObject({ epoch: first.epoch, refused: 0, events: [{ seq: 3, counts: { objects: 7 } }] });
    expect(await store.head(RUN)).toEqual({
      ...FACTS,
      epoch: first.epoch,
      seq: 3,
      first: 1,
      status: 'RUNNING',
      changedAt: 1_003,
    });
    expect(await store.read(RUN, 0, 10)).toEqual([...first.events, ...second.events]);
    expect(await store.read(RUN, 1, 1)).toEqual(first.events.slice(1));
    expect(await store.snapshot(RUN)).toMatchObject({ seq: 3, percent: 37.5, message: 'report 3' });
    expect(await store.snapshot(RUN)).toEqual(await fold(store));
  });

  it('changes nothing when it is repeated, from whichever process', async () => {
    const reports = [report(1), report(2), from('mapReads/sample-7', 1)];
    const first = await store.append(RUN, FACTS, reports);
    const again = await store.append(RUN, FACTS, reports);
    const elsewhere = await openStore().append(RUN, FACTS, [...reports, report(3)]);

    expect(again).toEqual({ epoch: first.epoch, events: [], refused: 3 });
    expect(elsewhere).toMatchObject({ refused: 3, events: [{ seq: 4, message: 'report 3' }] });
    expect((await readAll(store)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  it('refuses what an attempt of a source still says that has been superseded', async () => {
    const said = (attempt: number, localSeq: number) =>
      report(localSeq, { source: { name: 'stage/a', attempt }, message: `${attempt}.${localSeq}` });
    await store.append(RUN, FACTS, [said(1, 5), said(2, 1)]);
    const late = await openStore().append(RUN, FACTS, [said(1, 6), said(2, 2), said(1, 7)]);

    expect(late).toMatchObject({ refused: 2, events: [{ message: '2.2' }] });
  });

  it('splits into transactions what is more than one may hold', async () => {
    const steps = (from: number): StepView[] =>
      Array.from({ length: 40 }, (_, index) => ({ name: `step ${from + index}`, state: 'PENDING' as const }));
    const reports = Array.from({ length: 12 }, (_, index) => report(index + 1, { steps: steps(40 * index) }));
    const { events } = await store.append(RUN, FACTS, [
      ...reports,
      ...Array.from({ length: 150 }, (_, index) => report(100 + index)),
    ]);
    const snapshot = await store.snapshot(RUN);

    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 162 }, (_, index) => index + 1));
    expect(snapshot?.steps.map(({ name }) => name)).toEqual(Array.from({ length: 480 }, (_, index) => `step ${index}`));
    expect(local.kit.calls.list({ operation: 'TransactWriteItems' }).length).toBeGreaterThan(6);
    expect(snapshot).toEqual(await fold(store));
  });

  it('keeps so many events, and says which are gone', async () => {
    const small = openStore({ bounds: { events: 30 } });
    for (let turn = 0; turn < 10; turn += 1)
      await small.append(
        RUN,
        FACTS,
        Array.from({ length: 7 }, (_, index) => report(7 * turn + index + 1)),
      );

    expect(await small.head(RUN)).toMatchObject({ seq: 70, first: 41 });
    expect((await small.read(RUN, 0, 100)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 30 }, (_, index) => index + 41),
    );
    expect(await small.snapshot(RUN)).toMatchObject({ seq: 70, message: 'report 70' });
  });

  it('begins a new attempt without the steps of the one before', async () => {
    await store.append(RUN, FACTS, [
      report(1, {
        steps: [{ name: 'a', state: 'FAILED' }],
        percent: 10,
        error: { type: 'StepFailedError', message: 'a' },
      }),
      report(2, { kind: 'end', status: 'FAILED' }),
      report(3, {
        kind: 'status',
        begins: { attempt: 2 },
        status: 'PREPARING',
        steps: [{ name: 'b', state: 'PENDING' }],
      }),
      report(4, { begins: { attempt: 2 }, steps: [{ name: 'c', state: 'PENDING' }] }),
    ]);
    const snapshot = await store.snapshot(RUN);

    expect(snapshot).toMatchObject({ attempt: 2, status: 'PREPARING', percent: 0 });
    expect(snapshot?.steps.map(({ name }) => name)).toEqual(['b', 'c']);
    expect(snapshot).not.toHaveProperty('endedAt');
    expect(snapshot).toEqual(await fold(store));
  });

  it('gives back what JSON can say and DynamoDB cannot', async () => {
    let deep: unknown = 1e-300;
    for (let level = 0; level < 60; level += 1) deep = { deep };
    const data = { deep, text: '', half: '\ud800', '': [null, []], large: 1.7976931348623157e308 };
    await store.append(RUN, FACTS, [report(1, { kind: 'data', data })]);

    expect((await store.read(RUN, 0, 1))[0]?.data).toEqual(data);
  });

  it('leaves out steps beyond the bound, and says so', async () => {
    const warnings: string[] = [];
    const small = openStore({ bounds: { steps: 3 }, warn: (message) => warnings.push(message) });
    const told = (localSeq: number, ...names: string[]) =>
      report(localSeq, { steps: names.map((name) => ({ name, state: 'RUNNING' as const })) });
    await small.append(RUN, FACTS, [told(1, 'a', 'b')]);
    // A process that does not know which are there.
    const other = openStore({ bounds: { steps: 3 }, warn: (message) => warnings.push(message) });
    await other.append(RUN, FACTS, [told(2, 'b', 'a')]);
    await other.append(RUN, FACTS, [told(3, 'a', 'c')]);
    expect(warnings).toEqual([]);
    await small.append(RUN, FACTS, [told(4, 'd', 'b')]);

    expect(warnings).toEqual([expect.stringContaining(`${RUN} tells of more than 3 steps`)]);
    expect((await small.snapshot(RUN))?.steps.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(await small.snapshot(RUN)).toEqual(await fold(small));
  });
});

describe('writers at the same time', () => {
  it('leave a sequence without gaps, each report once, those of a source in order', async () => {
    const writers = Array.from({ length: 5 }, (_, index) => ({ name: `writer-${index}`, store: openStore() }));
    const reports = 10;
    await Promise.all(
      writers.map(async ({ name, store }) => {
        for (let localSeq = 1; localSeq <= reports; localSeq += 1) {
          // Every third is told twice.
          for (let time = 0; time < (localSeq % 3 === 0 ? 2 : 1); time += 1)
            await store.append(RUN, FACTS, [
              from(name, localSeq, { steps: [{ name, state: 'RUNNING', percent: localSeq }] }),
            ]);
        }
      }),
    );
    const events = await readAll(store);

    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 5 * reports }, (_, index) => index + 1));
    for (const { name } of writers)
      expect(events.filter(({ source }) => source.name === name).map(({ message }) => message)).toEqual(
        Array.from({ length: reports }, (_, index) => `${name} ${index + 1}`),
      );
    const snapshot = await store.snapshot(RUN);
    const folded = await fold(store);
    expect(snapshot).toEqual({ ...folded, percent: expect.closeTo(folded.percent ?? 0, 9) });
  });

  it('do not show a reader half of a transaction, nor a picture that goes back', async () => {
    const writer = openStore();
    const state = { done: false };
    const writing = (async () => {
      for (let turn = 0; turn < 40; turn += 1)
        await writer.append(
          RUN,
          FACTS,
          Array.from({ length: 20 }, (_, index) => report(20 * turn + index + 1)),
        );
      state.done = true;
    })();
    const seen: number[] = [];
    while (!state.done || seen.length < 800) {
      const page = await store.read(RUN, seen.length, 500);
      seen.push(...page.map(({ seq }) => seq));
      const snapshot = await store.snapshot(RUN);
      expect(snapshot?.seq ?? 0).toBeGreaterThanOrEqual(seen.length);
    }
    await writing;

    expect(seen).toEqual(Array.from({ length: 800 }, (_, index) => index + 1));
  });
});

describe('while the table fails', () => {
  it('finds what was written though the answer was lost', async () => {
    const once = openStore({}, 1);
    await once.append(RUN, FACTS, [report(1)]);
    local.kit.faults.set([{ service: 'dynamodb', operation: 'TransactWriteItems', effect: 'reset', when: 'after' }]);
    await expect(once.append(RUN, FACTS, [report(2), report(3)])).rejects.toThrow();

    expect(await once.append(RUN, FACTS, [report(2), report(3), report(4)])).toMatchObject({
      refused: 2,
      events: [{ seq: 4, message: 'report 4' }],
    });
    expect((await readAll(store)).map(({ message }) => message)).toEqual([1, 2, 3, 4].map((one) => `report ${one}`));
  });

  it('is not confused by answers lost at random, with the retries of the SDK', async () => {
    local.kit.faults.set([
      { service: 'dynamodb', operation: 'TransactWriteItems', effect: 'reset', when: 'after', share: 0.2, seed: 7 },
      { service: 'dynamodb', operation: 'TransactWriteItems', effect: 'error', when: 'before', share: 0.1, seed: 8 },
    ]);
    const writers = Array.from({ length: 3 }, (_, index) => ({ name: `w${index}`, store: openStore() }));
    await Promise.all(
      writers.map(async ({ name, store }) => {
        for (let localSeq = 1; localSeq <= 20; localSeq += 1) {
          for (;;) {
            const taken = await store.append(RUN, FACTS, [from(name, localSeq)]).then(
              () => true,
              () => false,
            );
            if (taken) break;
          }
        }
      }),
    );
    expect(local.kit.faults.hits().every((hits) => hits > 0)).toBe(true);
    local.kit.faults.set([]);
    const events = await readAll(store);

    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    for (const { name } of writers)
      expect(events.filter(({ source }) => source.name === name).map(({ message }) => message)).toEqual(
        Array.from({ length: 20 }, (_, index) => `${name} ${index + 1}`),
      );
  });
});

describe('expiry', () => {
  it('is enabled on the table', async () => {
    await makeTables(local.client, 'ttl-');
    for (const TableName of [tableNames('ttl-').progress, tableNames('ttl-').gateways]) {
      const { TimeToLiveDescription } = await local.client.send(new DescribeTimeToLiveCommand({ TableName }));
      expect(TimeToLiveDescription).toMatchObject({ AttributeName: 'expires_at', TimeToLiveStatus: 'ENABLED' });
    }
  });

  it('is heeded before DynamoDB deletes: the next append begins anew', async () => {
    const first = await store.append(RUN, FACTS, [
      report(1, {
        steps: [
          { name: 'old', state: 'RUNNING', after: ['x'] },
          { name: 'both', state: 'RUNNING', after: ['x'] },
        ],
      }),
      report(2),
      report(3),
    ]);
    clock += 14 * DAY + 3_601_000;
    expect(await store.head(RUN)).toBeUndefined();
    expect(await store.snapshot(RUN)).toBeUndefined();
    expect(await store.read(RUN, 0, 10)).toEqual([]);
    const second = await store.append(RUN, FACTS, [report(1, { steps: [{ name: 'both', state: 'PENDING' }] })]);

    expect(second).toMatchObject({ refused: 0, events: [{ seq: 1 }] });
    expect(second.epoch).not.toBe(first.epoch);
    expect((await store.read(RUN, 0, 10)).map(({ seq }) => seq)).toEqual([1]);
    expect(await store.read(RUN, 1, 10)).toEqual([]);
    expect((await store.snapshot(RUN))?.steps).toEqual([{ name: 'both', state: 'PENDING' }]);
  });

  it('takes single events of a run that goes on for longer, but none of its steps', async () => {
    await store.append(RUN, FACTS, [report(1, { steps: [{ name: 'a', state: 'RUNNING' }] })]);
    for (let day = 5; day <= 40; day += 5) {
      clock += 5 * DAY;
      await store.append(RUN, FACTS, [report(day)]);
    }

    expect(await store.head(RUN)).toMatchObject({ seq: 9, first: 7 });
    expect((await store.read(RUN, 0, 10)).map(({ seq }) => seq)).toEqual([7, 8, 9]);
    expect((await store.snapshot(RUN))?.steps).toEqual([{ name: 'a', state: 'RUNNING' }]);
    const { Items = [] } = await local.client.send(
      new QueryCommand({
        TableName: tableNames(prefix).progress,
        KeyConditionExpression: 'run = :run AND begins_with(entry, :steps)',
        ExpressionAttributeValues: { ':run': { S: RUN }, ':steps': { S: 's#' } },
      }),
    );
    expect(Number(Items[0]?.expires_at?.N)).toBeGreaterThan((clock + 14 * DAY) / 1000);
  });
});

it('takes nothing of a call in which one report cannot be taken', async () => {
  const large = report(2, { kind: 'data', data: 'x'.repeat(LIMITS.reportBytes) });

  await expect(store.append(RUN, FACTS, [report(1), large])).rejects.toThrow(
    /report of workflow: expected at most 65536 bytes, not \d+: put the data into S3 and report its address/,
  );
  expect(await store.head(RUN)).toBeUndefined();
});

describe('gateways', () => {
  it('are found while they say that they run', async () => {
    const table = gatewayTable(local.client, tableNames(prefix));
    await table.enter('g1', 'http://10.0.0.1:8080', 130);
    await table.enter('g2', 'http://10.0.0.2:8080', 100);
    await table.enter('g1', 'http://10.0.0.1:8080', 140);

    expect((await table.list(99)).sort()).toEqual(['http://10.0.0.1:8080', 'http://10.0.0.2:8080']);
    expect(await table.list(135)).toEqual(['http://10.0.0.1:8080']);
    await table.leave('g1');
    expect(await table.list(0)).toEqual(['http://10.0.0.2:8080']);
  });
});
