/**
 * The name of a job, by which it is found again: two jobs never have the same, and the same job always has.
 *
 * @module
 */
import { createHash } from 'node:crypto';

export interface NamedJob {
  launchId: string;
  step: string;
  attempt: number;
  generation: number;
  shard: number;
}

/** Of AWS Batch. */
export const LONGEST_JOB_NAME = 128;
const HASH_DIGITS = 16;

/**
 * `lh-<launch>-<step>-<attempt>-<generation>-<shard>-<length of the step's name>`: read from its end it has one meaning
 * only, though launches and steps have hyphens too. What would be too long, after a hundred attempts of the longest names,
 * ends in a hash instead, which is longer than any such length.
 */
export function jobName({ launchId, step, attempt, generation, shard }: NamedJob): string {
  const name = `lh-${launchId}-${step}-${attempt}-${generation}-${shard}-${step.length}`;
  if (name.length <= LONGEST_JOB_NAME) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  return `${name.slice(0, LONGEST_JOB_NAME - HASH_DIGITS - 1)}-${hash}`;
}
