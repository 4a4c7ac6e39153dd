/**
 * How the jobs of services without tasks of several containers ended: one empty object an attempt, whose name says all,
 * so that one page of a listing tells of a thousand. Written by the job program, read by the compute services.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { listKeys, listObjects } from '../s3-objects.ts';

export const ENDING_CONTAINERS = ['stage', 'main', 'publish'] as const;
export type EndingContainer = (typeof ENDING_CONTAINERS)[number];

/** `stopped`: it was asked to end. */
const WAYS = ['exited', 'memory', 'timeout', 'stopped'] as const;
export type EndingWay = (typeof WAYS)[number];

export interface AttemptEnding {
  /** Of the child; 0 of a single job. */
  index: number;
  /** From 1. */
  attempt: number;
  /** The first part that did not end with 0; `publish` when all did. */
  container: EndingContainer;
  exitCode: number;
  way: EndingWay;
}

/** `<index>.<attempt>.<container>.<exit code>.<way>` */
export const formatEnding = ({ index, attempt, container, exitCode, way }: AttemptEnding): string =>
  [index, attempt, container, exitCode, way].join('.');

/** @returns undefined for a name of another form */
export function parseEnding(name: string): AttemptEnding | undefined {
  const [, index, attempt, container, exitCode, way] =
    /^(\d{1,6})\.(\d{1,6})\.([a-z]+)\.(\d{1,3})\.([a-z]+)$/.exec(name) ?? [];
  const known = ENDING_CONTAINERS.find((candidate) => candidate === container);
  const said = WAYS.find((candidate) => candidate === way);
  if (!known || !said) return undefined;
  return { index: Number(index), attempt: Number(attempt), container: known, exitCode: Number(exitCode), way: said };
}

/** Under it the jobs of that name put their endings: a name, unlike an id, is never given to another job. */
export const endingsOfName = (bucket: string, name: string): string => `s3://${bucket}/endings/${name}/`;

/**
 * @param folder as {@link endingsOfName} gives it
 * @param jobId of the job, or the array
 * @param index of one child; without it all of them are listed
 * @returns the last attempt of each, by index
 */
export async function readEndings(
  s3: S3Client,
  folder: string,
  jobId: string,
  index?: number,
): Promise<Map<number, AttemptEnding>> {
  const found = new Map<number, AttemptEnding>();
  for await (const keys of listKeys(s3, `${folder}${jobId}/${index === undefined ? '' : `${index}.`}`)) {
    for (const key of keys) {
      const ending = parseEnding(key.slice(key.lastIndexOf('/') + 1));
      if (ending && ending.attempt >= (found.get(ending.index)?.attempt ?? 0)) found.set(ending.index, ending);
    }
  }
  return found;
}

/** Every attempt that has said how it ended, and when it did (epoch ms). */
export async function listEndings(
  s3: S3Client,
  folder: string,
  jobId: string,
): Promise<(AttemptEnding & { endedAt: number })[]> {
  const found: (AttemptEnding & { endedAt: number })[] = [];
  for await (const page of listObjects(s3, `${folder}${jobId}/`)) {
    for (const { key, modifiedAt } of page) {
      const ending = parseEnding(key.slice(key.lastIndexOf('/') + 1));
      if (ending) found.push({ ...ending, endedAt: modifiedAt });
    }
  }
  return found;
}
