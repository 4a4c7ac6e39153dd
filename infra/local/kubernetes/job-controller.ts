/**
 * The Job controller for Indexed Jobs: makes a pod for each index, counts how they end, tries indexes again, and says how
 * the Job ended once its last pod has.
 *
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Cancel } from '../kit/clock.ts';
import type { Cluster } from './cluster.ts';
import { actionFor } from './failure-policy.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';
import { FAILURES, IGNORED, INDEX, indexOf, isTerminal, type Job, type Pod, setCondition, TRACKING } from './model.ts';

/** The first pause before an index is tried again; doubled each time, at most ten minutes. */
const BACKOFF_MS = { first: 10_000, most: 600_000 };

interface Retry {
  failures: number;
  ignored: number;
  /** By the cluster's clock. */
  at: number;
}

export class JobController {
  readonly #cluster: Cluster;
  /** Per Job: indexes whose pod has failed and that are tried again. */
  readonly #retries = new Map<string, Map<number, Retry>>();
  readonly #timers = new Map<string, Cancel>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    cluster.onChange(() => {
      const pods = new Map<string, Pod[]>();
      for (const pod of cluster.pods.all()) {
        const owner = pod.metadata.ownerReferences?.[0]?.uid ?? '';
        pods.set(owner, [...(pods.get(owner) ?? []), pod]);
      }
      for (const job of cluster.jobs.all()) this.#sync(job, pods.get(job.metadata.uid) ?? []);
    });
  }

  #sync(job: Job, pods: readonly Pod[]): void {
    const before = JSON.stringify(job.status);
    if (isFinished(job)) return this.#expire(job, pods);
    if (job.spec.suspend) return;
    job.status.startTime ??= this.#cluster.now();
    for (const pod of pods) if (isTerminal(pod) && holds(pod)) this.#count(job, pod);
    const open = pods.filter((pod) => !isTerminal(pod));
    const running = open.filter((pod) => pod.metadata.deletionTimestamp === undefined);
    this.#failWhenDue(job);
    const failing = condition(job, 'FailureTarget');
    if (failing) for (const pod of running) this.#cluster.deletePod(pod);
    else this.#create(job, pods, open);
    this.#describe(job);
    this.#finish(job);
    if (JSON.stringify(job.status) !== before) this.#cluster.changed(job);
  }

  /** Once for each pod: then it is let go. */
  #count(job: Job, pod: Pod): void {
    const index = indexOf(pod);
    const completed = parseIndexes(job.status.completedIndexes);
    const failed = parseIndexes(job.status.failedIndexes);
    if (pod.status.phase === 'Succeeded') completed.add(index);
    else if (!completed.has(index)) this.#countFailure(job, pod, failed);
    job.status.completedIndexes = formatIndexes(completed);
    if (failed.size > 0 || job.status.failedIndexes !== undefined) job.status.failedIndexes = formatIndexes(failed);
    job.status.succeeded = completed.size;
    pod.metadata.finalizers = (pod.metadata.finalizers ?? []).filter((name) => name !== TRACKING);
    this.#cluster.changed(pod);
    this.#cluster.release(pod);
  }

  #countFailure(job: Job, pod: Pod, failed: Set<number>): void {
    const action = actionFor(job, pod);
    const limit = job.spec.backoffLimitPerIndex;
    const [before, ignoredBefore] = [numberOf(pod, FAILURES), numberOf(pod, IGNORED)];
    const failures = before + (action === 'Ignore' ? 0 : 1);
    const ignored = ignoredBefore + (action === 'Ignore' ? 1 : 0);
    if (action !== 'Ignore') job.status.failed = (job.status.failed ?? 0) + 1;
    if (action === 'FailJob')
      return this.#fail(job, 'PodFailurePolicy', `Pod ${pod.metadata.namespace}/${pod.metadata.name} failed the Job`);
    if (action === 'FailIndex' || (limit !== undefined && failures > limit)) {
      failed.add(indexOf(pod));
      return;
    }
    if (limit === undefined && (job.status.failed ?? 0) > job.spec.backoffLimit)
      return this.#fail(job, 'BackoffLimitExceeded', 'Job has reached the specified backoff limit');
    const pause =
      action === 'Ignore' ? 0 : Math.min(BACKOFF_MS.first * 2 ** Math.max(0, failures - 1), BACKOFF_MS.most);
    const retries = this.#retries.get(job.metadata.uid) ?? new Map<number, Retry>();
    retries.set(indexOf(pod), { failures, ignored, at: this.#cluster.clock.now() + pause });
    this.#retries.set(job.metadata.uid, retries);
    this.#cluster.clock.after(pause, () => this.#cluster.look());
  }

  #failWhenDue(job: Job): void {
    const { activeDeadlineSeconds: seconds } = job.spec;
    if (seconds === undefined) return;
    const left = Date.parse(job.status.startTime ?? '') + seconds * 1000 - this.#cluster.clock.now();
    if (left <= 0) return this.#fail(job, 'DeadlineExceeded', 'Job was active longer than specified deadline');
    this.#timers.get(job.metadata.uid)?.();
    this.#timers.set(
      job.metadata.uid,
      this.#cluster.clock.after(left, () => this.#cluster.look()),
    );
  }

  #fail(job: Job, reason: string, message: string): void {
    if (condition(job, 'FailureTarget')) return;
    job.status.conditions ??= [];
    setCondition(
      job.status.conditions,
      { type: 'FailureTarget', status: 'True', reason, message },
      this.#cluster.now(),
    );
  }

  /** Lowest indexes first, as many as may be there at a time; a pod that is ending still counts. */
  #create(job: Job, pods: readonly Pod[], open: readonly Pod[]): void {
    const done = new Set([...parseIndexes(job.status.completedIndexes), ...parseIndexes(job.status.failedIndexes)]);
    const taken = new Set(open.map(indexOf));
    // Counted a moment ago, and its next pod is not due yet.
    const retries = this.#retries.get(job.metadata.uid);
    let room = job.spec.parallelism - open.length;
    for (let index = 0; index < job.spec.completions && room > 0; index += 1) {
      if (done.has(index) || taken.has(index)) continue;
      const retry = retries?.get(index);
      if (retry && retry.at > this.#cluster.clock.now()) continue;
      if (pods.some((pod) => indexOf(pod) === index && isTerminal(pod) && holds(pod))) continue;
      this.#cluster.pods.add(podFor(job, index, retry, this.#cluster.now()));
      retries?.delete(index);
      room -= 1;
      this.#cluster.look();
    }
  }

  #describe(job: Job): void {
    const own = this.#cluster.pods.all().filter((pod) => pod.metadata.ownerReferences?.[0]?.uid === job.metadata.uid);
    const open = own.filter((pod) => !isTerminal(pod));
    const active = open.filter((pod) => pod.metadata.deletionTimestamp === undefined);
    job.status.active = active.length;
    job.status.terminating = open.length - active.length;
    job.status.ready = active.filter((pod) =>
      pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    ).length;
    job.status.uncountedTerminatedPods = {};
  }

  #finish(job: Job): void {
    const { active = 0, terminating = 0, completedIndexes, failedIndexes } = job.status;
    if (active + terminating > 0) return;
    const now = this.#cluster.now();
    job.status.conditions ??= [];
    const failing = condition(job, 'FailureTarget');
    const failed = parseIndexes(failedIndexes).size;
    const completed = parseIndexes(completedIndexes).size;
    if (failing) {
      const { reason = '', message = '' } = failing;
      setCondition(job.status.conditions, { type: 'Failed', status: 'True', reason, message }, now);
    } else if (completed + failed < job.spec.completions) return;
    else if (failed > 0) {
      const said = { reason: 'FailedIndexes', message: 'Job has failed indexes' };
      setCondition(job.status.conditions, { type: 'FailureTarget', status: 'True', ...said }, now);
      setCondition(job.status.conditions, { type: 'Failed', status: 'True', ...said }, now);
    } else {
      const said = { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
      setCondition(job.status.conditions, { type: 'SuccessCriteriaMet', status: 'True', ...said }, now);
      setCondition(job.status.conditions, { type: 'Complete', status: 'True', ...said }, now);
      job.status.completionTime = now;
    }
    this.#timers.get(job.metadata.uid)?.();
    this.#timers.delete(job.metadata.uid);
    this.#retries.delete(job.metadata.uid);
    const { ttlSecondsAfterFinished: seconds } = job.spec;
    if (seconds !== undefined) this.#cluster.clock.after(seconds * 1000, () => this.#cluster.look());
  }

  #expire(job: Job, pods: readonly Pod[]): void {
    const { ttlSecondsAfterFinished: seconds, ...rest } = job.spec;
    const ended = Date.parse(job.status.completionTime ?? condition(job, 'Failed')?.lastTransitionTime ?? '');
    const deleted = job.metadata.deletionTimestamp !== undefined;
    if (!deleted && (seconds === undefined || ended + seconds * 1000 > this.#cluster.clock.now() || rest.suspend))
      return;
    for (const pod of pods) {
      pod.metadata.finalizers = [];
      this.#cluster.deletePod(pod);
    }
    this.#cluster.jobs.remove(job);
  }
}

export const condition = (job: Job, wanted: string) =>
  job.status.conditions?.find(({ type, status }) => type === wanted && status === 'True');
export const isFinished = (job: Job): boolean => Boolean(condition(job, 'Complete') ?? condition(job, 'Failed'));
const holds = (pod: Pod): boolean => pod.metadata.finalizers?.includes(TRACKING) ?? false;
const numberOf = (pod: Pod, annotation: string): number => Number(pod.metadata.annotations?.[annotation] ?? 0);

function podFor(job: Job, index: number, retry: Retry | undefined, now: string): Pod {
  const { template } = job.spec;
  const spec = structuredClone(template.spec);
  const own = {
    name: 'JOB_COMPLETION_INDEX',
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${INDEX}']` } },
  };
  for (const container of [...(spec.initContainers ?? []), ...spec.containers])
    container.env = [...(container.env ?? []), own];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${job.metadata.name}-${index}-${randomBytes(3).toString('hex').slice(0, 5)}`,
      namespace: job.metadata.namespace,
      uid: randomUUID(),
      resourceVersion: '',
      creationTimestamp: now,
      labels: { ...template.metadata.labels, [INDEX]: String(index) },
      annotations: {
        ...template.metadata.annotations,
        [INDEX]: String(index),
        ...(job.spec.backoffLimitPerIndex !== undefined && { [FAILURES]: String(retry?.failures ?? 0) }),
        ...(retry && retry.ignored > 0 && { [IGNORED]: String(retry.ignored) }),
      },
      finalizers: [TRACKING],
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'Job',
          name: job.metadata.name,
          uid: job.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: { ...spec, terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30 },
    status: { phase: 'Pending', conditions: [] },
  };
}
