/**
 * The table `Progress`: of each run a head, its events by their sequence, and its steps as they stand now. What a run tells
 * is kept as JSON text, so that it comes back as it was: DynamoDB's own numbers and nesting are narrower.
 *
 * @module
 */
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { StepView } from '../../workflows/progress/model.ts';
import { mapLimited } from '../concurrency.ts';
import type { Fence, Head, Plan, StepWrite, StoredEvent, View } from '../progress/reckon.ts';
import type { Tables } from './tables.ts';

export interface StoredHead {
  head: Head;
  /** Epoch s. */
  expiresAt: number;
}

export interface StoredStep {
  step: StepView;
  /** Of the event that says it. */
  seq: number;
  order: number;
}

/** When what is written now may be deleted, epoch s. */
export interface Lives {
  head: number;
  events: number;
  steps: number;
}

/** What the store needs of a table; expiry is the store's business, but where a filter is said to. */
export interface ProgressTable {
  head(run: string): Promise<StoredHead | undefined>;
  /**
   * Everything or nothing, if the head is still the one that is expected.
   * @returns whether it was; false also where somebody else writes at the same moment
   */
  write(run: string, plan: Plan, expected: StoredHead | undefined, lives: Lives): Promise<boolean>;
  /** Events after a sequence whose time has not come by `now` (epoch s), in order; there may be gaps. */
  events(run: string, after: number, limit: number, now: number): Promise<StoredEvent[]>;
  /** Of the present attempt, in no order. */
  steps(run: string, view: View): Promise<StoredStep[]>;
  stepNames(run: string, view: View): Promise<string[]>;
  /** Gives all steps of the present attempt a new time to live. */
  renew(run: string, view: View, expiresAt: number): Promise<void>;
}

/** Updates at a time, of {@link ProgressTable.renew}. */
const RENEWING = 16;

const HEAD = 'head';
const EVENTS = 'e#';
const eventEntry = (seq: number): string => `${EVENTS}${String(seq).padStart(12, '0')}`;
/** What is after every event: no sequence is that long. */
const AFTER_EVENTS = `${EVENTS}~`;
/** By epoch, so that nothing of a log that was removed is taken for a part of the next. */
const stepsOf = (epoch: string, attempt: number): string => `s#${epoch}#${String(attempt).padStart(4, '0')}#`;

type Item = Record<string, AttributeValue>;

export function progressTable(client: DynamoDBClient, tables: Pick<Tables, 'progress'>): ProgressTable {
  const TableName = tables.progress;
  const key = (run: string, entry: string): Item => ({ run: { S: run }, entry: { S: entry } });

  async function query(
    run: string,
    condition: string,
    values: Item,
    more: Partial<QueryCommandInput> = {},
    most = Number.POSITIVE_INFINITY,
  ): Promise<Item[]> {
    const items: Item[] = [];
    let start: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: `run = :run AND ${condition}`,
          ExpressionAttributeValues: { ':run': { S: run }, ...values },
          ConsistentRead: true,
          ...more,
          ...(start && { ExclusiveStartKey: start }),
        }),
      );
      items.push(...Items);
      start = LastEvaluatedKey;
    } while (start && items.length < most);
    return items;
  }

  const ofSteps = (run: string, { epoch, attempt }: View, more: Partial<QueryCommandInput>) =>
    query(run, 'begins_with(entry, :steps)', { ':steps': { S: stepsOf(epoch, attempt) } }, more);

  return {
    async head(run) {
      const { Item } = await client.send(new GetItemCommand({ TableName, Key: key(run, HEAD), ConsistentRead: true }));
      return Item && toHead(Item);
    },

    async write(run, plan, expected, lives) {
      const actions: TransactWriteItem[] = [
        {
          Put: {
            TableName,
            Item: { ...key(run, HEAD), ...fromHead(plan.head, lives.head) },
            ...(expected ? isStill(expected.head.view) : { ConditionExpression: 'attribute_not_exists(run)' }),
          },
        },
        ...plan.events.map((event) => ({
          Put: {
            TableName,
            Item: {
              ...key(run, eventEntry(event.seq)),
              event: { S: JSON.stringify(event) },
              expires_at: { N: String(lives.events) },
            },
          },
        })),
        ...plan.steps.map((write) => ({
          Update: {
            TableName,
            Key: key(run, stepsOf(plan.head.view.epoch, write.attempt) + write.step.name),
            ...setStep(write, lives.steps),
          },
        })),
        ...plan.drops.map((seq) => ({ Delete: { TableName, Key: key(run, eventEntry(seq)) } })),
      ];
      try {
        await client.send(new TransactWriteItemsCommand({ TransactItems: actions }));
        return true;
      } catch (error) {
        if (!(error instanceof TransactionCanceledException)) throw error;
        const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code);
        if (codes.includes('ConditionalCheckFailed') || codes.includes('TransactionConflict')) return false;
        throw error;
      }
    },

    async events(run, after, limit, now) {
      const items = await query(
        run,
        'entry BETWEEN :from AND :to',
        {
          ':from': { S: eventEntry(after + 1) },
          ':to': { S: AFTER_EVENTS },
          ':now': { N: String(now) },
        },
        { FilterExpression: 'expires_at > :now', Limit: limit },
        limit,
      );
      return items.slice(0, limit).map((item) => JSON.parse(textOf(item, 'event')) as StoredEvent);
    },

    async steps(run, view) {
      return (await ofSteps(run, view, {})).map((item) => {
        const step = JSON.parse(textOf(item, 'step')) as StepView;
        return {
          step: item.after ? { ...step, after: JSON.parse(textOf(item, 'after')) as string[] } : step,
          seq: numberOf(item, 'seq'),
          order: numberOf(item, 'order'),
        };
      });
    },

    async stepNames(run, view) {
      const prefix = stepsOf(view.epoch, view.attempt);
      const items = await ofSteps(run, view, { ProjectionExpression: 'entry' });
      return items.map((item) => textOf(item, 'entry').slice(prefix.length));
    },

    async renew(run, view, expiresAt) {
      const items = await ofSteps(run, view, { ProjectionExpression: 'entry' });
      await mapLimited(items, RENEWING, (item) =>
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: key(run, textOf(item, 'entry')),
            UpdateExpression: 'SET expires_at = :expires_at',
            ExpressionAttributeValues: { ':expires_at': { N: String(expiresAt) } },
          }),
        ),
      );
    },
  };
}

const isStill = ({ epoch, seq }: View) => ({
  ConditionExpression: '#epoch = :epoch AND #seq = :seq',
  ExpressionAttributeNames: { '#epoch': 'epoch', '#seq': 'seq' },
  ExpressionAttributeValues: { ':epoch': { S: epoch }, ':seq': { N: String(seq) } },
});

/** Whom a step comes after, and its place among the others, stay where a later report does not say. */
function setStep({ step: { after, ...step }, seq, order }: StepWrite, expiresAt: number) {
  return {
    UpdateExpression:
      'SET #step = :step, #seq = :seq, expires_at = :expires_at, #order = if_not_exists(#order, :order)' +
      (after ? ', #after = :after' : ''),
    ExpressionAttributeNames: {
      '#step': 'step',
      '#seq': 'seq',
      '#order': 'order',
      ...(after && { '#after': 'after' }),
    },
    ExpressionAttributeValues: {
      ':step': { S: JSON.stringify(step) },
      ':seq': { N: String(seq) },
      ':order': { N: String(order) },
      ':expires_at': { N: String(expiresAt) },
      ...(after && { ':after': { S: JSON.stringify(after) } }),
    },
  };
}

const fromHead = (head: Head, expiresAt: number): Item => ({
  epoch: { S: head.view.epoch },
  seq: { N: String(head.view.seq) },
  first: { N: String(head.first) },
  picture: { S: JSON.stringify(head.view) },
  by_steps: { BOOL: head.bySteps },
  steps: { N: String(head.steps) },
  sources: { S: JSON.stringify(head.fences) },
  begun_at: { N: String(head.begunAt) },
  renewed_at: { N: String(head.renewedAt) },
  expires_at: { N: String(expiresAt) },
});

const toHead = (item: Item): StoredHead => ({
  head: {
    view: JSON.parse(textOf(item, 'picture')) as View,
    first: numberOf(item, 'first'),
    bySteps: item.by_steps?.BOOL ?? false,
    steps: numberOf(item, 'steps'),
    fences: JSON.parse(textOf(item, 'sources')) as [string, Fence][],
    begunAt: numberOf(item, 'begun_at'),
    renewedAt: numberOf(item, 'renewed_at'),
  },
  expiresAt: numberOf(item, 'expires_at'),
});

function textOf(item: Item, name: string): string {
  const value = item[name]?.S;
  if (value === undefined) throw new Error(`an item of Progress has no ${name}: ${item.entry?.S ?? ''}`);
  return value;
}

const numberOf = (item: Item, name: string): number => Number(item[name]?.N ?? 0);
