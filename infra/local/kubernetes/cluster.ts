/**
 * What the parts of the cluster share: its objects, its clock, and word of every change. Objects are changed in place, by
 * their one owner each: Jobs and the counting of pods by the Job controller, the rest of a pod by scheduler and kubelet.
 *
 * @module
 */
import type { Clock } from '../kit/clock.ts';
import type { Job, Pod } from './model.ts';
import { Collection, Revisions } from './store.ts';

export class Cluster {
  readonly clock: Clock;
  readonly revisions = new Revisions();
  readonly jobs = new Collection<Job>('jobs.batch', this.revisions);
  readonly pods = new Collection<Pod>('pods', this.revisions);
  readonly namespaces: ReadonlySet<string>;
  readonly #listeners: (() => void)[] = [];
  #due = false;
  #closed = false;

  constructor(clock: Clock, namespaces: readonly string[]) {
    this.clock = clock;
    this.namespaces = new Set(namespaces);
  }

  /** By the second, as the API has its times. */
  now(): string {
    return this.clock
      .date()
      .toISOString()
      .replace(/\.\d+Z$/, 'Z');
  }

  /** Called after changes, however many there were: controllers look at states, not at events. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  changed(object: Job | Pod): void {
    if (object.kind === 'Job') this.jobs.touch(object);
    else this.pods.touch(object);
    this.look();
  }

  look(): void {
    if (this.#due || this.#closed) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      if (!this.#closed) for (const listener of this.#listeners) listener();
    });
  }

  /** DELETE: a pod that runs is given its grace first, and stays while somebody holds it by a finalizer. */
  deletePod(pod: Pod, graceSeconds: number = pod.spec.terminationGracePeriodSeconds ?? 30): void {
    pod.metadata.deletionTimestamp ??= this.now();
    pod.metadata.deletionGracePeriodSeconds ??= graceSeconds;
    // Nothing of it runs anywhere: nobody else will end it.
    if (!pod.spec.nodeName && pod.status.phase === 'Pending') pod.status.phase = 'Failed';
    this.changed(pod);
    this.release(pod);
  }

  /** A pod that is to be deleted goes once it has ended and nobody holds it. */
  release(pod: Pod): void {
    const ended = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
    if (pod.metadata.deletionTimestamp === undefined || !ended || (pod.metadata.finalizers ?? []).length > 0) return;
    this.pods.remove(pod);
    this.look();
  }

  close(): void {
    this.#closed = true;
  }
}
