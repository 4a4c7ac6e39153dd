/**
 * The table `Gateways`: the gateway processes that run, and where they are told that a log has grown.
 *
 * @module
 */
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import type { Tables } from './tables.ts';

const FLEET = { S: 'gateways' };
/** Of a list; there are a few. */
const MOST = 100;

export interface GatewayTable {
  /** @param expiresAt epoch s */
  enter(id: string, url: string, expiresAt: number): Promise<void>;
  leave(id: string): Promise<void>;
  /**
   * Addresses of those that have not expired.
   * @param now epoch s
   */
  list(now: number): Promise<string[]>;
}

export function gatewayTable(client: DynamoDBClient, tables: Pick<Tables, 'gateways'>): GatewayTable {
  const TableName = tables.gateways;
  return {
    async enter(id, url, expiresAt) {
      await client.send(
        new PutItemCommand({
          TableName,
          Item: { fleet: FLEET, gateway_id: { S: id }, url: { S: url }, expires_at: { N: String(expiresAt) } },
        }),
      );
    },

    async leave(id) {
      await client.send(new DeleteItemCommand({ TableName, Key: { fleet: FLEET, gateway_id: { S: id } } }));
    },

    async list(now) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: 'fleet = :fleet',
          // Those that were killed stay until they are deleted, which may take days.
          FilterExpression: 'expires_at > :now',
          ExpressionAttributeNames: { '#url': 'url' },
          ExpressionAttributeValues: { ':fleet': FLEET, ':now': { N: String(now) } },
          ProjectionExpression: '#url',
        }),
      );
      return Items.flatMap(({ url }) => url?.S ?? []).slice(0, MOST);
    },
  };
}

/** Connections that API Gateway holds, and which gateway has the session of each. */
export interface HeldConnections {
  /** @param expiresAt epoch s */
  hold(connectionId: string, url: string, expiresAt: number): Promise<void>;
  /** @param now epoch s */
  holder(connectionId: string, now: number): Promise<string | undefined>;
  release(connectionId: string): Promise<void>;
}

export function heldConnections(client: DynamoDBClient, tables: Pick<Tables, 'gateways'>): HeldConnections {
  const TableName = tables.gateways;
  // A partition each: thousands may come at once.
  const keyOf = (id: string) => ({ fleet: { S: `connection#${id}` }, gateway_id: { S: 'holder' } });
  return {
    async hold(connectionId, url, expiresAt) {
      const Item = { ...keyOf(connectionId), url: { S: url }, expires_at: { N: String(expiresAt) } };
      await client.send(new PutItemCommand({ TableName, Item }));
    },

    async holder(connectionId, now) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName, Key: keyOf(connectionId), ConsistentRead: true }),
      );
      return Number(Item?.expires_at?.N ?? 0) > now ? Item?.url?.S : undefined;
    },

    async release(connectionId) {
      await client.send(new DeleteItemCommand({ TableName, Key: keyOf(connectionId) }));
    },
  };
}
