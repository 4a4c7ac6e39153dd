/**
 * The ledger: what launches have cost, line by line, their sums by day for reports, and what they held of resources
 * that others use too. All items of a launch are replaced together whenever it is priced.
 *
 * @module
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  DynamoDBDocumentClient,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { LedgerLine, Occupancy } from '../../workflows/cost/model.ts';
import { mapLimited } from '../concurrency.ts';
import type { DaySum } from '../cost/days.ts';
import { queryAll } from './query.ts';
import { LEDGER_INDEXES, type Tables } from './tables.ts';

/** Which pricing an item is of: those of a later one replace it. */
interface OfPricing {
  launch_id: string;
  /** Of the launch: the last it covers. */
  attempt: number;
}

/** One line. `line` begins with `line#`. */
export type LineItem = OfPricing & LedgerLine;

/** What a launch cost on one day (UTC), in one currency: what reports are summed from. */
export interface DayItem extends OfPricing, DaySum {
  /** `day#<day>#<currency>`; `day` with `launch_id` is the key of an index. */
  line: string;
  /** With `day` the key of another. */
  consumer: string;
  workflow_type: string;
  compute_service: string;
}

/** What a launch held of an instance, file system or cluster. */
export interface HeldItem extends OfPricing {
  /** `held#<resource>` */
  line: string;
  resource: string;
  /** ISO 8601: the begin of the first holding; with `resource` the key of an index. */
  held_from: string;
  /** Epoch ms: the end of the last. */
  held_to: number;
  /** From, to (epoch ms), vCPUs, MiB. */
  held: [number, number, number, number][];
}

/** By the bill, for one day and service. `line` begins with `actual#`. */
export interface ActualItem extends OfPricing {
  line: string;
  service: string;
  amount: string;
  currency: string;
}

/** How long items of a step ran on one instance type; what estimates learn from. `line` begins with `work#`. */
export interface HistoryItem extends OfPricing {
  line: string;
  /** What it is compared by; with `at` the key of an index. */
  work: string;
  /** ISO 8601: when the last of them ended. */
  at: string;
  /** Under another name than in days: it must not enter their index. */
  consumer_name: string;
  step: string;
  /** Instance type, `fargate`, or the name of a cluster on premises. */
  resource_type: string;
  market: string;
  /** Items that ran and committed; attempts that did not. */
  items: number;
  failed: number;
  /** What the step asks for. */
  vcpus: number;
  memory_mib: number;
  /** Bytes of input (-1: not known) and seconds, of up to 60 items. */
  samples: [number, number][];
}

export type LedgerItem = LineItem | DayItem | HeldItem | ActualItem | HistoryItem;

/** What a reader has had DynamoDB read, filtered or not. */
export interface ReadCount {
  pages: number;
  items: number;
}

/** What DynamoDB takes in one call. */
const BATCH = 25;
const WRITING = 8;

export class LedgerStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, tables: Pick<Tables, 'ledger'>) {
    this.#documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
    this.#table = tables.ledger;
  }

  /**
   * Puts a launch's items and removes what an earlier pricing had besides. Repeating it changes nothing.
   * @param beginning of the keys that are replaced, so that actuals and lines do not remove each other
   * @returns false when a later attempt has been priced already: then nothing is written
   */
  async replace(
    launchId: string,
    attempt: number,
    items: readonly LedgerItem[],
    beginnings: readonly string[],
  ): Promise<boolean> {
    const known = await this.#keys(launchId);
    if (known.some((item) => item.attempt > attempt)) return false;
    const wanted = new Set(items.map(({ line }) => line));
    const gone = known.filter(
      ({ line }) => !wanted.has(line) && beginnings.some((beginning) => line.startsWith(beginning)),
    );
    await this.#write(items.map((Item) => ({ PutRequest: { Item } })));
    await this.#write(gone.map(({ line }) => ({ DeleteRequest: { Key: { launch_id: launchId, line } } })));
    return true;
  }

  /** Lines of a launch, in the order of their keys. */
  async lines(launchId: string): Promise<LineItem[]> {
    return this.#query<LineItem>({ ...ofLaunch(launchId, 'line#'), ConsistentRead: true });
  }

  async actuals(launchId: string): Promise<ActualItem[]> {
    return this.#query<ActualItem>({ ...ofLaunch(launchId, 'actual#'), ConsistentRead: true });
  }

  /** Lines of a launch on these days, both included. */
  async linesOfDays(launchId: string, from: string, to: string): Promise<LineItem[]> {
    return this.#query<LineItem>({
      KeyConditionExpression: 'launch_id = :launch AND #line BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#line': 'line' },
      // Their keys begin with the day, and `~` comes after everything that follows it.
      ExpressionAttributeValues: { ':launch': launchId, ':from': `line#${from}`, ':to': `line#${to}~` },
    });
  }

  /** Every launch's cost on one day. */
  async day(day: string, read?: ReadCount): Promise<DayItem[]> {
    return this.#query<DayItem>(
      {
        IndexName: LEDGER_INDEXES.byDay,
        KeyConditionExpression: '#day = :day',
        ExpressionAttributeNames: { '#day': 'day' },
        ExpressionAttributeValues: { ':day': day },
      },
      read,
    );
  }

  /** Of one consumer, from one day to another, both included. */
  async daysOf(consumer: string, from: string, to: string, read?: ReadCount): Promise<DayItem[]> {
    return this.#query<DayItem>(
      {
        IndexName: LEDGER_INDEXES.byConsumer,
        KeyConditionExpression: '#consumer = :consumer AND #day BETWEEN :from AND :to',
        ExpressionAttributeNames: { '#consumer': 'consumer', '#day': 'day' },
        ExpressionAttributeValues: { ':consumer': consumer, ':from': from, ':to': to },
      },
      read,
    );
  }

  /** What launches tell of this work, the newest first. */
  async history(work: string, limit: number): Promise<HistoryItem[]> {
    const { Items = [] } = await this.#documents.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: LEDGER_INDEXES.byWork,
        KeyConditionExpression: '#work = :work',
        ExpressionAttributeNames: { '#work': 'work' },
        ExpressionAttributeValues: { ':work': work },
        ScanIndexForward: false,
        Limit: limit,
      }),
    );
    return Items as HistoryItem[];
  }

  /** What other launches are known to have held of a resource within an interval (epoch ms). */
  async holdings(resource: string, launchId: string, from: number, to: number): Promise<Occupancy[]> {
    const items = await this.#query<HeldItem>({
      IndexName: LEDGER_INDEXES.byResource,
      KeyConditionExpression: '#resource = :resource AND held_from < :to',
      FilterExpression: 'held_to > :from AND launch_id <> :launch',
      ExpressionAttributeNames: { '#resource': 'resource' },
      ExpressionAttributeValues: {
        ':resource': resource,
        ':to': new Date(to).toISOString(),
        ':from': from,
        ':launch': launchId,
      },
    });
    return items.flatMap(({ launch_id: other, held }) =>
      held.map(([begin, end, vcpus, memoryMib]) => ({ launchId: other, from: begin, to: end, vcpus, memoryMib })),
    );
  }

  #keys(launchId: string): Promise<{ line: string; attempt: number }[]> {
    return this.#query({
      KeyConditionExpression: 'launch_id = :launch',
      ProjectionExpression: '#line, attempt',
      ExpressionAttributeNames: { '#line': 'line' },
      ExpressionAttributeValues: { ':launch': launchId },
      ConsistentRead: true,
    });
  }

  #query<Item>(query: Omit<QueryCommandInput, 'TableName'>, read?: ReadCount): Promise<Item[]> {
    return queryAll<Item>(this.#documents, { TableName: this.#table, ...query }, (items) => {
      if (!read) return;
      read.pages += 1;
      read.items += items;
    });
  }

  async #write(requests: readonly WriteRequest[]): Promise<void> {
    const batches: WriteRequest[][] = [];
    for (let from = 0; from < requests.length; from += BATCH) batches.push(requests.slice(from, from + BATCH));
    await mapLimited(batches, WRITING, async (batch) => {
      let left = batch;
      while (left.length > 0) {
        const { UnprocessedItems = {} } = await this.#documents.send(
          new BatchWriteCommand({ RequestItems: { [this.#table]: left } }),
        );
        const unprocessed = UnprocessedItems[this.#table] ?? [];
        // What DynamoDB had no room for comes again; when it took nothing, the caller's retry waits longer.
        if (unprocessed.length === left.length) throw new Error(`${this.#table} takes no more writes for now`);
        left = unprocessed;
      }
    });
  }
}

type WriteRequest = NonNullable<BatchWriteCommandInput['RequestItems']>[string][number];

const ofLaunch = (launchId: string, beginning: string) => ({
  KeyConditionExpression: 'launch_id = :launch AND begins_with(#line, :beginning)',
  ExpressionAttributeNames: { '#line': 'line' },
  ExpressionAttributeValues: { ':launch': launchId, ':beginning': beginning },
});
