/**
 * The registry of launches: the lasting truth, and what is looked at after a launch has ended. All writes are
 * fenced, so that one that comes late or twice changes nothing.
 *
 * @module
 */
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import {
  COST_STRINGS,
  type CostStatus,
  type CostSummary,
  type Durations,
  type Unpriced,
} from '../../workflows/cost/model.ts';
import {
  isEnded,
  LAUNCH_STATUSES,
  type LaunchError,
  type LaunchStatus,
  RETRY_REQUEST,
  type WaitingFor,
} from '../../workflows/launch/model.ts';
import { type PageFilter, pageOf, type RunPage } from './newest.ts';
import { LAUNCH_INDEXES, type Tables } from './tables.ts';

/** An item of `Launches`. Times are ISO 8601 in UTC. */
export interface LaunchItem {
  launch_id: string;
  status: LaunchStatus;
  waiting_for?: WaitingFor;
  /** When each status was reached. */
  statuses: Partial<Record<LaunchStatus, string>>;
  attempt: number;
  /** The fence: see {@link LaunchStore.recordStatus}. */
  sequence: number;
  workflow_id: string;
  run_id: string;
  created_at: string;
  configuration_file: string;
  configuration_file_version?: string;
  /** What the latest attempt was started with: whatever differs from it has been edited since. */
  ran_with?: RanWith;
  /** SHA-256 of the sheet's bytes; absent when it could not be read. */
  sheet_digest?: string;
  /** What the sheet says, once it could be read. */
  workflow_type?: string;
  workflow_endpoint?: string;
  compute_service?: string;
  consumer?: string;
  data_path?: string;
  results_path?: string;
  plan?: string;
  /** The shared file system's id or folder, for its cost. */
  shared_file_system?: string;
  cluster_id?: string;
  log_group?: string;
  error_type?: string;
  error_message?: string;
  /** Of the latest attempt, once it has ended. */
  elapsed_seconds?: number;
  failed_jobs?: number;
  error_types?: Record<string, number>;
  /** Why `status = RETRY` was not followed. */
  retry_refused?: string;
  /** Statuses of the attempts before this one, the first first. */
  earlier?: { attempt: number; statuses: LaunchItem['statuses'] }[];
  /** Of all attempts, once they have been priced; all of one currency, and they add up exactly. */
  total_cost?: string;
  instance_cost?: string;
  volume_cost?: string;
  filesystem_cost?: string;
  control_plane_cost?: string;
  restore_cost?: string;
  request_cost?: string;
  currency?: string;
  cost_status?: CostStatus;
  /** Seconds in each status, of all attempts. */
  durations?: Durations;
  /** What could not be priced, and why: the first few. */
  unpriced?: Unpriced[];
  /** In other currencies than the main one. */
  other_costs?: CostSummary[];
  /** By the bill, of the services that are tagged; and how far the estimate was off. */
  actual_cost?: string;
  cost_difference?: string;
}

export type RanWith = Pick<
  LaunchItem,
  'configuration_file' | 'configuration_file_version' | 'compute_service' | 'data_path'
>;

/** What a retry takes away: the next attempt writes its own. `total_cost` and its parts are reckoned anew. */
const OF_AN_ATTEMPT = [
  'error_type',
  'error_message',
  'elapsed_seconds',
  'failed_jobs',
  'error_types',
  'retry_refused',
  'waiting_for',
  ...COST_STRINGS,
  'currency',
  'cost_status',
  'durations',
  'unpriced',
  'other_costs',
  'actual_cost',
  'cost_difference',
];

export type Registered = { outcome: 'new' | 'resumed' | 'existing' | 'conflict'; item: LaunchItem };

/** The seed's three: time elapsed, failed jobs, error types. */
export type LaunchMetrics = Required<Pick<LaunchItem, 'elapsed_seconds' | 'failed_jobs' | 'error_types'>>;

export interface ListFilter {
  status?: LaunchStatus;
  consumer?: string;
  workflowType?: string;
  limit: number;
}

export class LaunchStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, tables: Tables) {
    this.#documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
    this.#table = tables.launches;
  }

  async get(launchId: string): Promise<LaunchItem | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#table, Key: { launch_id: launchId }, ConsistentRead: true }),
    );
    return Item as LaunchItem | undefined;
  }

  /**
   * Puts a launch that is not there yet. `resumed`: the same run put it before (its answer was lost); `existing`: the
   * same sheet was launched under this id; `conflict`: another sheet was.
   */
  async register(item: LaunchItem): Promise<Registered> {
    try {
      await this.#documents.send(
        new PutCommand({ TableName: this.#table, Item: item, ConditionExpression: 'attribute_not_exists(launch_id)' }),
      );
      return { outcome: 'new', item };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
    const known = await this.get(item.launch_id);
    if (!known) throw new Error(`launch ${item.launch_id} was removed while it was being registered`);
    if (known.run_id === item.run_id) return { outcome: 'resumed', item: known };
    const same = known.sheet_digest !== undefined && known.sheet_digest === item.sheet_digest;
    return { outcome: same ? 'existing' : 'conflict', item: known };
  }

  /**
   * Makes a launch that ended the next attempt of itself.
   * @returns `resumed` when the same run did it before (its answer was lost); `refused` when it is open, COMPLETE, or
   *   another attempt by now
   */
  async retry(
    launchId: string,
    next: Pick<LaunchItem, 'attempt' | 'run_id' | 'created_at' | 'configuration_file'> & Partial<LaunchItem>,
  ): Promise<{ outcome: 'new' | 'resumed' | 'refused'; item: LaunchItem | undefined }> {
    const { created_at: at, ...facts } = next;
    const before = await this.get(launchId);
    const earlier = before && [...(before.earlier ?? []), { attempt: before.attempt, statuses: before.statuses }];
    const sets = { ...facts, earlier, status: 'PREPARING', statuses: { PREPARING: at }, sequence: 1 };
    const entries = Object.entries(sets).filter(([, value]) => value !== undefined);
    try {
      const { Attributes } = await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { launch_id: launchId },
          UpdateExpression: `SET ${entries.map((_, index) => `#n${index} = :v${index}`).join(', ')} REMOVE ${OF_AN_ATTEMPT.join(', ')}`,
          // Of a COMPLETE launch whose status a person has overwritten the time of its end remains.
          ConditionExpression:
            'attempt = :before AND #status IN (:failed, :cancelled, :retry) AND attribute_not_exists(statuses.COMPLETE)',
          ExpressionAttributeNames: {
            '#status': 'status',
            ...Object.fromEntries(entries.map(([name], index) => [`#n${index}`, name])),
          },
          ExpressionAttributeValues: {
            ':before': next.attempt - 1,
            ':failed': 'FAILED',
            ':cancelled': 'CANCELLED',
            ':retry': RETRY_REQUEST,
            ...Object.fromEntries(entries.map(([, value], index) => [`:v${index}`, value])),
          },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return { outcome: 'new', item: Attributes as LaunchItem };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
    const item = await this.get(launchId);
    const resumed = item?.attempt === next.attempt && item.run_id === next.run_id;
    return { outcome: resumed ? 'resumed' : 'refused', item };
  }

  /**
   * Writes what all attempts have cost, unless the launch runs again, or is another attempt by now.
   * @param removes attributes of an earlier pricing that are none of this one
   * @returns whether it was written
   */
  async recordCost(
    launchId: string,
    attempt: number,
    facts: Partial<LaunchItem>,
    removes: readonly (keyof LaunchItem)[] = [],
  ): Promise<boolean> {
    const entries = Object.entries(facts).filter(([, value]) => value !== undefined);
    try {
      await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { launch_id: launchId },
          UpdateExpression: `SET ${entries.map((_, index) => `#n${index} = :v${index}`).join(', ')}${removes.length > 0 ? ` REMOVE ${removes.join(', ')}` : ''}`,
          ConditionExpression: 'attempt = :attempt AND #status IN (:complete, :failed, :cancelled)',
          ExpressionAttributeNames: {
            '#status': 'status',
            ...Object.fromEntries(entries.map(([name], index) => [`#n${index}`, name])),
          },
          ExpressionAttributeValues: {
            ':attempt': attempt,
            ':complete': 'COMPLETE',
            ':failed': 'FAILED',
            ':cancelled': 'CANCELLED',
            ...Object.fromEntries(entries.map(([, value], index) => [`:v${index}`, value])),
          },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  /** Takes back a `status = RETRY` that cannot be followed, unless something else has happened to it meanwhile. */
  async refuseRetry(launchId: string, before: LaunchStatus, reason: string): Promise<void> {
    try {
      await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { launch_id: launchId },
          UpdateExpression: 'SET #status = :before, retry_refused = :reason',
          ConditionExpression: '#status = :retry',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':before': before, ':reason': reason, ':retry': RETRY_REQUEST },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  /** Adds what the sheet says. Repeating it changes nothing. */
  async describe(launchId: string, runAttempt: number, facts: Partial<LaunchItem>): Promise<void> {
    const entries = Object.entries(facts).filter(([, value]) => value !== undefined);
    if (entries.length === 0) return;
    const run = entries.flatMap(([name], index) =>
      name === 'compute_service' || name === 'data_path' ? [`ran_with.#n${index} = :v${index}`] : [],
    );
    await this.#documents.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: { launch_id: launchId },
        UpdateExpression: `SET ${[...entries.map((_, index) => `#n${index} = :v${index}`), ...run].join(', ')}`,
        ConditionExpression: 'attempt = :attempt',
        ExpressionAttributeNames: Object.fromEntries(entries.map(([name], index) => [`#n${index}`, name])),
        ExpressionAttributeValues: {
          ':attempt': runAttempt,
          ...Object.fromEntries(entries.map(([, value], index) => [`:v${index}`, value])),
        },
      }),
    );
  }

  /**
   * Writes a status unless the same or a later one (by attempt, then sequence) is there already.
   * @returns whether it was written now
   */
  async recordStatus(change: {
    launchId: string;
    attempt: number;
    sequence: number;
    status: LaunchStatus;
    waitingFor?: WaitingFor;
    at: string;
    error?: LaunchError;
    metrics?: LaunchMetrics;
  }): Promise<boolean> {
    const sets = ['#status = :status', '#sequence = :sequence', 'statuses.#status_key = :at'];
    const removes = change.waitingFor ? [] : ['waiting_for'];
    const values: Record<string, unknown> = {
      ':status': change.status,
      ':sequence': change.sequence,
      ':at': change.at,
      ':attempt': change.attempt,
    };
    if (change.waitingFor) {
      sets.push('waiting_for = :waiting_for');
      values[':waiting_for'] = change.waitingFor;
    }
    if (change.error) {
      sets.push('error_type = :error_type', 'error_message = :error_message');
      values[':error_type'] = change.error.type;
      values[':error_message'] = change.error.message;
    }
    for (const [name, value] of Object.entries(change.metrics ?? {})) {
      sets.push(`${name} = :${name}`);
      values[`:${name}`] = value;
    }
    try {
      await this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { launch_id: change.launchId },
          UpdateExpression: `SET ${sets.join(', ')}${removes.length > 0 ? ` REMOVE ${removes.join(', ')}` : ''}`,
          ConditionExpression: 'attempt = :attempt AND #sequence < :sequence',
          ExpressionAttributeNames: { '#status': 'status', '#sequence': 'sequence', '#status_key': change.status },
          ExpressionAttributeValues: values,
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  /** Writes the end of a launch whose workflow was terminated from outside and could not write it itself. */
  async recordTermination({ launch_id: launchId, attempt, sequence }: LaunchItem): Promise<void> {
    await this.recordStatus({
      launchId,
      attempt,
      sequence: sequence + 1,
      status: 'CANCELLED',
      at: new Date().toISOString(),
      error: {
        type: 'LaunchTerminatedError',
        message: 'the workflow of this launch was terminated from outside; its jobs have been ended',
      },
    });
  }

  /**
   * The newest launches, by one index; without a filter the newest of every status, merged. Never a scan.
   */
  async list(filter: ListFilter, statuses: readonly LaunchStatus[]): Promise<LaunchItem[]> {
    const queries: { index: string; attribute: string; value: string }[] = filter.consumer
      ? [{ index: LAUNCH_INDEXES.byConsumer, attribute: 'consumer', value: filter.consumer }]
      : filter.workflowType
        ? [{ index: LAUNCH_INDEXES.byWorkflowType, attribute: 'workflow_type', value: filter.workflowType }]
        : (filter.status ? [filter.status] : statuses).map((status) => ({
            index: LAUNCH_INDEXES.byStatus,
            attribute: 'status',
            value: status,
          }));
    const keep = (item: LaunchItem) => filter.status === undefined || item.status === filter.status;
    const found = await Promise.all(queries.map((query) => this.#newest(query, filter.limit, keep)));
    return found
      .flat()
      .sort((a, b) => b.created_at.localeCompare(a.created_at))
      .slice(0, filter.limit);
  }

  /** A page of all launches, the newest first; its pages do not change while launches go on. Never a scan. */
  async page({ workflowType, ...filter }: PageFilter & { workflowType?: string }): Promise<RunPage<LaunchItem>> {
    const registry = {
      table: this.#table,
      id: 'launch_id',
      byConsumer: LAUNCH_INDEXES.byConsumer,
      byStatus: LAUNCH_INDEXES.byStatus,
      open: LAUNCH_STATUSES.filter((status) => !isEnded(status)),
      ended: [...LAUNCH_STATUSES.filter(isEnded), RETRY_REQUEST],
    };
    const ofType = workflowType !== undefined && {
      index: LAUNCH_INDEXES.byWorkflowType,
      attribute: 'workflow_type',
      value: workflowType,
    };
    return pageOf<LaunchItem>(this.#documents, registry, filter, ofType || undefined);
  }

  async #newest(
    query: { index: string; attribute: string; value: string },
    limit: number,
    keep: (item: LaunchItem) => boolean,
  ): Promise<LaunchItem[]> {
    const items: LaunchItem[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const page = await this.#documents.send(
        new QueryCommand({
          TableName: this.#table,
          IndexName: query.index,
          KeyConditionExpression: '#key = :value',
          ExpressionAttributeNames: { '#key': query.attribute },
          ExpressionAttributeValues: { ':value': query.value },
          ScanIndexForward: false,
          Limit: limit,
          ...(start && { ExclusiveStartKey: start }),
        }),
      );
      items.push(...((page.Items ?? []) as LaunchItem[]).filter(keep));
      start = page.LastEvaluatedKey;
    } while (start && items.length < limit);
    return items;
  }
}
