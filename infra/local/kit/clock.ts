/**
 * The one clock of the stand-ins. It runs with real time plus an offset; `advance` moves it forward and fires what
 * has become due, so a test can let two days pass at once.
 *
 * @module
 */

/** Cancels a scheduled callback; calling it twice does nothing. */
export type Cancel = () => void;

interface Entry {
  at: number;
  run: () => void;
  timer?: NodeJS.Timeout;
}

/** setTimeout's longest delay (2^31 - 1 ms); a longer one would fire at once. */
const LONGEST_DELAY = 2_147_483_647;

export class Clock {
  #offset = 0;
  readonly #entries = new Set<Entry>();

  /** Milliseconds since the epoch, by this clock. */
  now(): number {
    return Date.now() + this.#offset;
  }

  date(): Date {
    return new Date(this.now());
  }

  /** Runs `run` once this clock shows `delayMs` later than now. Does not keep the process alive. */
  after(delayMs: number, run: () => void): Cancel {
    const entry: Entry = { at: this.now() + Math.max(0, delayMs), run };
    this.#entries.add(entry);
    this.#arm(entry);
    return () => {
      clearTimeout(entry.timer);
      this.#entries.delete(entry);
    };
  }

  /** Moves the clock forward by `ms` (>= 0) and fires everything due, in order of time. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`the clock only moves forward: ${ms} ms`);
    this.#offset += ms;
    const due = [...this.#entries].filter((entry) => entry.at <= this.now()).sort((a, b) => a.at - b.at);
    for (const entry of due) this.#fire(entry);
    for (const entry of this.#entries) this.#arm(entry);
  }

  #arm(entry: Entry): void {
    clearTimeout(entry.timer);
    const delay = entry.at - this.now();
    entry.timer = setTimeout(
      () => (entry.at <= this.now() ? this.#fire(entry) : this.#arm(entry)),
      Math.min(Math.max(0, delay), LONGEST_DELAY),
    );
    entry.timer.unref();
  }

  #fire(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    clearTimeout(entry.timer);
    entry.run();
  }
}
