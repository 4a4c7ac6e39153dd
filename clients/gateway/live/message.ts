/**
 * Messages to clients, each encoded once however many get it: the bytes of a WebSocket text frame, header included.
 *
 * @module
 */
import type { ProgressEvent } from '../../../workflows/progress/model.ts';
import { mayMerge } from '../../../workflows/progress/picture.ts';
import type { Resume, ServerMessage } from '../../live/protocol.ts';

export interface Message {
  /** As it goes over a WebSocket: one unmasked text frame (RFC 6455, 5.2). */
  readonly frame: Buffer;
  /** Bytes of the frame's header: what follows is UTF-8 JSON. */
  readonly header: number;
}

/** An event and what it looks like. */
export interface Entry {
  readonly event: ProgressEvent;
  readonly message: Message;
}

/** Consecutive messages that many get together. */
export interface Batch {
  readonly entries: readonly Entry[];
  /** All frames, one after another; made by the first that needs it. */
  joined?: Buffer;
}

const TEXT_FRAME = 0x81;

export function messageOfText(text: string): Message {
  const bytes = Buffer.byteLength(text);
  const header = bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + bytes);
  frame[0] = TEXT_FRAME;
  if (header === 2) frame[1] = bytes;
  else if (header === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(bytes), 2);
  }
  frame.write(text, header);
  return { frame, header };
}

export const messageOf = (message: ServerMessage): Message => messageOfText(JSON.stringify(message));

export const textOf = ({ frame, header }: Message): string => frame.toString('utf8', header);

export const entryOf = (run: string, event: ProgressEvent): Entry => ({
  event,
  message: messageOf({ type: 'event', run, event }),
});

export const joinedOf = (batch: Batch): Buffer => {
  batch.joined ??=
    batch.entries.length === 1
      ? (batch.entries[0] as Entry).message.frame
      : Buffer.concat(batch.entries.map(({ message }) => message.frame));
  return batch.joined;
};

/** What of it may not be merged away: events and their bytes. */
export function keptOf({ entries }: Batch): { events: number; bytes: number } {
  let events = 0;
  let bytes = 0;
  for (const { event, message } of entries) {
    if (mayMerge(event)) continue;
    events += 1;
    bytes += message.frame.length;
  }
  return { events, bytes };
}

/** @param snapshot the resume's own as JSON, where it has one: a large one is encoded once for many */
export function subscribedMessage(run: string, resume: Resume, snapshot: string | undefined): Message {
  if (snapshot === undefined) return messageOf({ type: 'subscribed', run, ...resume });
  const { snapshot: _, ...rest } = resume as Extract<Resume, { verdict: 'gap' }>;
  const text = JSON.stringify({ type: 'subscribed', run, ...rest });
  return messageOfText(`${text.slice(0, -1)},"snapshot":${snapshot}}`);
}

/** Bytes of a part beside its text, with an index and a count of seven digits. */
const PART_OVERHEAD = 120;
/** A UTF-16 unit of JSON text takes three bytes at most, as text of a part too: quotes and backslashes take two. */
const BYTES_A_UNIT = 3;

/**
 * A message in parts that are no longer than a transport takes.
 * @param id unlike those of other messages in parts on this connection
 * @param maxBytes of one part; at least 1,024
 */
export function partsOf(message: Message, id: string, maxBytes: number): Message[] {
  if (message.frame.length - message.header <= maxBytes) return [message];
  const text = textOf(message);
  const units = Math.floor((maxBytes - PART_OVERHEAD - id.length) / BYTES_A_UNIT);
  const texts: string[] = [];
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + units);
    // Half a surrogate pair would be escaped, and longer.
    if (to < text.length && isHighSurrogate(text.charCodeAt(to - 1))) to -= 1;
    texts.push(text.slice(from, to));
    from = to;
  }
  return texts.map((text, index) => messageOf({ type: 'part', id, index, count: texts.length, text }));
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
