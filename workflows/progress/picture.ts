/**
 * Events to a picture, and events to fewer events. Pure: the store, the gateway, the console and the tests fold alike.
 *
 * @module
 */
import {
  type Change,
  type ItemCounts,
  isMergeable,
  LIMITS,
  type ProgressEvent,
  type RunFacts,
  type Snapshot,
  type StepView,
} from './model.ts';

/** A run as its events tell of it. Applying costs what the event holds, not what the run holds. */
export class RunPicture {
  readonly #steps = new Map<string, StepView>();
  readonly #weights = { all: 0, done: 0 };
  #view: Omit<Snapshot, 'steps'>;

  constructor(from: Snapshot) {
    const { steps, ...view } = from;
    this.#view = view;
    for (const step of steps) this.#put(step);
  }

  /** The picture before anything has been told. */
  static empty(run: string, facts: RunFacts, epoch: string, at: number): RunPicture {
    return new RunPicture({
      run,
      ...facts,
      epoch,
      seq: 0,
      attempt: 1,
      statuses: [],
      steps: [],
      startedAt: at,
      changedAt: at,
    });
  }

  get seq(): number {
    return this.#view.seq;
  }

  step(name: string): StepView | undefined {
    return this.#steps.get(name);
  }

  /**
   * Takes in the next event. One that has been taken in already changes nothing.
   * @returns whether it was new
   */
  apply(event: ProgressEvent): boolean {
    if (event.seq <= this.#view.seq) return false;
    const { begins, steps = [] } = event;
    const view = { ...this.#view, seq: event.seq, changedAt: Math.max(this.#view.changedAt, event.at) };
    if (begins) {
      this.#steps.clear();
      this.#weights.all = 0;
      this.#weights.done = 0;
      view.attempt = begins.attempt;
      for (const name of OF_AN_ATTEMPT) delete view[name];
    }
    setOrTake(view, event, 'waitingFor');
    setOrTake(view, event, 'message');
    setOrTake(view, event, 'etaAt');
    setOrTake(view, event, 'error');
    if (event.status !== undefined) {
      view.status = event.status;
      // Another status waits for nothing, unless it says so itself.
      if (event.waitingFor === undefined) delete view.waitingFor;
      const reached = { status: event.status, at: event.at, attempt: view.attempt };
      const waiting = view.waitingFor === undefined ? reached : { ...reached, waitingFor: view.waitingFor };
      view.statuses = [...view.statuses, waiting].slice(-LIMITS.statuses);
    }
    if (event.counts) view.counts = { ...view.counts, ...event.counts };
    if (event.cost) view.cost = event.cost;
    for (const step of steps) this.#put(step);
    if (event.percent !== undefined) view.percent = event.percent;
    else if (steps.length > 0 && this.#weights.all > 0) view.percent = (100 * this.#weights.done) / this.#weights.all;
    if (event.kind === 'end') view.endedAt = event.at;
    // A run of the same id and attempt that was started again.
    else if (event.kind === 'status') delete view.endedAt;
    this.#view = view;
    return true;
  }

  snapshot(): Snapshot {
    return { ...this.#view, steps: [...this.#steps.values()] };
  }

  #put(step: StepView): void {
    const before = this.#steps.get(step.name);
    if (before) this.#weigh(before, -1);
    this.#steps.set(step.name, withPlace(step, before));
    this.#weigh(step, 1);
  }

  #weigh(step: StepView, sign: 1 | -1): void {
    const weight = step.weight ?? 1;
    this.#weights.all += sign * weight;
    this.#weights.done += (sign * weight * stepPercent(step)) / 100;
  }
}

const OF_AN_ATTEMPT = ['waitingFor', 'message', 'etaAt', 'error', 'percent', 'endedAt', 'counts'] as const;

function setOrTake<Name extends 'waitingFor' | 'message' | 'etaAt' | 'error'>(
  view: Omit<Snapshot, 'steps'>,
  change: Change,
  name: Name,
): void {
  const value = change[name];
  if (value === undefined) return;
  if (value === null) delete view[name];
  else view[name] = value as NonNullable<Omit<Snapshot, 'steps'>[Name]>;
}

/** 0 to 100: what a step says itself, or its items. */
export function stepPercent(step: Pick<StepView, 'state' | 'percent' | 'items'>): number {
  if (step.state === 'SUCCEEDED') return 100;
  if (step.percent !== undefined) return Math.min(100, Math.max(0, step.percent));
  return step.items ? itemsPercent(step.items) : 0;
}

const itemsPercent = ({ total, succeeded, failed }: ItemCounts): number =>
  total > 0 ? Math.min(100, (100 * (succeeded + failed)) / total) : 0;

/**
 * As few events as say the same: runs of mergeable ones become one, which says how many they were. Order stays.
 * @param events consecutive, in order
 */
export function mergeEvents(events: readonly ProgressEvent[]): ProgressEvent[] {
  const merged: ProgressEvent[] = [];
  for (const event of events) {
    const last = merged.at(-1);
    if (last && mayMerge(last) && mayMerge(event)) merged[merged.length - 1] = mergeTwo(last, event);
    else merged.push(event);
  }
  return merged;
}

/** What is not only about how far it is stays an event of its own, of whichever kind. */
export const mayMerge = ({ kind, begins, status, data }: Pick<ProgressEvent, 'kind'> & Change): boolean =>
  isMergeable(kind) && begins === undefined && status === undefined && data === undefined;

const mergeTwo = (earlier: ProgressEvent, later: ProgressEvent): ProgressEvent => ({
  ...mergeChanges(earlier, later),
  merged: (earlier.merged ?? 1) + (later.merged ?? 1),
});

/** What two changes that follow one another come to; what is no part of a change is the later one's. */
export function mergeChanges<Of extends Change>(earlier: Of, later: Of): Of {
  const steps = new Map((earlier.steps ?? []).map((step) => [step.name, step]));
  for (const step of later.steps ?? []) steps.set(step.name, withPlace(step, steps.get(step.name)));
  // A percent said before later steps were told of is outdated by them.
  const { percent: outdated, ...before } = earlier;
  return {
    ...before,
    ...(outdated !== undefined && !later.steps?.length && { percent: outdated }),
    ...later,
    ...(steps.size > 0 && { steps: [...steps.values()] }),
    ...((earlier.counts || later.counts) && { counts: { ...earlier.counts, ...later.counts } }),
  };
}

/** A step told of without its place in the plan keeps it. */
export const withPlace = (step: StepView, before: StepView | undefined): StepView =>
  before?.after && !step.after ? { ...step, after: before.after } : step;
