/**
 * What the job program moves and asks of S3, for the cost of the launch and estimates of later ones. `stage` and `publish`
 * may be two processes: what the first has counted stands in a file of the volume.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { JobUsage } from './commit.ts';
import type { Job } from './job.ts';

export type RequestCount = JobUsage['requests'];

/** Tells this process's own notes from those of another: in containers both may have the same process id. */
const PROCESS = randomUUID();
const FILE = '.usage.json';

/** Of S3's two classes of requests (aws.amazon.com/s3/pricing): these cost more. DELETE costs nothing. */
const PUTS = /^(Put|Copy|Post|List|Create|Complete|Upload)/;
const FREE = /^(Delete|Abort)/;

/** @returns counts that rise with every attempt this client makes from now on: S3 bills attempts */
export function countRequests(s3: S3Client): RequestCount {
  const count: RequestCount = { put: 0, get: 0 };
  s3.middlewareStack.addRelativeTo(
    <Args, Result>(next: (args: Args) => Promise<Result>, { commandName = '' }: { commandName?: string }) =>
      (args: Args) => {
        if (!FREE.test(commandName)) count[PUTS.test(commandName) ? 'put' : 'get'] += 1;
        return next(args);
      },
    { relation: 'before', toMiddleware: 'httpSigningMiddleware', name: 'countingMiddleware', override: true },
  );
  return count;
}

interface Noted extends RequestCount {
  process: string;
  inputBytes: number;
}

/** In `stage`, when its inputs are there. */
export async function noteUsage({ work, requests }: Pick<Job, 'work' | 'requests'>, inputBytes: number): Promise<void> {
  const noted: Noted = { process: PROCESS, inputBytes, put: 0, get: 0, ...requests };
  await writeFile(join(work, FILE), JSON.stringify(noted));
}

/** In `publish`, before the commit; that one and the cache's entry are counted beforehand. */
export async function usageOf({ work, requests, row }: Job, outputBytes: number): Promise<JobUsage> {
  const noted = await readFile(join(work, FILE), 'utf8').then(
    (text) => JSON.parse(text) as Noted,
    () => undefined,
  );
  const before = noted && noted.process !== PROCESS ? noted : { put: 0, get: 0 };
  return {
    inputBytes: noted?.inputBytes ?? 0,
    outputBytes,
    requests: {
      put: before.put + (requests?.put ?? 0) + (row.cache === undefined ? 1 : 2),
      get: before.get + (requests?.get ?? 0),
    },
  };
}
