/**
 * Holds a platform's processes: starts them in order of need, stops them in the opposite order, keeps platform.json
 * true in between.
 *
 * @module
 */
import { join } from 'node:path';
import type { Progress } from '../tools/progress.ts';
import { type PlatformRecord, removeRecord, writeRecord } from './record.ts';
import { type ServiceSpec, type ServiceStatus, Supervised } from './supervised.ts';

export class Supervisor {
  readonly #stateDirectory: string;
  readonly #progress: Progress;
  /** In order of start; a group stops only when the later ones are gone. */
  readonly #groups: Supervised[][] = [];
  #record: PlatformRecord | undefined;
  #writing: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(stateDirectory: string, progress: Progress) {
    this.#stateDirectory = stateDirectory;
    this.#progress = progress;
  }

  /**
   * Starts services at the same time and waits until each is ready.
   * @param stopOrder the names in the order in which they stop; by default all at once
   */
  async start(specs: readonly ServiceSpec[], stopOrder?: readonly string[]): Promise<void> {
    if (this.#stopping) throw new Error('the platform is stopping');
    const services = specs.map(
      (spec) =>
        new Supervised(spec, {
          marker: this.#stateDirectory,
          logFile: join(this.#stateDirectory, 'logs', `${spec.name}.log`),
          progress: this.#progress,
          changed: () => this.#save(),
        }),
    );
    if (stopOrder) {
      for (const name of [...stopOrder].reverse())
        this.#groups.push(services.filter((service) => service.name === name));
    } else {
      this.#groups.push(services);
    }
    // All are waited for even when one fails, so that none is still starting while the others are stopped.
    const results = await Promise.allSettled(
      services.map(async (service) => {
        this.#progress({ tool: service.name, step: 'starting' });
        await service.start();
        this.#progress({ tool: service.name, step: 'ready' });
      }),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  status(): ServiceStatus[] {
    return this.#groups.flat().map((service) => service.status());
  }

  children(): PlatformRecord['children'] {
    return this.#groups.flat().flatMap((service) => service.recorded() ?? []);
  }

  /** From now on platform.json says so, and follows every change. */
  async publish(record: PlatformRecord): Promise<void> {
    this.#record = record;
    this.#save();
    await this.#writing;
  }

  /** Stops everything, the last group first; a second call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#record = undefined;
    await this.#writing.catch(() => {});
    for (const group of [...this.#groups].reverse()) {
      await Promise.all(
        group.map(async (service) => {
          this.#progress({ tool: service.name, step: 'stopping' });
          await service.stop();
          this.#progress({ tool: service.name, step: 'stopped' });
        }),
      );
    }
    await removeRecord(this.#stateDirectory);
  }

  /** Ends every process at once, without waiting. */
  killNow(): void {
    for (const service of this.#groups.flat()) service.killNow();
  }

  #save(): void {
    const record = this.#record;
    if (!record) return;
    this.#writing = this.#writing
      .then(() => (this.#record ? writeRecord({ ...record, children: this.children() }) : undefined))
      .catch((error: Error) =>
        this.#progress({ tool: 'platform', step: 'cannot write platform.json', detail: error.message }),
      );
  }
}
