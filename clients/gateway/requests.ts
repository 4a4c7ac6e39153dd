/**
 * What a client may ask for over its live connection beside watching: the samples. Each is a room of its own under
 * `clients/gateway/samples/`, entered in its `index.ts`.
 *
 * @module
 */
import type { Client } from '@temporalio/client';
import type { Position } from '../../workflows/progress/model.ts';
import type { Principal } from './principal.ts';

export interface RequestContext {
  principal: Principal;
  client: Client;
  /** Epoch ms: when it was asked, or when the last connection went. */
  at: number;
  /** Where this user has acknowledged to, of a run. */
  cursor(run: string): Promise<Position | undefined>;
}

/** What is wrong with a request is thrown as this, and told to the client. */
export class RequestError extends Error {
  readonly code: 'bad-message' | 'forbidden' | 'not-found' | 'unavailable';
  readonly remedy: string;

  constructor(code: RequestError['code'], message: string, remedy: string) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
    this.remedy = remedy;
  }
}

export interface RequestHandler {
  /** Such as `order.send`. */
  what: string;
  /**
   * @param input as it came: check it
   * @returns the run to watch, and whatever else the client is to know
   * @throws RequestError
   */
  handle(context: RequestContext, input: unknown): Promise<{ run?: string; output?: unknown }>;
  /** The last connection of a user has gone. */
  left?(context: RequestContext): Promise<void>;
}
