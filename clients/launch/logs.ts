/**
 * What the jobs of a step have written, attempt by attempt.
 *
 * @module
 */
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { mapLimited } from '../../lib/concurrency.ts';
import {
  type Attempt,
  inChunks,
  inOrder,
  isSelected,
  type LogEvent,
  type LogLine,
  type LogStream,
  type Selection,
  streamsOf,
  toLine,
} from './log-lines.ts';
import { checkPodOptions, PodReader } from './log-pods.ts';
import { allEvents, FILTERED_STREAMS, LogReader } from './log-reader.ts';
import { askService, failedChildren } from './log-services.ts';
import { listStarts, readStarts } from './log-starts.ts';
import { DoneItems, type LoggedStep, type LogSources } from './log-steps.ts';
import { clusterOf } from './own-words.ts';

export interface ChoiceOptions extends Selection {
  /** Only items that have failed: without a commit, their job ended. */
  errors?: boolean;
  /** At most so many items, the first in the plan that have logs. */
  limit?: number;
  signal?: AbortSignal;
}

export interface ReadOptions {
  /** Names of containers: stage, main, publish. */
  containers: readonly string[];
  /** A filter pattern of CloudWatch Logs. */
  search?: string;
  /** Epoch milliseconds; earlier lines are left out. */
  since?: number;
  /** At most so many lines of each container of each attempt, the last ones. */
  tail?: number;
  signal?: AbortSignal;
}

/** Requests on their way at once; the reader's pace holds them back further. */
const ASKING = 8;
/** Found lines that are held to put them in order; a search that finds more gives them out as they come. */
const HELD = 50_000;

/**
 * The attempts whose logs are wanted, in order.
 * @returns those, and how many items the limit has left out
 */
export async function chooseAttempts(
  sources: LogSources,
  step: LoggedStep,
  options: ChoiceOptions,
): Promise<{ attempts: Attempt[]; leftOut: number }> {
  const { signal, limit = Number.POSITIVE_INFINITY } = options;
  const starts = await listStarts(sources, step.launchId, { step: step.name, items: options.items }, signal);
  const started = new Set(starts.map(({ item }) => item));
  const failed = options.errors ? await failedItems(sources, step, signal) : undefined;
  // With nothing chosen an item that has not started is of no interest; one that was asked for, or has failed, is.
  const candidates = options.items ?? step.items.filter((item) => started.has(item) || (failed?.has(item) ?? false));
  const wanted = candidates.filter((item) => failed === undefined || failed.has(item));
  const items = wanted.slice(0, limit);
  const shown = new Set(items);
  const chosen = starts.filter((start) => shown.has(start.item) && isSelected(options, start));
  const without = items.filter((item) => !started.has(item));
  const read = await readStarts(sources, chosen, signal);
  const told = await askService(sources, step, read, without, signal);
  const attempts = inOrder(
    told.filter((attempt) => isSelected(options, attempt)),
    step.items,
  );
  return { attempts, leftOut: wanted.length - items.length };
}

/** While a step is open, its service says which of its children have failed: all others may still be worked on. */
async function failedItems(sources: LogSources, step: LoggedStep, signal?: AbortSignal): Promise<Set<string>> {
  const { row } = step;
  if (!row) return new Set();
  const done = await new DoneItems(sources).of([step], signal);
  const undone = step.items.filter((item) => !done.has(`${step.name}/${item}`));
  if (row.ended_at !== undefined) return new Set(undone);
  if (step.items.length === 1) return new Set();
  const children = await failedChildren(sources, step, signal);
  const starts = await listStarts(sources, step.launchId, { step: step.name }, signal);
  const failed = new Set(starts.filter(({ jobId }) => children.has(jobId)).map(({ item }) => item));
  return new Set(undone.filter((item) => failed.has(item)));
}

/** The lines of attempts, one after the other; within each in the order its containers run in. */
export async function* stepLogs(
  sources: Pick<LogSources, 'kubernetes'> & { logs: CloudWatchLogsClient },
  attempts: readonly Attempt[],
  options: ReadOptions,
): AsyncGenerator<LogLine> {
  const streams = streamsOf(attempts, options.containers);
  const inPods = streams.some(({ group }) => clusterOf(group).cluster !== '');
  if (inPods) checkPodOptions(options);
  const logs = new LogReader(sources.logs, options.signal);
  const reader = inPods ? new PodReader(sources, options.signal) : logs;
  if (options.search !== undefined) {
    for (const chunk of inChunks(streams, FILTERED_STREAMS)) yield* search(logs, chunk, options);
    return;
  }
  for (const stream of streams) {
    if (options.tail === undefined) {
      for await (const event of allEvents(reader, stream, options.since)) yield toLine(stream, event);
      continue;
    }
    const page = await reader.page(stream, { last: options.tail, since: options.since });
    for (const event of page?.events ?? []) yield toLine(stream, event);
  }
}

async function* search(
  reader: LogReader,
  chunk: readonly LogStream[],
  { search: pattern, since, tail }: ReadOptions,
): AsyncGenerator<LogLine> {
  // One name that is not there refuses the whole call: a container that never started has no stream.
  let places: readonly LogStream[] = chunk;
  let page = await reader.filter(places, { pattern, since });
  if (!page) {
    const there = await mapLimited(chunk, ASKING, (stream) => reader.exists(stream));
    places = chunk.filter((_, place) => there[place]);
    page = places.length > 0 ? await reader.filter(places, { pattern, since }) : undefined;
  }
  const found = new Map<string, LogEvent[]>(places.map(({ name }) => [name, []]));
  let held = 0;
  while (page) {
    for (const event of page.events) {
      const events = found.get(event.stream) ?? [];
      events.push(event);
      held += 1;
      if (tail !== undefined && events.length > tail) {
        events.shift();
        held -= 1;
      }
    }
    if (held > HELD && tail === undefined) {
      yield* linesOf(places, found);
      for (const events of found.values()) events.length = 0;
      held = 0;
    }
    page = page.token === undefined ? undefined : await reader.filter(places, { pattern, since, token: page.token });
  }
  yield* linesOf(places, found);
}

function* linesOf(streams: readonly LogStream[], found: ReadonlyMap<string, readonly LogEvent[]>): Generator<LogLine> {
  for (const stream of streams) for (const event of found.get(stream.name) ?? []) yield toLine(stream, event);
}
