/**
 * Names and labels of what is made in Kubernetes. A Job's name follows from Longhaul's own, so a second creation is
 * refused by the API server: no look-up can come too early.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';

/** Of a Job: its Kubernetes name, so that many are listed in one call. */
export const JOB_LABEL = 'longhaul/job';
/** `one` or `many`: the pods of single jobs are listed whole, those of arrays never. */
export const KIND_LABEL = 'longhaul/kind';
/** Longhaul's own name of the job, which may be longer than a label. */
export const NAME_ANNOTATION = 'longhaul/name';
/** Why the service ended a Job. */
export const ENDED_ANNOTATION = 'longhaul/ended-because';

/** Set by Kubernetes on every pod of a Job, from 1.27 on. */
export const POD_JOB_LABEL = 'batch.kubernetes.io/job-name';
export const POD_INDEX_LABEL = 'batch.kubernetes.io/job-completion-index';
/** How often this index has failed before this pod. */
export const POD_FAILURES = 'batch.kubernetes.io/job-index-failure-count';

export const indexOf = (pod: V1Pod): number => Number(pod.metadata?.annotations?.[POD_INDEX_LABEL] ?? 0);

/** How often its index has failed before: the newest pod of an index has the most. */
export const failuresBefore = (pod: V1Pod): number => Number(pod.metadata?.annotations?.[POD_FAILURES] ?? 0);

/**
 * A pod's name is its Job's, an index and a suffix, and the API server refuses a Job whose `<name>-<last index>` is
 * longer than a DNS label (63). 52 is what CronJobs are held to for the same reason.
 */
const LONGEST = 52;
const HASH_DIGITS = 12;

/** The hash keeps names apart that differ in case or signs only. */
export function kubernetesName(name: string): string {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST - HASH_DIGITS - 1)
    .replace(/^-+|-+$/g, '');
  return `${slug}-${hash}`;
}

/** Tags as labels, for cost allocation and `kubectl -l`; what cannot be a label stands in the annotations only. */
export function labelsOf(tags: Readonly<Record<string, string>>): Record<string, string> {
  const valid = Object.entries(tags).filter(([, value]) =>
    /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(value),
  );
  return Object.fromEntries(valid.map(([key, value]) => [key.replace(':', '/'), value]));
}

export const annotationsOf = (tags: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [key.replace(':', '/'), value]));
