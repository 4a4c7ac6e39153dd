/**
 * What a launch held of resources that others use too, as the ledger keeps it for the pricing of those others.
 *
 * @module
 */
import type { Interval, Usage } from '../../workflows/cost/model.ts';
import type { HeldItem } from '../store/ledger.ts';

type Held = HeldItem['held'];

/** An item of DynamoDB holds 400 KB: so many are far below. */
const MOST = 2_000;

/** One item for each instance, file system and cluster. */
export function holdingsOf(usage: Usage, attempt: number): HeldItem[] {
  const onInstances = new Map<string, Held>();
  for (const { on, from, to, vcpus, memoryMib } of usage.attempts) {
    if (on.kind !== 'instance' || to <= from) continue;
    const held = onInstances.get(on.id) ?? [];
    held.push([from, to, vcpus, memoryMib]);
    onInstances.set(on.id, held);
  }
  const shared = [...usage.fileSystems, ...usage.clusters].map(({ id, used }) => [id, used.map(whole)] as const);
  return [...onInstances, ...shared].flatMap(([resource, all]) => {
    const held = all.length > MOST ? coarser(stepsOf(all)) : all;
    const [first] = held;
    if (!first) return [];
    return [
      {
        launch_id: usage.launchId,
        attempt,
        line: `held#${resource}`,
        resource,
        held_from: new Date(Math.min(...held.map(([from]) => from))).toISOString(),
        held_to: Math.max(...held.map(([, to]) => to)),
        held,
      },
    ];
  });
}

const whole = ({ from, to }: Interval): Held[number] => [from, to, 1, 0];

/** The same as one step function: between two moments nothing begins or ends. */
function stepsOf(held: Held): Held {
  const changes = held.flatMap(([from, to, vcpus, memory]) => [
    { at: from, vcpus, memory },
    { at: to, vcpus: -vcpus, memory: -memory },
  ]);
  changes.sort((a, b) => a.at - b.at);
  const steps: Held = [];
  let vcpus = 0;
  let memory = 0;
  for (const [place, change] of changes.entries()) {
    vcpus += change.vcpus;
    memory += change.memory;
    const until = changes[place + 1]?.at ?? change.at;
    if (until > change.at && vcpus > 0) steps.push([change.at, until, vcpus, memory]);
  }
  return steps;
}

/** Neighbours become one, with what they held on average, until there are few enough. */
function coarser(steps: Held): Held {
  let some = steps;
  while (some.length > MOST) {
    const half: Held = [];
    for (let place = 0; place < some.length; place += 2) {
      const [a, b] = [some[place], some[place + 1]];
      if (a) half.push(b ? averaged(a, b) : a);
    }
    some = half;
  }
  return some;
}

function averaged(a: Held[number], b: Held[number]): Held[number] {
  const span = b[1] - a[0];
  const mean = (which: 2 | 3) => (a[which] * (a[1] - a[0]) + b[which] * (b[1] - b[0])) / span;
  return [a[0], b[1], mean(2), mean(3)];
}
