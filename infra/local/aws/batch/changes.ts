/**
 * Changes of a job's state: the counts of its array follow, and every new status is told to EventBridge.
 *
 * @module
 */
import type { Clock } from '../../kit/clock.ts';
import type { EventPort } from '../ports.ts';
import type { Job, JobState } from './job.ts';
import { detailOf } from './view.ts';

export class Changes {
  readonly #clock: Clock;
  readonly #events: EventPort;

  constructor(clock: Clock, events: EventPort) {
    this.#clock = clock;
    this.#events = events;
  }

  make(job: Job, change: Partial<JobState>): void {
    const before = job.state.status;
    job.state = { ...job.state, ...change };
    const after = job.state.status;
    if (before === after) return;
    const summary = job.parent?.summary;
    if (job.parent && summary) {
      summary[before] -= 1;
      summary[after] += 1;
      job.parent.summaryUpdatedAt = this.#clock.now();
    }
    this.tell(job);
  }

  tell(job: Job): void {
    this.#events.emit({
      source: 'aws.batch',
      detailType: 'Batch Job State Change',
      detail: { ...detailOf(job) },
      resources: [job.arn],
    });
  }

  /** The job at the head of its queue keeps all others from running. */
  blocked(job: Job, statusReason: string): void {
    job.state = { ...job.state, statusReason };
    this.#events.emit({
      source: 'aws.batch',
      detailType: 'Batch Job Queue Blocked',
      detail: { ...detailOf(job) },
      resources: [job.arn, job.spec.queueArn],
    });
  }
}
