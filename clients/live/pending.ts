/**
 * What was asked for over a live connection and is not answered yet: asked again on the next one, until it is.
 *
 * @module
 */
import { LiveError } from './client-types.ts';
import type { ClientMessage } from './protocol.ts';

const ANSWER_WITHIN_MS = 30_000;

export interface Reply {
  run?: string;
  output?: unknown;
}

interface Pending {
  message: ClientMessage;
  /** The connection it was said on last. */
  saidOn?: number | undefined;
  deadline: number;
  resolve(reply: Reply): void;
  reject(error: LiveError): void;
}

/** @param say says it on the connection there is, if there is one, and returns which */
export function createRequests(now: () => number, say: (message: ClientMessage) => number | undefined) {
  const pending = new Map<string, Pending>();
  const begun = now().toString(36);
  let count = 0;

  function send(request: Pending): void {
    request.saidOn = say(request.message);
  }

  /** @returns whether anybody waited for it */
  function settle(id: string | undefined, how: (request: Pending) => void): boolean {
    const request = id === undefined ? undefined : pending.get(id);
    if (id === undefined || !request) return false;
    pending.delete(id);
    how(request);
    return true;
  }

  return {
    ask(what: string, input: unknown): Promise<Reply> {
      count += 1;
      const id = `${begun}-${count}`;
      return new Promise((resolve, reject) => {
        const message: ClientMessage = { type: 'request', id, what, ...(input !== undefined && { input }) };
        const request: Pending = { message, deadline: now() + ANSWER_WITHIN_MS, resolve, reject };
        pending.set(id, request);
        send(request);
      });
    },
    /** What was never said, or said on a connection that has ended. */
    sendAgain(ended?: number): void {
      for (const request of pending.values()) if (request.saidOn === ended) send(request);
    },
    answer: (id: string, reply: Reply) => settle(id, ({ resolve }) => resolve(reply)),
    refuse: (id: string | undefined, error: LiveError) => settle(id, ({ reject }) => reject(error)),
    refuseAll(error: LiveError): void {
      for (const id of [...pending.keys()]) settle(id, ({ reject }) => reject(error));
    },
    due: () => [...pending.values()].map(({ deadline }) => deadline),
    tick(): void {
      const late = new LiveError(
        'unavailable',
        'no answer within 30 s',
        'ask again: a repeat of a request does nothing twice',
      );
      for (const [id, { deadline }] of pending) if (deadline <= now()) settle(id, ({ reject }) => reject(late));
    },
  };
}
