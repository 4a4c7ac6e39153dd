/**
 * All events of a run, and the picture of it at any moment. Pure.
 *
 * @module
 */
import type { ProgressEvent, RunFacts, Snapshot } from '../../../workflows/progress/model.ts';
import { RunPicture } from '../../../workflows/progress/picture.ts';

/** Events between two pictures that are kept: so many at most are folded to reach a moment. */
const EVERY = 256;

export class Recording {
  readonly #events: ProgressEvent[] = [];
  /** When each event was the newest: sources have clocks of their own, so their times may go back a little. */
  readonly #times: number[] = [];
  /** Before the events 0, {@link EVERY}, … */
  readonly #kept: Snapshot[];
  readonly #tip: RunPicture;

  /** @param first the picture before the first event */
  constructor(first: Snapshot) {
    this.#kept = [first];
    this.#tip = new RunPicture(first);
  }

  /** Of a log that is kept from its beginning. */
  static fromStart(run: string, facts: RunFacts, epoch: string, startedAt: number): Recording {
    return new Recording(RunPicture.empty(run, facts, epoch, startedAt).snapshot());
  }

  /** Takes in what comes next; what it has is left alone. */
  add(events: readonly ProgressEvent[]): void {
    for (const event of events) {
      if (event.seq <= this.seq) continue;
      if (this.#events.length > 0 && this.#events.length % EVERY === 0) this.#kept.push(this.#tip.snapshot());
      this.#tip.apply(event);
      this.#events.push(event);
      this.#times.push(Math.max(event.at, this.#times.at(-1) ?? event.at));
    }
  }

  get seq(): number {
    return this.#tip.seq;
  }

  get events(): readonly ProgressEvent[] {
    return this.#events;
  }

  /** Epoch ms. */
  get from(): number {
    return Math.min(this.#kept[0]?.startedAt ?? 0, this.#times[0] ?? Number.POSITIVE_INFINITY);
  }

  get to(): number {
    return this.#times.at(-1) ?? this.from;
  }

  /** How many events had been told by then. */
  countAt(at: number): number {
    let [low, high] = [0, this.#times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#times[middle] ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The picture as it was at a moment (epoch ms). */
  at(moment: number): Snapshot {
    const count = this.countAt(moment);
    const nearest = Math.min(Math.floor(count / EVERY), this.#kept.length - 1);
    const picture = new RunPicture(this.#kept[nearest] ?? this.#tip.snapshot());
    for (const event of this.#events.slice(nearest * EVERY, count)) picture.apply(event);
    return picture.snapshot();
  }
}
