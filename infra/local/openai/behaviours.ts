/**
 * What OpenAI would do of its own accord, and a test has to provoke: a queue of behaviours. A call takes the first entry of
 * its operation whose `about`, where it has one, stands somewhere in the body of the request.
 *
 * `POST /_longhaul/openai-behaviour` with `{"queue": [{"operation", "does", "times"?, "about"?, "ms"?}]}` puts another queue
 * in place of the one that is there, `GET /_longhaul/openai-behaviour` says what is left of it. `times` is 1 without saying.
 *
 * | operation | does | then |
 * | --- | --- | --- |
 * | `createChatCompletion` | `refuse` | a `refusal`, no content |
 * | | `truncate` | `finish_reason` `length`, half of the content |
 * | | `content_filter` | `finish_reason` `content_filter`, half of the content |
 * | | `malformed` | half of the content, as if it were all of it |
 * | | `empty` | no text at all |
 * | | `break_off` | the connection ends in the middle of the answer |
 * | | `short` | two lines instead of a story |
 * | | `markup` | HTML, a script and bidirectional controls among the words |
 * | | `unsafe` | a word that createModeration flags |
 * | `createImage` | `moderation_blocked` | 400, the prompt was refused |
 * | | `unsafe` | a picture that createModeration flags |
 * | | `broken` | bytes that are no picture |
 * | `createModeration` | `flag` | whatever it is, violence |
 * | every one | `slow` | `ms` later, else as ever |
 *
 * @module
 */
import type { Kit } from '../kit/front-door.ts';

const DOES = {
  createChatCompletion: [
    'refuse',
    'truncate',
    'content_filter',
    'malformed',
    'empty',
    'break_off',
    'short',
    'markup',
    'unsafe',
    'slow',
  ],
  createImage: ['moderation_blocked', 'unsafe', 'broken', 'slow'],
  createModeration: ['flag', 'slow'],
} as const;

type OperationName = keyof typeof DOES;
/** What one operation can be made to do. */
export type Does<Name extends OperationName> = (typeof DOES)[Name][number];

interface Entry {
  operation: OperationName;
  does: string;
  times: number;
  about?: string;
  ms: number;
}

export class Behaviours {
  #queue: Entry[] = [];

  constructor(kit: Kit) {
    kit.actions.set('POST openai-behaviour', ({ queue }) => {
      if (!Array.isArray(queue)) throw new Error('expected {"queue": [{"operation", "does"}]}');
      this.#queue = queue.map(readEntry);
      return { queue: this.#queue };
    });
    kit.actions.set('GET openai-behaviour', () => ({ queue: this.#queue }));
  }

  /** Takes what the call is to do, and waits where that is to be slow. */
  async take<Name extends OperationName>(
    operation: Name,
    input: unknown,
    gone: AbortSignal,
  ): Promise<Exclude<Does<Name>, 'slow'> | undefined> {
    if (this.#queue.length === 0) return undefined;
    const body = JSON.stringify(input);
    const entry = this.#queue.find(
      (one) => one.operation === operation && (one.about === undefined || body.includes(one.about)),
    );
    if (!entry) return undefined;
    entry.times -= 1;
    if (entry.times === 0) this.#queue = this.#queue.filter((one) => one !== entry);
    if (entry.does !== 'slow') return entry.does as Exclude<Does<Name>, 'slow'>;
    await passed(entry.ms, gone);
    return undefined;
  }
}

/** Resolves after so many milliseconds, or when the caller has gone. */
export function passed(ms: number, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      gone.removeEventListener('abort', done);
      resolve();
    }
    gone.addEventListener('abort', done);
  });
}

function readEntry(value: unknown): Entry {
  const { operation, does, times = 1, about, ms = 0 } = (value ?? {}) as Partial<Entry>;
  const known: readonly string[] = Object.hasOwn(DOES, String(operation)) ? DOES[operation as OperationName] : [];
  if (!known.includes(String(does))) {
    const all = Object.entries(DOES).map(([name, list]) => `${name}: ${list.join(', ')}`);
    throw new Error(`unknown: ${String(operation)} ${String(does)}; there are ${all.join('; ')}`);
  }
  if (!(Number.isInteger(times) && times > 0)) throw new Error('times: expected a whole number from 1');
  if (!(Number.isFinite(ms) && ms >= 0)) throw new Error('ms: expected a number from 0');
  return {
    operation: operation as OperationName,
    does: String(does),
    times,
    ms,
    ...(about !== undefined && { about: String(about) }),
  };
}
