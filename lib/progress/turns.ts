/**
 * One at a time by name, in the order they came.
 *
 * @module
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const mine = before ? before.then(work) : work();
    // What one threw is not the next one's business.
    const done = mine.then(
      () => {},
      () => {},
    );
    this.#last.set(name, done);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === done) this.#last.delete(name);
    }
  }
}
