/**
 * List prices that workers share for a day: one item each, the last one written stays.
 *
 * @module
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { KeptPrice, PriceCache } from '../prices/price-book.ts';
import type { Tables } from './tables.ts';

export class PriceStore implements PriceCache {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, tables: Pick<Tables, 'prices'>) {
    this.#documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
    this.#table = tables.prices;
  }

  /** DynamoDB removes what has expired within days: whoever reads looks at `until`. */
  async get(name: string): Promise<KeptPrice | undefined> {
    const { Item } = await this.#documents.send(new GetCommand({ TableName: this.#table, Key: { price_key: name } }));
    return Item && { price: Item.price as KeptPrice['price'], until: Number(Item.expires_at) * 1000 };
  }

  async put(name: string, { price, until }: KeptPrice): Promise<void> {
    const Item = { price_key: name, price, expires_at: Math.floor(until / 1000) };
    await this.#documents.send(new PutCommand({ TableName: this.#table, Item }));
  }
}
