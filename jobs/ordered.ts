/**
 * Containers that run one after the other: `publish` begins exactly when main has succeeded. What the others have to know
 * of that stands in files of the volume.
 *
 * @module
 */
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job } from './job.ts';
import type { EndingProvider } from './main-ending.ts';

const timeOf = (job: Job, file: string): Promise<Date | undefined> =>
  stat(join(job.work, file)).then(
    ({ mtime }) => mtime,
    () => undefined,
  );

/** In `stage`, last: main begins now. */
export const noteStaged = (job: Job): Promise<void> => writeFile(join(job.work, '.staged'), '');

const startedAt = async (job: Job): Promise<string> => ((await timeOf(job, '.staged')) ?? new Date()).toISOString();

export const ORDERED_ENDING: EndingProvider = {
  // Of a main that has failed nothing is to be seen: then keep is stopped with its pod.
  async mainEnding(job) {
    return (await timeOf(job, '.succeeded')) ? { exitCode: 0, startedAt: await startedAt(job) } : undefined;
  },
  async mainContainer(job) {
    await writeFile(join(job.work, '.succeeded'), '');
    return { exitCode: 0, startedAt: await startedAt(job) };
  },
};
