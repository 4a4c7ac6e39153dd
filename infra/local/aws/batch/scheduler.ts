/**
 * Places RUNNABLE jobs on instances: queues by priority, jobs in order, environments in the queue's order. A job at
 * the head of its queue that does not fit holds up those behind it, as on AWS; one that can never fit is reported as
 * blocking, and cancelled where the queue says so. Nothing polls: it runs when a job comes, ends, or a resource changes.
 *
 * @module
 */
import type { ComputeEnvironmentDetail, JobQueueDetail } from '@aws-sdk/client-batch';
import type { Cancel } from '../../kit/clock.ts';
import { type Instance, type Instances, type Misfit, misfit } from './instances.ts';
import { demandOf, type Job } from './job.ts';
import { RunQueue } from './run-queue.ts';
import type { Store } from './store.ts';

export interface SchedulerEvents {
  begin(job: Job, instance: Instance, environment: ComputeEnvironmentDetail): void;
  /** The job blocks its queue, for the reason given. */
  blocked(job: Job, reason: string): void;
  cancel(job: Job, reason: string): void;
}

interface Blockade {
  job: Job;
  code: string;
  cancels: Cancel[];
}

const REASONS: Readonly<Record<Misfit, { code: string; text: string }>> = {
  MAX_VCPUS: {
    code: 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE',
    text: 'CE(s) associated with the job queue cannot meet the CPU requirement of the job.',
  },
  REQUIREMENT: {
    code: 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT',
    text: 'The job resource requirement (vCPU/memory/GPU) is higher than that can be met by the CE(s) attached to the job queue.',
  },
  DISABLED: { code: 'UNDETERMINED', text: 'Batch job is blocked, root cause is undetermined.' },
};

export class Scheduler {
  readonly #store: Store;
  readonly #instances: Instances;
  readonly #events: SchedulerEvents;
  readonly #blockedAfterMs: number;
  readonly #runnable = new Map<string, RunQueue>();
  readonly #blockades = new Map<string, Blockade>();
  #kicked = false;
  #closed = false;

  constructor(store: Store, instances: Instances, blockedAfterMs: number, events: SchedulerEvents) {
    this.#store = store;
    this.#instances = instances;
    this.#blockedAfterMs = blockedAfterMs;
    this.#events = events;
  }

  add(job: Job): void {
    const queue = this.#runnable.get(job.spec.queueArn) ?? new RunQueue();
    this.#runnable.set(job.spec.queueArn, queue);
    queue.push(job);
    this.kick();
  }

  /** Many causes at once make one run. */
  kick(): void {
    if (this.#kicked || this.#closed) return;
    this.#kicked = true;
    setImmediate(() => {
      this.#kicked = false;
      if (!this.#closed) this.#run();
    });
  }

  close(): void {
    this.#closed = true;
    for (const arn of this.#blockades.keys()) this.#unblock(arn);
  }

  #run(): void {
    const queues = [...this.#store.queues.values()].sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
    for (const queue of queues) {
      const runnable = this.#runnable.get(queue.jobQueueArn ?? '');
      if (!runnable) continue;
      let head = runnable.head();
      while (head && this.#place(queue, head)) head = runnable.head();
      this.#watch(queue, head);
    }
  }

  #place(queue: JobQueueDetail, job: Job): boolean {
    const demand = demandOf(job.spec);
    for (const environment of this.#environmentsOf(queue)) {
      if (misfit(environment, demand)) continue;
      const instance = this.#instances.place(environment, job, demand);
      if (!instance) continue;
      this.#events.begin(job, instance, environment);
      return true;
    }
    return false;
  }

  #environmentsOf(queue: JobQueueDetail): ComputeEnvironmentDetail[] {
    const order = [...(queue.computeEnvironmentOrder ?? [])].sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
    return order.flatMap(({ computeEnvironment = '' }) => this.#store.environments.get(computeEnvironment) ?? []);
  }

  /** Times how long a head that can never be placed has blocked the queue. */
  #watch(queue: JobQueueDetail, head: Job | undefined): void {
    const arn = queue.jobQueueArn ?? '';
    const cause = head && this.#neverFits(queue, head);
    const known = this.#blockades.get(arn);
    if (known && known.job === head && known.code === cause?.code) return;
    this.#unblock(arn);
    if (!head || !cause) return;
    const { clock } = this.#store;
    const cancels = [
      clock.after(this.#blockedAfterMs, () => this.#events.blocked(head, `${cause.code} - ${cause.text}`)),
      ...(queue.jobStateTimeLimitActions ?? [])
        .filter(({ reason }) => reason === cause.code && reason !== REASONS.DISABLED.code)
        .map(({ reason, maxTimeSeconds = 0 }) =>
          clock.after(maxTimeSeconds * 1000, () =>
            this.#events.cancel(head, `Canceled by JobStateTimeLimit action due to reason: ${reason}`),
          ),
        ),
    ];
    this.#blockades.set(arn, { job: head, code: cause.code, cancels });
  }

  #neverFits(queue: JobQueueDetail, job: Job): { code: string; text: string } | undefined {
    const causes = this.#environmentsOf(queue).map((environment) => misfit(environment, demandOf(job.spec)));
    if (causes.some((cause) => cause === undefined)) return undefined;
    const worst = (['MAX_VCPUS', 'REQUIREMENT'] as const).find((cause) => causes.includes(cause));
    return REASONS[worst ?? 'DISABLED'];
  }

  #unblock(arn: string): void {
    for (const cancel of this.#blockades.get(arn)?.cancels ?? []) cancel();
    this.#blockades.delete(arn);
  }
}
