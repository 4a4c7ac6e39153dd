/**
 * The registry of restores: one item each, for looking at it from outside and for events that have to find it. All writes
 * are fenced, so that one that comes late or twice changes nothing.
 *
 * @module
 */
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import {
  isEnded,
  RESTORE_STATUSES,
  type RestoreCounts,
  type RestorePlan,
  type RestoreStatus,
} from '../../workflows/restore/model.ts';
import { type PageFilter, pageOf, type RunPage } from './newest.ts';
import { queryAll } from './query.ts';
import { RESTORE_INDEXES, type Tables } from './tables.ts';

/** An item of `Restores`. Times are ISO 8601 in UTC. */
export interface RestoreItem {
  restore_id: string;
  /** Begin of the workflow; a restore of the same id that began later takes the item over. */
  created_at: string;
  /** The fence: rises with every write of a workflow. */
  sequence: number;
  status: RestoreStatus;
  statuses: Partial<Record<RestoreStatus, string>>;
  workflow_id: string;
  run_id: string;
  launch_id?: string;
  consumer?: string;
  /** The file it was asked for by: `requestOf` of the model. */
  request?: string;
  /** `s3://…/`: index, request ids and failures. */
  place?: string;
  counts?: RestoreCounts;
  plan?: RestorePlan;
  /** Where its objects lie: events are matched against these. */
  roots?: { bucket: string; prefix: string }[];
  /** Completions that events have told of; doubled ones count too, so it is a hint and no more. */
  told?: number;
  /** Present while it waits for objects: the key of the index. */
  open?: 'open';
  error_type?: string;
  error_message?: string;
}

/** An item as the index has it. */
export type OpenRestore = Pick<RestoreItem, 'restore_id' | 'workflow_id' | 'roots' | 'counts' | 'told'>;

export class RestoreStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, tables: Pick<Tables, 'restores'>) {
    this.#documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
    this.#table = tables.restores;
  }

  async get(restoreId: string): Promise<RestoreItem | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#table, Key: { restore_id: restoreId }, ConsistentRead: true }),
    );
    return Item as RestoreItem | undefined;
  }

  /**
   * Writes what is known now, unless the same or something later is there already.
   * @returns whether it was written
   */
  async record(item: RestoreItem): Promise<boolean> {
    const { restore_id: id, ...facts } = item;
    const entries = Object.entries(facts).filter(([, value]) => value !== undefined);
    const removes = item.open === undefined ? ' REMOVE #open' : '';
    try {
      await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { restore_id: id },
          UpdateExpression: `SET ${entries.map((_, place) => `#n${place} = :v${place}`).join(', ')}${removes}`,
          ConditionExpression:
            'attribute_not_exists(restore_id) OR created_at < :created OR (created_at = :created AND #sequence < :sequence)',
          ExpressionAttributeNames: {
            '#sequence': 'sequence',
            ...(removes && { '#open': 'open' }),
            ...Object.fromEntries(entries.map(([name], place) => [`#n${place}`, name])),
          },
          ExpressionAttributeValues: {
            ':created': item.created_at,
            ':sequence': item.sequence,
            ...Object.fromEntries(entries.map(([, value], place) => [`:v${place}`, value])),
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  /** Every restore that waits for objects. */
  async open(): Promise<OpenRestore[]> {
    return queryAll<OpenRestore>(this.#documents, {
      TableName: this.#table,
      IndexName: RESTORE_INDEXES.byOpen,
      KeyConditionExpression: '#open = :open',
      ExpressionAttributeNames: { '#open': 'open' },
      ExpressionAttributeValues: { ':open': 'open' },
    });
  }

  /** A page of all restores, the newest first. Never a scan. */
  async page(filter: PageFilter): Promise<RunPage<RestoreItem>> {
    const registry = {
      table: this.#table,
      id: 'restore_id',
      byConsumer: RESTORE_INDEXES.byConsumer,
      byStatus: RESTORE_INDEXES.byStatus,
      open: RESTORE_STATUSES.filter((status) => !isEnded(status)),
      ended: RESTORE_STATUSES.filter(isEnded),
    };
    return pageOf<RestoreItem>(this.#documents, registry, filter);
  }

  /** @returns how many completions it has been told of now; undefined when it waits no more */
  async tell(restoreId: string, completions: number): Promise<number | undefined> {
    try {
      const { Attributes } = await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { restore_id: restoreId },
          UpdateExpression: 'ADD told :completions',
          ConditionExpression: '#open = :open',
          ExpressionAttributeNames: { '#open': 'open' },
          ExpressionAttributeValues: { ':completions': completions, ':open': 'open' },
          ReturnValues: 'UPDATED_NEW',
        }),
      );
      return Number(Attributes?.told ?? 0);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }
}
