/**
 * Who waits for whom: the dependencies of a job, and of each child of an array.
 *
 * @module
 */
import type { Job } from './job.ts';
import type { Store } from './store.ts';

/**
 * Every unmet dependency counts one, and one more is held for the caller to release when it is ready.
 * @param fail called for a job whose dependency has failed already
 */
export function linkDependencies(store: Store, job: Job, fail: (job: Job) => void): void {
  job.waitingFor = 1;
  for (const child of job.children ?? []) child.waitingFor = 1;
  const link = (one: Job, other: Job) => {
    if (one.over || other.status === 'SUCCEEDED') return;
    if (other.status === 'FAILED') fail(one);
    else one.waitOn(other);
  };
  for (const { jobId, type } of job.spec.dependsOn) {
    if (type === 'SEQUENTIAL') {
      job.children?.forEach((child, index) => {
        const previous = job.children?.[index - 1];
        if (previous) link(child, previous);
      });
      continue;
    }
    // One that is forgotten ended more than a day ago, and not in failure: that would have ended this job.
    const other = store.job(jobId ?? '');
    if (!other) continue;
    if (type === 'N_TO_N') job.children?.forEach((child, index) => link(child, other.children?.[index] ?? other));
    else link(job, other);
  }
}
