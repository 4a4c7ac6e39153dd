/**
 * A WebSocket client without manners: any header, any frame, any pace. What it gets is read properly.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PATH } from '../../clients/live/protocol.ts';

export const OPCODES = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  opcode?: number;
  /** More frames of the same message follow. */
  more?: boolean;
  /** Bits that no extension has been agreed on for. */
  reserved?: number;
  /** What a client must do. */
  masked?: boolean;
  /** Says another length than the payload has. */
  claims?: number;
}

/** One frame as RFC 6455 has it, or not. */
export function frame(payload: Buffer | string, options: FrameOptions = {}): Buffer {
  const { opcode = OPCODES.text, more = false, reserved = 0, masked = true } = options;
  const body = Buffer.from(payload);
  const length = options.claims ?? body.length;
  const head = [(more ? 0 : 0x80) | (reserved << 4) | opcode];
  const mask = masked ? 0x80 : 0;
  const size = Buffer.alloc(length < 126 ? 0 : length < 65_536 ? 2 : 8);
  if (size.length === 0) head.push(mask | length);
  else if (size.length === 2) {
    head.push(mask | 126);
    size.writeUInt16BE(length);
  } else {
    head.push(mask | 127);
    size.writeBigUInt64BE(BigInt(length));
  }
  if (!masked) return Buffer.concat([Buffer.from(head), size, body]);
  const key = randomBytes(4);
  const hidden = Buffer.from(body);
  for (let nth = 0; nth < hidden.length; nth += 1) hidden[nth] = (hidden[nth] as number) ^ (key[nth % 4] as number);
  return Buffer.concat([Buffer.from(head), size, key, hidden]);
}

export interface RawOptions {
  protocols?: readonly string[];
  headers?: Readonly<Record<string, string>>;
  path?: string;
}

export function upgradeRequest(port: number, { protocols, headers = {}, path = PATH }: RawOptions = {}): string {
  const all = {
    host: `127.0.0.1:${port}`,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    ...(protocols && { 'sec-websocket-protocol': protocols.join(', ') }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

export interface Raw {
  socket: Socket;
  /** Of the answer to the upgrade: 101 where it is taken. */
  status: number;
  /** Of a refusal: its body; else the answer's head. */
  answer: string;
  /** Texts of messages so far. */
  messages: string[];
  /** The other side has ended the connection, if only by saying so: it waits for an answer that never comes. */
  readonly isOver: boolean;
  /** Resolves then, with the close code if one was told. */
  ended: Promise<{ code?: number; reason?: string }>;
  send(bytes: Buffer | string): Promise<void>;
  /** Waits for a message that has all of these. */
  heard(...parts: readonly string[]): Promise<string>;
}

export async function openTcp(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}

/** Asks for an upgrade and reads the answer, whatever it is. */
export async function openRaw(port: number, options: RawOptions = {}): Promise<Raw> {
  const socket = await openTcp(port);
  const reader = createReader();
  let close: { code?: number; reason?: string } = {};
  let isOver = false;
  const messages: string[] = [];
  const listeners = new Set<() => void>();
  let over = () => {};
  const ended = new Promise<{ code?: number; reason?: string }>((resolve) => {
    over = () => {
      isOver = true;
      for (const tell of listeners) tell();
      resolve(close);
    };
    socket.once('close', over);
  });
  const head = new Promise<string>((resolve) => {
    let pending: Buffer = Buffer.alloc(0);
    let isOpen = false;
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      if (!isOpen) {
        const end = pending.indexOf('\r\n\r\n');
        if (end < 0) return;
        const text = pending.toString('latin1');
        if (!text.startsWith('HTTP/1.1 101')) return;
        isOpen = true;
        resolve(text.slice(0, end));
        pending = pending.subarray(end + 4);
      }
      pending = reader(pending, (opcode, payload) => {
        if (opcode === OPCODES.text) messages.push(payload.toString('utf8'));
        if (opcode === OPCODES.close) {
          close = payload.length >= 2 ? { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() } : {};
          over();
        }
      });
      for (const tell of listeners) tell();
    });
    socket.once('close', () => resolve(pending.toString('utf8')));
  });
  socket.write(upgradeRequest(port, options));
  const answer = await head;
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
  const send = (bytes: Buffer | string) =>
    new Promise<void>((resolve) => {
      // A peer that has ended the connection does not want it: what it said is in `ended`.
      if (socket.destroyed) resolve();
      else socket.write(bytes, () => resolve());
    });
  return {
    socket,
    status,
    answer,
    messages,
    get isOver() {
      return isOver;
    },
    ended,
    send,
    heard: (...parts) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = messages.find((text) => parts.every((part) => text.includes(part)));
          if (found === undefined && !isOver) return;
          listeners.delete(look);
          if (found !== undefined) resolve(found);
          else
            reject(new Error(`the connection ended with ${JSON.stringify(close)} before ${parts.join(', ')} was said`));
        };
        listeners.add(look);
        look();
      }),
  };
}

/** Reads whole frames of a server, which masks nothing. @returns what is left */
function createReader() {
  return (bytes: Buffer, take: (opcode: number, payload: Buffer) => void): Buffer => {
    let rest = bytes;
    for (;;) {
      if (rest.length < 2) return rest;
      const short = (rest[1] as number) & 0x7f;
      const at = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (rest.length < at) return rest;
      const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      if (rest.length < at + length) return rest;
      take((rest[0] as number) & 0x0f, rest.subarray(at, at + length));
      rest = rest.subarray(at + length);
    }
  };
}
