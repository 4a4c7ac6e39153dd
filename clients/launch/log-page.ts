/**
 * Lines of a launch page by page, by time over all containers: for whoever looks at them in a browser, and asks again for
 * what has come since.
 *
 * @module
 */
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { LaunchItem } from '../../lib/store/launches.ts';
import { isEnded } from '../../workflows/launch/model.ts';
import {
  type Attempt,
  inChunks,
  type LogEvent,
  type LogLine,
  type LogStream,
  mergeByTime,
  streamsOf,
  toLine,
} from './log-lines.ts';
import { checkPodOptions, PodReader } from './log-pods.ts';
import { FILTERED_STREAMS, LogReader, type PageReader } from './log-reader.ts';
import { checkNames, type LoggedStep, type LogSources, loggedLaunch } from './log-steps.ts';
import { chooseAttempts, type ReadOptions } from './logs.ts';
import { clusterOf } from './own-words.ts';

export interface PageChoice extends ReadOptions {
  step?: string;
  items?: readonly string[];
  attempt?: number;
  errors?: boolean;
  /** At most so many lines, and those of the same millisecond as the last. */
  limit: number;
}

export interface PageOfLines {
  lines: LogLine[];
  /** Items that were not looked at. */
  leftOut: number;
  /** Epoch ms: what is missing, or comes yet, has this time or a later one; absent when nothing more can come. */
  more?: number;
}

export type PageSources = LogSources & { logs: CloudWatchLogsClient };

/** Items that are looked at when none are chosen; a search looks at more, a hundred at a time. */
const ITEMS = { shown: 100, searched: 1_000 };
/** Services send what jobs write every few seconds: what is newer than this may not be all there is. */
const HOLD_MS = 6_000;

/**
 * @returns undefined when there is no such launch
 * @throws UnknownNameError for a step or item it does not have
 */
export async function logPage(
  sources: PageSources,
  launchId: string,
  options: PageChoice,
  now: number,
): Promise<PageOfLines | undefined> {
  const launch = await loggedLaunch(sources, launchId);
  if (!launch) return undefined;
  const settledAt = endOf(launch.item);
  const isOpen = settledAt === undefined || now <= settledAt + HOLD_MS;
  const until = isOpen ? now - HOLD_MS : Number.POSITIVE_INFINITY;
  if (!launch.steps) return { lines: [], leftOut: 0, ...(isOpen && { more: options.since ?? 0 }) };
  checkNames(launch.steps, options);
  const { attempts, leftOut } = await attemptsOf(sources, launch.steps, options);
  const read = await readPage(sources, attempts, options, until);
  // Lines from before the answer may come with the next one, however little time has passed.
  const more = read.cut ?? (isOpen ? Math.max(options.since ?? 0, until + 1) : undefined);
  return { lines: read.lines, leftOut, ...(more !== undefined && { more }) };
}

function endOf({ status, statuses }: LaunchItem): number | undefined {
  const at = isEnded(status) ? statuses[status] : undefined;
  return at === undefined ? undefined : Date.parse(at);
}

async function attemptsOf(
  sources: PageSources,
  steps: readonly LoggedStep[],
  { step, items, attempt, errors, search, since }: PageChoice,
): Promise<{ attempts: Attempt[]; leftOut: number }> {
  let left = search === undefined ? ITEMS.shown : ITEMS.searched;
  let leftOut = 0;
  const attempts: Attempt[] = [];
  for (const one of steps) {
    const ended = one.row?.ended_at;
    const isOver = since !== undefined && ended !== undefined && Date.parse(ended) + HOLD_MS < since;
    if (!one.row || isOver || (step !== undefined && one.name !== step)) continue;
    const own = items?.filter((item) => one.items.includes(item));
    if (own?.length === 0) continue;
    if (left === 0) {
      leftOut += own?.length ?? one.items.length;
      continue;
    }
    const chosen = await chooseAttempts(sources, one, {
      ...(own && { items: own }),
      ...(attempt !== undefined && { attempt }),
      ...(errors && { errors }),
      limit: left,
    });
    left -= Math.min(left, new Set(chosen.attempts.map(({ item }) => item)).size);
    leftOut += chosen.leftOut;
    attempts.push(...chosen.attempts);
  }
  return { attempts, leftOut };
}

type Source = () => Promise<readonly LogEvent[]>;

/** @returns `cut`: where the page ends because it is full */
async function readPage(
  sources: PageSources,
  attempts: readonly Attempt[],
  options: PageChoice,
  until: number,
): Promise<{ lines: LogLine[]; cut?: number }> {
  const streams = streamsOf(attempts, options.containers);
  const byName = new Map(streams.map((stream) => [stream.name, stream]));
  const inPods = streams.some(({ group }) => clusterOf(group).cluster !== '');
  if (inPods) checkPodOptions(options);
  const logs = new LogReader(sources.logs, options.signal);
  const reader = inPods ? new PodReader(sources, options.signal) : logs;
  const readers =
    options.search === undefined
      ? streams.map((stream) => pagesOf(reader, stream, options))
      : inChunks(streams, FILTERED_STREAMS).map((chunk) => foundIn(logs, chunk, options));
  const lines: LogLine[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for await (const event of mergeByTime(readers)) {
    if (event.time > until) break;
    if (lines.length >= options.limit && event.time > last) return { lines, cut: last + 1 };
    const stream = byName.get(event.stream);
    if (!stream) continue;
    lines.push(toLine(stream, event));
    last = event.time;
  }
  return { lines };
}

/** Page by page, an empty one at the end. */
function pagesOf(reader: PageReader, stream: LogStream, { since, tail }: PageChoice): Source {
  let token: string | undefined;
  let over = false;
  return async () => {
    while (!over) {
      const page = await reader.page(stream, tail === undefined ? { token, since } : { last: tail, since });
      over = tail !== undefined || page?.token === undefined || page.token === token;
      token = page?.token;
      if (page && page.events.length > 0) return page.events;
    }
    return [];
  };
}

function foundIn(reader: LogReader, chunk: readonly LogStream[], { search: pattern, since }: PageChoice): Source {
  let places: readonly LogStream[] = chunk;
  let token: string | undefined;
  let over = false;
  return async () => {
    while (!over && places.length > 0) {
      const page = await reader.filter(places, { pattern, since, token });
      if (!page) {
        // One name that is not there refuses the whole call: a container that never started has no stream.
        const there = await Promise.all(places.map((stream) => reader.exists(stream)));
        if (there.every(Boolean)) return [];
        places = places.filter((_, place) => there[place]);
        continue;
      }
      token = page.token;
      over = token === undefined;
      if (page.events.length > 0) return page.events;
    }
    return [];
  };
}
