/**
 * The steps of launches: one item a step and attempt. An open job stands in a sparse index by account and Region,
 * which is all the poller reads.
 *
 * @module
 */
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ItemCounts, StepState } from '../../workflows/launch/model.ts';
import { STEP_INDEXES, type Tables } from './tables.ts';

/** What is known of one job or array child that failed; enough to say why without asking Batch again. */
export interface JobFailure {
  item: string;
  job_id: string;
  /** Name of the container that failed first: stage, main or publish. */
  container?: string;
  exit_code?: number;
  reason: string;
  log_stream?: string;
  last_log_lines?: string[];
}

/** An item of `LaunchSteps`. */
export interface StepItem {
  launch_id: string;
  step_key: string;
  step: string;
  attempt: number;
  generation: number;
  state: StepState;
  workflow_id: string;
  job_id: string;
  job_name: string;
  job_queue: string;
  /** `<account>/<region>` while the job is open; absent afterwards, so the index stays small. */
  open_in?: string;
  items: ItemCounts;
  /** Resources, for costing. */
  image: string;
  vcpus: number;
  memory_mib: number;
  submitted_at: string;
  started_at?: string;
  ended_at?: string;
  log_group: string;
  /** Streams of a job that is not an array, by container. */
  log_streams?: Record<string, string>;
  cause?: string;
  error_type?: string;
  failures?: JobFailure[];
}

export const stepKey = (attempt: number, step: string): string => `${String(attempt).padStart(4, '0')}#${step}`;

export class StepStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, tables: Tables) {
    this.#documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
    this.#table = tables.launchSteps;
  }

  /** Writes a submitted step; a repeat of the same or an older submission changes nothing. */
  async submitted(item: StepItem): Promise<void> {
    await this.#fenced(() =>
      this.#documents.send(
        new PutCommand({
          TableName: this.#table,
          Item: item,
          ConditionExpression: 'attribute_not_exists(step_key) OR generation < :generation',
          ExpressionAttributeValues: { ':generation': item.generation },
        }),
      ),
    );
  }

  /** Writes counts of an open job, and tells whether they were news. */
  async counted(
    key: Pick<StepItem, 'launch_id' | 'step_key' | 'generation'>,
    items: ItemCounts,
    state: StepState,
  ): Promise<boolean> {
    return this.#fenced(() =>
      this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { launch_id: key.launch_id, step_key: key.step_key },
          UpdateExpression: 'SET #items = :items, #state = :state',
          ConditionExpression:
            'generation = :generation AND attribute_exists(open_in) AND (#items <> :items OR #state <> :state)',
          ExpressionAttributeNames: { '#items': 'items', '#state': 'state' },
          ExpressionAttributeValues: { ':items': items, ':state': state, ':generation': key.generation },
        }),
      ),
    );
  }

  /**
   * Writes the end of a step and takes its job out of the open ones. The first end stays: the poller, looking at an
   * index that lags behind, may take an ended job of an ended launch for one nobody waits for.
   */
  async ended(
    key: Pick<StepItem, 'launch_id' | 'step_key' | 'generation'>,
    facts: Pick<StepItem, 'state' | 'items' | 'ended_at'> & Partial<StepItem>,
  ): Promise<void> {
    const entries = Object.entries(facts).filter(([, value]) => value !== undefined);
    await this.#fenced(() =>
      this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { launch_id: key.launch_id, step_key: key.step_key },
          UpdateExpression: `SET ${entries.map((_, index) => `#n${index} = :v${index}`).join(', ')} REMOVE open_in`,
          ConditionExpression: 'generation = :generation AND attribute_exists(open_in)',
          ExpressionAttributeNames: Object.fromEntries(entries.map(([name], index) => [`#n${index}`, name])),
          ExpressionAttributeValues: {
            ':generation': key.generation,
            ...Object.fromEntries(entries.map(([, value], index) => [`:v${index}`, value])),
          },
        }),
      ),
    );
  }

  /** The steps of one attempt of a launch, by name. */
  async ofLaunch(launchId: string, attempt: number): Promise<StepItem[]> {
    return this.#query({
      KeyConditionExpression: 'launch_id = :launch AND begins_with(step_key, :attempt)',
      ExpressionAttributeValues: { ':launch': launchId, ':attempt': stepKey(attempt, '') },
      ConsistentRead: true,
    });
  }

  /** Every open job of an account and Region. Eventually consistent: what is missed now comes at the next look. */
  async open(place: string): Promise<StepItem[]> {
    return this.#query({
      IndexName: STEP_INDEXES.byOpenJob,
      KeyConditionExpression: 'open_in = :place',
      ExpressionAttributeValues: { ':place': place },
    });
  }

  async #query(query: Omit<ConstructorParameters<typeof QueryCommand>[0], 'TableName'>): Promise<StepItem[]> {
    const items: StepItem[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const page = await this.#documents.send(
        new QueryCommand({ TableName: this.#table, ...query, ...(start && { ExclusiveStartKey: start }) }),
      );
      items.push(...((page.Items ?? []) as StepItem[]));
      start = page.LastEvaluatedKey;
    } while (start);
    return items;
  }

  async #fenced(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
