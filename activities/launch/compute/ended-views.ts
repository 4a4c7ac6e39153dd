/**
 * From how an attempt ended, as the job program tells it, to what a compute service says of a job. For services whose
 * jobs are one process.
 *
 * @module
 */
import { streamsOf } from '../../../jobs/log-streams.ts';
import { type AttemptEnding, ENDING_CONTAINERS } from '../../../lib/launch/endings.ts';
import type { ContainerView } from './service.ts';

/** In the words of AWS Batch and ECS, by which causes are told. */
const MEMORY = 'OutOfMemoryError: killed due to memory usage';
export const TIMED_OUT = 'Job attempt duration exceeded timeout';

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
