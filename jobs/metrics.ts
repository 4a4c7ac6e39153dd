/**
 * Figures a command reports of itself, such as iterations per second or how its threads were spread: it writes them as
 * JSON to `longhaul-metrics.json` beside its outputs, and `longhaul cost compare` shows them.
 *
 * @module
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metrics } from './commit.ts';

export const METRICS_FILE = 'longhaul-metrics.json';
/** They become a part of the commit. */
const LIMITS = { bytes: 65_536, names: 50, labels: 256 } as const;
const NAME = /^[\w .:/%-]{1,100}$/;

/** @returns undefined where there are none; what is wrong with them is said, and fails no job */
export async function readMetrics(folder: string, say: (line: string) => void): Promise<Metrics | undefined> {
  const file = join(folder, METRICS_FILE);
  const found = await stat(file).catch(() => undefined);
  if (!found) return undefined;
  try {
    if (!found.isFile() || found.size > LIMITS.bytes)
      throw new Error(`expected a file of at most ${LIMITS.bytes} bytes`);
    return checked(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    say(`${METRICS_FILE} is left out: ${(error as Error).message}`);
    return undefined;
  }
}

function checked(value: unknown): Metrics {
  const metrics: Metrics = {};
  for (const [name, figure] of entriesOf(value, 'the file', LIMITS.names)) {
    metrics[name] =
      typeof figure === 'number'
        ? finite(figure, name)
        : Object.fromEntries(
            entriesOf(figure, name, LIMITS.labels).map(([label, one]) => [label, finite(one, `${name}.${label}`)]),
          );
  }
  return metrics;
}

function entriesOf(value: unknown, at: string, most: number): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${at}: expected an object of numbers`);
  const entries = Object.entries(value);
  if (entries.length > most) throw new Error(`${at}: ${entries.length} names; at most ${most}`);
  const odd = entries.find(([name]) => !NAME.test(name));
  if (odd) throw new Error(`${at}: a name has letters, digits, blanks and _ . : / % - only, up to 100`);
  return entries;
}

function finite(value: unknown, at: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`${at}: expected a number`);
  return value;
}
