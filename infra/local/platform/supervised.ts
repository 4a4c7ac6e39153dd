/**
 * One child process: started on a leash, probed until it is ready, started again when it dies, ended with a grace.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { startTimeOf } from '../tools/identity.ts';
import { type Progress, ToolError } from '../tools/progress.ts';
import { killGroup, spawnLeashed } from './leash.ts';
import { rotate, tail } from './logs.ts';

export interface ServiceSpec {
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Whether it watches its standard input for the supervisor's end. */
  stdin: boolean;
  /** Resolves true once it answers; called again and again until then. Without it, running is ready. */
  probe?(): Promise<boolean>;
  /** How long it may take to become ready. */
  readyWithinMs: number;
  /** Between SIGTERM and SIGKILL. */
  graceMs: number;
  /** Before the first new start; doubled each time (default 250 ms). */
  backoffMs?: number;
}

export interface ServiceStatus {
  name: string;
  state: 'stopped' | 'starting' | 'running' | 'restarting' | 'failed';
  pid?: number;
  /** How often it was started again since the platform came up. */
  restarts: number;
  /** How it ended last: an exit code or a signal. */
  lastExit?: string;
}

export interface RecordedChild {
  name: string;
  pid: number;
  startTime: string;
}

/** In a row; a process that stays up for a while starts the count anew. */
const MOST_RESTARTS = 5;
const STEADY_AFTER_MS = 30_000;
const FIRST_BACKOFF_MS = 250;
const PROBE_EVERY_MS = 50;

export class Supervised {
  readonly #spec: ServiceSpec;
  readonly #marker: string;
  readonly #progress: Progress;
  readonly #changed: () => void;
  readonly #abort = new AbortController();
  readonly logFile: string;
  #child: ChildProcess | undefined;
  #status: ServiceStatus;

  /**
   * @param options.changed called whenever the pid or the state changes
   */
  constructor(
    spec: ServiceSpec,
    options: { marker: string; logFile: string; progress: Progress; changed: () => void },
  ) {
    this.#spec = spec;
    this.#marker = options.marker;
    this.#progress = options.progress;
    this.#changed = options.changed;
    this.logFile = options.logFile;
    this.#status = { name: spec.name, state: 'stopped', restarts: 0 };
  }

  get name(): string {
    return this.#spec.name;
  }

  status(): ServiceStatus {
    return { ...this.#status };
  }

  /** For platform.json; undefined while it does not run. */
  recorded(): RecordedChild | undefined {
    const pid = this.#child?.pid;
    const startTime = pid === undefined ? undefined : startTimeOf(pid);
    return pid === undefined || startTime === undefined ? undefined : { name: this.name, pid, startTime };
  }

  /**
   * Resolves when it is ready.
   * @throws ToolError with the last lines of its log when it dies before, or takes too long
   */
  async start(): Promise<void> {
    await rotate(this.logFile);
    this.#set({ state: 'starting' });
    try {
      await this.#spawnUntilReady();
    } catch (error) {
      await this.stop();
      throw error;
    }
    void this.#watch();
  }

  /** SIGTERM, a grace, SIGKILL; `atOnce` leaves the grace out. Also ends what it left behind in its group. */
  async stop(atOnce = false): Promise<void> {
    this.#abort.abort();
    const child = this.#child;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      if (!atOnce) {
        child.kill('SIGTERM');
        const timer = new AbortController();
        await Promise.race([ended, delay(this.#spec.graceMs, undefined, { signal: timer.signal }).catch(() => {})]);
        timer.abort();
      }
      killGroup(child.pid, 'SIGKILL');
      await ended;
    }
    this.#child = undefined;
    if (this.#status.state !== 'failed') this.#set({ state: 'stopped' });
  }

  /** Ends it without waiting; for a second Ctrl-C. */
  killNow(): void {
    this.#abort.abort();
    if (this.#child?.pid !== undefined) killGroup(this.#child.pid, 'SIGKILL');
  }

  async #spawnUntilReady(): Promise<void> {
    const child = spawnLeashed({ ...this.#spec, marker: this.#marker, logFile: this.logFile });
    this.#child = child;
    // A pipe to a dead child breaks; its end is learnt from 'exit'.
    for (const stream of child.stdio) stream?.on('error', () => {});
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => {
        if (child.pid !== undefined) killGroup(child.pid, 'SIGKILL');
        resolve(signal ?? `exit code ${code}`);
      });
    });
    const begun = Date.now();
    let over: string | undefined;
    void ended.then((how) => {
      over = how;
      this.#status.lastExit = how;
    });
    const probe = this.#spec.probe ?? (async () => child.pid !== undefined);
    let told = 0;
    for (;;) {
      const ready = await Promise.race([probe().catch(() => false), ended.then(() => false)]);
      if (over !== undefined) throw await this.#failure(`${this.name} ended while starting (${over})`);
      this.#abort.signal.throwIfAborted();
      if (ready) break;
      const seconds = Math.floor((Date.now() - begun) / 1000);
      if (Date.now() - begun > this.#spec.readyWithinMs) {
        throw await this.#failure(`${this.name} did not answer within ${this.#spec.readyWithinMs / 1000} s`);
      }
      if (seconds > told) this.#progress({ tool: this.name, step: 'starting', detail: `${seconds} s` });
      told = seconds;
      await delay(PROBE_EVERY_MS);
    }
    this.#set({ state: 'running', ...(child.pid !== undefined && { pid: child.pid }) });
  }

  /** Starts it again for as long as the platform is up. */
  async #watch(): Promise<void> {
    for (let inARow = 0; ; ) {
      const begun = Date.now();
      const child = this.#child;
      if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      if (this.#abort.signal.aborted) return;
      const steady = Date.now() - begun > STEADY_AFTER_MS;
      // What somebody kills is not broken: it comes back however often that happens.
      const killed = child !== undefined && child.signalCode !== null;
      inARow = steady ? 1 : killed ? Math.min(inARow + 1, 2) : inARow + 1;
      if (inARow > MOST_RESTARTS) {
        this.#set({ state: 'failed' });
        const said = await tail(this.logFile, 5);
        this.#progress({
          tool: this.name,
          step: `died ${inARow} times in a row, given up`,
          detail: `${this.#status.lastExit}; see ${this.logFile}\n${said}`,
        });
        return;
      }
      const waitMs = (this.#spec.backoffMs ?? FIRST_BACKOFF_MS) * 2 ** (inARow - 1);
      this.#set({ state: 'restarting' });
      this.#progress({
        tool: this.name,
        step: 'died, starting again',
        detail: `${this.#status.lastExit}, in ${waitMs} ms`,
      });
      try {
        await delay(waitMs, undefined, { signal: this.#abort.signal });
        this.#status.restarts += 1;
        await this.#spawnUntilReady();
        this.#progress({ tool: this.name, step: 'runs again' });
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        // It counts as one more death; one that hangs must not stay.
        if (this.#child?.pid !== undefined) killGroup(this.#child.pid, 'SIGKILL');
        this.#progress({ tool: this.name, step: 'did not start', detail: (error as Error).message });
      }
    }
  }

  async #failure(problem: string): Promise<ToolError> {
    return new ToolError('platform', problem, {
      tried: [`its log ends with:\n${(await tail(this.logFile)) || '(nothing)'}`],
      remedy: `read ${this.logFile}`,
    });
  }

  #set(change: Partial<ServiceStatus>): void {
    const { pid: _, ...rest } = this.#status;
    this.#status = { ...(change.state === 'running' ? this.#status : rest), ...change };
    this.#changed();
  }
}
