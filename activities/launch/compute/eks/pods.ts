/**
 * What pods tell of themselves: how their containers ended, whether they run, and what keeps them from it.
 *
 * @module
 */
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { ContainerView } from '../service.ts';

/** Reasons of a state that say nothing beyond the exit code, or that it is not this container's turn. */
const SAYS_NOTHING = new Set(['Completed', 'Error', 'PodInitializing', 'ContainerCreating']);

export const hasEndedPod = (pod: V1Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
export const isPlaced = (pod: V1Pod): boolean => Boolean(pod.spec?.nodeName);

/** In the order the containers run. */
const statusesOf = (pod: V1Pod): readonly V1ContainerStatus[] => [
  ...(pod.status?.initContainerStatuses ?? []),
  ...(pod.status?.containerStatuses ?? []),
];

/** One container of it runs or has run: a phase says only what ordinary containers do. */
export const hasBegun = (pod: V1Pod): boolean =>
  statusesOf(pod).some(({ state }) => state?.running ?? state?.terminated);

/** Milliseconds since the epoch. */
export function beganAt(pod: V1Pod): number | undefined {
  const times = statusesOf(pod).flatMap(({ state }) => {
    const at = state?.running?.startedAt ?? state?.terminated?.startedAt;
    return at ? [new Date(at).getTime()] : [];
  });
  return times.length > 0 ? Math.min(...times) : undefined;
}

/** `<pod>/<container>` names a log: Kubernetes keeps it with the pod. */
export function containersOf(pod: V1Pod): ContainerView[] {
  return statusesOf(pod).map(({ name, state }) => {
    const { exitCode, reason, message } = state?.terminated ?? {};
    const why = reason !== undefined && !SAYS_NOTHING.has(reason) ? words(reason, message) : undefined;
    return {
      name,
      ...(exitCode !== undefined && { exitCode }),
      ...(why !== undefined && { reason: why }),
      ...((state?.running ?? state?.terminated) && { logStream: `${pod.metadata?.name}/${name}` }),
    };
  });
}

/** Why a pod failed, where it is not only that a container did; in Kubernetes' own words. */
export function failureOf(pod: V1Pod): string | undefined {
  const disrupted = pod.status?.conditions?.find(
    ({ type, status }) => type === 'DisruptionTarget' && status === 'True',
  );
  if (disrupted) return words('DisruptionTarget', [disrupted.reason, disrupted.message].filter(Boolean).join(': '));
  return pod.status?.reason ? words(pod.status.reason, pod.status.message) : undefined;
}

/** What keeps a pod from running, and since when it has been there. */
export interface Obstacle {
  reason: string;
  /** Milliseconds since the epoch. */
  since: number;
  /** Its image cannot be had, and trying again will not help. */
  hopeless: boolean;
  /** It is about an image. */
  image: boolean;
}

const PULLING = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
]);
/** What the registry or the kubelet has said for good; a rate limit or a timeout passes. */
const FOR_GOOD =
  /not found|does not exist|manifest unknown|denied|unauthorized|forbidden|InvalidImageName|ErrImageNeverPull|no match for platform/i;

/** @returns undefined for a pod that runs, or that nothing is said of yet */
export function obstacleOf(pod: V1Pod): Obstacle | undefined {
  const since = new Date(pod.metadata?.creationTimestamp ?? Number.NaN).getTime();
  if (!isPlaced(pod)) {
    const unplaced = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
    if (!unplaced) return undefined;
    return {
      reason: words(unplaced.reason ?? 'Unschedulable', unplaced.message),
      since,
      hopeless: false,
      image: false,
    };
  }
  for (const { state } of statusesOf(pod)) {
    const { reason, message } = state?.waiting ?? {};
    if (reason === undefined || SAYS_NOTHING.has(reason)) continue;
    const said = words(reason, message);
    const image = PULLING.has(reason);
    return { reason: said, since, hopeless: image && FOR_GOOD.test(said), image };
  }
  return undefined;
}

const words = (reason: string, message: string | undefined): string => (message ? `${reason}: ${message}` : reason);
