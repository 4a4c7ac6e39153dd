/**
 * Log lines: which attempts they belong to, which are wanted, in which order. Pure.
 *
 * @module
 */

import type { JobContainer } from '../../jobs/log-streams.ts';

/** In the order they run in. */
export const CONTAINERS: readonly JobContainer[] = ['stage', 'main', 'publish'];

export interface LogLine {
  /** ISO time of the event, as its job's host took it. */
  at: string;
  step: string;
  item: string;
  /** Array index of the child; absent for a single job. */
  index?: number;
  /** The compute service's own, from 1. */
  attempt: number;
  /** Which submission of the step; absent where the start record does not tell. */
  generation?: number;
  container: JobContainer;
  message: string;
}

/** What the key of a start record says by itself. */
export interface Start {
  key: string;
  step: string;
  item: string;
  jobId: string;
  index?: number;
  attempt: number;
}

/** The job of an item, or the child of an array that is its. */
export type JobOfItem = Pick<Start, 'step' | 'item' | 'jobId' | 'index'>;

/** One attempt of an item, and where it logs. */
export interface Attempt extends Omit<Start, 'key'> {
  generation?: number;
  /** ISO time; absent where there is no start record. */
  startedAt?: string;
  group: string;
  /** Log streams by container. */
  streams: Readonly<Partial<Record<JobContainer, string>>>;
}

/** One container of one attempt. */
export interface LogStream {
  group: string;
  name: string;
  container: JobContainer;
  attempt: Attempt;
}

/** An event as CloudWatch Logs has it; `time` in epoch milliseconds. */
export interface LogEvent {
  time: number;
  message: string;
  stream: string;
  /** Of FilterLogEvents alone. */
  id?: string;
}

export interface Selection {
  /** Keys of items; all when left out. */
  items?: readonly string[];
  attempt?: number;
}

/** @param folder key of the folder `…/starts/` */
export function parseStart(key: string, folder: string): Start | undefined {
  const [step, item, name, ...more] = key.slice(folder.length).split('/');
  const [, job = '', attempt] = /^(.+)-(\d+)\.json$/.exec(name ?? '') ?? [];
  if (!key.startsWith(folder) || !step || !item || attempt === undefined || more.length > 0) return undefined;
  // The name of an attempt has `_` for the `:` before the index of a child.
  const [, parent, index] = /^(.+)_(\d+)$/.exec(job) ?? [];
  return {
    key,
    step,
    item,
    jobId: parent === undefined ? job : `${parent}:${index}`,
    ...(index !== undefined && { index: Number(index) }),
    attempt: Number(attempt),
  };
}

export const isSelected = ({ items, attempt }: Selection, start: Pick<Start, 'item' | 'attempt'>): boolean =>
  (items === undefined || items.includes(start.item)) && (attempt === undefined || start.attempt === attempt);

/** By the place of their items in the plan, then in the order they started in. */
export function inOrder(attempts: readonly Attempt[], items: readonly string[]): Attempt[] {
  const places = new Map(items.map((item, place) => [item, place]));
  const place = ({ item }: Attempt) => places.get(item) ?? items.length;
  return attempts.toSorted(
    (a, b) => place(a) - place(b) || (a.startedAt ?? '').localeCompare(b.startedAt ?? '') || a.attempt - b.attempt,
  );
}

/** The streams of attempts, container by container in the order these run in. */
export const streamsOf = (attempts: readonly Attempt[], containers: readonly string[]): LogStream[] =>
  attempts.flatMap((attempt) =>
    CONTAINERS.filter((container) => containers.includes(container)).flatMap((container) => {
      const name = attempt.streams[container];
      return name === undefined ? [] : [{ group: attempt.group, name, container, attempt }];
    }),
  );

export const toLine = ({ attempt, container }: LogStream, { time, message }: LogEvent): LogLine => ({
  at: new Date(time).toISOString(),
  step: attempt.step,
  item: attempt.item,
  ...(attempt.index !== undefined && { index: attempt.index }),
  attempt: attempt.attempt,
  ...(attempt.generation !== undefined && { generation: attempt.generation }),
  container,
  message,
});

/** Lists of at most `size` streams, each of one log group. */
export function inChunks<T extends Pick<LogStream, 'group'>>(streams: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (const group of new Set(streams.map((stream) => stream.group))) {
    const own = streams.filter((stream) => stream.group === group);
    for (let first = 0; first < own.length; first += size) chunks.push(own.slice(first, first + size));
  }
  return chunks;
}

/**
 * Merges pages of events, each source's in order of time, holding one page a source. A source ends with an empty
 * page. Of equal times the earlier source's comes first.
 */
export async function* mergeByTime<E extends { time: number }>(
  sources: readonly (() => Promise<readonly E[]>)[],
): AsyncGenerator<E> {
  const heads = await Promise.all(sources.map(async (read) => ({ read, page: await read(), place: 0 })));
  for (;;) {
    let next: (typeof heads)[number] | undefined;
    for (const head of heads) {
      const time = head.page[head.place]?.time;
      if (time !== undefined && (next === undefined || time < (next.page[next.place] as E).time)) next = head;
    }
    if (!next) return;
    yield next.page[next.place] as E;
    next.place += 1;
    if (next.place === next.page.length) {
      next.page = await next.read();
      next.place = 0;
    }
  }
}

/** The last `count` events of each stream, in the order they came. */
export function lastOfEach<E extends { stream: string }>(events: readonly E[], count: number): E[] {
  const left = new Map<string, number>();
  return events
    .toReversed()
    .filter(({ stream }) => {
      const taken = left.get(stream) ?? 0;
      left.set(stream, taken + 1);
      return taken < count;
    })
    .reverse();
}

/** Those of `names` that somebody who wrote `name` may have meant, the likeliest first. */
export function nearest(name: string, names: readonly string[], most = 3): string[] {
  const wanted = name.toLowerCase();
  return names
    .map((candidate) => {
      const lower = candidate.toLowerCase();
      const related = lower.includes(wanted) || wanted.includes(lower);
      return { candidate, far: related ? 1 : distance(wanted, lower) };
    })
    .filter(({ far }) => far <= Math.max(2, wanted.length / 3))
    .sort((a, b) => a.far - b.far)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** Letters to change, add or drop (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, place) => place);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `90s`, `10m`, `2h`, `1d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (UNITS[unit] ?? 0);
}
