/**
 * What is due when, for a million things: a heap. A thing may stand in it several times; who takes it looks what counts.
 *
 * @module
 */
interface Due<T> {
  at: number;
  what: T;
}

export class DueTimes<T> {
  readonly #heap: Due<T>[] = [];

  /** Milliseconds since the epoch of the first; undefined when nothing is due ever. */
  next(): number | undefined {
    return this.#heap[0]?.at;
  }

  add(at: number, what: T): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push({ at, what });
    while (place > 0) {
      const above = (place - 1) >> 1;
      if ((heap[above] as Due<T>).at <= at) break;
      swap(heap, place, above);
      place = above;
    }
  }

  /** Everything due until then, earliest first. */
  *take(now: number): Generator<T> {
    for (;;) {
      const [first] = this.#heap;
      if (!first || first.at > now) return;
      this.#removeFirst();
      yield first.what;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Due<T>;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let place = 0; ; ) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      let least = place;
      for (const below of [left, right])
        if (below < heap.length && (heap[below] as Due<T>).at < (heap[least] as Due<T>).at) least = below;
      if (least === place) return;
      swap(heap, place, least);
      place = least;
    }
  }
}

function swap<T>(heap: Due<T>[], one: number, other: number): void {
  [heap[one], heap[other]] = [heap[other] as Due<T>, heap[one] as Due<T>];
}
