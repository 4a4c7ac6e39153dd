/**
 * The life of jobs: dependencies, arrays, attempts, retries, cancelling, and the events each step makes.
 *
 * @module
 */
import type { ComputeEnvironmentDetail, JobStatus } from '@aws-sdk/client-batch';
import type { Cancel } from '../../kit/clock.ts';
import type { EventPort } from '../ports.ts';
import type { Attempt, AttemptResult, Attempts } from './attempts.ts';
import { Changes } from './changes.ts';
import type { Instance, Instances } from './instances.ts';
import { demandOf, type Job, type JobSpec, type JobState } from './job.ts';
import { linkDependencies } from './job-links.ts';
import { retries } from './retry.ts';
import { Scheduler } from './scheduler.ts';
import type { Store } from './store.ts';
import { attemptOf } from './view.ts';

const EXITED = 'Essential container in task exited';
const NOT_STARTED = 'Task failed to start';
const TIMED_OUT = 'Job attempt duration exceeded timeout';
const DEPENDENCY_FAILED = 'Dependent Job failed';
const CHILD_FAILED = 'Array Child Job failed';
/** So many children are released before others get their turn. */
const CHUNK = 500;

interface Running {
  attempt: Attempt;
  instance: Instance;
  cancelTimeout?: Cancel;
  /** Why it was ended from outside; such an attempt is retried only when its host was lost. */
  ending?: { statusReason: string; retry: boolean };
}

export class Engine {
  readonly #store: Store;
  readonly #changes: Changes;
  readonly #attempts: Attempts;
  readonly #instances: Instances;
  readonly #running = new Map<Job, Running>();
  readonly #zombies = new Set<Attempt>();
  readonly #settled: Job[] = [];
  #settling = false;
  #closed = false;
  readonly scheduler: Scheduler;

  constructor(options: {
    store: Store;
    events: EventPort;
    attempts: Attempts;
    instances: Instances;
    blockedAfterMs: number;
  }) {
    this.#store = options.store;
    this.#changes = new Changes(options.store.clock, options.events);
    this.#attempts = options.attempts;
    this.#instances = options.instances;
    this.scheduler = new Scheduler(options.store, options.instances, options.blockedAfterMs, {
      begin: (job, instance, environment) => this.#begin(job, instance, environment),
      blocked: (job, reason) => this.#changes.blocked(job, reason),
      cancel: (job, reason) => this.cancel(job, reason),
    });
  }

  /** Takes up what the last process left: attempts that ran are lost with their hosts, waiting jobs go on. */
  start(): void {
    const open = [...this.#store.jobs.values()].filter((job) => !job.over);
    for (const job of open) linkDependencies(this.#store, job, (one) => this.#fail(one, DEPENDENCY_FAILED));
    for (const job of open) {
      for (const one of job.children ?? [job]) {
        if (one.placed) {
          this.#attemptOver(one, `Host EC2 (instance ${one.state.current?.instanceId}) terminated.`, true);
        }
      }
      this.#countDown(job);
    }
    this.#settle();
  }

  submit(spec: JobSpec): void {
    const job = this.#store.addJob(spec);
    this.#changes.tell(job);
    linkDependencies(this.#store, job, (one) => this.#fail(one, DEPENDENCY_FAILED));
    this.#settle();
    // After the answer: a caller may see SUBMITTED.
    setImmediate(() => {
      if (!this.#closed) this.#countDown(job);
    });
  }

  /** Ends what has not been placed yet; an array's other children go on. */
  cancel(job: Job, reason: string): void {
    if (job.over) return;
    if (job.children) {
      this.#changes.make(job, { isCancelled: true, statusReason: reason });
      this.#store.saveState(job);
      for (const child of job.children) this.#cancelOne(child, reason);
    } else this.#cancelOne(job, reason);
    this.#settle();
    this.scheduler.kick();
  }

  /** Ends it wherever it stands. */
  terminate(job: Job, reason: string): void {
    if (job.over) return;
    for (const one of job.children ?? [job]) {
      if (one.over) continue;
      this.#changes.make(one, { isTerminated: true });
      if (one.placed) this.#store.saveState(one);
      const running = this.#running.get(one);
      if (!running) this.#fail(one, reason);
      else if (!running.ending) {
        running.ending = { statusReason: reason, retry: false };
        running.attempt.stop();
      }
    }
    if (job.children) {
      this.#changes.make(job, { isTerminated: true, statusReason: reason });
      this.#store.saveState(job);
    }
    this.#settle();
    this.scheduler.kick();
  }

  /**
   * The instance vanishes with all that runs on it; with `zombies` only for the service: its processes go on, as on a
   * host that has lost its network for a while.
   */
  loseInstance(instanceId: string, zombies = false): boolean {
    const instance = this.#instances.get(instanceId);
    if (!instance) return false;
    this.#instances.end(instance, true);
    for (const job of [...instance.jobs]) {
      const running = this.#running.get(job);
      if (!running) continue;
      running.ending ??= { statusReason: `Host EC2 (instance ${instanceId}) terminated.`, retry: true };
      if (zombies) {
        this.#zombies.add(running.attempt);
        this.#attemptEnded(job, running.attempt, { containers: new Map(), started: true });
      } else running.attempt.kill();
    }
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.scheduler.close();
    const running = [...this.#running.values()];
    for (const { attempt, cancelTimeout } of running) {
      cancelTimeout?.();
      attempt.kill();
    }
    for (const zombie of this.#zombies) zombie.kill();
    await Promise.all([...running.map(({ attempt }) => attempt), ...this.#zombies].map((attempt) => attempt.result));
  }

  /** One thing less to wait for. */
  #countDown(job: Job): void {
    if (job.over || job.placed) return;
    job.waitingFor -= 1;
    if (job.waitingFor > 0) {
      if (job.status === 'SUBMITTED') this.#changes.make(job, { status: 'PENDING' });
      return;
    }
    if (!job.children) return this.#runnable(job);
    if (job.status === 'SUBMITTED') this.#changes.make(job, { status: 'PENDING' });
    this.#releaseFrom(job.children, 0);
  }

  #releaseFrom(children: readonly Job[], first: number): void {
    if (this.#closed) return;
    for (const child of children.slice(first, first + CHUNK)) this.#countDown(child);
    if (first + CHUNK < children.length) setImmediate(() => this.#releaseFrom(children, first + CHUNK));
  }

  #runnable(job: Job): void {
    if (job.status !== 'RUNNABLE') this.#changes.make(job, { status: 'RUNNABLE' });
    this.scheduler.add(job);
  }

  #begin(job: Job, instance: Instance, environment: ComputeEnvironmentDetail): void {
    const attempt = this.#attempts.begin(job, {
      instance,
      environmentName: environment.computeEnvironmentName ?? '',
      clusterArn: environment.ecsClusterArn ?? '',
      queueName: this.#store.queues.get(job.spec.queueArn)?.jobQueueName ?? '',
      onRunning: (container) => this.#containerRuns(job, container),
    });
    this.#running.set(job, { attempt, instance });
    const { startedAt: _, stoppedAt: __, statusReason: ___, ...state } = job.state;
    job.state = state;
    this.#changes.make(job, {
      status: 'STARTING',
      current: {
        instanceId: instance.id,
        ...(instance.arn !== undefined && { containerInstanceArn: instance.arn }),
        taskArn: attempt.taskArn,
        containers: attempt.names.map((name) => ({ name })),
      },
    });
    this.#store.saveState(job);
    void attempt.result.then((result) => this.#attemptEnded(job, attempt, result));
  }

  #containerRuns(job: Job, name: string): void {
    const running = this.#running.get(job);
    const { current } = job.state;
    if (!running || !current || this.#closed) return;
    const containers = current.containers.map((container) =>
      container.name === name ? { ...container, logStreamName: running.attempt.logStream(name) } : container,
    );
    if (job.status === 'RUNNING') {
      job.state = { ...job.state, current: { ...current, containers } };
      return;
    }
    const startedAt = this.#store.clock.now();
    this.#changes.make(job, { status: 'RUNNING', startedAt, current: { ...current, startedAt, containers } });
    this.#store.saveState(job);
    const seconds = job.spec.timeout?.attemptDurationSeconds;
    if (seconds === undefined) return;
    running.cancelTimeout = this.#store.clock.after(seconds * 1000, () => {
      running.ending ??= { statusReason: TIMED_OUT, retry: false };
      running.attempt.stop();
    });
  }

  #attemptEnded(job: Job, attempt: Attempt, result: AttemptResult): void {
    if (this.#closed) return;
    const running = this.#running.get(job);
    const { current } = job.state;
    // The end of a zombie is nobody's news.
    if (running?.attempt !== attempt || !current) return;
    this.#running.delete(job);
    running.cancelTimeout?.();
    this.#instances.release(running.instance, job, demandOf(job.spec));
    const containers = current.containers.map((container) => ({
      ...container,
      ...result.containers.get(container.name),
    }));
    job.state = { ...job.state, current: { ...current, containers } };
    const { ending } = running;
    if (ending) this.#attemptOver(job, ending.statusReason, ending.retry);
    else if (result.failure) this.#attemptOver(job, result.started ? EXITED : NOT_STARTED, true, result.failure);
    else this.#succeed(job);
    this.#settle();
    this.scheduler.kick();
  }

  #attemptOver(
    job: Job,
    statusReason: string,
    retry: boolean,
    failure: { exitCode?: number; reason?: string } = {},
  ): void {
    const attempts = [...job.state.attempts, attemptOf(job, this.#store.clock.now(), statusReason)];
    job.state = { ...job.state, attempts };
    if (
      !retry ||
      job.state.isTerminated ||
      !retries(job.spec.retryStrategy, attempts.length, { ...failure, statusReason })
    ) {
      return this.#fail(job, statusReason);
    }
    const { startedAt: _, ...state } = job.state;
    job.state = state;
    this.#changes.make(job, { status: 'RUNNABLE', statusReason });
    this.#store.saveState(job);
    this.scheduler.add(job);
  }

  #succeed(job: Job): void {
    const attempts = [...job.state.attempts, attemptOf(job, this.#store.clock.now(), EXITED)];
    this.#finish(job, { status: 'SUCCEEDED', statusReason: EXITED, attempts });
  }

  #cancelOne(job: Job, reason: string): void {
    if (job.over || job.placed) return;
    job.state = { ...job.state, isCancelled: true };
    this.#fail(job, reason);
  }

  #fail(job: Job, statusReason: string): void {
    if (job.over) return;
    for (const child of job.children ?? []) this.#fail(child, statusReason);
    if (!job.over) this.#finish(job, { status: 'FAILED', statusReason });
  }

  #finish(job: Job, change: Partial<JobState> & { status: JobStatus }): void {
    this.#changes.make(job, { ...change, stoppedAt: this.#store.clock.now() });
    this.#store.saveState(job);
    this.#settled.push(job);
  }

  /** Tells dependents and parents, without recursion: chains may be as long as an array. */
  #settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    for (let job = this.#settled.shift(); job; job = this.#settled.shift()) {
      const dependents = job.dependents ?? [];
      job.dependents = undefined;
      for (const dependent of dependents) {
        if (job.status === 'FAILED') this.#fail(dependent, DEPENDENCY_FAILED);
        else this.#countDown(dependent);
      }
      if (job.parent) this.#childEnded(job.parent);
    }
    this.#settling = false;
  }

  #childEnded(parent: Job): void {
    const { summary } = parent;
    if (!summary || parent.over || summary.SUCCEEDED + summary.FAILED < (parent.children?.length ?? 0)) return;
    const statusReason = parent.state.statusReason ?? CHILD_FAILED;
    if (summary.FAILED > 0) this.#finish(parent, { status: 'FAILED', statusReason });
    else this.#finish(parent, { status: 'SUCCEEDED' });
  }
}
