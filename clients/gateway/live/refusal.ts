/**
 * A refusal before there is a WebSocket: an ordinary answer of HTTP.
 *
 * @module
 */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorBody } from '../errors.ts';

export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly remedy: string;

  constructor(status: number, code: string, message: string, remedy: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.remedy = remedy;
  }
}

export function refuse(socket: Duplex, { status, code, message, remedy }: Refusal): void {
  const body = JSON.stringify(errorBody(code, message, remedy));
  // A client that keeps its half open is not waited for.
  socket.once('finish', () => socket.destroy());
  const challenge = status === 401 ? 'www-authenticate: Bearer\r\n' : '';
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n${challenge}content-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
