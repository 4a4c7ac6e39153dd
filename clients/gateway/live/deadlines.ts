/**
 * Things to do at a time, for thousands, by one timer that ticks every second.
 *
 * @module
 */
export class Deadlines {
  readonly #buckets = new Map<number, Set<() => void>>();
  #done: number;

  /** @param now epoch ms */
  constructor(now: number) {
    this.#done = Math.floor(now / 1000);
  }

  /** @returns takes it back */
  at(ms: number, run: () => void): () => void {
    const second = Math.max(Math.ceil(ms / 1000), this.#done + 1);
    const bucket = this.#buckets.get(second) ?? new Set();
    bucket.add(run);
    this.#buckets.set(second, bucket);
    return () => {
      bucket.delete(run);
      if (bucket.size === 0 && this.#buckets.get(second) === bucket) this.#buckets.delete(second);
    };
  }

  /** Also what was missed, when ticks came late. */
  tick(now: number): void {
    const until = Math.floor(now / 1000);
    const due = [...this.#buckets.keys()].filter((second) => second <= until).sort((a, b) => a - b);
    this.#done = Math.max(this.#done, until);
    for (const second of due) {
      const bucket = this.#buckets.get(second) ?? [];
      this.#buckets.delete(second);
      for (const run of bucket) run();
    }
  }
}
