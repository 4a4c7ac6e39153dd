/**
 * What carries messages to one client. The session does not know which it is: a WebSocket of this process, or a connection
 * that somebody else holds and that is posted to.
 *
 * @module
 */
import type { Batch, Message } from './message.ts';

export interface TransportLimits {
  /** Bytes of one message: longer ones are sent in parts. */
  maxMessageBytes?: number;
  /** How long a connection may live: the client is told to open another one before that. */
  maxLifeMs?: number;
  /** How long a connection may be silent before it is ended by somebody else: heartbeats are as rare as that allows. */
  idleMs?: number;
}

export interface Transport {
  readonly limits: TransportLimits;
  /** It takes no more for now; `drained` of {@link TransportEvents} says when it does again. */
  readonly full: boolean;
  /** In order; what is sent after the end of the connection is dropped. */
  send(message: Message): void;
  sendBatch(batch: Batch): void;
  /** Asks the other side for a sign of life, by a frame of the transport's own. */
  ping(): void;
  /** Whether the other side has given one since the last ping. */
  readonly alive: boolean;
  close(code: number, reason: string): void;
  /** Ends it without waiting for the other side. */
  terminate(): void;
}

/** What a transport tells. */
export interface TransportEvents {
  message(text: string): void;
  drained(): void;
  /** Once, however it came. */
  closed(): void;
}
