/**
 * Messages as the events queue gets them: the files of test/events, with the shapes AWS sends; `.txt` is no JSON.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../events/', import.meta.url));

const files = new Map(readdirSync(FOLDER).map((file) => [file.replace(/\.(json|txt)$/, ''), file]));

/** Names without their ending, sorted. */
export const eventNames = (): string[] => [...files.keys()].sort();

/** The body of a message, byte for byte as in its file. */
export function eventBody(name: string): string {
  const file = files.get(name);
  if (file === undefined) throw new Error(`test/events has no ${name}`);
  return readFileSync(`${FOLDER}${file}`, 'utf8');
}
