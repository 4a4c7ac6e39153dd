/**
 * What reports make of a log, reckoned from its head: which of them are new, which events and steps are written, what the
 * head is then. Pure; `lib/store/progress.ts` writes it in one transaction.
 *
 * @module
 */
import type { ProgressEvent, Report, RunFacts, Snapshot, StepView } from '../../workflows/progress/model.ts';
import { LIMITS } from '../../workflows/progress/model.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';
import { bytesOf } from './report.ts';

/** What a source has said last: nothing older is taken. */
export type Fence = readonly [attempt: number, localSeq: number];

/** The picture without its steps; `percent` is the one that was said last. */
export type View = Omit<Snapshot, 'steps'>;

export interface Head {
  view: View;
  /** Of the oldest event that is kept. */
  first: number;
  /** Epoch ms: when this log was begun. */
  begunAt: number;
  /** Since the percent was said steps were told of: it follows from their weights. */
  bySteps: boolean;
  /** Steps of the present attempt, at most: those of whom it is not known whether they are new count as new. */
  steps: number;
  /** By source, the one heard of longest ago first. */
  fences: readonly (readonly [source: string, fence: Fence])[];
  /** Epoch ms: the steps were given their time to live again. */
  renewedAt: number;
}

export interface StoredEvent extends ProgressEvent {
  localSeq: number;
}

export interface StepWrite {
  attempt: number;
  step: StepView;
  /** Of the event that says it. */
  seq: number;
  /** By which steps are put in order: of the event and the place where it was told of first. */
  order: number;
}

/** One transaction. */
export interface Plan {
  head: Head;
  events: StoredEvent[];
  steps: StepWrite[];
  /** Sequences of events that are kept no more. */
  drops: number[];
}

export interface Bounds {
  /** Events a log keeps. */
  events: number;
  /** Steps of an attempt. */
  steps: number;
  /** Sources that are remembered. */
  sources: number;
  /** Names of counts of a run. */
  counts: number;
}

export const BOUNDS: Bounds = { events: LIMITS.events, steps: LIMITS.steps, sources: 500, counts: 200 };

/** Of a transaction; DynamoDB allows 100 and 4 MB. */
const ACTIONS = 100;
const BYTES = 3_000_000;
/** Steps a report may tell of, to number them within an event. */
const WITHIN = 64;

/** What is first told of after an event has this order, or a higher one. */
export const orderAfter = (seq: number): number => (seq + 1) * WITHIN;

export interface Reckoned {
  /** Absent when none was new. */
  plan?: Plan;
  /** Reports that are dealt with; the others are for the next transaction. */
  done: number;
  refused: number;
  /** Steps and counts that were left out since the run tells of too many. */
  leftOut: number;
  /** Steps that may be too many: count them, then reckon anew. Nothing else is said then. */
  recount?: true;
}

/**
 * @param names steps of the present attempt that are known to be there
 * @param counted whether these are all of them
 */
export function reckon(
  before: Head,
  reports: readonly Report[],
  names: ReadonlySet<string>,
  counted: boolean,
  bounds: Bounds = BOUNDS,
): Reckoned {
  const work = new Work(before, names, bounds);
  for (const [index, report] of reports.entries()) {
    if (isOld(work.fences.get(report.source.name), report)) {
      work.refused += 1;
      continue;
    }
    if (!work.hasRoom(report)) return work.result(index);
    if (!work.take(report) && !counted && !work.begun) return { done: 0, refused: 0, leftOut: 0, recount: true };
  }
  return work.result(reports.length);
}

/** The head of a log in which nothing stands yet. */
export function emptyHead(run: string, facts: RunFacts, epoch: string, at: number, now: number): Head {
  const { steps: _none, ...view } = RunPicture.empty(run, facts, epoch, at).snapshot();
  return { view, first: 1, begunAt: now, bySteps: false, steps: 0, fences: [], renewedAt: now };
}

/** What was not known when the log was begun is filled in; what is known never changes. */
export function fillIn(view: View, { consumer, owner, parent }: RunFacts): View {
  return {
    ...view,
    ...(view.consumer === undefined && consumer !== undefined && { consumer }),
    ...(view.owner === undefined && owner !== undefined && { owner }),
    ...(view.parent === undefined && parent !== undefined && { parent }),
  };
}

const isOld = (fence: Fence | undefined, { source, localSeq }: Report): boolean =>
  fence !== undefined && (source.attempt < fence[0] || (source.attempt === fence[0] && localSeq <= fence[1]));

/** A transaction in the making. */
class Work {
  readonly fences: Map<string, Fence>;
  refused = 0;
  /** A new attempt begins in it: its steps are all known. */
  begun = false;
  #leftOut = 0;
  #bytes = 0;
  #view: View;
  #bySteps: boolean;
  #count: number;
  #told = new Set<string>();
  readonly #first: number;
  readonly #bounds: Bounds;
  readonly #before: Head;
  #names: ReadonlySet<string>;
  readonly #events: StoredEvent[] = [];
  readonly #steps = new Map<string, StepWrite>();

  constructor(before: Head, names: ReadonlySet<string>, bounds: Bounds) {
    this.#before = before;
    this.#names = names;
    this.#bounds = bounds;
    this.#view = before.view;
    this.#first = before.first;
    this.#bySteps = before.bySteps;
    this.#count = before.steps;
    this.fences = new Map(before.fences);
  }

  hasRoom(report: Report): boolean {
    this.#bytes += bytesOf(report);
    // The head, and of each event itself and one that is dropped for it.
    const actions = 1 + 2 * (this.#events.length + 1) + this.#steps.size + (report.steps?.length ?? 0);
    return this.#events.length === 0 || (actions <= ACTIONS && this.#bytes <= BYTES);
  }

  /** @returns false where steps were left out */
  take(report: Report): boolean {
    const { localSeq, begins, steps, counts, ...said } = report;
    const { source } = report;
    // An attempt begins once.
    const next = begins && begins.attempt > this.#view.attempt ? begins : undefined;
    if (next) {
      this.begun = true;
      this.#names = new Set();
      this.#told = new Set();
      this.#count = 0;
      this.#bySteps = false;
    }
    const kept = steps?.filter((step) => this.#admit(step.name));
    const keptCounts = counts && this.#admitCounts(counts, next !== undefined);
    const event: StoredEvent = {
      ...said,
      seq: this.#view.seq + 1,
      localSeq,
      ...(next && { begins: next }),
      ...(kept && kept.length > 0 && { steps: kept }),
      ...(keptCounts && { counts: keptCounts }),
    };
    this.#fold(event);
    this.#events.push(event);
    for (const [index, step] of (event.steps ?? []).entries()) this.#write(step, event.seq, index);
    this.fences.delete(source.name);
    this.fences.set(source.name, [source.attempt, localSeq]);
    return (kept?.length ?? 0) === (steps?.length ?? 0);
  }

  result(done: number): Reckoned {
    const { refused } = this;
    if (this.#events.length === 0) return { done, refused, leftOut: 0 };
    const last = this.#view.seq;
    // Those that came before may be more than one for each: after a bound was lowered.
    const overdue = Math.max(0, last - this.#bounds.events - this.#first + 1);
    const free = ACTIONS - 1 - this.#events.length - this.#steps.size;
    // What is written here cannot be deleted here.
    const earlier = this.#before.view.seq - this.#first + 1;
    const drops = Array.from({ length: Math.min(overdue, free, earlier) }, (_, index) => this.#first + index);
    this.#forget();
    const head: Head = {
      view: this.#view,
      first: this.#first + drops.length,
      begunAt: this.#before.begunAt,
      bySteps: this.#bySteps,
      steps: this.#count,
      fences: [...this.fences],
      renewedAt: this.#before.renewedAt,
    };
    const plan: Plan = { head, events: this.#events, steps: [...this.#steps.values()], drops };
    return { plan, done, refused, leftOut: this.#leftOut };
  }

  #fold(event: ProgressEvent): void {
    const { steps, ...scalars } = event;
    // Without steps: the percent that follows from them is reckoned by who reads them.
    const picture = new RunPicture({ ...this.#view, steps: [] });
    picture.apply(scalars);
    const { steps: _none, ...view } = picture.snapshot();
    this.#view = view;
    if (event.percent !== undefined) this.#bySteps = false;
    else if (steps) this.#bySteps = true;
  }

  #write(step: StepView, seq: number, index: number): void {
    const { attempt } = this.#view;
    const key = `${attempt} ${step.name}`;
    const earlier = this.#steps.get(key);
    const after = step.after ?? earlier?.step.after;
    this.#steps.set(key, {
      attempt,
      step: after ? { ...step, after } : step,
      seq,
      order: earlier?.order ?? seq * WITHIN + index,
    });
  }

  #admit(name: string): boolean {
    if (this.#told.has(name) || this.#names.has(name)) return true;
    if (this.#count >= this.#bounds.steps) {
      this.#leftOut += 1;
      return false;
    }
    this.#count += 1;
    this.#told.add(name);
    return true;
  }

  #admitCounts(counts: Readonly<Record<string, number>>, anew: boolean): Readonly<Record<string, number>> {
    const there = new Set(Object.keys((anew ? undefined : this.#view.counts) ?? {}));
    const kept = Object.entries(counts).filter(([name]) => {
      if (there.has(name)) return true;
      if (there.size >= this.#bounds.counts) {
        this.#leftOut += 1;
        return false;
      }
      there.add(name);
      return true;
    });
    return Object.fromEntries(kept);
  }

  /**
   * Forgets the sources heard of longest ago. What one of those says again, or an older attempt of it still says, is taken
   * for new: so many sources at a time are more than a run should have.
   */
  #forget(): void {
    for (const name of this.fences.keys()) {
      if (this.fences.size <= this.#bounds.sources) return;
      if (name !== MAIN_SOURCE) this.fences.delete(name);
    }
  }
}

/** Of the workflow itself: never forgotten. */
const MAIN_SOURCE = 'workflow';
