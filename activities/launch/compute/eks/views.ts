/**
 * Jobs of Kubernetes in the words of every compute service.
 *
 * @module
 */
import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { parseIndexes } from '../../../../lib/launch/kubernetes/indexes.ts';
import { ENDED_ANNOTATION, failuresBefore, indexOf } from '../../../../lib/launch/kubernetes/names.ts';
import type { JobStatus } from '../../../../workflows/launch/model.ts';
import type { JobView } from '../service.ts';
import { beganAt, containersOf, failureOf, hasBegun, hasEndedPod, isPlaced, obstacleOf } from './pods.ts';

/** Not worth telling: what each pod of the Job says stands in its own view. */
const SAYS_NOTHING = new Set(['FailedIndexes', 'BackoffLimitExceeded', 'MaxFailedIndexesExceeded', 'PodFailurePolicy']);

/**
 * Of a lost node, a drained one and one reclaimed as spot Kubernetes removes the pods themselves: their absence is all
 * there is to tell it by.
 */
const GONE = 'PodGone: its pod is not there any more: its node was lost, or somebody deleted it';

const conditionOf = (job: V1Job, type: string) =>
  job.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');

/** A Job that has begun to fail is open until its last pod has ended. */
export const hasEndedJob = (job: V1Job): boolean => Boolean(conditionOf(job, 'Complete') ?? conditionOf(job, 'Failed'));

export const isArray = (job: V1Job): boolean => (job.spec?.completions ?? 1) > 1;

/** Why the Job itself was ended; undefined when only its pods know. */
function endOf(job: V1Job): string | undefined {
  const failed = conditionOf(job, 'Failed');
  if (!failed || SAYS_NOTHING.has(failed.reason ?? '')) return undefined;
  // The service ends Jobs by their deadline: see terminate.
  const because = job.metadata?.annotations?.[ENDED_ANNOTATION];
  if (failed.reason === 'DeadlineExceeded' && because !== undefined) return because;
  return [failed.reason, failed.message].filter(Boolean).join(': ');
}

/** @param pods all of a single job; of an array those that are not running yet */
export function toView(job: V1Job, pods: readonly V1Pod[], tellAfterMs: number): JobView {
  return isArray(job) ? arrayView(job, pods, tellAfterMs) : singleView(job, pods, tellAfterMs);
}

function singleView(job: V1Job, pods: readonly V1Pod[], tellAfterMs: number): JobView {
  const pod = newest(pods);
  const ended = hasEndedJob(job);
  const reason = ended
    ? (endOf(job) ?? (conditionOf(job, 'Failed') && lastWords(pod)))
    : tell(pod ? [pod] : [], tellAfterMs);
  const startedAt = pod && beganAt(pod);
  return {
    id: job.metadata?.name ?? '',
    status: ended ? verdict(job) : progress(job, pod),
    attempts: (job.status?.failed ?? 0) + (job.status?.succeeded ?? 0),
    ...(startedAt !== undefined && { startedAt }),
    ...(reason !== undefined && { reason }),
    containers: pod ? containersOf(pod) : [],
  };
}

function arrayView(job: V1Job, waiting: readonly V1Pod[], tellAfterMs: number): JobView {
  const { active = 0, completedIndexes, failedIndexes, startTime } = job.status ?? {};
  const ended = hasEndedJob(job);
  const completed = parseIndexes(completedIndexes).size;
  const unplaced = waiting.filter((pod) => !isPlaced(pod)).length;
  const reason = ended ? endOf(job) : tell(waiting, tellAfterMs);
  return {
    id: job.metadata?.name ?? '',
    status: ended ? verdict(job) : startTime ? 'PENDING' : 'SUBMITTED',
    attempts: 0,
    counts: {
      running: ended ? 0 : Math.max(0, active - unplaced),
      succeeded: completed,
      // Of a Job that was ended the rest has failed too, whether it had begun or not.
      failed: ended ? (job.spec?.completions ?? 0) - completed : parseIndexes(failedIndexes).size,
    },
    ...(startTime && { startedAt: new Date(startTime).getTime() }),
    ...(reason !== undefined && { reason }),
    containers: [],
  };
}

/** A child that failed. @param pod undefined where Kubernetes has removed it */
export function childView(job: V1Job, index: number, pod: V1Pod | undefined): JobView {
  const startedAt = pod && beganAt(pod);
  // What has not ended by itself ended with its Job, which removes the pods that ran.
  const own = pod && hasEndedPod(pod) && parseIndexes(job.status?.failedIndexes).has(index);
  const reason = own ? lastWords(pod) : (endOf(job) ?? lastWords(pod));
  return {
    id: `${job.metadata?.name}:${index}`,
    status: 'FAILED',
    attempts: pod ? failuresBefore(pod) + 1 : 0,
    ...(startedAt !== undefined && { startedAt }),
    ...(reason !== undefined && { reason }),
    containers: pod ? containersOf(pod) : [],
  };
}

/** The last pod of each index that is among these. */
export function newestByIndex(pods: readonly V1Pod[]): Map<number, V1Pod> {
  const found = new Map<number, V1Pod>();
  for (const pod of pods) {
    const known = found.get(indexOf(pod));
    if (!known || failuresBefore(pod) >= failuresBefore(known)) found.set(indexOf(pod), pod);
  }
  return found;
}

const newest = (pods: readonly V1Pod[]): V1Pod | undefined => newestByIndex(pods).get(0);
const verdict = (job: V1Job): JobStatus => (conditionOf(job, 'Failed') ? 'FAILED' : 'SUCCEEDED');
const lastWords = (pod: V1Pod | undefined): string | undefined => (pod ? failureOf(pod) : GONE);

function progress(job: V1Job, pod: V1Pod | undefined): JobStatus {
  if (!pod || hasEndedPod(pod)) return job.status?.startTime ? 'PENDING' : 'SUBMITTED';
  if (hasBegun(pod)) return 'RUNNING';
  return isPlaced(pod) && !obstacleOf(pod) ? 'STARTING' : 'RUNNABLE';
}

/** A new node takes its time: what has waited shortly is no news. */
function tell(pods: readonly V1Pod[], afterMs: number): string | undefined {
  const obstacles = pods.flatMap((pod) => obstacleOf(pod) ?? []);
  return obstacles.find(({ since }) => !(Date.now() - since < afterMs))?.reason;
}
