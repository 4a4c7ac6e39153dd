/**
 * One pod on its node: init containers one after the other, sidecars beside all that follow, then the containers together.
 *
 * @module
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ContainerHost, startContainer } from '../aws/batch/container.ts';
import { ContainerError } from '../aws/batch/images.ts';
import type { RunningContainer } from '../aws/batch/running-container.ts';
import type { Cancel } from '../kit/clock.ts';
import type { Cluster } from './cluster.ts';
import { planFor } from './container-spec.ts';
import { type Container, type ContainerState, type ContainerStatus, type Pod, setCondition } from './model.ts';

/** Before a pull, or a container that could not be made, is tried again; doubled each time. */
const BACKOFF_MS = { first: 10_000, most: 300_000 };
/** As runc has it for what cannot be executed. */
const START_ERROR = 128;

export interface PodHost {
  cluster: Cluster;
  containers: ContainerHost;
  directory: string;
  /** Variables of every container, as a role gives them on AWS. */
  given(): Readonly<Record<string, string>>;
}

/** It was told to end, so what has not begun never will. */
class Stopped extends Error {}

export class PodRun {
  readonly #host: PodHost;
  readonly #pod: Pod;
  readonly #scratch: string;
  readonly #running = new Map<string, RunningContainer>();
  readonly #cancels: Cancel[] = [];
  #stopping = false;
  readonly #pauses = new Set<() => void>();
  /** Its node is gone: nobody hears of it any more. */
  #lost = false;
  readonly ended: Promise<void>;

  constructor(host: PodHost, pod: Pod) {
    this.#host = host;
    this.#pod = pod;
    this.#scratch = join(host.directory, 'pods', pod.metadata.uid);
    const waiting = (container: Container): ContainerStatus => ({
      name: container.name,
      image: container.image,
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: 'PodInitializing' } },
    });
    pod.status.startTime = host.cluster.now();
    pod.status.initContainerStatuses = (pod.spec.initContainers ?? []).map(waiting);
    pod.status.containerStatuses = pod.spec.containers.map(waiting);
    const { activeDeadlineSeconds: seconds } = pod.spec;
    if (seconds !== undefined) this.#cancels.push(host.cluster.clock.after(seconds * 1000, () => this.#timeOut()));
    this.ended = this.#run();
  }

  /** SIGTERM for every container, SIGKILL when the grace is over. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const wake of this.#pauses) wake();
    for (const container of this.#running.values()) container.stop();
  }

  /** Its node is lost. */
  lose(): void {
    this.#lost = true;
    this.#stopping = true;
    for (const wake of this.#pauses) wake();
    for (const container of this.#running.values()) container.kill();
  }

  #timeOut(): void {
    if (this.#stopping) return;
    this.#pod.status.reason = 'DeadlineExceeded';
    this.#pod.status.message = 'Pod was active on the node longer than the specified deadline';
    this.#changed();
    this.stop();
  }

  async #run(): Promise<void> {
    await mkdir(this.#scratch, { recursive: true });
    const sidecars: Promise<unknown>[] = [];
    let failed: boolean;
    try {
      failed = await this.#initialize(sidecars);
      if (!failed) failed = await this.#together();
    } catch (error) {
      if (!(error instanceof Stopped)) console.error('a pod could not be run', error);
      failed = true;
    }
    this.#stopping = true;
    for (const wake of this.#pauses) wake();
    for (const container of this.#running.values()) container.stop();
    await Promise.all(sidecars);
    for (const cancel of this.#cancels) cancel();
    await rm(this.#scratch, { recursive: true, force: true, maxRetries: 3 });
    if (this.#lost) return;
    this.#pod.status.phase = failed ? 'Failed' : 'Succeeded';
    setCondition(
      this.#pod.status.conditions,
      { type: 'Ready', status: 'False', reason: failed ? 'PodFailed' : 'PodCompleted' },
      this.#host.cluster.now(),
    );
    this.#changed();
    this.#host.cluster.release(this.#pod);
  }

  /** @returns whether one of them has failed */
  async #initialize(sidecars: Promise<unknown>[]): Promise<boolean> {
    for (const container of this.#pod.spec.initContainers ?? []) {
      if (container.restartPolicy === 'Always') {
        const started = await this.#begin(container);
        sidecars.push(this.#keepUp(container, started));
      } else if ((await this.#endOf(container, await this.#begin(container))) !== 0) return true;
    }
    setCondition(this.#pod.status.conditions, { type: 'Initialized', status: 'True' }, this.#host.cluster.now());
    return this.#stopping;
  }

  async #together(): Promise<boolean> {
    const ends = this.#pod.spec.containers.map(async (container) => {
      const started = await this.#begin(container);
      if (this.#pod.status.phase === 'Pending' && !this.#lost) {
        this.#pod.status.phase = 'Running';
        setCondition(this.#pod.status.conditions, { type: 'Ready', status: 'True' }, this.#host.cluster.now());
        this.#changed();
      }
      return this.#endOf(container, started);
    });
    const codes = await Promise.allSettled(ends);
    return codes.some((end) => end.status === 'rejected' || end.value !== 0);
  }

  /** A sidecar is started again whenever it ends, until the pod does. */
  async #keepUp(container: Container, first: RunningContainer | number): Promise<void> {
    let started = first;
    for (let pause = BACKOFF_MS.first; ; pause = Math.min(pause * 2, BACKOFF_MS.most)) {
      await this.#endOf(container, started);
      if (this.#stopping) return;
      const status = this.#statusOf(container.name);
      if (status) status.restartCount += 1;
      this.#set(container.name, {
        waiting: { reason: 'CrashLoopBackOff', message: 'back-off restarting failed container' },
      });
      try {
        await this.#pause(pause);
        started = await this.#begin(container);
      } catch (error) {
        if (error instanceof Stopped) return;
        throw error;
      }
    }
  }

  /**
   * @returns the exit code of one that could not be executed
   * @throws Stopped
   */
  async #begin(container: Container): Promise<RunningContainer | number> {
    for (let pause = BACKOFF_MS.first; ; pause = Math.min(pause * 2, BACKOFF_MS.most)) {
      if (this.#stopping) throw new Stopped();
      try {
        return await this.#start(container);
      } catch (error) {
        if (!(error instanceof ContainerError)) throw error;
        if (error.message.startsWith('CannotStart')) {
          const finishedAt = this.#host.cluster.now();
          const message = error.message.replace(/^CannotStartContainerError: (Error response from daemon: )?/, '');
          this.#set(container.name, {
            terminated: { exitCode: START_ERROR, reason: 'StartError', message, startedAt: null, finishedAt },
          });
          return START_ERROR;
        }
        await this.#wait(container, error.message, pause);
      }
    }
  }

  async #wait(container: Container, message: string, pause: number): Promise<void> {
    if (!message.startsWith('CannotPull')) {
      this.#set(container.name, { waiting: { reason: 'CreateContainerError', message } });
      return this.#pause(pause);
    }
    const said = message.replace(
      /^.*failed to resolve ref (\S+): /,
      (_, reference: string) =>
        `failed to pull and unpack image "${reference}": failed to resolve reference "${reference}": `,
    );
    this.#set(container.name, { waiting: { reason: 'ErrImagePull', message: said } });
    await this.#pause(pause / 10);
    const backOff = `Back-off pulling image "${container.image}": ErrImagePull: ${said}`;
    this.#set(container.name, { waiting: { reason: 'ImagePullBackOff', message: backOff } });
    return this.#pause(pause);
  }

  async #start(container: Container): Promise<RunningContainer> {
    const { containers, given } = this.#host;
    const logStream = `${this.#pod.metadata.uid}/${container.name}`;
    const plan = planFor(this.#pod, container, { scratch: this.#scratch, given: given(), logStream });
    const started = await startContainer(containers, plan);
    this.#running.set(container.name, started);
    this.#set(container.name, { running: { startedAt: this.#host.cluster.now() } });
    if (this.#lost) started.kill();
    else if (this.#stopping) started.stop();
    return started;
  }

  async #endOf(container: Container, started: RunningContainer | number): Promise<number> {
    if (typeof started === 'number') return started;
    const { exitCode, reason: why = '' } = await started.ended;
    this.#running.delete(container.name);
    const running = this.#statusOf(container.name)?.state.running;
    const reason = why.startsWith('OutOfMemory') ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
    this.#set(container.name, {
      terminated: { exitCode, reason, startedAt: running?.startedAt ?? null, finishedAt: this.#host.cluster.now() },
    });
    return exitCode;
  }

  /** @throws Stopped */
  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#pauses.add(resolve);
      this.#cancels.push(this.#host.cluster.clock.after(ms, resolve));
      if (this.#stopping) resolve();
    });
    if (this.#stopping) throw new Stopped();
  }

  #statusOf(name: string): ContainerStatus | undefined {
    const { initContainerStatuses = [], containerStatuses = [] } = this.#pod.status;
    return [...initContainerStatuses, ...containerStatuses].find((status) => status.name === name);
  }

  #set(name: string, state: ContainerState): void {
    const status = this.#statusOf(name);
    if (!status || this.#lost) return;
    status.state = state;
    status.ready = state.running !== undefined || state.terminated?.exitCode === 0;
    status.started = state.running !== undefined;
    this.#changed();
  }

  #changed(): void {
    if (!this.#lost) this.#host.cluster.changed(this.#pod);
  }
}
