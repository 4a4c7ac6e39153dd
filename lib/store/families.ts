/**
 * Families and their cast: characters and scenes.
 *
 * @module
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Card, Family } from '../story/document.ts';
import { isRefused } from './conditions.ts';
import { queryAll } from './query.ts';
import type { Tables } from './tables.ts';

export const CARD_KINDS = ['characters', 'scenes'] as const;
export type CardKind = (typeof CARD_KINDS)[number];

/** All families are in one partition. */
const HOUSEHOLD = 'all';

export class FamilyStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #tables: Pick<Tables, 'families' | CardKind>;

  constructor(client: DynamoDBClient, tables: Pick<Tables, 'families' | CardKind>) {
    this.#documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
    this.#tables = tables;
  }

  async get(family: string): Promise<Family | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({
        TableName: this.#tables.families,
        Key: { household: HOUSEHOLD, family },
        ConsistentRead: true,
      }),
    );
    return Item as Family | undefined;
  }

  /** By name. */
  list(): Promise<Family[]> {
    return queryAll<Family>(this.#documents, {
      TableName: this.#tables.families,
      KeyConditionExpression: 'household = :all',
      ExpressionAttributeValues: { ':all': HOUSEHOLD },
      ConsistentRead: true,
    });
  }

  /** @returns false when there is one of that name, and `replace` is false */
  async put(family: Family, { replace = true } = {}): Promise<boolean> {
    return this.#put(this.#tables.families, { household: HOUSEHOLD, ...family }, replace);
  }

  async remove(family: string): Promise<void> {
    await this.#documents.send(
      new DeleteCommand({ TableName: this.#tables.families, Key: { household: HOUSEHOLD, family } }),
    );
  }

  /** By card id. */
  cards(kind: CardKind, family: string): Promise<Card[]> {
    return queryAll<Card>(this.#documents, {
      TableName: this.#tables[kind],
      // A word DynamoDB keeps for itself.
      KeyConditionExpression: '#family = :family',
      ExpressionAttributeNames: { '#family': 'family' },
      ExpressionAttributeValues: { ':family': family },
      ConsistentRead: true,
    });
  }

  /** @returns false when there is one of that id, and `replace` is not set */
  async putCard(kind: CardKind, card: Card, { replace = false } = {}): Promise<boolean> {
    return this.#put(this.#tables[kind], card, replace);
  }

  /** @returns whether it was there */
  async removeCard(kind: CardKind, family: string, card: string): Promise<boolean> {
    const { Attributes } = await this.#documents.send(
      new DeleteCommand({ TableName: this.#tables[kind], Key: { family, card }, ReturnValues: 'ALL_OLD' }),
    );
    return Attributes !== undefined;
  }

  async #put(table: string, item: object, replace: boolean): Promise<boolean> {
    try {
      await this.#documents.send(
        new PutCommand({
          TableName: table,
          Item: item as Record<string, unknown>,
          ...(!replace && {
            ConditionExpression: 'attribute_not_exists(#family)',
            ExpressionAttributeNames: { '#family': 'family' },
          }),
        }),
      );
      return true;
    } catch (error) {
      if (isRefused(error)) return false;
      throw error;
    }
  }
}
