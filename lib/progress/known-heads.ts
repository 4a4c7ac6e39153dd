/**
 * Heads of logs as this process saw them last, so that an append needs no reading first: whether it is still so is the
 * condition it is written on. Bounded; the run that was used longest ago goes first.
 *
 * @module
 */
import type { StoredHead } from '../store/progress-table.ts';
import type { Plan, View } from './reckon.ts';

const RUNS = 2_000;
/** Names of steps, of all runs. */
const NAMES = 200_000;
/** A head that is believed for too long would refuse reports for a log that has been deleted meanwhile, ms. */
const BELIEVED_MS = 60_000;

interface Known {
  stored: StoredHead;
  at: number;
  names: Set<string>;
  /** These are all steps there are. */
  counted: boolean;
}

const NOBODY: { names: ReadonlySet<string>; counted: boolean } = { names: new Set(), counted: false };

export class KnownHeads {
  readonly #runs = new Map<string, Known>();
  #names = 0;

  get(run: string, now: number): StoredHead | undefined {
    const known = this.#runs.get(run);
    return known && now - known.at < BELIEVED_MS ? known.stored : undefined;
  }

  /** Steps of the attempt that are known to be there. */
  names(run: string, view: View): { names: ReadonlySet<string>; counted: boolean } {
    const known = this.#runs.get(run);
    return known && isSame(known.stored.head.view, view) ? known : NOBODY;
  }

  /** A head as it was read: others may have told of steps meanwhile. */
  found(run: string, stored: StoredHead, now: number): void {
    const known = this.#runs.get(run);
    const keeps = known && isSame(known.stored.head.view, stored.head.view);
    const unchanged = keeps && known.stored.head.view.seq === stored.head.view.seq;
    this.#put(run, {
      stored,
      at: now,
      names: keeps ? known.names : new Set(),
      counted: unchanged ? known.counted : false,
    });
  }

  count(run: string, view: View, names: Set<string>): void {
    const known = this.#runs.get(run);
    if (known && isSame(known.stored.head.view, view)) this.#put(run, { ...known, names, counted: true });
  }

  wrote(run: string, stored: StoredHead, { steps }: Plan, now: number): void {
    const { attempt } = stored.head.view;
    const known = this.#runs.get(run);
    const keeps = known && isSame(known.stored.head.view, stored.head.view);
    this.forget(run);
    const names = keeps ? known.names : new Set<string>();
    for (const write of steps) if (write.attempt === attempt) names.add(write.step.name);
    this.#put(run, { stored, at: now, names, counted: keeps === true && known.counted });
  }

  forget(run: string): void {
    const known = this.#runs.get(run);
    if (!known) return;
    this.#names -= known.names.size;
    this.#runs.delete(run);
  }

  #put(run: string, known: Known): void {
    this.forget(run);
    this.#runs.set(run, known);
    this.#names += known.names.size;
    for (const oldest of this.#runs.keys()) {
      if (oldest === run || (this.#runs.size <= RUNS && this.#names <= NAMES)) return;
      this.forget(oldest);
    }
  }
}

const isSame = (a: View, b: View): boolean => a.epoch === b.epoch && a.attempt === b.attempt;
