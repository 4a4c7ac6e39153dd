/**
 * One message: what may be in it, how large it is, and the checksums the SDKs compare.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { AwsError } from '../../kit/service.ts';
import { invalidParameter } from './errors.ts';

interface MessageAttribute {
  DataType: string;
  StringValue?: string;
  /** Base64, as in the JSON protocol. */
  BinaryValue?: string;
}

export type MessageAttributes = Record<string, MessageAttribute>;

/** What is kept of a message; times in milliseconds. */
export interface Message {
  id: string;
  body: string;
  attributes?: MessageAttributes;
  sentAt: number;
  sender: string;
  /** How often it was received. */
  receives: number;
  firstReceivedAt?: number;
  /** Hidden until then. */
  visibleAt: number;
  /** Marks the latest receive; an older handle no longer deletes. */
  receipt?: string;
  deadLetterSource?: string;
}

/** The XML characters: anything else is refused by SQS. */
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

export function checkBody(body: unknown): asserts body is string {
  if (typeof body !== 'string')
    throw new AwsError('MissingParameter', 'The request must contain the parameter MessageBody.');
  if (body === '') throw invalidParameter('One or more parameters are invalid. Reason: Message must not be empty.');
  if (FORBIDDEN.test(body)) {
    throw new AwsError('InvalidMessageContents', 'Invalid binary character was found in the message body.');
  }
}

export function checkMessageAttributes(attributes: MessageAttributes): void {
  const names = Object.keys(attributes);
  if (names.length > 10) throw invalidParameter('Number of message attributes [exceeds] the allowed maximum [10].');
  for (const name of names) {
    const attribute = attributes[name] as MessageAttribute;
    if (!/^[A-Za-z0-9_.-]{1,256}$/.test(name) || /^(aws|amazon)\./i.test(name)) {
      throw invalidParameter(`The message attribute name '${name}' is invalid.`);
    }
    if (!/^(String|Number|Binary)(\..+)?$/.test(attribute.DataType ?? '')) {
      throw invalidParameter(
        `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
      );
    }
    const value = attribute.DataType.startsWith('Binary') ? attribute.BinaryValue : attribute.StringValue;
    if (value === undefined || value === '') {
      throw invalidParameter(`The message attribute '${name}' must contain a non-empty message attribute value.`);
    }
    if (attribute.DataType.startsWith('Number') && !Number.isFinite(Number(value))) {
      throw invalidParameter(`Can't cast the value of message (user) attribute '${name}' to a number.`);
    }
  }
}

/** Bytes that count against the limits: body, attribute names, types and values. */
export function messageBytes(body: string, attributes: MessageAttributes = {}): number {
  let size = Buffer.byteLength(body);
  for (const [name, attribute] of Object.entries(attributes)) {
    size += Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType) + rawValue(attribute).length;
  }
  return size;
}

export const md5 = (data: string | Buffer) => createHash('md5').update(data).digest('hex');

/** MD5OfMessageAttributes as SQS documents it: by name, each part with its length before it. */
export function md5OfAttributes(attributes: MessageAttributes): string {
  const hash = createHash('md5');
  const part = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of Object.keys(attributes).sort()) {
    const attribute = attributes[name] as MessageAttribute;
    part(Buffer.from(name));
    part(Buffer.from(attribute.DataType));
    hash.update(Buffer.from([attribute.DataType.startsWith('Binary') ? 2 : 1]));
    part(rawValue(attribute));
  }
  return hash.digest('hex');
}

function rawValue(attribute: MessageAttribute): Buffer {
  return attribute.DataType.startsWith('Binary')
    ? Buffer.from(attribute.BinaryValue ?? '', 'base64')
    : Buffer.from(attribute.StringValue ?? '');
}
