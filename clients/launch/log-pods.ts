/**
 * Logs that Kubernetes keeps with the pods: which pod was which attempt, and what it has written. They are there as long
 * as the pod, up to a day after the job's end.
 *
 * @module
 */
import type { V1Pod } from '@kubernetes/client-node';
import { type Kubernetes, messageOf } from '../../lib/launch/kubernetes/client.ts';
import { parseIndexes } from '../../lib/launch/kubernetes/indexes.ts';
import { failuresBefore, indexOf, POD_INDEX_LABEL, POD_JOB_LABEL } from '../../lib/launch/kubernetes/names.ts';
import { PodLogs } from '../../lib/launch/kubernetes/pod-logs.ts';
import type { StepItem, StepJob } from '../../lib/store/steps.ts';
import { type Attempt, CONTAINERS, type JobOfItem, type LogEvent } from './log-lines.ts';
import { type PageOptions, type PageReader, type Place, patiently } from './log-reader.ts';
import type { LogSources } from './log-steps.ts';
import { clusterOf, logCommand } from './own-words.ts';

type Sources = Pick<LogSources, 'kubernetes'>;

/** Pods of one page of a LIST. */
const PAGE = 500;
/** Up to so many children are listed one by one, of more all pods of their job. */
const LISTED_ALONE = 50;
/** Calls to the API server on their way at once. */
const READING = 8;

/** @throws Error that says by which command the logs can be read instead */
async function asking<T>(
  { kubernetes }: Sources,
  row: Pick<StepItem, 'step' | 'log_group' | 'job_queue' | 'jobs' | 'generation'>,
  ask: (api: Kubernetes, namespace: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { cluster, namespace } = clusterOf(row.log_group);
  try {
    if (!kubernetes) throw new Error('there is no connection to it here');
    const api = await kubernetes(cluster);
    return await patiently(() => ask(api, namespace), signal);
  } catch (error) {
    if (signal?.aborted) throw error;
    const why = `the logs of step ${row.step} are kept by Kubernetes, which cannot be asked: ${messageOf(error)}`;
    throw new Error(`${why}\nwhere kubectl gets there: ${logCommand(row)}`, { cause: error });
  }
}

/** @returns the attempts of these jobs that have pods still */
export async function describedByPods(
  sources: Sources,
  row: StepItem,
  wanted: readonly JobOfItem[],
  signal?: AbortSignal,
): Promise<Attempt[]> {
  const jobs = new Map(wanted.map((job) => [job.jobId, job]));
  const found: Attempt[] = [];
  for (const name of new Set(wanted.map(({ jobId }) => parentOf(jobId)))) {
    const indexes = wanted.flatMap(({ jobId, index }) => (parentOf(jobId) === name ? [index ?? 0] : []));
    for (const pod of await podsOf(sources, row, name, indexes, signal)) {
      const job = jobs.get(name) ?? jobs.get(`${name}:${indexOf(pod)}`);
      if (job) found.push(attemptOf(pod, job, row.log_group));
    }
  }
  return found;
}

const parentOf = (jobId: string): string => jobId.split(':')[0] ?? '';

function attemptOf(pod: V1Pod, { step, item, jobId, index }: JobOfItem, group: string): Attempt {
  const streams = Object.fromEntries(CONTAINERS.map((name) => [name, `${pod.metadata?.name}/${name}`]));
  const attempt = failuresBefore(pod) + 1;
  return { step, item, jobId, ...(index !== undefined && { index }), attempt, group, streams };
}

function podsOf(
  sources: Sources,
  row: StepItem,
  name: string,
  indexes: readonly number[],
  signal?: AbortSignal,
): Promise<V1Pod[]> {
  const alone = indexes.length <= LISTED_ALONE ? `,${POD_INDEX_LABEL} in (${indexes.join(',')})` : '';
  const labelSelector = `${POD_JOB_LABEL}=${name}${alone}`;
  return asking(
    sources,
    row,
    async ({ core }, namespace) => {
      const pods: V1Pod[] = [];
      let next: string | undefined;
      do {
        const page = { namespace, labelSelector, limit: PAGE, ...(next && { _continue: next }) };
        const { items, metadata } = await core.listNamespacedPod(page);
        pods.push(...items);
        next = metadata?._continue;
      } while (next);
      return pods;
    },
    signal,
  );
}

/** Ids of the children of a job that have failed. */
export function failedOfKubernetes(
  sources: Sources,
  row: StepItem,
  { id }: StepJob,
  signal?: AbortSignal,
): Promise<string[]> {
  const read = async ({ batch }: Kubernetes, namespace: string) => {
    const { status } = await batch.readNamespacedJob({ namespace, name: id });
    return [...parseIndexes(status?.failedIndexes)].map((index) => `${id}:${index}`);
  };
  return asking(sources, row, read, signal);
}

/** What cannot be asked of where logs are kept. */
export class LogOptionError extends Error {
  override readonly name = 'LogOptionError';
}

/** @throws LogOptionError when Kubernetes cannot do what is asked for */
export function checkPodOptions({ search }: { search?: string | undefined }): void {
  if (search === undefined) return;
  throw new LogOptionError(
    '--search: the logs of this launch are kept by Kubernetes, which cannot search them; leave it out, and use grep',
  );
}

/** A stream is `<pod>/<container>`. Nothing is searched for: Kubernetes cannot. */
export class PodReader implements PageReader {
  readonly #sources: Sources;
  readonly #signal: AbortSignal | undefined;
  #free = READING;
  readonly #queue: (() => void)[] = [];

  constructor(sources: Sources, signal?: AbortSignal) {
    this.#sources = sources;
    this.#signal = signal;
  }

  async page(
    { group, name }: Place,
    { token, since, last, limit }: PageOptions,
  ): Promise<{ events: LogEvent[]; token: string | undefined } | undefined> {
    const { cluster, namespace } = clusterOf(group);
    const logs = new PodLogs(namespace);
    await this.#enter();
    try {
      const page = await patiently(async () => {
        const api = await this.#sources.kubernetes?.(cluster);
        return api && logs.lines(api.core, name, { token, since, last: last ?? limit });
      }, this.#signal);
      if (!page) return undefined;
      const events = page.lines.map(({ time, text }) => ({ time: Date.parse(time), message: text, stream: name }));
      return { events, token: page.token };
    } catch (error) {
      if (this.#signal?.aborted) throw error;
      throw new Error(`the log ${name} cannot be read: ${messageOf(error)}`, { cause: error });
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
  }

  #leave(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#free += 1;
  }
}
