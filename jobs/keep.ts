/**
 * `keep`: beside the command of a head job, keeps its working folder in S3 until the command has ended, once more when it
 * has failed or when the host is to go.
 *
 * @module
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Job } from './job.ts';
import { StateKeeper } from './state.ts';

/** How often the folder is looked at; less often while nothing changes. */
const EVERY_MS = { first: 1_000, last: 30_000 };
/** How often main is asked whether it has ended. */
const ASKING_MS = 500;

/**
 * @param main ends with the command's exit code
 * @param signal when the host is to go: seconds are left
 */
export async function keep(
  s3: S3Client,
  job: Job,
  main: () => Promise<{ exitCode: number } | undefined>,
  signal: AbortSignal,
): Promise<number> {
  const { state } = job.row;
  if (!state) return 0;
  const keeper = new StateKeeper(s3, job, state, join(job.work, 'outputs'));
  let pause = EVERY_MS.first;
  for (;;) {
    const ended = await waitFor(main, pause, signal);
    // What a command that succeeded has left, publish stores.
    if (ended?.exitCode === 0) return 0;
    const files = await save(keeper, job);
    if (ended || signal.aborted) {
      job.say(`item ${job.row.item}: its working folder is kept: another head goes on from here`);
      return 0;
    }
    pause = files === undefined ? Math.min(pause * 1.5, EVERY_MS.last) : EVERY_MS.first;
  }
}

/** A snapshot that fails costs work at most, so the next one is tried. */
async function save(keeper: StateKeeper, job: Job): Promise<number | undefined> {
  try {
    return await keeper.save();
  } catch (error) {
    job.say(`item ${job.row.item}: its working folder could not be kept this time: ${String(error)}`);
    return undefined;
  }
}

async function waitFor(
  main: () => Promise<{ exitCode: number } | undefined>,
  ms: number,
  signal: AbortSignal,
): Promise<{ exitCode: number } | undefined> {
  const until = Date.now() + ms;
  while (Date.now() < until && !signal.aborted) {
    const ended = await main();
    if (ended) return ended;
    await delay(ASKING_MS, undefined, { signal }).catch(() => {});
  }
  return main();
}
