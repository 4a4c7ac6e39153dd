/**
 * Slurm, such as AWS ParallelCluster's: by its own programs, on this machine or over SSH. A job is one process, the job
 * program's `run`. squeue says what is going on, sacct how it ended once the controller has forgotten; how often they are
 * called does not depend on the number of jobs. See docs/compute.md.
 *
 * @module
 */
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { S3Client } from '@aws-sdk/client-s3';
import { ApplicationFailure } from '@temporalio/common';
import { type AttemptEnding, endingsOfName, readEndings } from '../../../lib/launch/endings.ts';
import { attemptsByEndings, containersOf, runningContainers, TIMED_OUT } from './ended-views.ts';
import { jobLogs } from './job-logs.ts';
import type { ComputeService, Job, JobView } from './service.ts';
import {
  mergeRows,
  parseSacct,
  parseSqueue,
  SACCT_FIELDS,
  type SlurmRow,
  SQUEUE_FORMAT,
  stateOf,
  whyWaiting,
} from './slurm/rows.ts';
import { batchScript, type SlurmSettings, sbatchArguments } from './slurm/script.ts';
import { SlurmUnreachableError, type Transport } from './slurm/transport.ts';

export interface SlurmDependencies {
  s3: S3Client;
  logs: CloudWatchLogsClient;
  settings: SlurmSettings;
  transport: Transport;
  /** Of the worker's own, for the job program. */
  variables: Readonly<Record<string, string>>;
}

/** In place of an account, for the poller. */
const ACCOUNT = 'slurm';
/** Ids of one command line. */
const DESCRIBE_LIMIT = 200;
/** Children told of at a time. */
const PAGE = 1_000;
/** How long ago a job may have been submitted that is looked up by its name. */
const LOOK_BACK = 'now-30days';

export function createSlurmCompute({ s3, logs, settings, transport, variables }: SlurmDependencies): ComputeService {
  return {
    name: 'slurm',
    ...jobLogs(logs, settings.jobLogGroup),
    describeLimit: DESCRIBE_LIMIT,

    async submit(request, { lookFirst }) {
      const earlier = lookFirst ? await findByName(request.name) : undefined;
      if (earlier !== undefined) return toJob(earlier, request.name);
      const ran = await transport(
        ['sbatch', ...sbatchArguments(request, settings)],
        batchScript(request, settings, variables),
      );
      // `12`, or `12;cluster`.
      const [, id] = /^(\d+)(?:;.*)?$/m.exec(ran.stdout) ?? [];
      if (ran.code === 0 && id !== undefined) return toJob(id, request.name);
      throw refusal(ran.stderr);
    },

    async describe(ids) {
      const jobs = await rowsOf(ids);
      return Promise.all(ids.map((id) => toView(id, jobs.get(id.split(':')[0] ?? '') ?? [])));
    },

    async *failedChildren(id) {
      const rows = (await rowsOf([id])).get(id) ?? [];
      const failed = rows.filter(({ state, index }) => index !== undefined && stateOf(state).status === 'FAILED');
      const [first] = failed;
      if (!first) return;
      const endings = await readEndings(s3, endingsOfName(settings.bucket, first.name), id);
      const views = failed.map((row) => ended(`${id}:${row.index}`, row, endings.get(row.index ?? 0)));
      for (let from = 0; from < views.length; from += PAGE) yield views.slice(from, from + PAGE);
    },

    async whyNotPlaced(id) {
      const rows = (await rowsOf([id])).get(id) ?? [];
      return rows.map(whyWaiting).find((reason) => reason !== undefined);
    },

    attempts: attemptsByEndings(s3, settings.bucket),

    async terminate(id) {
      const ran = await transport(['scancel', slurmId(id)]);
      // Of a job that has ended it says nothing, of one it does not know this.
      if (ran.code !== 0 && !/Invalid job id|already completing or completed/i.test(ran.stderr)) {
        throw new SlurmUnreachableError(`scancel: ${ran.stderr.trim()}`);
      }
    },
  };

  /** At most two calls. */
  async function rowsOf(ids: readonly string[]): Promise<Map<string, SlurmRow[]>> {
    const wanted = [...new Set(ids.map((id) => id.split(':')[0] ?? ''))].join(',');
    const queued = parseSqueue(await squeue(['--states=all', `--jobs=${wanted}`]));
    // The children of an array are forgotten one by one, and whole jobs after MinJobAge.
    const known = new Set(queued.flatMap((row) => (row.index === undefined && !row.waiting ? [row.id] : [])));
    const others = wanted.split(',').filter((id) => !known.has(id));
    const accounted = others.length > 0 ? parseSacct(await sacct([`--jobs=${others.join(',')}`])) : [];
    return mergeRows(queued, accounted);
  }

  async function squeue(args: readonly string[]): Promise<string> {
    const ran = await transport(['squeue', '--noheader', `--Format=${SQUEUE_FORMAT}`, ...args]);
    // It says so when it is asked for one job only, which it does not know.
    if (ran.code !== 0 && !/Invalid job id/i.test(ran.stderr)) {
      throw new SlurmUnreachableError(`squeue: ${ran.stderr.trim()}`);
    }
    return ran.stdout;
  }

  async function sacct(args: readonly string[]): Promise<string> {
    const ran = await transport(['sacct', '--noheader', '--parsable2', '-X', `--format=${SACCT_FIELDS}`, ...args]);
    if (ran.code === 0) return ran.stdout;
    // Without accounting the controller alone knows how a job ended, for MinJobAge.
    if (/accounting storage is disabled/i.test(ran.stderr)) return '';
    throw new SlurmUnreachableError(`sacct: ${ran.stderr.trim()}`);
  }

  async function findByName(name: string): Promise<string | undefined> {
    const [queued] = parseSqueue(await squeue(['--me', '--states=all', `--name=${name}`]));
    if (queued) return queued.id;
    return parseSacct(await sacct([`--name=${name}`, `--starttime=${LOOK_BACK}`]))[0]?.id;
  }

  function toJob(id: string, name: string): Job {
    const queue = settings.slurmPartition || 'default';
    return { id, name, queue, account: ACCOUNT, region: settings.slurmCluster, logGroup: settings.jobLogGroup };
  }

  /** @param rows of the whole job, also where `id` is that of one child */
  async function toView(id: string, rows: readonly SlurmRow[]): Promise<JobView> {
    const [parent = '', child] = id.split(':');
    const own = child === undefined ? rows : rows.filter(({ index }) => String(index) === child);
    const [first] = own;
    // A child that has not begun stands with others in one row.
    if (!first && rows.some(({ waiting }) => waiting)) return { id, status: 'RUNNABLE', attempts: 0, containers: [] };
    if (!first) return { id, status: 'LOST', attempts: 0, containers: [] };
    if (child === undefined && own.some(({ index, waiting }) => index !== undefined || waiting))
      return arrayView(id, own);
    if (!stateOf(first.state).ended) return openView(id, first);
    const folder = endingsOfName(settings.bucket, first.name);
    const endings = await readEndings(s3, folder, parent, Number(child ?? 0));
    return ended(id, first, endings.get(Number(child ?? 0)));
  }
}

/** `12:3` as Slurm writes it. */
const slurmId = (id: string): string => id.replace(':', '_');

function openView(id: string, row: SlurmRow): JobView {
  const { status } = stateOf(row.state);
  const reason = whyWaiting(row);
  return {
    id,
    status,
    attempts: row.restarts,
    ...(status === 'RUNNING' && row.startedAt !== undefined && { startedAt: row.startedAt }),
    ...(reason !== undefined && { reason }),
    containers: status === 'RUNNING' ? runningContainers(row.name, id, row.restarts + 1) : [],
  };
}

function arrayView(id: string, rows: readonly SlurmRow[]): JobView {
  const standings = rows.map(({ state }) => stateOf(state));
  const count = (...statuses: string[]) => standings.filter(({ status }) => statuses.includes(status)).length;
  const counts = {
    running: count('RUNNING', 'STARTING'),
    succeeded: count('SUCCEEDED'),
    failed: count('FAILED'),
  };
  const open = standings.some((standing) => !standing.ended);
  const status = open ? (counts.running > 0 ? 'RUNNING' : 'RUNNABLE') : counts.failed > 0 ? 'FAILED' : 'SUCCEEDED';
  const began = rows.flatMap(({ startedAt, state }) =>
    startedAt !== undefined && stateOf(state).status !== 'RUNNABLE' ? [startedAt] : [],
  );
  const reason = status === 'RUNNABLE' ? rows.map(whyWaiting).find((why) => why !== undefined) : undefined;
  return {
    id,
    status,
    attempts: open ? 0 : 1,
    counts,
    ...(began.length > 0 && { startedAt: Math.min(...began) }),
    ...(reason !== undefined && { reason }),
    containers: [],
  };
}

/** States in which Slurm itself says why; the job program may have said how it ended all the same. */
const OWN_WORDS: Readonly<Record<string, string>> = { TIMEOUT: TIMED_OUT, OUT_OF_MEMORY: 'OUT_OF_MEMORY' };

/** @param ending absent when the job program could not say anything any more */
function ended(id: string, row: SlurmRow, ending: AttemptEnding | undefined): JobView {
  const { status } = stateOf(row.state);
  const attempts = Math.max(row.restarts + 1, ending?.attempt ?? 1);
  const signal = signalOf(row);
  const reason = ending?.way === 'timeout' ? TIMED_OUT : describe(row, ending ? 0 : signal);
  // What is not known of a part is taken for stage's: nothing says that main has begun. A signal is nobody's exit code.
  const guessed = row.exitCode === 0 || signal > 0 ? [] : [{ name: 'stage', exitCode: row.exitCode }];
  return {
    id,
    status: status === 'SUCCEEDED' ? 'SUCCEEDED' : 'FAILED',
    attempts,
    ...(row.startedAt !== undefined && { startedAt: row.startedAt }),
    ...(reason !== undefined && { reason }),
    containers: ending ? containersOf(row.name, id, ending) : guessed,
  };
}

/** By which the job was killed; a shell of `slurmJobs` says it by its exit code. 0: none. */
const signalOf = ({ signal, exitCode }: SlurmRow): number => (signal > 0 ? signal : Math.max(0, exitCode - 128));

/** @param signal where nobody else tells of it: Slurm itself says when it was for its memory */
function describe({ state, reason }: SlurmRow, signal: number): string | undefined {
  if (state === 'COMPLETED' || (state === 'FAILED' && signal === 0)) return undefined;
  const word = state === 'FAILED' ? `FAILED: signal ${signal}` : (OWN_WORDS[state] ?? state);
  if (reason === '') return word;
  return state === 'FAILED' ? `${word}, ${reason}` : `${word}: ${reason}`;
}

/** What sbatch says when the cluster, not the job, is the trouble; by slurm_errno.c. */
const PASSING =
  /temporarily|Unable to contact|timed out|connection|Communication|Zero Bytes|Resource temporarily unavailable|Transport|try again|Protocol authentication|in the middle of|ESLURM_DB|database/i;

function refusal(stderr: string): Error {
  const said = stderr
    .split('\n')
    .map((line) => line.replace(/^sbatch: (error: )?/, '').trim())
    .filter((line) => line !== '')
    .join('; ');
  if (said === '' || PASSING.test(said)) return new SlurmUnreachableError(`sbatch: ${said}`);
  const remedy = /job array specification/i.test(said)
    ? ' (MaxArraySize in slurm.conf must be above the number of items)'
    : '';
  return ApplicationFailure.nonRetryable(`Slurm refuses the job: ${said}${remedy}`, 'JobRejectedError');
}
