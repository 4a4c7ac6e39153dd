/**
 * Why a head job failed, by what its engine has logged: which of its tasks, with what exit code.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { readJson, UnreadableObjectError } from '../../lib/s3-objects.ts';
import type { JobFailure } from '../../lib/store/steps.ts';
import type { CauseName } from '../../workflows/launch/causes.ts';
import type { LogPicture, TaskFailure } from '../../workflows/launch/types/plugin.ts';
import { logPictureAddress } from './follow.ts';
import type { StepPlace } from './step-files.ts';

const PICTURE_LIMIT = 1024 * 1024;
/** Tasks that are told of one by one. */
const TOLD = 5;
/** 128 + SIGKILL: the kernel has killed a task for its memory, most of the time. */
const KILLED = 137;

/** @returns undefined when its log could not be followed to its end */
export async function headSaid(
  s3: S3Client,
  bucket: string,
  input: StepPlace & { generation: number },
): Promise<LogPicture | undefined> {
  try {
    return await readJson<LogPicture>(s3, logPictureAddress(bucket, input, input.generation), PICTURE_LIMIT);
  } catch (error) {
    if (error instanceof UnreadableObjectError) return undefined;
    throw error;
  }
}

/** An engine ends with 1 whatever has happened; its log says more. What AWS Batch knows better stays. */
export function causeOfHead(cause: CauseName, { failures, problem }: LogPicture): CauseName {
  if (cause !== 'EXIT_CODE') return cause;
  if (failures.some(({ exitCode }) => exitCode === KILLED)) return 'OUT_OF_MEMORY';
  return failures.length === 0 && problem !== undefined ? 'WORKFLOW' : cause;
}

/** In place of the one item of the head: its tasks that failed. */
export function tellTasks(examined: readonly JobFailure[], { failures, problem }: LogPicture): JobFailure[] {
  const [head] = examined;
  if (!head) return [];
  if (failures.length === 0) {
    return problem === undefined ? [...examined] : [{ ...head, last_log_lines: problem.split('\n') }];
  }
  return failures.slice(0, TOLD).map((failure) => ({
    ...head,
    item: nameOf(failure),
    ...(failure.exitCode !== undefined && { exit_code: failure.exitCode }),
    last_log_lines: failure.message.split('\n'),
  }));
}

const nameOf = ({ task, item }: TaskFailure): string => (item ? `${task} (${item})` : task);
