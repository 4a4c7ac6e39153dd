/**
 * What every compute service must do, and what one of them cannot: docs/compute.md shows the same as a table, and a test
 * keeps the two equal.
 *
 * @module
 */
import type { ComputeService } from '../../workflows/launch/model.ts';

/** In the order they are tested. */
export const CONFORMANCE_POINTS = {
  single: 'a job of one item runs once, commits, and ends SUCCEEDED',
  array: 'an array runs each item by its index; its counts say how they ended',
  doubled: 'a job whose submission got no answer is found by its name, not sent again',
  raced: 'of two submissions at once the item gets one commit',
  cancel: 'a running job ends soon after it is told to, as TERMINATED',
  memory: 'a command that takes more memory than it asked for is killed, as OUT_OF_MEMORY',
  timeout: 'a job that runs longer than timeoutSeconds is ended, as TIMEOUT',
  'host lost': 'a job whose host is lost ends, as HOST_LOST',
  'host retried': 'a job whose host is lost runs again as often as retries.hostLoss says',
  lost: 'a job the service does not know is LOST',
  'exit code': "a command that fails is EXIT_CODE, with its own code; stage's and publish's codes are told from it",
  logs: 'the last lines of main are read by the stream the job names',
  'failed children': 'of an array only the children that failed are listed, each with its cause',
  'end ended': 'ending a job that has ended does nothing',
} as const;

export type ConformancePoint = keyof typeof CONFORMANCE_POINTS;

export const CANNOT: Readonly<Record<ComputeService, Partial<Record<ConformancePoint, string>>>> = {
  batch: {},
  slurm: {},
  ec2: {},
  eks: {},
};
