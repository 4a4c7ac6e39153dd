/**
 * The RUNNABLE jobs of one job queue: first in, first out within a scheduling priority, higher priorities first.
 *
 * @module
 */
import type { Job } from './job.ts';

export class RunQueue {
  /** Jobs by priority; those that left RUNNABLE are dropped when they come to the front. */
  readonly #lanes = new Map<number, { jobs: Job[]; front: number }>();
  #priorities: number[] = [];

  push(job: Job): void {
    const priority = job.spec.schedulingPriority;
    let lane = this.#lanes.get(priority);
    if (!lane) {
      lane = { jobs: [], front: 0 };
      this.#lanes.set(priority, lane);
      this.#priorities = [...this.#lanes.keys()].sort((a, b) => b - a);
    }
    lane.jobs.push(job);
  }

  head(): Job | undefined {
    for (const priority of this.#priorities) {
      const lane = this.#lanes.get(priority);
      if (!lane) continue;
      for (; lane.front < lane.jobs.length; lane.front += 1) {
        const job = lane.jobs[lane.front];
        if (job?.status === 'RUNNABLE') return job;
      }
      this.#lanes.set(priority, { jobs: [], front: 0 });
    }
    return undefined;
  }
}
