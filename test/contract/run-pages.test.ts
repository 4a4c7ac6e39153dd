/**
 * Pages of the registries: all runs, each once, the newest first, whatever the pages' sizes, and without a scan.
 *
 * @module
 */
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeTables } from '../../infra/local/bootstrap.ts';
import { type LaunchItem, LaunchStore } from '../../lib/store/launches.ts';
import {
  comparePlaces,
  newestOf,
  type PageFilter,
  type RunPage,
  type RunPlace,
  registeredPlace,
} from '../../lib/store/newest.ts';
import { type RestoreItem, RestoreStore } from '../../lib/store/restores.ts';
import { LAUNCH_INDEXES, tableDefinitions, tableNames } from '../../lib/store/tables.ts';
import { LAUNCH_STATUSES } from '../../workflows/launch/model.ts';
import { freshTables } from '../support/fresh-tables.ts';

const tables = freshTables();
let launches: LaunchStore;
let restores: RestoreStore;

beforeEach(() => {
  launches = new LaunchStore(tables.client, tables.names);
  restores = new RestoreStore(tables.client, tables.names);
});

const launch = (id: string, minute: number, more: Partial<LaunchItem> = {}): LaunchItem => ({
  launch_id: id,
  status: 'COMPLETE',
  statuses: {},
  attempt: 1,
  sequence: 1,
  workflow_id: `launch/${id}`,
  run_id: 'r',
  created_at: new Date(Date.UTC(2026, 10, 1, 0, minute)).toISOString(),
  configuration_file: 's3://longhaul/sheets/lab-a/x.yaml',
  consumer: 'lab-a',
  ...more,
});

const restore = (id: string, minute: number, more: Partial<RestoreItem> = {}): RestoreItem => ({
  restore_id: id,
  created_at: new Date(Date.UTC(2026, 10, 1, 0, minute)).toISOString(),
  sequence: 1,
  status: 'COMPLETE',
  statuses: {},
  workflow_id: `restore/${id}`,
  run_id: 'r',
  ...more,
});

type Registered = LaunchItem | RestoreItem;

async function everyPage<Item extends Registered>(
  read: (filter: PageFilter) => Promise<RunPage<Item>>,
  filter: Omit<PageFilter, 'limit'>,
  sizes: readonly number[],
): Promise<Item[]> {
  const all: Item[] = [];
  let after: RunPlace | undefined;
  for (let page = 0; page < 500; page += 1) {
    const limit = sizes[page % sizes.length] ?? 1;
    const { items, reached } = await read({ ...filter, limit, ...(after && { after }) });
    expect(items.length).toBeLessThanOrEqual(limit);
    all.push(...items);
    if (!reached) return all;
    if (after) expect(comparePlaces(after, reached)).toBeLessThan(0);
    after = reached;
  }
  throw new Error('there is no end of pages');
}

const inOrder = <Item extends Registered>(items: readonly Item[]): string[] =>
  items.toSorted((a, b) => comparePlaces(registeredPlace(a), registeredPlace(b))).map(({ workflow_id: id }) => id);
const ids = (items: readonly Registered[]): string[] => items.map(({ workflow_id: id }) => id);

describe('pages of launches', () => {
  it('hold each once, in order, for pages of any size, with many of the same time', async () => {
    const run = fc.record({
      minute: fc.integer({ min: 0, max: 6 }),
      status: fc.constantFrom(...LAUNCH_STATUSES),
      consumer: fc.constantFrom('lab-a', 'lab-b', 'lab-c', undefined),
      type: fc.constantFrom('steps', 'snakemake'),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(run, { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
        async (runs, sizes) => {
          round += 1;
          const prefix = `q-${tables.prefix}${round}-`;
          await tables.create(prefix);
          const store = new LaunchStore(tables.client, tableNames(prefix));
          const items = runs.map(({ minute, status, consumer, type }, place) =>
            launch(`run-${place}`, minute, {
              status,
              workflow_type: type,
              ...(consumer === undefined ? { consumer: undefined as never } : { consumer }),
            }),
          );
          for (const item of items) await store.register(item);
          const read = (filter: PageFilter) => store.page(filter);
          expect(ids(await everyPage(read, {}, sizes))).toEqual(inOrder(items));
          const own = items.filter(({ consumer }) => consumer === 'lab-a' || consumer === 'lab-b');
          expect(ids(await everyPage(read, { consumers: ['lab-a', 'lab-b'] }, sizes))).toEqual(inOrder(own));
          const failed = items.filter(({ status }) => status === 'FAILED');
          expect(ids(await everyPage(read, { status: 'FAILED' }, sizes))).toEqual(inOrder(failed));
          const typed = (filter: PageFilter) => store.page({ ...filter, workflowType: 'steps' });
          const wanted = own.filter((item) => item.workflow_type === 'steps' && item.status === 'RUNNING');
          expect(ids(await everyPage(typed, { consumers: ['lab-a', 'lab-b'], status: 'RUNNING' }, sizes))).toEqual(
            inOrder(wanted),
          );
          const prefixed = items.filter(({ launch_id: id }) => id.startsWith('run-1'));
          expect(ids(await everyPage(read, { prefix: 'run-1' }, sizes))).toEqual(inOrder(prefixed));
        },
      ),
      { numRuns: 12 },
    );
  });

  it('stay as they are while launches go on', async () => {
    for (let place = 0; place < 9; place += 1)
      await launches.register(launch(`run-${place}`, place, { status: 'RUNNING' }));
    const first = await launches.page({ limit: 3 });
    await launches.recordStatus({
      launchId: 'run-4',
      attempt: 1,
      sequence: 2,
      status: 'COMPLETE',
      at: '2026-11-02T00:00:00.000Z',
    });
    await launches.register(launch('newer', 59));
    const second = await launches.page({ limit: 3, ...(first.reached && { after: first.reached }) });
    expect([ids(first.items), ids(second.items)]).toEqual([
      ['launch/run-8', 'launch/run-7', 'launch/run-6'],
      ['launch/run-5', 'launch/run-4', 'launch/run-3'],
    ]);
  });

  it('end after a few pages of DynamoDB where a filter finds nothing, and go on from there', async () => {
    for (let place = 0; place < 59; place += 1)
      await launches.register(launch(`run-${place}`, place, { status: 'FAILED' }));
    const documents = DynamoDBDocumentClient.from(tables.client);
    const read = ({ after, limit }: PageFilter) =>
      newestOf<LaunchItem>(documents, {
        table: tables.names.launches,
        index: LAUNCH_INDEXES.byStatus,
        attribute: 'status',
        value: 'FAILED',
        prefix: { attribute: 'launch_id', value: 'run-0' },
        ...(after && { after }),
        limit,
        pages: 3,
        perPage: 10,
      });
    const queries = () => tables.kit.calls.list({ operation: 'Query' }).length;
    const before = queries();
    expect(await read({ limit: 5 })).toMatchObject({ items: [], reached: { createdAt: launch('', 29).created_at } });
    expect(queries()).toBe(before + 3);
    expect(ids(await everyPage(read, {}, [5]))).toEqual(['launch/run-0']);
  });
});

describe('pages of restores', () => {
  it('are of all, of a consumer, of a status', async () => {
    for (let place = 0; place < 7; place += 1)
      await restores.record(
        restore(`r-${place}`, place % 3, {
          status: place % 2 === 0 ? 'COMPLETE' : 'RESTORING',
          ...(place > 3 && { consumer: 'lab-a' }),
        }),
      );
    const read = (filter: PageFilter) => restores.page(filter);
    expect(ids(await everyPage(read, {}, [2]))).toEqual(
      ['r-5', 'r-2', 'r-4', 'r-1', 'r-6', 'r-3', 'r-0'].map((id) => `restore/${id}`),
    );
    expect(ids(await everyPage(read, { consumers: ['lab-a'] }, [2]))).toEqual(
      ['r-5', 'r-4', 'r-6'].map((id) => `restore/${id}`),
    );
    expect(ids(await everyPage(read, { status: 'RESTORING' }, [2]))).toEqual(
      ['r-5', 'r-1', 'r-3'].map((id) => `restore/${id}`),
    );
  });

  it('are found in tables of before, which get the indexes that have come since', async () => {
    const prefix = `old-${tables.prefix}`;
    const definition = tableDefinitions(prefix).find(({ TableName }) => TableName === `${prefix}Restores`);
    await tables.client.send(
      new CreateTableCommand({
        ...definition,
        TableName: `${prefix}Restores`,
        AttributeDefinitions: definition?.AttributeDefinitions?.filter(({ AttributeName }) =>
          ['restore_id', 'open'].includes(AttributeName ?? ''),
        ),
        GlobalSecondaryIndexes: definition?.GlobalSecondaryIndexes?.slice(0, 1),
      }),
    );
    const store = new RestoreStore(tables.client, tableNames(prefix));
    await store.record(restore('from-before', 1));

    await makeTables(tables.client, prefix);
    await makeTables(tables.client, prefix);

    expect(ids((await store.page({ limit: 5 })).items)).toEqual(['restore/from-before']);
  });
});
