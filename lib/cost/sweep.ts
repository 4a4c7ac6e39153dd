/**
 * How an instance is shared out over its time, moment by moment.
 *
 * A job's share is (9 · vCPUs + GiB) / (9 · vCPUs + GiB of the instance): the weights of AWS's split cost allocation, which
 * takes a vCPU to cost as much as 9 GB, as Fargate prices them
 * (https://docs.aws.amazon.com/cur/latest/userguide/split-cost-allocation-data.html, "Step 2: Calculate the ratio").
 *
 * @module
 */
import type { Interval } from '../../workflows/cost/model.ts';
import type { Ratio } from './consumption.ts';

const MIB_OF_GIB = 1024;
const GB_OF_VCPU = 9;

/** 1,024 times 9 · vCPUs + GiB, to stay whole; what reserves nothing still weighs something. */
export const weightOf = ({ vcpus, memoryMib }: { vcpus: number; memoryMib: number }): number =>
  Math.max(1, Math.round(GB_OF_VCPU * MIB_OF_GIB * vcpus + memoryMib));

/** A job on the instance. */
export interface Holding<Group> extends Interval {
  launchId: string;
  weight: number;
  /** What its use is told apart by; absent of other launches' jobs. */
  group?: Group;
}

export interface Part<Group> extends Interval {
  purpose: 'use' | 'packing' | 'idle';
  group?: Group;
  share: Ratio;
}

/**
 * The parts of `over` that fall to one launch.
 *
 * - `use`, by group: weight / capacity. Jobs that together reserve more than there is are scaled down to all of it.
 * - `packing`: what nobody has reserved while jobs run, split among the launches by the weights of their jobs.
 * - `idle`: time without a job, wholly of the launch whose job ended last before it; before the first job, of the launch
 *   that has it. Where that is true of several, split evenly.
 *
 * So the parts of all launches together are the whole of `over`.
 *
 * @param holdings may reach beyond `over`
 * @param capacity weight of the instance; absent where nobody knows it: then all of it is shared evenly among the jobs
 */
export function shareOut<Group>(
  holdings: readonly Holding<Group>[],
  over: Interval,
  capacity: number | undefined,
  launchId: string,
): Part<Group>[] {
  const parts: Part<Group>[] = [];
  const emit = (interval: Interval, purpose: Part<Group>['purpose'], n: number | bigint, d: bigint, group?: Group) => {
    if (n !== 0 && n !== 0n) {
      const share = { n: BigInt(n), d };
      parts.push({ ...interval, purpose, share, ...(group === undefined ? {} : { group }) });
    }
  };
  const running = createRunning<Group>(capacity === undefined, launchId);
  const starts = holdings.toSorted((a, b) => a.from - b.from);
  const ends = holdings.toSorted((a, b) => a.to - b.to);
  const times = [...new Set([over.from, over.to, ...holdings.flatMap(({ from, to }) => [from, to])])];
  times.sort((a, b) => a - b);
  let last = heirs(starts.filter(({ from }) => from === starts[0]?.from));
  let started = 0;
  let ended = 0;

  for (const [index, time] of times.entries()) {
    for (; starts[started] && starts[started]!.from <= time; started += 1) running.add(starts[started]!);
    const gone: Holding<Group>[] = [];
    for (; ends[ended] && ends[ended]!.to <= time; ended += 1) gone.push(ends[ended]!);
    for (const holding of gone) running.remove(holding);
    if (gone.length > 0) last = heirs(gone);

    const interval = { from: Math.max(time, over.from), to: Math.min(times[index + 1] ?? time, over.to) };
    if (interval.from >= interval.to) continue;
    const { all, own, groups } = running;
    if (all === 0) {
      if (last.size === 0 || last.has(launchId)) emit(interval, 'idle', 1, BigInt(Math.max(1, last.size)));
      continue;
    }
    const limit = Math.max(capacity ?? 0, all);
    for (const [group, weight] of groups) emit(interval, 'use', weight, BigInt(limit), group);
    // Of one launch alone, as most instances are, the fractions keep one denominator: seconds at 100,000 jobs.
    if (own === all) emit(interval, 'packing', limit - all, BigInt(limit));
    else emit(interval, 'packing', BigInt(limit - all) * BigInt(own), BigInt(limit) * BigInt(all));
  }
  return parts;
}

const heirs = (holdings: readonly { launchId: string }[]): Set<string> =>
  new Set(holdings.map(({ launchId }) => launchId));

/** Weights of the jobs that run at a moment: of all of them, of the launch's, and of each of its groups. */
function createRunning<Group>(evenly: boolean, launchId: string) {
  const groups = new Map<Group, number>();
  const running = { all: 0, own: 0, groups, add, remove };
  return running;

  function add(holding: Holding<Group>): void {
    change(holding, evenly ? 1 : holding.weight);
  }
  function remove(holding: Holding<Group>): void {
    change(holding, evenly ? -1 : -holding.weight);
  }
  function change({ launchId: of, group }: Holding<Group>, by: number): void {
    running.all += by;
    if (of !== launchId) return;
    running.own += by;
    if (group === undefined) return;
    const weight = (groups.get(group) ?? 0) + by;
    if (weight === 0) groups.delete(group);
    else groups.set(group, weight);
  }
}
