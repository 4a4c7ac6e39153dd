/**
 * How far users have acknowledged. Acknowledgements of a run are merged and written every five seconds, and when the user's
 * connection ends: written sooner, those of a few hundred watchers keep the table busier than what is told to them. What is
 * not written yet is known here already, and what another gateway has written counts too; a gateway that dies forgets those
 * seconds, and who comes back without a position of its own sees them again.
 *
 * @module
 */
import type { Logger } from 'pino';
import { mapLimited } from '../../../lib/concurrency.ts';
import type { SessionsStore, SessionUser } from '../../../lib/store/sessions.ts';
import type { Position } from '../../../workflows/progress/model.ts';

const WRITES_AT_A_TIME = 16;
const REST_MS = 5_000;

interface Moved {
  user: SessionUser;
  run: string;
  position: Position;
  /** Epoch ms: since when something waits to be written. */
  since: number;
  writing?: Promise<void>;
}

export class Cursors {
  readonly #store: Pick<SessionsStore, 'cursor' | 'moveCursor'>;
  readonly #log: Logger;
  readonly #moved = new Map<string, Moved>();
  readonly #now: () => number;
  #failing = false;

  constructor(store: Pick<SessionsStore, 'cursor' | 'moveCursor'>, log: Logger, now: () => number = Date.now) {
    this.#store = store;
    this.#log = log;
    this.#now = now;
  }

  /** @returns whether it was merged into one that waits to be written */
  move(user: SessionUser, run: string, position: Position): boolean {
    const key = keyOf(user, run);
    const waiting = this.#moved.get(key);
    if (waiting?.position.epoch === position.epoch && waiting.position.seq >= position.seq) return true;
    const since = waiting && !waiting.writing ? waiting.since : this.#now();
    this.#moved.set(key, { user, run, position, since });
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

  /** Writes what has waited for long enough; what cannot be written is kept for the next time. */
  tick(): Promise<void> {
    const due = this.#now() - REST_MS;
    return this.#write(({ since }) => since <= due);
  }

  /** Writes what has moved until now, of a user or of all. */
  flush(of?: SessionUser): Promise<void> {
    return this.#write(({ user }) => !of || (user.userId === of.userId && user.subject === of.subject));
  }

  async #write(which: (moved: Moved) => boolean): Promise<void> {
    const moved = [...this.#moved].filter(([, one]) => which(one));
    await mapLimited(moved, WRITES_AT_A_TIME, ([key, one]) => {
      one.writing ??= this.#writeOne(key, one);
      return one.writing;
    });
  }

  async #writeOne(key: string, moved: Moved): Promise<void> {
    try {
      // Of two at the same time the later position stays.
      await this.#store.moveCursor(moved.user, moved.run, moved.position);
      this.#failing = false;
      if (this.#moved.get(key) === moved) this.#moved.delete(key);
    } catch (error) {
      if (!this.#failing) this.#log.warn({ error: (error as Error).name }, 'cursors cannot be written now');
      this.#failing = true;
      delete moved.writing;
    }
  }
}

const keyOf = ({ userId, subject }: SessionUser, run: string): string => JSON.stringify([userId, subject, run]);
