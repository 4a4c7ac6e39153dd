/**
 * The steps of a launch, as far as their logs need them: names, items, jobs, and what is done.
 *
 * @module
 */
import type { BatchClient } from '@aws-sdk/client-batch';
import type { S3Client } from '@aws-sdk/client-s3';
import { mapLimited } from '../../lib/concurrency.ts';
import type { Kubernetes } from '../../lib/launch/kubernetes/client.ts';
import { parseS3Address } from '../../lib/s3-address.ts';
import { listKeys, readJson, UnreadableObjectError } from '../../lib/s3-objects.ts';
import type { LaunchItem, LaunchStore } from '../../lib/store/launches.ts';
import { currentJobs, type StepItem, type StepStore } from '../../lib/store/steps.ts';
import { launchState, stepState } from '../../workflows/launch/places.ts';
import { itemsOf, type Plan } from '../../workflows/launch/plan.ts';
import { shardsOfGeneration } from '../../workflows/launch/retries.ts';
import { nearest } from './log-lines.ts';
import { patiently } from './log-reader.ts';

export interface LogSources {
  s3: S3Client;
  batch: BatchClient;
  bucket: string;
  launches: Pick<LaunchStore, 'get'>;
  steps: Pick<StepStore, 'ofLaunch'>;
  /** The cluster of this name; @throws Error where it is not the one of the settings. */
  kubernetes?(cluster: string): Promise<Kubernetes>;
}

/** A step of a launch, as far as its logs need it. */
export interface LoggedStep {
  launchId: string;
  name: string;
  /** Keys of its items, in the order of the plan. */
  items: readonly string[];
  /** Absent until it is submitted. */
  row?: StepItem;
}

/** `steps` in the order of the plan; absent while, or because, there is none. */
export interface LoggedLaunch {
  item: LaunchItem;
  steps?: readonly LoggedStep[];
}

/** Of `items.json` and `<generation>.review.json`, which docs/job-contract.md specifies. */
interface StepItems {
  keys: readonly string[];
  done: Readonly<Record<number, unknown>>;
}
interface GenerationReview {
  again: readonly { index: number; nextMemoryMiB: number }[];
}

const NO_ITEMS: StepItems = { keys: [], done: {} };
const READ_LIMIT = 256 * 1024 * 1024;
const READING = 16;
/** Commits of up to so many steps are listed step by step, of more all together. */
const LISTED_ALONE = 8;

/** Plans never change once written: one that is known already is not read again. */
export async function loggedLaunch(
  { s3, launches, steps }: Pick<LogSources, 's3' | 'launches' | 'steps'>,
  launchId: string,
  known?: readonly LoggedStep[],
): Promise<LoggedLaunch | undefined> {
  const item = await launches.get(launchId);
  if (!item?.plan) return item && { item };
  const rows = await steps.ofLaunch(launchId, item.attempt);
  const planned = known ?? (await plannedSteps(s3, launchId, item.plan));
  return {
    item,
    steps: planned.map(({ name, items }) => {
      const row = rows.find((candidate) => candidate.step === name);
      return { launchId, name, items, ...(row && { row }) };
    }),
  };
}

/** A step or item that a launch does not have. */
export class UnknownNameError extends Error {
  override readonly name = 'UnknownNameError';
}

/** @throws UnknownNameError naming what the launch does not have, and what was probably meant */
export function checkNames(
  steps: readonly LoggedStep[],
  { step, items = [] }: { step?: string | undefined; items?: readonly string[] | undefined },
): void {
  const names = steps.map(({ name }) => name);
  if (step !== undefined && !names.includes(step)) throw new UnknownNameError(unknown('step', step, names));
  const searched = steps.filter(({ name }) => step === undefined || name === step);
  const known = new Set(searched.flatMap((one) => one.items));
  const missing = items.find((item) => !known.has(item));
  if (missing !== undefined) throw new UnknownNameError(unknown(`item of ${step ?? 'any step'}`, missing, [...known]));
}

/** Names that fit in a message. */
const SHOWN = 8;

export function unknown(what: string, name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : '';
  const there = names.length === 0 ? 'there are none' : `there are: ${names.slice(0, SHOWN).join(', ')}${more}`;
  return `there is no ${what} called ${name}; ${near.length > 0 ? `did you mean ${near.join(' or ')}?` : there}`;
}

async function plannedSteps(s3: S3Client, launchId: string, address: string): Promise<LoggedStep[]> {
  const plan = await readJson<Plan>(s3, address, READ_LIMIT);
  return plan.steps.map((step) => ({ launchId, name: step.name, items: itemsOf(plan, step).map(({ key }) => key) }));
}

/** Which items are done, by their commits: a retry with another command or other inputs looks for other ones. */
export class DoneItems {
  readonly #sources: Pick<LogSources, 's3' | 'bucket'>;
  /** Lists of items never change once written. */
  readonly #kept = new Map<string, StepItems>();

  constructor(sources: Pick<LogSources, 's3' | 'bucket'>) {
    this.#sources = sources;
  }

  /** `<step>/<item>` of those of the steps; none of a step that is not planned out yet. */
  async of(steps: readonly LoggedStep[], signal?: AbortSignal): Promise<Set<string>> {
    const [first] = steps;
    if (!first) return new Set();
    const { s3, bucket } = this.#sources;
    const all = `${launchState(bucket, first.launchId)}commits/`;
    const start = parseS3Address(all).key.length;
    const folders = steps.length > LISTED_ALONE ? [all] : steps.map(({ name }) => `${all}${name}/`);
    const listed = await mapLimited(folders, READING, (folder) => patiently(() => keysUnder(s3, folder), signal));
    const commits = new Set(listed.flat().map((key) => key.slice(start)));
    const done = await mapLimited(steps, READING, async (step) => {
      const items = await patiently(() => this.#items(step), signal);
      return step.items.flatMap((item, place) => {
        const isDone =
          items?.done[place] !== undefined || commits.has(`${step.name}/${item}/${items?.keys[place]}.json`);
        return isDone ? [`${step.name}/${item}`] : [];
      });
    });
    return new Set(done.flat());
  }

  async #items(step: LoggedStep): Promise<StepItems | undefined> {
    if (!step.row) return undefined;
    const address = itemsAddress(this.#sources.bucket, step);
    const items = this.#kept.get(address) ?? (await readItems(this.#sources.s3, address));
    if (items) this.#kept.set(address, items);
    return items;
  }
}

const itemsAddress = (bucket: string, { launchId, name, row }: LoggedStep): string =>
  `${stepState(bucket, launchId, row?.attempt ?? 1, name)}items.json`;

async function readItems(s3: S3Client, address: string): Promise<StepItems | undefined> {
  try {
    return await readJson<StepItems>(s3, address, READ_LIMIT);
  } catch (error) {
    if (error instanceof UnreadableObjectError) return undefined;
    throw error;
  }
}

/**
 * The job of each item of the current generation, by the item's place in the plan. A generation is a function of the
 * items and of the review before it, so its manifests need not be read.
 */
export async function jobsByPlace(
  { s3, bucket }: Pick<LogSources, 's3' | 'bucket'>,
  step: LoggedStep,
): Promise<Map<number, { jobId: string; index?: number }>> {
  const { row, launchId, name } = step;
  if (!row) return new Map();
  const folder = stepState(bucket, launchId, row.attempt, name);
  const before = `${folder}${row.generation - 1}.review.json`;
  const shards =
    row.generation > 1
      ? shardsOfGeneration({ memoryMiB: 0 }, NO_ITEMS, await readJson<GenerationReview>(s3, before, READ_LIMIT))
      : shardsOfGeneration({ memoryMiB: 0 }, (await readItems(s3, itemsAddress(bucket, step))) ?? NO_ITEMS, undefined);
  const jobs = new Map(currentJobs(row).map(({ shard, id, items }) => [shard, { id, items }]));
  return new Map(
    shards.flatMap(({ shard, indexes }) => {
      const job = jobs.get(shard);
      if (job?.items !== indexes.length) return [];
      return indexes.map((place, index): [number, { jobId: string; index?: number }] => [
        place,
        job.items === 1 ? { jobId: job.id } : { jobId: `${job.id}:${index}`, index },
      ]);
    }),
  );
}

export async function keysUnder(s3: S3Client, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const keys of listKeys(s3, prefix)) found.push(...keys);
  return found;
}
