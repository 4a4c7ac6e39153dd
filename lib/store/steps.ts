/**
 * The steps of launches: one item a step and attempt. An open job stands in a sparse index by account and Region,
 * which is all the poller reads.
 *
 * @module
 */
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, type QueryCommandInput, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { CauseName } from '../../workflows/launch/causes.ts';
import type { ItemCounts, StepState, TaskCounts } from '../../workflows/launch/model.ts';
import { mapLimited } from '../concurrency.ts';
import { queryAll } from './query.ts';
import { STEP_INDEXES, type Tables } from './tables.ts';

/** What is known of one job or array child that failed; enough to say why without asking Batch again. */
export interface JobFailure {
  item: string;
  /** Name of its cause, see docs/errors.md. */
  cause: CauseName;
  generation: number;
  job_id: string;
  /** Name of the container that failed first: stage, main or publish. */
  container?: string;
  exit_code?: number;
  reason: string;
  log_stream?: string;
  last_log_lines?: string[];
}

/** One job of a step: an array, or a single job. */
export interface StepJob {
  id: string;
  name: string;
  generation: number;
  shard: number;
  items: number;
  memory_mib: number;
  submitted_at: string;
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
  /** Which service runs its jobs; absent in rows written before there were several: `batch`. */
  compute_service?: string;
  /** The first job of the current generation; absent when everything was done before. */
  job_id?: string;
  job_name?: string;
  job_queue?: string;
  /** Every job, of all generations. */
  jobs: StepJob[];
  /** `<account>/<region>` while the job is open; absent afterwards, so the index stays small. */
  open_in?: string;
  items: ItemCounts;
  /** Items done before the current generation: `items.succeeded` is these and those of its jobs. */
  settled: number;
  /** Whose results are used instead of running: launch id to number of items. */
  reused?: Record<string, number>;
  /** How often counts are told to the launch, at most. */
  reports: number;
  /** Jobs and children that failed so far, by cause. */
  failed_jobs?: Partial<Record<CauseName, number>>;
  /** Why AWS Batch cannot place a job, while it says so. */
  stuck?: string;
  /** Resources, for costing. */
  image: string;
  /** `sha256:…`, where a registry told it: jobs run the image by it. */
  image_digest?: string;
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
  /** Of a head job: what its log says of its own tasks. */
  tasks?: readonly TaskCounts[];
}

/** The jobs that are, or were last, under way. */
export const currentJobs = (row: Pick<StepItem, 'jobs' | 'generation'>): StepJob[] =>
  row.jobs.filter(({ generation }) => generation === row.generation);

export const stepKey = (attempt: number, step: string): string => `${String(attempt).padStart(4, '0')}#${step}`;

/** Attempts read at a time. */
const READING = 16;

/** Of this generation, and not ended: the fence of all writes but the first. */
const STILL_OPEN = 'generation = :generation AND attribute_exists(open_in)';

/** The steps of every attempt of a launch up to this one, the first attempt first. */
export async function rowsOfAttempts(
  steps: Pick<StepStore, 'ofLaunch'>,
  launchId: string,
  attempts: number,
): Promise<StepItem[]> {
  const numbers = Array.from({ length: attempts }, (_, before) => before + 1);
  return (await mapLimited(numbers, READING, (attempt) => steps.ofLaunch(launchId, attempt))).flat();
}

export class StepStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, tables: Tables) {
    this.#documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
    this.#table = tables.launchSteps;
  }

  /** Writes a submitted generation, keeping the jobs of earlier ones; a repeat, or an older one, changes nothing. */
  async submitted({ launch_id, step_key, jobs, ...item }: StepItem): Promise<void> {
    const gone = ['open_in', 'ended_at', 'stuck', 'log_streams', 'tasks'].filter(
      (name) => item[name as keyof typeof item] === undefined,
    );
    await this.#set({ launch_id, step_key, generation: item.generation }, item, {
      also: `, jobs = list_append(if_not_exists(jobs, :none), :jobs) REMOVE ${gone.join(', ')}`,
      values: { ':none': [], ':jobs': jobs },
      condition: 'attribute_not_exists(step_key) OR generation < :generation',
    });
  }

  /** Writes what is known of an open job, and tells whether it was news. */
  async counted(
    key: Pick<StepItem, 'launch_id' | 'step_key' | 'generation'>,
    items: ItemCounts,
    state: StepState,
    stuck?: string,
  ): Promise<boolean> {
    return this.#fenced(() =>
      this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { launch_id: key.launch_id, step_key: key.step_key },
          UpdateExpression: `SET #items = :items, #state = :state${stuck ? ', stuck = :stuck' : ' REMOVE stuck'}`,
          ConditionExpression: `generation = :generation AND attribute_exists(open_in) AND (#items <> :items OR #state <> :state OR ${
            stuck ? 'attribute_not_exists(stuck) OR stuck <> :stuck' : 'attribute_exists(stuck)'
          })`,
          ExpressionAttributeNames: { '#items': 'items', '#state': 'state' },
          ExpressionAttributeValues: {
            ':items': items,
            ':state': state,
            ':generation': key.generation,
            ...(stuck && { ':stuck': stuck }),
          },
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
    await this.#set(key, facts, { also: ' REMOVE open_in, stuck', condition: STILL_OPEN });
  }

  /** Writes what the log of an open head job says. */
  async tasks(
    key: Pick<StepItem, 'launch_id' | 'step_key' | 'generation'>,
    tasks: readonly TaskCounts[],
  ): Promise<void> {
    await this.#set(key, { tasks }, { condition: STILL_OPEN });
  }

  /** Writes down what a generation left undone, while the next one is being made. */
  async reviewed(
    key: Pick<StepItem, 'launch_id' | 'step_key' | 'generation'>,
    facts: Pick<StepItem, 'failures' | 'failed_jobs' | 'items'>,
  ): Promise<void> {
    await this.#set(key, facts, { condition: STILL_OPEN });
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

  #query(query: Omit<QueryCommandInput, 'TableName'>): Promise<StepItem[]> {
    return queryAll<StepItem>(this.#documents, { TableName: this.#table, ...query });
  }

  /** Sets the facts that are known, and what `also` says, where the condition still holds. */
  async #set(
    key: Pick<StepItem, 'launch_id' | 'step_key' | 'generation'>,
    facts: Partial<StepItem>,
    write: { also?: string; values?: Record<string, unknown>; condition: string },
  ): Promise<void> {
    const entries = Object.entries(facts).filter(([, value]) => value !== undefined);
    await this.#fenced(() =>
      this.#documents.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: { launch_id: key.launch_id, step_key: key.step_key },
          UpdateExpression: `SET ${entries.map((_, index) => `#n${index} = :v${index}`).join(', ')}${write.also ?? ''}`,
          ConditionExpression: write.condition,
          ExpressionAttributeNames: Object.fromEntries(entries.map(([name], index) => [`#n${index}`, name])),
          ExpressionAttributeValues: {
            ':generation': key.generation,
            ...write.values,
            ...Object.fromEntries(entries.map(([, value], index) => [`:v${index}`, value])),
          },
        }),
      ),
    );
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
