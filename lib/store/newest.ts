/**
 * Pages of runs, the newest first, from several partitions of an index at once. The keys of a page's end do not change
 * while runs go from status to status, so pages stay as they are.
 *
 * @module
 */
import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { mapLimited } from '../concurrency.ts';

/** A place in a list of runs: newest first, and of the same time by workflow id, the last first. */
export interface RunPlace {
  /** ISO 8601. */
  createdAt: string;
  workflowId: string;
}

/** What an item of a registry of runs has. */
export interface RegisteredRun {
  workflow_id: string;
  created_at: string;
}

export interface RunPage<Item> {
  /** In order. */
  items: Item[];
  /** Everything newer is in the page, what is older may be missing; absent: there is no more. */
  reached?: RunPlace;
}

/** Negative: `a` comes first. */
export function comparePlaces(a: RunPlace, b: RunPlace): number {
  if (a.createdAt !== b.createdAt) return a.createdAt > b.createdAt ? -1 : 1;
  return a.workflowId === b.workflowId ? 0 : a.workflowId > b.workflowId ? -1 : 1;
}

export interface NewestQuery {
  table: string;
  /** One partition of one index. */
  index: string;
  attribute: string;
  value: string;
  /** Only what comes after it. */
  after?: RunPlace;
  /** Of the attribute that is named. */
  prefix?: { attribute: string; value: string };
  /** Of others than the key. */
  equals?: Readonly<Record<string, string>>;
  limit: number;
  /** Pages of DynamoDB that are read at most; what a filter leaves out counts too. */
  pages: number;
  /** Items to a page of DynamoDB, where there is a filter. */
  perPage: number;
}

const placeOf = ({ created_at: createdAt, workflow_id: workflowId }: RegisteredRun): RunPlace => ({
  createdAt,
  workflowId,
});

/** Reads on over runs of the very same time, which the index has in no order. */
export async function newestOf<Item extends RegisteredRun>(
  documents: DynamoDBDocumentClient,
  query: NewestQuery,
): Promise<RunPage<Item>> {
  const { after, prefix, equals = {}, limit } = query;
  const filtered = prefix !== undefined || Object.keys(equals).length > 0;
  const items: Item[] = [];
  let start: Record<string, unknown> | undefined;
  let oldest: string | undefined;
  for (let page = 0; page < query.pages; page += 1) {
    const answer = await documents.send(
      new QueryCommand({ ...inputOf(query, filtered), ...(start && { ExclusiveStartKey: start }) }),
    );
    const found = (answer.Items ?? []) as Item[];
    items.push(...found.filter((item) => after === undefined || comparePlaces(after, placeOf(item)) < 0));
    start = answer.LastEvaluatedKey;
    if (!start) return ordered(items, limit, false);
    oldest = String(start.created_at);
    const enough = items.length >= limit && (items.at(limit - 1)?.created_at ?? '') > oldest;
    if (enough) return ordered(items, limit, true);
  }
  // The page ends where reading has: of that time itself not everything may have been seen.
  const seen = items.filter(({ created_at }) => oldest === undefined || created_at > oldest);
  const page = ordered(seen, limit, false);
  return page.reached || oldest === undefined ? page : { ...page, reached: { createdAt: oldest, workflowId: LAST } };
}

/** After every workflow id. */
const LAST = '\u{10ffff}';

function ordered<Item extends RegisteredRun>(found: readonly Item[], limit: number, more: boolean): RunPage<Item> {
  const items = found.toSorted((a, b) => comparePlaces(placeOf(a), placeOf(b))).slice(0, limit);
  const last = items.at(-1);
  return { items, ...(last && (more || found.length > limit) && { reached: placeOf(last) }) };
}

function inputOf(query: NewestQuery, filtered: boolean) {
  const { table, index, attribute, value, after, prefix, equals = {}, limit, perPage } = query;
  const others = Object.entries(equals);
  const filters = [
    ...(prefix ? ['begins_with(#prefix, :prefix)'] : []),
    ...others.map((_, place) => `#other${place} = :other${place}`),
  ];
  return {
    TableName: table,
    IndexName: index,
    KeyConditionExpression: `#key = :value${after ? ' AND created_at <= :after' : ''}`,
    ...(filters.length > 0 && { FilterExpression: filters.join(' AND ') }),
    ExpressionAttributeNames: {
      '#key': attribute,
      ...(prefix && { '#prefix': prefix.attribute }),
      ...Object.fromEntries(others.map(([name], place) => [`#other${place}`, name])),
    },
    ExpressionAttributeValues: {
      ':value': value,
      ...(after && { ':after': after.createdAt }),
      ...(prefix && { ':prefix': prefix.value }),
      ...Object.fromEntries(others.map(([, wanted], place) => [`:other${place}`, wanted])),
    },
    ScanIndexForward: false,
    Limit: filtered ? Math.max(perPage, limit + 1) : limit + 1,
  };
}

/** One page of several: it ends where the first of them does. */
export function mergePages<Item>(
  pages: readonly RunPage<Item>[],
  limit: number,
  place: (item: Item) => RunPlace,
): RunPage<Item> {
  const frontier = pages.flatMap(({ reached }) => reached ?? []).toSorted(comparePlaces)[0];
  const items = new Map<string, Item>();
  // One that went from status to status meanwhile may have been found twice.
  for (const item of pages.flatMap((page) => page.items)) items.set(place(item).workflowId, item);
  const known = [...items.values()]
    .filter((item) => frontier === undefined || comparePlaces(place(item), frontier) <= 0)
    .toSorted((a, b) => comparePlaces(place(a), place(b)));
  const page = known.slice(0, limit);
  const last = page.at(-1);
  const reached = known.length > limit && last ? place(last) : frontier;
  return { items: page, ...(reached && { reached }) };
}

/** Of registries. */
export const registeredPlace = placeOf;

export interface PageFilter {
  /** Only what comes after it. */
  after?: RunPlace;
  status?: string;
  /** Of these alone; absent: of all, also those of nobody. */
  consumers?: readonly string[];
  /** Beginning of the id. */
  prefix?: string;
  limit: number;
}

/** What a registry is told to read a page of itself by. */
export interface Registry {
  table: string;
  /** Its key. */
  id: string;
  byConsumer: string;
  byStatus: string;
  /** In the order in which they come: one that goes on while they are read is found all the same. */
  open: readonly string[];
  ended: readonly string[];
}

/** Of a page of the list, in each partition: a filter that finds nothing must not read a table of years. */
const BOUNDS = { pages: 5, perPage: 400 };
/** Partitions read at a time. */
const READING = 8;

/** @param partition instead of statuses and consumers: another index, with what else has to be equal */
export async function pageOf<Item extends RegisteredRun>(
  documents: DynamoDBDocumentClient,
  registry: Registry,
  filter: PageFilter,
  partition?: { index: string; attribute: string; value: string },
): Promise<RunPage<Item>> {
  const { after, status, consumers, prefix, limit } = filter;
  const common = {
    table: registry.table,
    ...(after && { after }),
    ...(prefix !== undefined && { prefix: { attribute: registry.id, value: prefix } }),
    limit,
    ...BOUNDS,
  };
  const merged = (pages: RunPage<Item>[]) => mergePages(pages, limit, placeOf);
  if (consumers) {
    const equals = {
      ...(status !== undefined && { status }),
      ...(partition && { [partition.attribute]: partition.value }),
    };
    return merged(
      await mapLimited(consumers, READING, (value) =>
        newestOf<Item>(documents, { ...common, index: registry.byConsumer, attribute: 'consumer', value, equals }),
      ),
    );
  }
  if (partition) {
    const equals = { ...(status !== undefined && { status }) };
    return newestOf<Item>(documents, { ...common, ...partition, equals });
  }
  const ofStatus = (value: string) =>
    newestOf<Item>(documents, { ...common, index: registry.byStatus, attribute: 'status', value });
  if (status !== undefined) return ofStatus(status);
  const pages: RunPage<Item>[] = [];
  for (const open of registry.open) pages.push(await ofStatus(open));
  pages.push(...(await mapLimited(registry.ended, READING, ofStatus)));
  return merged(pages);
}
