/**
 * What a watcher has seen of a numbered series, so that "exactly once and in order" is counted and not believed.
 *
 * @module
 */

export interface Tally {
  /** Told for the first time; of a merged event all it stands for. */
  delivered: number;
  lost: number;
  duplicated: number;
  outOfOrder: number;
  /** Told as part of a later one, because the watcher was slow; within `delivered`. */
  merged: number;
}

export const noTally = (): Tally => ({ delivered: 0, lost: 0, duplicated: 0, outOfOrder: 0, merged: 0 });

export function addTally(sum: Tally, more: Tally): Tally {
  return {
    delivered: sum.delivered + more.delivered,
    lost: sum.lost + more.lost,
    duplicated: sum.duplicated + more.duplicated,
    outOfOrder: sum.outOfOrder + more.outOfOrder,
    merged: sum.merged + more.merged,
  };
}

export class Seen {
  #seen = new Uint8Array(256);
  #last = 0;
  readonly #tally = noTally();

  /** The highest number seen. */
  get last(): number {
    return this.#last;
  }

  /**
   * @param n from 1
   * @param stands how many it stands for: n itself and those right before it
   * @returns whether it was new
   */
  take(n: number, stands = 1): boolean {
    if (n >= this.#seen.length) {
      const more = new Uint8Array(2 * n);
      more.set(this.#seen);
      this.#seen = more;
    }
    const isNew = this.#seen[n] === 0;
    // A late one fills a hole; a repeat fills none.
    if (isNew && n < this.#last) this.#tally.outOfOrder += 1;
    for (let number = n - stands + 1; number <= n; number += 1) {
      if (this.#seen[number]) this.#tally.duplicated += 1;
      else {
        this.#seen[number] = 1;
        this.#tally.delivered += 1;
        if (number < n) this.#tally.merged += 1;
      }
    }
    this.#last = Math.max(this.#last, n);
    return isNew;
  }

  /** @param upTo the last number that was told */
  tally(upTo: number): Tally {
    let lost = 0;
    for (let n = 1; n <= upTo; n += 1) if (!this.#seen[n]) lost += 1;
    return { ...this.#tally, lost };
  }
}
