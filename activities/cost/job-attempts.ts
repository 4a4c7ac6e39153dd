/**
 * Which attempts of jobs a launch has had, what they ran on, how long, and how they ended: from start records, commits and
 * what the compute service still knows.
 *
 * @module
 */
import { heartbeat } from '@temporalio/activity';
import type { Commit, JobUsage, StartRecord } from '../../jobs/commit.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { reservedOn } from '../../lib/launch/reserved.ts';
import { regionOfZone } from '../../lib/prices/regions.ts';
import { formatS3Address, parseS3Address } from '../../lib/s3-address.ts';
import { listKeys, readJson, UnreadableObjectError } from '../../lib/s3-objects.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import { rowsOfAttempts, type StepItem, type StepJob } from '../../lib/store/steps.ts';
import type { Host, JobAttempt, Outcome, Unpriced } from '../../workflows/cost/model.ts';
import type { CauseName } from '../../workflows/launch/causes.ts';
import { attemptState, launchState } from '../../workflows/launch/places.ts';
import type { Plan } from '../../workflows/launch/plan.ts';
import type { AskedJob, AttemptView } from '../launch/compute/service.ts';
import type { CostDependencies } from './dependencies.ts';

/** A start record or a commit is far smaller. */
const RECORD_LIMIT = 16 * 1024 * 1024;
const PLAN_LIMIT = 256 * 1024 * 1024;
const READING = 64;

export interface Started {
  record: StartRecord;
  step: string;
  row: StepItem;
  job: StepJob;
}

export interface FoundAttempts {
  attempts: JobAttempt[];
  /** The records behind them, for instances. */
  started: Started[];
  usage: Map<string, JobUsage['requests'] & { at: number }>;
  unknown: Unpriced[];
}

/** @param until epoch ms: nothing of the launch ran after that */
export async function findAttempts(
  dependencies: Pick<CostDependencies, 's3' | 'steps' | 'compute' | 'settings' | 'region'>,
  item: LaunchItem,
  until: number,
): Promise<FoundAttempts> {
  const { s3, steps, settings } = dependencies;
  const rows = await rowsOfAttempts(steps, item.launch_id, item.attempt);
  const place = launchState(settings.bucket, item.launch_id);
  const [records, commits] = await Promise.all([
    readAll<StartRecord>(dependencies, `${place}starts/`),
    readAll<Commit>(dependencies, `${place}commits/`),
  ]);
  const jobs = new Map(rows.flatMap((row) => row.jobs.map((job) => [job.id, { row, job }] as const)));
  const started: Started[] = [];
  const unknown: Unpriced[] = [];
  for (const { value: record, step } of records) {
    const of = jobs.get(parentOf(record.jobId));
    if (of) started.push({ record, step, ...of });
    else unknown.push(nobodysJob(record));
  }
  const ends = await endsOf(dependencies, started);
  const committed = new Map(commits.map(({ value }) => [nameOf(value.jobId, value.jobAttempt), value]));
  const home = await dependencies.region();
  const heads = await headsThatKeep(s3, settings.bucket, item);
  const attempts = started.map((start): JobAttempt => {
    const { record, step, row, job } = start;
    const view = ends.get(record.jobId)?.find(({ attempt }) => attempt === record.jobAttempt);
    const commit = committed.get(nameOf(record.jobId, record.jobAttempt));
    const from = Math.min(Date.parse(record.startedAt), view?.from ?? Number.POSITIVE_INFINITY);
    const end = endOf(view, commit, () => bound(start, started, until));
    return {
      attempt: row.attempt,
      step,
      item: record.item,
      jobId: record.jobId,
      jobAttempt: record.jobAttempt,
      from,
      to: Math.max(from, end.to),
      endKnownBy: end.by,
      outcome: commit ? 'done' : outcomeOf(view?.cause, row),
      ...reservedOn(row.compute_service, {
        vcpus: row.vcpus,
        memoryMiB: job.memory_mib,
        keeps: heads.has(`${row.attempt}/${row.step}`),
      }),
      ...(commit?.usage && { inputBytes: commit.usage.inputBytes }),
      on: hostOf(record, row, { cluster: item.cluster_id ?? settings.slurmCluster, home }),
    };
  });
  return { attempts, started, usage: usageOf(commits.map(({ value }) => value)), unknown };
}

const parentOf = (jobId: string): string => jobId.split(':')[0] ?? jobId;
const nameOf = (jobId: string, attempt: number): string => `${jobId}-${attempt}`;

const nobodysJob = ({ jobId, item }: StartRecord): Unpriced => ({
  resource: jobId,
  component: 'instance',
  reason: `item ${item} was run by a job that no step of this launch has recorded`,
  remedy: `look it up in the compute service; it was submitted twice, or its row was removed`,
});

/** Objects `<folder><step>/…` of JSON, each with its step. */
async function readAll<T>(
  { s3, settings }: Pick<CostDependencies, 's3' | 'settings'>,
  folder: string,
): Promise<{ step: string; value: T }[]> {
  const { key: start } = parseS3Address(folder);
  const keys: string[] = [];
  for await (const page of listKeys(s3, folder)) {
    heartbeat();
    keys.push(...page);
  }
  return mapLimited(keys, READING, async (key) => {
    heartbeat();
    const [step = ''] = key.slice(start.length).split('/');
    return { step, value: await readJson<T>(s3, formatS3Address({ bucket: settings.bucket, key }), RECORD_LIMIT) };
  });
}

async function endsOf(
  { compute }: Pick<CostDependencies, 'compute'>,
  started: readonly Started[],
): Promise<Map<string, AttemptView[]>> {
  const asked = new Map<string, Map<string, AskedJob & { ids: string[] }>>();
  for (const { record, row, job } of started) {
    const service = asked.get(row.compute_service ?? 'batch') ?? new Map<string, AskedJob & { ids: string[] }>();
    asked.set(row.compute_service ?? 'batch', service);
    const known = service.get(job.id) ?? { id: job.id, name: job.name, ids: [] };
    service.set(job.id, known);
    if (!known.ids.includes(record.jobId)) known.ids.push(record.jobId);
  }
  const found = new Map<string, AttemptView[]>();
  for (const [service, jobs] of asked) {
    // A service that this worker has no settings for says nothing; commits and bounds do.
    const views = await compute.get(service)?.attempts?.([...jobs.values()], () => heartbeat());
    for (const [id, attempts] of views ?? []) found.set(id, attempts);
  }
  return found;
}

function endOf(
  view: AttemptView | undefined,
  commit: Commit | undefined,
  bounded: () => number,
): { to: number; by: JobAttempt['endKnownBy'] } {
  if (view) return { to: view.to, by: 'service' };
  if (commit) return { to: Date.parse(commit.committedAt), by: 'commit' };
  return { to: bounded(), by: 'bound' };
}

/** It had ended when the same item was begun again, when its step had ended, and when the launch had. */
function bound({ record, row }: Started, all: readonly Started[], until: number): number {
  const own = Date.parse(record.startedAt);
  const later = all
    .filter((other) => other.row.step === row.step && other.record.item === record.item)
    .map((other) => Date.parse(other.record.startedAt))
    .filter((time) => time > own);
  return Math.min(until, row.ended_at ? Date.parse(row.ended_at) : until, ...later);
}

function outcomeOf(cause: CauseName | undefined, { state }: Pick<StepItem, 'state'>): Outcome {
  if (cause === 'HOST_LOST') return 'host-lost';
  if (cause === 'SUPERSEDED') return 'superseded';
  if (cause === 'TERMINATED' || (cause === undefined && state === 'CANCELLED')) return 'cancelled';
  return 'failed';
}

function hostOf(
  { instance, task }: StartRecord,
  row: StepItem,
  { cluster, home }: { cluster: string; home: string },
): Host {
  if (task?.launchType === 'FARGATE') {
    const { vcpus, memoryMib, zone } = task;
    if (vcpus === undefined || memoryMib === undefined)
      return { kind: 'unknown', reason: 'its task on Fargate did not say what size it had' };
    return {
      kind: 'fargate',
      vcpus,
      memoryMib,
      architecture: instance?.architecture === 'arm64' ? 'arm64' : 'x86_64',
      spot: false,
      region: zone === undefined ? home : regionOfZone(zone),
      ...(zone !== undefined && { zone }),
    };
  }
  if (instance) return { kind: 'instance', id: instance.id };
  if (row.compute_service === 'slurm') return { kind: 'on-premises', cluster };
  return { kind: 'unknown', reason: 'no instance metadata answered where it ran' };
}

/** Head jobs whose working folder is kept have one helper more; `<attempt>/<step>`. */
async function headsThatKeep(s3: CostDependencies['s3'], bucket: string, item: LaunchItem): Promise<Set<string>> {
  const keeping = new Set<string>();
  if (item.workflow_type === undefined || item.workflow_type === 'steps') return keeping;
  for (let attempt = 1; attempt <= item.attempt; attempt += 1) {
    const address = `${attemptState(bucket, item.launch_id, attempt)}plan.json`;
    // An attempt whose sheet could not be planned has none, and no jobs either.
    const plan = await readJson<Plan>(s3, address, PLAN_LIMIT).catch((error: unknown) => {
      if (!(error instanceof UnreadableObjectError)) throw error;
    });
    for (const { name, head } of plan?.steps ?? []) if (head?.state.keep.length) keeping.add(`${attempt}/${name}`);
  }
  return keeping;
}

function usageOf(commits: readonly Commit[]): FoundAttempts['usage'] {
  const found: FoundAttempts['usage'] = new Map();
  for (const { step, usage, committedAt } of commits) {
    if (!usage) continue;
    const sum = found.get(step) ?? { put: 0, get: 0, at: 0 };
    sum.put += usage.requests.put;
    sum.get += usage.requests.get;
    sum.at = Math.max(sum.at, Date.parse(committedAt));
    found.set(step, sum);
  }
  return found;
}
