/**
 * The program of the containers `stage` and `publish`: everything of the job contract that runs beside the user's
 * image. Bundled into one file, because it starts twice for each job.
 *
 * @module
 */
import { S3Client } from '@aws-sdk/client-s3';
import { EXIT } from './exit-codes.ts';
import { JobError, readJob } from './job.ts';
import { publish } from './publish.ts';
import { stage } from './stage.ts';

const roles = { stage, publish } as const;

async function main(role: string | undefined): Promise<number> {
  if (role !== 'stage' && role !== 'publish') throw new JobError(EXIT.notAJob, 'usage: jobs stage|publish');
  const s3 = new S3Client({ maxAttempts: 6 });
  return roles[role](s3, await readJob(s3, process.env));
}

main(process.argv[2]).then(
  (code) => process.exit(code),
  (error: unknown) => {
    // The last line of the log is what the user is shown, so it says what happened and nothing else.
    console.error(
      error instanceof JobError ? error.message : `failed: ${error instanceof Error ? error.message : String(error)}`,
    );
    process.exit(error instanceof JobError ? error.exitCode : EXIT.failed);
  },
);
