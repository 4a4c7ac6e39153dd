/**
 * The table `Quotas`: one item for each slice of a quota that was used, and under slice 0 the last cut of its rate.
 *
 * @module
 */
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { Tables } from '../store/tables.ts';
import type { Cut } from './bucket.ts';

/** Where the last cut stands; no slice of our time has this number. */
const CUT_SLICE = 0;
/** Slices are kept this long to be looked at, s. */
const KEPT_SECONDS = 600;
/** An answer that takes longer than a slice is worth nothing, ms. */
const PATIENCE_MS = 1000;

export interface Lease {
  /** Tokens taken: as many as asked for; fewer at the end of a slice; none while they are reserved. */
  taken: number;
  /** Tokens nobody has taken yet. */
  remaining: number;
  /** What the slice was opened with. */
  allowance: number;
}

export interface LeaseRequest {
  quota: string;
  slice: number;
  tokens: number;
  /** The slice is opened with these, unless somebody has. At least `tokens` and `reserve`. */
  allowance: number;
  /** Tokens that must remain. */
  reserve: number;
}

/** What pacers share. Every method rejects when the table cannot be used. */
export interface QuotaTable {
  lease(request: LeaseRequest): Promise<Lease>;
  /** Opens a slice unless somebody has. */
  open(quota: string, slice: number, allowance: number): Promise<void>;
  lastCut(quota: string): Promise<Cut | undefined>;
  /**
   * Writes a cut in place of the one it was worked out from.
   * @returns the cut that holds now: another one when somebody came first, which may be none
   */
  cut(quota: string, from: Cut | undefined, to: Cut): Promise<Cut | undefined>;
}

type Item = Record<string, AttributeValue> | undefined;

export function quotaTable(client: DynamoDBClient, tables: Pick<Tables, 'quotas'>): QuotaTable {
  const key = (quota: string, slice: number) => ({ quota: { S: quota }, slice: { N: String(slice) } });

  /** The item after the update, or, where the condition did not hold, as it is. */
  const update = async (
    quota: string,
    slice: number,
    input: Omit<UpdateItemCommandInput, 'TableName' | 'Key'>,
  ): Promise<{ done: boolean; item: Item }> => {
    const command = new UpdateItemCommand({
      TableName: tables.quotas,
      Key: key(quota, slice),
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      ...input,
    });
    try {
      const { Attributes } = await client.send(command, { abortSignal: AbortSignal.timeout(PATIENCE_MS) });
      return { done: true, item: Attributes };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return { done: false, item: error.Item };
      throw error;
    }
  };

  const take = async ({ quota, slice, tokens, allowance, reserve }: LeaseRequest): Promise<Lease> => {
    const { done, item } = await update(quota, slice, {
      // Counted down from what the slice was opened with: so every pacer keeps to that, whatever rate it believes in.
      UpdateExpression:
        'SET remaining = if_not_exists(remaining, :allowance) - :tokens,' +
        ' allowance = if_not_exists(allowance, :allowance), expires_at = if_not_exists(expires_at, :expires_at)',
      ConditionExpression: 'attribute_not_exists(remaining) OR remaining >= :least',
      ExpressionAttributeValues: {
        ':tokens': { N: String(tokens) },
        ':least': { N: String(tokens + reserve) },
        ':allowance': { N: String(allowance) },
        ':expires_at': { N: String(slice + KEPT_SECONDS) },
      },
    });
    return {
      taken: done ? tokens : 0,
      remaining: numberOf(item, 'remaining'),
      allowance: numberOf(item, 'allowance'),
    };
  };

  return {
    async lease(request) {
      const lease = await take(request);
      if (lease.taken > 0 || lease.remaining >= request.tokens) return lease;
      // As many there will not be any more in this slice.
      const rest = lease.remaining - request.reserve;
      return rest > 0 ? take({ ...request, tokens: rest }) : lease;
    },

    async open(quota, slice, allowance) {
      await take({ quota, slice, tokens: 0, allowance, reserve: 0 });
    },

    async lastCut(quota) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: tables.quotas, Key: key(quota, CUT_SLICE), ConsistentRead: true }),
        { abortSignal: AbortSignal.timeout(PATIENCE_MS) },
      );
      return toCut(Item);
    },

    async cut(quota, from, to) {
      const { done, item } = await update(quota, CUT_SLICE, {
        UpdateExpression: 'SET rate = :rate, cut_in = :cut_in',
        ConditionExpression: from ? 'cut_in = :from' : 'attribute_not_exists(cut_in)',
        ExpressionAttributeValues: {
          ':rate': { N: String(to.rate) },
          ':cut_in': { N: String(to.slice) },
          ...(from && { ':from': { N: String(from.slice) } }),
        },
      });
      return done ? to : toCut(item);
    },
  };
}

const numberOf = (item: Item, name: string): number => Number(item?.[name]?.N ?? 0);

const toCut = (item: Item): Cut | undefined =>
  item && { rate: numberOf(item, 'rate'), slice: numberOf(item, 'cut_in') };
