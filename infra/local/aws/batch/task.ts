/**
 * One attempt of a job as an ECS task: its containers in order of their conditions. When an essential container
 * stops, the others are stopped.
 *
 * @module
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ContainerHost, type ContainerPlan, LOG_GROUP, startContainer } from './container.ts';
import { type ContainerState, readiness } from './dependencies.ts';
import { ContainerError } from './images.ts';
import type { ContainerMetadata, TaskMetadata } from './metadata.ts';
import type { RunningContainer } from './running-container.ts';

export interface ContainerOutcome {
  name: string;
  essential: boolean;
  /** Its process ran. */
  started: boolean;
  exitCode?: number;
  reason?: string;
}

interface Entry {
  name: string;
  plan: Omit<ContainerPlan, 'scratch'>;
  essential: boolean;
  state: ContainerState;
  reason?: string;
  container?: RunningContainer;
  startedAt?: Date;
  finishedAt?: Date;
}

export class Task {
  readonly #host: ContainerHost;
  readonly #scratch: string;
  readonly #region: string;
  readonly #entries: Entry[];
  readonly #onRunning: (name: string) => void;
  readonly #finish: (outcomes: ContainerOutcome[]) => void;
  #stopping = false;
  #killed = false;
  /** Resolves when all containers have stopped and the attempt's directory is gone. */
  readonly ended: Promise<ContainerOutcome[]>;

  /** @param onRunning called for each container whose process runs */
  constructor(
    host: ContainerHost,
    options: {
      directory: string;
      taskId: string;
      region: string;
      plans: readonly Omit<ContainerPlan, 'scratch'>[];
      onRunning: (name: string) => void;
    },
  ) {
    this.#host = host;
    this.#scratch = join(options.directory, options.taskId);
    this.#region = options.region;
    this.#onRunning = options.onRunning;
    this.#entries = options.plans.map((plan) => ({
      name: plan.properties.name ?? 'default',
      plan,
      essential: plan.properties.essential ?? true,
      state: { status: 'PENDING', started: false },
    }));
    const { promise, resolve } = withResolvers<ContainerOutcome[]>();
    this.#finish = resolve;
    this.ended = promise.then(async (outcomes) => {
      await rm(this.#scratch, { recursive: true, force: true, maxRetries: 3 });
      return outcomes;
    });
    mkdir(this.#scratch, { recursive: true }).then(
      () => this.#advance(),
      (error: Error) => this.#neverStarts(`ResourceInitializationError: ${error.message}`),
    );
  }

  /** What the task metadata endpoint tells the containers of each other. */
  describe(): Pick<TaskMetadata, 'DesiredStatus' | 'KnownStatus' | 'Containers'> {
    const Containers = this.#entries.map(({ name, plan, state, startedAt, finishedAt }) => ({
      Name: name,
      Image: plan.properties.image ?? '',
      DesiredStatus: this.#stopping || state.status === 'STOPPED' ? ('STOPPED' as const) : ('RUNNING' as const),
      KnownStatus: knownStatus(state),
      ...(state.exitCode !== undefined && { ExitCode: state.exitCode }),
      ...(startedAt && { StartedAt: startedAt.toISOString() }),
      ...(finishedAt && { FinishedAt: finishedAt.toISOString() }),
      LogDriver: 'awslogs' as const,
      LogOptions: {
        'awslogs-group': LOG_GROUP,
        'awslogs-region': this.#region,
        'awslogs-stream': plan.logStream,
      },
    }));
    const known = (...statuses: string[]) => Containers.some(({ KnownStatus }) => statuses.includes(KnownStatus));
    return {
      DesiredStatus: this.#stopping ? 'STOPPED' : 'RUNNING',
      // A task is as far as the container that is least far.
      KnownStatus: known('NONE', 'CREATED') ? 'CREATED' : known('RUNNING') ? 'RUNNING' : 'STOPPED',
      Containers,
    };
  }

  /** SIGTERM, later SIGKILL, for every container; what has not started never will. */
  stop(): void {
    this.#stopping = true;
    for (const { container } of this.#entries) container?.stop();
    this.#advance();
  }

  kill(): void {
    this.#stopping = true;
    this.#killed = true;
    for (const { container, state } of this.#entries) if (state.status === 'RUNNING') container?.kill();
    this.#advance();
  }

  #neverStarts(reason: string): void {
    for (const entry of this.#entries) {
      entry.state = { status: 'STOPPED', started: false };
      entry.reason = reason;
    }
    this.#advance();
  }

  #advance(): void {
    const states = new Map(this.#entries.map(({ name, state }) => [name, state]));
    for (const entry of this.#entries) {
      if (entry.state.status !== 'PENDING') continue;
      if (this.#stopping) {
        entry.state = { status: 'STOPPED', started: false };
        continue;
      }
      const { ready, ...rest } = readiness(entry.name, entry.plan.properties.dependsOn ?? [], states);
      if (ready === 'yes') void this.#start(entry);
      if (ready === 'never') {
        // 143 although it never ran: the ECS agent reports it so.
        this.#stopped(entry, 143, 'because' in rest ? rest.because : undefined);
        return;
      }
    }
    if (this.#entries.every(({ state }) => state.status === 'STOPPED')) {
      this.#finish(
        this.#entries.map(({ name, essential, state, reason }) => ({
          name,
          essential,
          started: state.started,
          ...(state.exitCode !== undefined && { exitCode: state.exitCode }),
          ...(reason !== undefined && { reason }),
        })),
      );
    }
  }

  async #start(entry: Entry): Promise<void> {
    entry.state = { status: 'STARTING', started: false };
    try {
      const container = await startContainer(this.#host, { ...entry.plan, scratch: this.#scratch });
      entry.container = container;
      entry.state = { status: 'RUNNING', started: true };
      entry.startedAt = this.#host.clock.date();
      this.#onRunning(entry.name);
      if (this.#killed) container.kill();
      else if (this.#stopping) container.stop();
      this.#advance();
      const { exitCode, reason } = await container.ended;
      this.#stopped(entry, exitCode, reason);
    } catch (error) {
      if (!(error instanceof ContainerError)) console.error('a container could not be started', error);
      const reason = error instanceof ContainerError ? error.message : `CannotStartContainerError: ${String(error)}`;
      this.#stopped(entry, undefined, reason);
    }
  }

  #stopped(entry: Entry, exitCode: number | undefined, reason: string | undefined): void {
    entry.state = { status: 'STOPPED', started: entry.state.started, ...(exitCode !== undefined && { exitCode }) };
    entry.finishedAt = this.#host.clock.date();
    if (reason !== undefined) entry.reason = reason;
    if (entry.essential) this.stop();
    else this.#advance();
  }
}

/** What never started was never created: Docker knows nothing of it. */
function knownStatus({ status, started }: ContainerState): ContainerMetadata['KnownStatus'] {
  if (status === 'PENDING' || (status === 'STOPPED' && !started)) return 'NONE';
  return status === 'STARTING' ? 'CREATED' : status;
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
