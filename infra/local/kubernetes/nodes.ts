/**
 * Nodes, and the scheduler that puts pods on them. A node that is lost takes its pods along: nothing on it says goodbye, the
 * pods are collected, and after a moment another node comes.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Cluster } from './cluster.ts';
import { type Container, isTerminal, type Pod, type PodSpec, setCondition } from './model.ts';
import { parseQuantity } from './quantity.ts';

export interface NodeSize {
  cpu: number;
  memoryMiB: number;
  count: number;
}

/** Until another node stands in for one that is lost. */
const REPLACED_MS = 200;

export class Nodes {
  readonly #cluster: Cluster;
  readonly #size: NodeSize;
  readonly #names = new Set<string>();
  readonly #kill: (pod: Pod) => void;

  /** @param kill ends what runs of a pod at once, and says nothing of it */
  constructor(cluster: Cluster, size: NodeSize, kill: (pod: Pod) => void) {
    this.#cluster = cluster;
    this.#size = size;
    this.#kill = kill;
    for (let count = 0; count < size.count; count += 1) this.#join();
    cluster.onChange(() => this.#schedule());
  }

  names(): string[] {
    return [...this.#names];
  }

  has(name: string | undefined): boolean {
    return name !== undefined && this.#names.has(name);
  }

  lose(name: string): boolean {
    if (!this.#names.delete(name)) return false;
    for (const pod of this.#cluster.pods.all().filter(({ spec }) => spec.nodeName === name)) {
      this.#kill(pod);
      if (isTerminal(pod)) continue;
      const message = 'PodGC: node no longer exists';
      setCondition(
        pod.status.conditions,
        { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message },
        this.#cluster.now(),
      );
      pod.status.phase = 'Failed';
      this.#cluster.deletePod(pod, 0);
    }
    this.#cluster.clock.after(REPLACED_MS, () => this.#join());
    return true;
  }

  #join(): void {
    this.#names.add(`node-${randomBytes(4).toString('hex')}`);
    this.#cluster.look();
  }

  #schedule(): void {
    const pods = this.#cluster.pods.all();
    const used = new Map([...this.#names].map((name) => [name, { cpu: 0, memory: 0 }]));
    for (const pod of pods) {
      const node = used.get(pod.spec.nodeName ?? '');
      if (!node || isTerminal(pod)) continue;
      const { cpu, memory } = requestOf(pod.spec);
      node.cpu += cpu;
      node.memory += memory;
    }
    for (const pod of pods) if (!pod.spec.nodeName && !isTerminal(pod)) this.#place(pod, used);
  }

  #place(pod: Pod, used: ReadonlyMap<string, { cpu: number; memory: number }>): void {
    if (pod.metadata.deletionTimestamp !== undefined || !isOurs(pod.spec)) return;
    const wanted = requestOf(pod.spec);
    const lacking = { cpu: 0, memory: 0 };
    for (const [name, node] of used) {
      const [cpu, memory] = [
        node.cpu + wanted.cpu <= this.#size.cpu,
        node.memory + wanted.memory <= this.#size.memoryMiB * 2 ** 20,
      ];
      if (!cpu) lacking.cpu += 1;
      if (!memory) lacking.memory += 1;
      if (!cpu || !memory) continue;
      node.cpu += wanted.cpu;
      node.memory += wanted.memory;
      pod.spec.nodeName = name;
      setCondition(pod.status.conditions, { type: 'PodScheduled', status: 'True' }, this.#cluster.now());
      this.#cluster.changed(pod);
      return;
    }
    const why = Object.entries(lacking).flatMap(([what, count]) =>
      count > 0 ? [`${count} Insufficient ${what}`] : [],
    );
    const message = `0/${used.size} nodes are available: ${why.join(', ')}. preemption: 0/${used.size} nodes are available: ${used.size} No preemption victims found for incoming pod.`;
    const before = JSON.stringify(pod.status.conditions);
    setCondition(
      pod.status.conditions,
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message },
      this.#cluster.now(),
    );
    if (JSON.stringify(pod.status.conditions) !== before) this.#cluster.changed(pod);
  }
}

/** Pods may name another scheduler, which may be none. */
const isOurs = ({ schedulerName = 'default-scheduler' }: PodSpec): boolean => schedulerName === 'default-scheduler';

/** The largest init container or all others together, with the sidecars that run beside both. */
export function requestOf({ initContainers = [], containers }: PodSpec): { cpu: number; memory: number } {
  const sum = (list: readonly Container[], what: 'cpu' | 'memory') =>
    list.reduce((total, container) => total + amountOf(container, what), 0);
  const of = (what: 'cpu' | 'memory') => {
    let beside = 0;
    let largest = 0;
    for (const container of initContainers) {
      const own = amountOf(container, what);
      largest = Math.max(largest, beside + own);
      if (container.restartPolicy === 'Always') beside += own;
    }
    return Math.max(largest, beside + sum(containers, what));
  };
  return { cpu: of('cpu'), memory: of('memory') };
}

const amountOf = ({ resources }: Container, what: 'cpu' | 'memory'): number =>
  parseQuantity(resources?.requests?.[what] ?? resources?.limits?.[what] ?? '0') ?? 0;
