/**
 * What a job knows of itself: its variables, and its row of the manifest.
 *
 * @module
 */
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { parseS3Address } from '../lib/s3-address.ts';
import type { ManifestRow } from '../workflows/launch/manifest.ts';
import { JOB_ENVIRONMENT, parseSubmission } from '../workflows/launch/model.ts';
import type { StartRecord } from './commit.ts';
import { EXIT } from './exit-codes.ts';
import type { MainEnding } from './main-ending.ts';
import { orderedEnding } from './ordered.ts';
import type { RequestCount } from './usage.ts';

/** Ends the program with a code of {@link EXIT} and a line the user can act on. */
export class JobError extends Error {
  override readonly name = 'JobError';
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface Job {
  row: ManifestRow;
  step: string;
  /** Attempt of the launch. */
  launchAttempt: number;
  generation: number;
  /** LONGHAUL_JOB_ID or AWS_BATCH_JOB_ID; a child's is `<parent>:<index>`. */
  id: string;
  /** LONGHAUL_JOB_ATTEMPT or AWS_BATCH_JOB_ATTEMPT, from 1. */
  attempt: number;
  /** The volume all containers of the job see. */
  work: string;
  /** The mount of the shared file system, in shared mode. */
  shared?: string;
  /** How main ended, undefined until it has; without it the task metadata endpoint of ECS is asked. */
  main?(): MainEnding | undefined;
  /** Where it logs, known before it starts; without it the task metadata endpoint of ECS is asked. */
  logs?: StartRecord['logs'];
  /** ECS_CONTAINER_METADATA_URI_V4: the task metadata endpoint, seen from this container. */
  taskEndpoint?: string;
  /** `publish` runs exactly when main has succeeded: nobody has to be asked. */
  ordered?: boolean;
  /** The service cannot tell the command which attempt it is. */
  tellAttempt?: boolean;
  /** AWS_EC2_METADATA_SERVICE_ENDPOINT, the AWS SDKs' own name; EC2's fixed address without it. */
  instanceEndpoint?: string;
  /** Requests to S3 that this process has made. */
  requests?: RequestCount;
  /** A line for the job's log. */
  say(line: string): void;
}

export async function readJob(
  s3: S3Client,
  env: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
): Promise<Job> {
  const need = (name: string): string => {
    const value = env[name];
    if (!value)
      throw new JobError(EXIT.notAJob, `${name} is not set: this program runs inside a job that Longhaul submitted`);
    return value;
  };
  const submission = parseSubmission(need(JOB_ENVIRONMENT.submission));
  if (!submission) throw new JobError(EXIT.notAJob, `${JOB_ENVIRONMENT.submission} is not a submission key`);
  const rowBytes = Number(need(JOB_ENVIRONMENT.rowBytes));
  const index = Number(env[JOB_ENVIRONMENT.jobIndex] ?? env.AWS_BATCH_JOB_ARRAY_INDEX ?? 0);
  const failures = env[JOB_ENVIRONMENT.jobFailures];
  const shared = env[JOB_ENVIRONMENT.shared];
  return {
    row: await readRow(s3, need(JOB_ENVIRONMENT.manifest), index, rowBytes),
    step: submission.step,
    launchAttempt: submission.attempt,
    generation: submission.generation,
    // Other services than AWS Batch say it by names of ours.
    id: env[JOB_ENVIRONMENT.jobId] ?? need('AWS_BATCH_JOB_ID'),
    attempt:
      failures === undefined
        ? Number(env[JOB_ENVIRONMENT.jobAttempt] ?? env.AWS_BATCH_JOB_ATTEMPT ?? 1)
        : Number(failures) + 1,
    ...(failures !== undefined && { tellAttempt: true }),
    ...(env[JOB_ENVIRONMENT.ordered] && { ordered: true, main: () => orderedEnding(need(JOB_ENVIRONMENT.work)) }),
    work: need(JOB_ENVIRONMENT.work),
    ...(shared && { shared }),
    ...(env.ECS_CONTAINER_METADATA_URI_V4 && { taskEndpoint: env.ECS_CONTAINER_METADATA_URI_V4 }),
    ...(env.AWS_EC2_METADATA_SERVICE_ENDPOINT && { instanceEndpoint: env.AWS_EC2_METADATA_SERVICE_ENDPOINT }),
    say,
  };
}

/** All rows have one width, so a child reads its own and nothing else. */
async function readRow(s3: S3Client, manifest: string, index: number, rowBytes: number): Promise<ManifestRow> {
  const { bucket, key } = parseS3Address(manifest);
  const first = index * rowBytes;
  const answer = await s3.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=${first}-${first + rowBytes - 1}` }),
  );
  return JSON.parse((await answer.Body?.transformToString()) ?? '') as ManifestRow;
}

/** A folder of its own for each attempt: a zombie writes beside the others, never over them. */
export const attemptName = (job: Job): string => `${job.id.replaceAll(':', '_')}-${job.attempt}`;
