/**
 * One log file per process, turned over at each start of the platform.
 *
 * @module
 */
import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

const KEPT = 3;

/** `<file>` becomes `<file>.1`, that `<file>.2`, and so on; the oldest goes. */
export async function rotate(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  for (let number = KEPT; number >= 1; number -= 1) {
    const from = number === 1 ? file : `${file}.${number - 1}`;
    await rename(from, `${file}.${number}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}

/** The last lines of a log; empty when there is none. */
export async function tail(file: string, lines = 20): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
