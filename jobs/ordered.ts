/**
 * Containers that run one after the other: `publish` begins exactly when main has succeeded. What the others have to know
 * of that stands in files of the volume.
 *
 * @module
 */
import { statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MainEnding } from './main-ending.ts';

const STAGED = '.staged';
const SUCCEEDED = '.succeeded';

const timeOf = (work: string, file: string): Date | undefined =>
  statSync(join(work, file), { throwIfNoEntry: false })?.mtime;

/** In `stage`, last: main begins now. */
export const noteStaged = ({ work }: { work: string }): Promise<void> => writeFile(join(work, STAGED), '');

/** In `publish`, first. */
export const noteSucceeded = ({ work }: { work: string }): Promise<void> => writeFile(join(work, SUCCEEDED), '');

/** @returns undefined while main runs, and also when it has failed: then whatever is beside it is stopped with its pod */
export function orderedEnding(work: string): MainEnding | undefined {
  if (!timeOf(work, SUCCEEDED)) return undefined;
  return { exitCode: 0, startedAt: (timeOf(work, STAGED) ?? new Date()).toISOString() };
}
