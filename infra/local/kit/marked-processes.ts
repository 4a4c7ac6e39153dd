/**
 * Processes found by a variable of their environment, however they left their parents. Linux only: elsewhere none is.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';

/** @param marker `<name>=<value>` */
export function carries(pid: number, marker: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(latin1(marker));
  } catch {
    // Gone, or somebody else's.
    return false;
  }
}

/** @param marker `<name>=<value>` */
export function processesWith(marker: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => carries(pid, marker));
}

/** An environment is bytes. */
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
