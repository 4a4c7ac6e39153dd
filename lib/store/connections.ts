/**
 * Connections of users, over all gateways. Written when one opens and when it ends, and once a minute in between, so that those
 * of a gateway that died are told from the living.
 *
 * @module
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  PutCommand,
  QueryCommand,
  type QueryCommandOutput,
} from '@aws-sdk/lib-dynamodb';
import { queryAll } from './query.ts';
import { CONNECTION_INDEXES, type Tables } from './tables.ts';

export interface Connection {
  userId: string;
  connectionId: string;
  /** Which gateway holds it. */
  gateway: string;
  /** Epoch ms. */
  openedAt: number;
}

/** An item of `Connections`. */
interface ConnectionItem {
  userId: string;
  connectionId: string;
  gateway: string;
  opened_at: number;
  /** `yes#<shard>` or `no#<shard>`; with `lastSeen` the key of the index, in shards, so that no partition is hot. */
  active: string;
  /** Epoch ms. */
  lastSeen: number;
  /** Epoch seconds. */
  expires_at: number;
}

export interface ConnectionsStore {
  opened(connection: Connection, now: number): Promise<void>;
  closed(connection: Connection, now: number): Promise<void>;
  /** These are still there. */
  alive(connections: readonly Connection[], now: number): Promise<void>;
  /** How many a user has that were seen since. */
  activeOf(userId: string, since: number): Promise<number>;
  /** One page of those that have not been seen since `before`, ended or not. */
  inactive(
    before: number,
    page: InactivePage | undefined,
    limit: number,
  ): Promise<{ connections: Pick<Connection, 'userId' | 'connectionId'>[]; next?: InactivePage }>;
  remove(userId: string, connectionId: string): Promise<void>;
}

/** Where a look at the index goes on. */
export interface InactivePage {
  part: number;
  start?: Record<string, unknown>;
}

const SHARDS = 8;
const PARTS = ['no', 'yes'].flatMap((active) => Array.from({ length: SHARDS }, (_, shard) => `${active}#${shard}`));
const BATCH = 25;
const KEPT_SECONDS = 24 * 3600;

export function createConnectionsStore(client: DynamoDBClient, tables: Pick<Tables, 'connections'>): ConnectionsStore {
  const documents = DynamoDBDocumentClient.from(client);
  const TableName = tables.connections;
  const put = async (connection: Connection, active: boolean, now: number) => {
    await documents.send(new PutCommand({ TableName, Item: itemOf(connection, active, now) }));
  };
  return {
    opened: (connection, now) => put(connection, true, now),
    closed: (connection, now) => put(connection, false, now),

    async alive(connections, now) {
      for (let from = 0; from < connections.length; from += BATCH) {
        const batch = connections.slice(from, from + BATCH);
        // What DynamoDB had no room for comes again in a minute.
        await documents.send(
          new BatchWriteCommand({
            RequestItems: {
              [TableName]: batch.map((connection) => ({ PutRequest: { Item: itemOf(connection, true, now) } })),
            },
          }),
        );
      }
    },

    async activeOf(userId, since) {
      const items = await queryAll<ConnectionItem>(documents, {
        TableName,
        KeyConditionExpression: 'userId = :user',
        ExpressionAttributeValues: { ':user': userId },
        ConsistentRead: true,
      });
      return items.filter(({ active, lastSeen }) => active.startsWith('yes') && lastSeen >= since).length;
    },

    async inactive(before, page = { part: 0 }, limit) {
      const { Items = [], LastEvaluatedKey }: QueryCommandOutput = await documents.send(
        new QueryCommand({
          TableName,
          IndexName: CONNECTION_INDEXES.byInactive,
          KeyConditionExpression: 'active = :active AND lastSeen < :before',
          ExpressionAttributeValues: { ':active': PARTS[page.part], ':before': before },
          Limit: limit,
          ...(page.start && { ExclusiveStartKey: page.start }),
        }),
      );
      const connections = (Items as ConnectionItem[]).map((item) => ({
        userId: item.userId,
        connectionId: item.connectionId,
      }));
      if (LastEvaluatedKey) return { connections, next: { part: page.part, start: LastEvaluatedKey } };
      return page.part + 1 < PARTS.length ? { connections, next: { part: page.part + 1 } } : { connections };
    },

    async remove(userId, connectionId) {
      await documents.send(new DeleteCommand({ TableName, Key: { userId, connectionId } }));
    },
  };
}

const itemOf = (
  { userId, connectionId, gateway, openedAt }: Connection,
  active: boolean,
  now: number,
): ConnectionItem => ({
  userId,
  connectionId,
  gateway,
  opened_at: openedAt,
  active: `${active ? 'yes' : 'no'}#${shardOf(connectionId)}`,
  lastSeen: now,
  expires_at: Math.floor(now / 1000) + KEPT_SECONDS,
});

/** Connection ids are random. */
const shardOf = (connectionId: string): number => connectionId.charCodeAt(0) % SHARDS;
