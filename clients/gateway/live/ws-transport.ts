/**
 * A WebSocket of this process. Frames are written to its socket as they are, so that an event is framed once for all; ws
 * reads, answers pings and does the closing handshake. Without compression ws itself writes whole frames at once too, so
 * the two never mix within one.
 *
 * @module
 */
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { CLOSE_CODES } from '../../live/protocol.ts';
import { type Batch, joinedOf, type Message } from './message.ts';
import type { Transport, TransportEvents } from './transport.ts';

/** Bytes that wait in this process; the kernel has buffers of its own. */
const FULL_BYTES = 131_072;
/** Characters of a reason that fit into a close frame (RFC 6455, 5.5). */
const REASON_BYTES = 123;
const NO_LIMITS = {};

export class WsTransport implements Transport {
  readonly limits = NO_LIMITS;
  alive = true;
  readonly #websocket: WebSocket;
  readonly #socket: Duplex;

  constructor(websocket: WebSocket, socket: Duplex) {
    this.#websocket = websocket;
    this.#socket = socket;
  }

  /** @param events is told of what comes from now on */
  listen(events: TransportEvents): void {
    const websocket = this.#websocket;
    websocket.on('message', (data: RawData, isBinary: boolean) => {
      this.alive = true;
      if (isBinary) this.close(CLOSE_CODES.badMessage, 'messages are JSON in text frames');
      else events.message((data as Buffer).toString());
    });
    websocket.on('pong', () => {
      this.alive = true;
    });
    websocket.on('close', () => events.closed());
    // ws closes by itself, with the code that fits.
    websocket.on('error', () => {});
    this.#socket.on('drain', () => events.drained());
  }

  get full(): boolean {
    return this.#socket.writableLength > FULL_BYTES;
  }

  send(message: Message): void {
    this.#write(message.frame);
  }

  sendBatch(batch: Batch): void {
    this.#write(joinedOf(batch));
  }

  ping(): void {
    this.alive = false;
    if (this.#websocket.readyState === this.#websocket.OPEN) this.#websocket.ping();
  }

  close(code: number, reason: string): void {
    this.#websocket.close(code, reason.slice(0, REASON_BYTES));
  }

  terminate(): void {
    this.#websocket.terminate();
  }

  #write(bytes: Buffer): void {
    if (this.#websocket.readyState === this.#websocket.OPEN) this.#socket.write(bytes);
  }
}
