/**
 * From how an attempt ended, as the job program tells it, to what a compute service says of a job. For services whose
 * jobs are one process.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { streamsOf } from '../../../jobs/log-streams.ts';
import { mapLimited } from '../../../lib/concurrency.ts';
import { type AttemptEnding, ENDING_CONTAINERS, endingsOfName, listEndings } from '../../../lib/launch/endings.ts';
import { causeOf } from '../../../workflows/launch/causes.ts';
import type { AttemptView, ComputeService, ContainerView } from './service.ts';

/** In the words of AWS Batch and ECS, by which causes are told. */
const MEMORY = 'OutOfMemoryError: killed due to memory usage';
export const TIMED_OUT = 'Job attempt duration exceeded timeout';
const STOPPED = 'Terminated: it was asked to end';
const LISTING = 8;

/** The parts that ran, with their streams. */
export function containersOf(name: string, jobId: string, ending: Omit<AttemptEnding, 'index'>): ContainerView[] {
  const streams = streamsOf(name, `${jobId.replaceAll(':', '_')}-${ending.attempt}`);
  const last = ENDING_CONTAINERS.indexOf(ending.container);
  return ENDING_CONTAINERS.slice(0, last + 1).map((container, place) => ({
    name: container,
    exitCode: place === last ? ending.exitCode : 0,
    ...(place === last && ending.way === 'memory' && { reason: MEMORY }),
    logStream: streams[container],
  }));
}

/** What runs has streams, and no exit codes yet. */
export function runningContainers(name: string, jobId: string, attempt: number): ContainerView[] {
  const streams = streamsOf(name, `${jobId.replaceAll(':', '_')}-${attempt}`);
  return ENDING_CONTAINERS.map((container) => ({ name: container, logStream: streams[container] }));
}

/** When attempts ended and how, by their own word: a host that was lost had no time for one. */
export const attemptsByEndings =
  (s3: S3Client, bucket: string): NonNullable<ComputeService['attempts']> =>
  async (jobs, beat) => {
    const found = new Map<string, AttemptView[]>();
    await mapLimited(jobs, LISTING, async ({ id, name }) => {
      beat();
      for (const ending of await listEndings(s3, endingsOfName(bucket, name), id)) {
        const view = toAttempt(name, id, ending);
        // Of a single job the index is 0, and its id the job's own.
        for (const own of [`${id}:${ending.index}`, ...(ending.index === 0 ? [id] : [])])
          found.set(own, [...(found.get(own) ?? []), view]);
      }
    });
    return found;
  };

function toAttempt(name: string, id: string, ending: AttemptEnding & { endedAt: number }): AttemptView {
  const { attempt, endedAt, way, exitCode } = ending;
  const succeeded = way === 'exited' && exitCode === 0;
  const reason = way === 'timeout' ? TIMED_OUT : way === 'stopped' ? STOPPED : undefined;
  const of = { status: 'FAILED', ...(reason && { reason }), containers: containersOf(name, id, ending) } as const;
  return { attempt, to: endedAt, ...(!succeeded && { cause: causeOf(of) }) };
}
