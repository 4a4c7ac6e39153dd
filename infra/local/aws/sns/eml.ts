/**
 * A mail as a file that every mail program opens (RFC 5322).
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Mail } from './model.ts';

/** Octets of a line that RFC 5322 allows, without its end. */
const MOST_OCTETS = 998;

export function writeEml(mail: Mail): void {
  mkdirSync(dirname(mail.file), { recursive: true });
  writeFileSync(mail.file, toEml(mail), { mode: 0o600 });
}

export function toEml({ id, at, from, to, subject, text }: Mail): string {
  const lines = text.split(/\r\n|\r|\n/);
  // As it is, so that a person can read the file; unless a line is too long for that.
  const plain = lines.every((line) => Buffer.byteLength(line) <= MOST_OCTETS);
  const body = plain ? lines.join('\r\n') : wrapped(Buffer.from(lines.join('\r\n')).toString('base64'));
  return [
    `Date: ${new Date(at).toUTCString().replace('GMT', '+0000')}`,
    `From: ${from}`,
    `To: ${to}`,
    `Message-ID: <${id}@sns.amazonaws.com>`,
    `Subject: ${subject}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    `Content-Transfer-Encoding: ${plain ? '8bit' : 'base64'}`,
    '',
    body,
    '',
  ].join('\r\n');
}

const wrapped = (base64: string) => base64.replaceAll(/(.{76})(?=.)/g, '$1\r\n');
