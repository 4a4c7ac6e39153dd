/**
 * A run as it was at any moment: its events, folded in advance up to every so-many-th, so that going anywhere costs the
 * few events from there on.
 *
 * @module
 */
import type { ProgressEvent, Snapshot } from '../../../../workflows/progress/model.ts';
import { RunPicture } from '../../../../workflows/progress/picture.ts';

/** Events between two checkpoints. */
const EVERY = 250;

export type MarkKind = 'status' | 'error' | 'attempt' | 'end';

/** What is worth going to. */
export interface Mark {
  kind: MarkKind;
  /** Epoch ms. */
  at: number;
  /** How many events are told of then, with its own. */
  index: number;
  label: string;
}

export interface History {
  /** Events there are. */
  readonly length: number;
  /** Epoch ms: what {@link at} knows begins and ends here. */
  readonly from: number;
  readonly to: number;
  readonly marks: readonly Mark[];
  /** How many events had been told of at a moment. */
  indexAt(time: number): number;
  /** Epoch ms: when so many had been told of; `from` for none. */
  timeOf(index: number): number;
  /** The picture at a moment. */
  at(time: number): Snapshot;
  /** The picture of so many events. */
  after(index: number): Snapshot;
  /** With later events: those there are already are passed over. This one stays as it is. */
  with(events: readonly ProgressEvent[]): History;
}

/** The picture of the same run before anything was told. */
export function beginningOf({ run, domain, consumer, owner, parent, epoch, startedAt }: Snapshot): Snapshot {
  const facts = {
    domain,
    ...(consumer !== undefined && { consumer }),
    ...(owner !== undefined && { owner }),
    ...(parent !== undefined && { parent }),
  };
  return RunPicture.empty(run, facts, epoch, startedAt).snapshot();
}

/**
 * @param events of one log, in order; those that `base` has told of already are passed over
 * @param base the picture before them: of a gap, or {@link beginningOf}. Without it names are not known.
 */
export function createHistory(events: readonly ProgressEvent[], base?: Snapshot): History {
  const start = base ?? RunPicture.empty('', { domain: '' }, '', events[0]?.at ?? 0).snapshot();
  return extend({ start, events: [], times: [], checkpoints: [start], marks: [] }, events);
}

interface Folded {
  start: Snapshot;
  events: readonly ProgressEvent[];
  /** Of each event: the latest time said by it or one before it, so that later events are never earlier. */
  times: readonly number[];
  /** After 0, {@link EVERY}, 2 * {@link EVERY}… events. */
  checkpoints: readonly Snapshot[];
  marks: readonly Mark[];
}

function extend(known: Folded, more: readonly ProgressEvent[]): History {
  const events = [...known.events];
  const times = [...known.times];
  const checkpoints = [...known.checkpoints];
  const marks = [...known.marks];
  const picture = new RunPicture(checkpoints.at(-1) as Snapshot);
  for (const event of events.slice((checkpoints.length - 1) * EVERY)) picture.apply(event);
  for (const event of more) {
    if (!picture.apply(event)) continue;
    events.push(event);
    const time = Math.max(times.at(-1) ?? known.start.startedAt, event.at);
    times.push(time);
    const mark = markOf(event);
    if (mark) marks.push({ ...mark, at: time, index: events.length });
    if (events.length % EVERY === 0) checkpoints.push(picture.snapshot());
  }
  return historyOf({ start: known.start, events, times, checkpoints, marks });
}

function markOf(event: ProgressEvent): Pick<Mark, 'kind' | 'label'> | undefined {
  if (event.begins) return { kind: 'attempt', label: `attempt ${event.begins.attempt} begins` };
  if (event.kind === 'end') return { kind: 'end', label: event.status ?? 'end' };
  if (event.error) return { kind: 'error', label: `${event.error.type}: ${event.error.message}` };
  return event.status === undefined ? undefined : { kind: 'status', label: event.status };
}

function historyOf(folded: Folded): History {
  const { start, events, times, checkpoints, marks } = folded;
  /** Where somebody is, most likely goes on from there. */
  let last: { index: number; snapshot: Snapshot } = { index: 0, snapshot: start };

  const after = (wanted: number): Snapshot => {
    const index = Math.max(0, Math.min(events.length, Math.floor(wanted)));
    if (index === last.index) return last.snapshot;
    const place = Math.floor(index / EVERY);
    const near = last.index < index && last.index > place * EVERY;
    const from = near ? last.index : place * EVERY;
    const picture = new RunPicture(near ? last.snapshot : (checkpoints[place] as Snapshot));
    for (const event of events.slice(from, index)) picture.apply(event);
    last = { index, snapshot: picture.snapshot() };
    return last.snapshot;
  };
  const indexAt = (time: number): number => countUpTo(times, time);
  return {
    length: events.length,
    from: Math.min(start.startedAt, times[0] ?? start.startedAt),
    to: times.at(-1) ?? start.changedAt,
    marks,
    indexAt,
    timeOf: (index) => (index <= 0 ? start.startedAt : (times[Math.min(index, times.length) - 1] ?? start.startedAt)),
    after,
    at: (time) => after(indexAt(time)),
    with: (more) => extend(folded, more),
  };
}

/** How many of the sorted are not above the limit. */
function countUpTo(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
