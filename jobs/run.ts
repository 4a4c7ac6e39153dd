/**
 * One container's part of a job, from its variables to its exit code.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { EXIT } from './exit-codes.ts';
import { JobError, readJob } from './job.ts';
import { publish } from './publish.ts';
import { stage } from './stage.ts';

const roles = { stage, publish } as const;

/** @returns the exit code; what went wrong has been said */
export async function runRole(
  role: string | undefined,
  s3: S3Client,
  env: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
): Promise<number> {
  try {
    if (role !== 'stage' && role !== 'publish') throw new JobError(EXIT.notAJob, 'usage: jobs stage|publish');
    return await roles[role](s3, await readJob(s3, env, say));
  } catch (error) {
    // The last line of the log is what the user is shown, so it says what happened and nothing else.
    const known = error instanceof JobError;
    say(known ? error.message : `failed: ${error instanceof Error ? error.message : String(error)}`);
    return known ? error.exitCode : EXIT.failed;
  }
}
