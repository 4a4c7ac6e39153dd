/**
 * The kubelets of all nodes: runs what is placed, ends what is to be deleted.
 *
 * @module
 */
import { isTerminal, type Pod } from './model.ts';
import type { PodLogs } from './pod-logs.ts';
import { type PodHost, PodRun } from './pod-run.ts';

export class Kubelet {
  readonly #host: PodHost;
  readonly #logs: PodLogs;
  readonly #isOurs: (node: string | undefined) => boolean;
  readonly #runs = new Map<string, PodRun>();
  #closed = false;

  /** @param isOurs whether there is such a node: others are played by whoever put the pod there */
  constructor(host: PodHost, logs: PodLogs, isOurs: (node: string | undefined) => boolean) {
    this.#host = host;
    this.#isOurs = isOurs;
    this.#logs = logs;
    host.cluster.onChange(() => this.#look());
  }

  /** What runs of it is killed, and nothing more is heard of it. */
  lose(pod: Pod): void {
    this.#runs.get(pod.metadata.uid)?.lose();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const run of this.#runs.values()) run.lose();
    await Promise.all([...this.#runs.values()].map(({ ended }) => ended));
  }

  #look(): void {
    if (this.#closed) return;
    const there = new Set<string>();
    for (const pod of this.#host.cluster.pods.all()) {
      const { uid, deletionTimestamp } = pod.metadata;
      there.add(uid);
      const run = this.#runs.get(uid);
      if (run && deletionTimestamp !== undefined) run.stop();
      if (!run && this.#isOurs(pod.spec.nodeName) && !isTerminal(pod)) this.#runs.set(uid, new PodRun(this.#host, pod));
    }
    for (const [uid, run] of this.#runs) {
      if (there.has(uid)) continue;
      this.#runs.delete(uid);
      // Its last lines may still be on their way.
      void run.ended.then(() => this.#logs.forget(uid));
    }
  }
}
