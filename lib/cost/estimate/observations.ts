/**
 * History as the fit takes it: one observation for each launch and family of instances, with what cannot be true left out.
 *
 * @module
 */
import type { HistoryItem } from '../../store/ledger.ts';

export interface Observation {
  launch: string;
  /** ISO 8601. */
  at: string;
  /** {@link familyOf} what it ran on. */
  family: string;
  samples: readonly Sample[];
}

export interface Sample {
  /** Logarithm of the input's size; absent: not known. */
  x?: number;
  seconds: number;
}

/** Below this the size of an input tells nothing of the time: the job's own begin and end take longer. */
const LEAST_BYTES = 1024;
const MOST_BYTES = 2 ** 60;
/** Ten years: a clock that was wrong. */
const MOST_SECONDS = 10 * 365 * 86_400;
/**
 * Items that were given other vCPUs than are asked for now: halfway between a command that uses one, and one that is
 * twice as fast with twice as many.
 */
const SPEED_UP = 0.5;

/** `c6i` of `c6i.4xlarge`: sizes of a family have the same cores. What is no instance type is a family of its own. */
export const familyOf = (type: string): string => /^([a-z][a-z0-9-]*)\.[a-z0-9-]+$/.exec(type)?.[1] ?? type;

/** @returns undefined for what is not known */
export const sizeOf = (bytes: number | undefined): number | undefined =>
  bytes === undefined || !(bytes >= 0)
    ? undefined
    : Math.log(Math.min(Math.max(bytes, LEAST_BYTES), MOST_BYTES) / LEAST_BYTES);

/** The same for the same items in whatever order; an item that is there twice counts once. */
export function observe(history: readonly HistoryItem[], vcpus: number): Observation[] {
  const items = new Map(history.map((item) => [`${item.launch_id}#${item.line}`, item]));
  const observed = new Map<string, Observation & { samples: Sample[] }>();
  for (const [, item] of [...items].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const samples = samplesOf(item, vcpus);
    if (samples.length === 0) continue;
    const family = familyOf(item.resource_type);
    const key = `${item.launch_id}#${family}`;
    const before = observed.get(key);
    if (before) before.samples.push(...samples);
    else observed.set(key, { launch: item.launch_id, at: item.at, family, samples });
  }
  return [...observed.values()];
}

function samplesOf({ samples, vcpus: had }: HistoryItem, vcpus: number): Sample[] {
  const scale = had > 0 && vcpus > 0 ? (had / vcpus) ** SPEED_UP : 1;
  return samples.flatMap(([bytes, seconds]) => {
    if (!(seconds >= 0 && seconds <= MOST_SECONDS)) return [];
    const x = sizeOf(bytes);
    return [{ seconds: seconds * scale, ...(x !== undefined && { x }) }];
  });
}

/** Every launch once, the newest first. */
export function launchesOf(observations: readonly Observation[]): string[] {
  const newest = new Map<string, string>();
  for (const { launch, at } of observations) if (at > (newest.get(launch) ?? '')) newest.set(launch, at);
  return [...newest]
    .sort(([a, atA], [b, atB]) => (atA === atB ? (a < b ? -1 : 1) : atA > atB ? -1 : 1))
    .map(([id]) => id);
}
