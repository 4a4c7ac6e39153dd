/**
 * The operations on log lines: put, get by stream, filter over streams.
 *
 * @module
 */
import type { Clock } from '../../kit/clock.ts';
import type { JsonOperation } from '../../kit/json-protocol.ts';
import { FilterPatternError, type LineTest, parseFilterPattern } from './filter-pattern.ts';
import { groupName, invalid, type Json, requiredText, wholeNumber } from './input.ts';
import type { LogGroup, LogStore, LogStream } from './store.ts';
import { compareMarks, type Line, type Mark } from './stream-file.ts';

const MAX_EVENTS = 10_000;
const MAX_STREAM_NAMES = 100;
const MAX_BATCH_BYTES = 1_048_576;
/** What CloudWatch reckons for each line on top of its text. */
const LINE_OVERHEAD = 26;
/** Lines read from disk at a time while filtering. */
const READ_BLOCK = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export function lineOperations(store: LogStore, clock: Clock): Record<string, JsonOperation> {
  const subject = (input: Json) =>
    [input.logGroupName, input.logStreamName].filter((name) => name !== undefined).join(':');
  return {
    PutLogEvents: { subject, run: (input) => putLogEvents(store, clock, input) },
    GetLogEvents: { subject, run: (input) => getLogEvents(store, input) },
    FilterLogEvents: { subject, run: (input) => filterLogEvents(store, input) },
  };
}

function putLogEvents(store: LogStore, clock: Clock, input: Json): Json {
  const group = store.group(requiredText(input, 'logGroupName'));
  const stream = store.stream(group, requiredText(input, 'logStreamName'));
  const events = (input.logEvents ?? []) as { timestamp: number; message: string }[];
  if (events.length === 0 || events.length > MAX_EVENTS) {
    throw invalid(
      `1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length between 1 and ${MAX_EVENTS}`,
    );
  }
  let size = 0;
  for (const [index, { timestamp, message }] of events.entries()) {
    if (!Number.isInteger(timestamp) || timestamp < 0 || typeof message !== 'string' || message === '') {
      throw invalid(`Log event ${index} needs a timestamp of at least 0 and a message of at least one character.`);
    }
    if (timestamp < (events[index - 1]?.timestamp ?? 0)) {
      throw invalid('Log events in a single PutLogEvents request must be in chronological order.');
    }
    size += Buffer.byteLength(message) + LINE_OVERHEAD;
  }
  if (size > MAX_BATCH_BYTES) throw invalid(`Upload too large: ${size} bytes exceeds limit of ${MAX_BATCH_BYTES}`);
  const first = events[0]?.timestamp ?? 0;
  if ((events.at(-1)?.timestamp ?? 0) - first > DAY) {
    throw invalid('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.');
  }
  const now = clock.now();
  const tooOld = events.filter(({ timestamp }) => timestamp < now - 14 * DAY).length;
  const expired = events.filter(({ timestamp }) => timestamp < store.oldestKept(group)).length;
  const tooNew = events.findIndex(({ timestamp }) => timestamp > now + 2 * HOUR);
  const accepted = events.slice(Math.max(tooOld, expired), tooNew < 0 ? undefined : tooNew);
  if (accepted.length > 0) store.append(stream, accepted);
  const rejected = {
    ...(tooNew >= 0 && { tooNewLogEventStartIndex: tooNew }),
    ...(tooOld > 0 && { tooOldLogEventEndIndex: tooOld }),
    ...(expired > 0 && { expiredLogEventEndIndex: expired }),
  };
  return {
    nextSequenceToken: String(stream.file.summary().lines).padStart(56, '4'),
    ...(Object.keys(rejected).length > 0 && { rejectedLogEventsInfo: rejected }),
  };
}

function getLogEvents(store: LogStore, input: Json): Json {
  const group = store.group(groupName(input));
  const stream = store.stream(group, requiredText(input, 'logStreamName'));
  const limit = wholeNumber(input, 'limit', 1, MAX_EVENTS) ?? MAX_EVENTS;
  const { from, to } = timeRange(input);
  const marks = store.marks(group, stream, from, to);
  const token = input.nextToken === undefined ? undefined : parseToken(String(input.nextToken));
  const forward = token ? token.forward : input.startFromHead === true;
  // Forward: the lines behind the mark. Backward: the last ones before it. Either way given out oldest first.
  const reachable = token
    ? marks.filter((mark) => (forward ? compareMarks(mark, token.mark) > 0 : compareMarks(mark, token.mark) < 0))
    : marks;
  const lines = withinBytes(stream.file.read(forward ? reachable.slice(0, limit) : reachable.slice(-limit)), forward);
  const page = forward ? reachable.slice(0, lines.length) : reachable.slice(reachable.length - lines.length);
  // At the end the token stays what it was: that is how callers know they have everything.
  const rest = token?.mark ?? edge(reachable, forward);
  return {
    events: lines.map((line) => ({ timestamp: line.t, message: line.m, ingestionTime: line.i })),
    nextForwardToken: formatToken('f', page.at(-1) ?? rest),
    nextBackwardToken: formatToken('b', page[0] ?? rest),
  };
}

/** The place to go on from when the very first page is empty: nothing was passed over yet. */
function edge(marks: readonly Mark[], forward: boolean): Mark {
  return (forward ? marks[0] : marks.at(-1)) ?? { time: 0, arrival: -1 };
}

function filterLogEvents(store: LogStore, input: Json): Json {
  const group = store.group(groupName(input));
  const limit = wholeNumber(input, 'limit', 1, MAX_EVENTS) ?? MAX_EVENTS;
  // Unlike GetLogEvents, a line exactly at endTime belongs to the range.
  const { from, to } = timeRange(input);
  const test = filterTest(input.filterPattern);
  const streams = chosenStreams(store, group, input);
  const after = input.nextToken === undefined ? undefined : parseFilterToken(String(input.nextToken));
  const candidates = streams
    .flatMap((stream) => store.marks(group, stream, from, to + 1).map((mark) => ({ stream, mark })))
    .sort(compareCandidates)
    .filter((candidate) => !after || compareToPlace(candidate, after) > 0);
  const events: Json[] = [];
  let bytes = 0;
  let next: Json = {};
  for (const [index, { stream, mark, line }] of withLines(candidates)) {
    if (!test(line.m)) continue;
    bytes += Buffer.byteLength(line.m) + LINE_OVERHEAD;
    if (events.length > 0 && bytes > MAX_BATCH_BYTES) {
      next = filterToken(candidates[index - 1]);
      break;
    }
    events.push({
      logStreamName: stream.name,
      timestamp: line.t,
      message: line.m,
      ingestionTime: line.i,
      eventId: `${String(mark.time).padStart(20, '3')}${String(mark.arrival).padStart(16, '0')}${stream.file.number}`,
    });
    if (events.length === limit) {
      if (index + 1 < candidates.length) next = filterToken(candidates[index]);
      break;
    }
  }
  return { events, searchedLogStreams: [], ...next };
}

interface Candidate {
  stream: LogStream;
  mark: Mark;
}

interface PlaceInGroup extends Mark {
  stream: string;
}

/** The candidates with their text, read in blocks: a file is opened once a block, and no block is large. */
function* withLines(candidates: readonly Candidate[]): Iterable<[number, Candidate & { line: Line }]> {
  for (let start = 0; start < candidates.length; start += READ_BLOCK) {
    const block = candidates.slice(start, start + READ_BLOCK);
    const lines = new Map<Mark, Line>();
    for (const stream of new Set(block.map((candidate) => candidate.stream))) {
      const wanted = block.filter((candidate) => candidate.stream === stream).map(({ mark }) => mark);
      for (const [position, line] of stream.file.read(wanted).entries()) lines.set(wanted[position] as Mark, line);
    }
    for (const [position, candidate] of block.entries()) {
      yield [start + position, { ...candidate, line: lines.get(candidate.mark) as Line }];
    }
  }
}

function compareCandidates(one: Candidate, other: Candidate): number {
  return compareToPlace(one, { ...other.mark, stream: other.stream.name });
}

function compareToPlace({ stream, mark }: Candidate, place: PlaceInGroup): number {
  if (mark.time !== place.time) return mark.time - place.time;
  if (stream.name !== place.stream) return stream.name < place.stream ? -1 : 1;
  return mark.arrival - place.arrival;
}

function filterToken(candidate: Candidate | undefined): Json {
  if (!candidate) return {};
  const place: PlaceInGroup = {
    time: candidate.mark.time,
    arrival: candidate.mark.arrival,
    stream: candidate.stream.name,
  };
  return { nextToken: Buffer.from(JSON.stringify(place)).toString('base64url') };
}

function parseFilterToken(token: string): PlaceInGroup {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString()) as PlaceInGroup;
  } catch {
    throw invalid('The specified nextToken is invalid.');
  }
}

function chosenStreams(store: LogStore, group: LogGroup, input: Json): LogStream[] {
  const names = input.logStreamNames as string[] | undefined;
  const prefix = input.logStreamNamePrefix;
  if (names !== undefined && prefix !== undefined) {
    throw invalid('Cannot specify both logStreamNames and logStreamNamePrefix.');
  }
  if (names !== undefined && (names.length === 0 || names.length > MAX_STREAM_NAMES)) {
    throw invalid(
      `1 validation error detected: Value at 'logStreamNames' failed to satisfy constraint: Member must have length between 1 and ${MAX_STREAM_NAMES}`,
    );
  }
  if (names !== undefined) return names.map((name) => store.stream(group, name));
  return [...group.streams.values()].filter(({ name }) => name.startsWith(String(prefix ?? '')));
}

function filterTest(pattern: unknown): LineTest {
  try {
    return parseFilterPattern(String(pattern ?? ''));
  } catch (error) {
    if (!(error instanceof FilterPatternError)) throw error;
    throw invalid(`Invalid filter pattern: ${error.message}`);
  }
}

function timeRange(input: Json): { from: number; to: number } {
  return {
    from: wholeNumber(input, 'startTime', 0, Number.MAX_SAFE_INTEGER) ?? 0,
    to: wholeNumber(input, 'endTime', 0, Number.MAX_SAFE_INTEGER) ?? Number.POSITIVE_INFINITY,
  };
}

/** A page holds at most 1 MiB, and at least one line. */
function withinBytes(lines: Line[], fromStart: boolean): Line[] {
  let bytes = 0;
  let count = 0;
  while (count < lines.length) {
    const line = lines[fromStart ? count : lines.length - 1 - count] as Line;
    bytes += Buffer.byteLength(line.m) + LINE_OVERHEAD;
    if (count > 0 && bytes > MAX_BATCH_BYTES) break;
    count += 1;
  }
  return fromStart ? lines.slice(0, count) : lines.slice(lines.length - count);
}

function formatToken(direction: 'f' | 'b', mark: Mark): string {
  return `${direction}/${String(mark.time).padStart(20, '0')}.${mark.arrival}/s`;
}

function parseToken(token: string): { forward: boolean; mark: Mark } {
  const found = /^([fb])\/(\d{20})\.(-?\d+)\/s$/.exec(token);
  if (!found) throw invalid('The specified nextToken is invalid.');
  return { forward: found[1] === 'f', mark: { time: Number(found[2]), arrival: Number(found[3]) } };
}
