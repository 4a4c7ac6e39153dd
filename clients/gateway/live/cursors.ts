/**
 * How far users have acknowledged. Acknowledgements of a run are merged and written at most once a second, and when a
 * connection ends; what is not written yet is known here already, and what another gateway has written counts too.
 *
 * @module
 */
import type { Logger } from 'pino';
import { mapLimited } from '../../../lib/concurrency.ts';
import type { SessionsStore, SessionUser } from '../../../lib/store/sessions.ts';
import type { Position } from '../../../workflows/progress/model.ts';

const WRITES_AT_A_TIME = 16;

interface Moved {
  user: SessionUser;
  run: string;
  position: Position;
}

export class Cursors {
  readonly #store: Pick<SessionsStore, 'cursor' | 'moveCursor'>;
  readonly #log: Logger;
  readonly #moved = new Map<string, Moved>();
  #writing: Promise<void> | undefined;
  #writingAgain: Promise<void> | undefined;
  #failing = false;

  constructor(store: Pick<SessionsStore, 'cursor' | 'moveCursor'>, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** @returns whether it was merged into one that waits to be written */
  move(user: SessionUser, run: string, position: Position): boolean {
    const key = keyOf(user, run);
    const waiting = this.#moved.get(key);
    if (waiting?.position.epoch === position.epoch && waiting.position.seq >= position.seq) return true;
    this.#moved.set(key, { user, run, position });
    return waiting !== undefined;
  }

  async get(user: SessionUser, run: string): Promise<Position | undefined> {
    const key = keyOf(user, run);
    const before = this.#moved.get(key)?.position;
    let stored: Position | undefined;
    try {
      stored = await this.#store.cursor(user, run);
    } catch (error) {
      if (!before) throw error;
    }
    // Taken before it was read: it may have been written and forgotten meanwhile.
    const here = this.#moved.get(key)?.position ?? before;
    if (!here || !stored || here.epoch !== stored.epoch) return here ?? stored;
    return here.seq > stored.seq ? here : stored;
  }

  /** Writes what has moved until now; what cannot be written is kept for the next time. */
  flush(): Promise<void> {
    if (this.#writing) {
      const writing = this.#writing;
      this.#writingAgain ??= writing.then(() => {
        this.#writingAgain = undefined;
        return this.flush();
      });
      return this.#writingAgain;
    }
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    await mapLimited([...this.#moved], WRITES_AT_A_TIME, async ([key, moved]) => {
      try {
        await this.#store.moveCursor(moved.user, moved.run, moved.position);
        this.#failing = false;
      } catch (error) {
        if (!this.#failing) this.#log.warn({ error: (error as Error).name }, 'cursors cannot be written now');
        this.#failing = true;
        return;
      }
      if (this.#moved.get(key) === moved) this.#moved.delete(key);
    });
  }
}

const keyOf = ({ userId, subject }: SessionUser, run: string): string => JSON.stringify([userId, subject, run]);
