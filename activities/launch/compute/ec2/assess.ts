/**
 * What a job's hosts and its items' records say together: what has ended, what is to be started, what to be ended. Pure.
 *
 * @module
 */
import type { AttemptEnding } from '../../../../lib/launch/endings.ts';
import { type HostJob, itemId, itemsOfHost } from '../../../../lib/launch/host-job.ts';
import { containersOf, runningContainers, TIMED_OUT } from '../ended-views.ts';
import type { JobView } from '../service.ts';
import type { HostInstance } from './instances.ts';

/** One host's share of a job. */
export interface Share {
  host: number;
  /** Items that have not ended, as far as their records were read. */
  open: number[];
  /** Starts of which something is known. */
  tries: number;
  /** That it runs on, or will. */
  live?: HostInstance;
  /** The last that is gone. */
  gone?: HostInstance;
}

export interface Assessment {
  shares: Share[];
  endings: ReadonlyMap<number, AttemptEnding>;
}

/** Of an item that ended by itself: one that was told to end with its host is to be run again. */
const isFinal = (ending: AttemptEnding | undefined): boolean => ending !== undefined && ending.way !== 'stopped';

export const isLive = ({ state }: HostInstance): boolean => ['pending', 'running', 'stopping'].includes(state);

/** @param endings empty where they need not be read: a job of one item runs as long as its host does */
export function assess(
  job: HostJob,
  instances: readonly HostInstance[],
  endings: ReadonlyMap<number, AttemptEnding>,
): Assessment {
  const shares = Array.from({ length: job.hosts }, (_, host): Share => {
    const own = instances.filter((instance) => instance.host === host).sort((a, b) => a.attempt - b.attempt);
    const live = own.findLast(isLive);
    const gone = own.findLast((instance) => !isLive(instance));
    return {
      host,
      open: itemsOfHost(job, host).filter((index) => !isFinal(endings.get(index))),
      tries: own.at(-1)?.attempt ?? 0,
      ...(live && { live }),
      ...(gone && { gone }),
    };
  });
  return { shares, endings };
}

/** Shares whose items nobody runs, and which may be started once more. */
export const toStart = (job: HostJob, { shares }: Assessment): Share[] =>
  shares.filter((share) => share.open.length > 0 && !share.live && mayRun(job, share));

/** Their work is done, or their time is over: they should have ended by themselves. */
export const toEnd = ({ shares }: Assessment, hasEnded: boolean, lifetimeMs: number, now: number): HostInstance[] =>
  shares.flatMap(({ live, open }) =>
    live?.id && ((hasEnded && open.length === 0) || now - live.launchedAt > lifetimeMs) ? [live] : [],
  );

/**
 * @param waiting why a host could not be started, of those that should be
 * @param stopped why somebody ended the job
 */
export function viewOf(
  job: HostJob,
  assessment: Assessment,
  { waiting, stopped }: { waiting?: string | undefined; stopped?: string | undefined },
): JobView {
  const { id } = job;
  const { shares, endings } = assessment;
  const busy = shares.filter(({ live, open }) => live && open.length > 0);
  const queued = stopped === undefined && toStart(job, assessment).length > 0;
  const attempts = Math.max(0, ...shares.map(({ tries }) => tries));
  if (busy.length === 0 && !queued)
    return job.items > 1 ? endedArray() : endedView(job, 0, shares[0], endings, stopped);
  const running = busy.filter(({ live }) => live?.state !== 'pending');
  const startedAt = Math.min(...running.map(({ live }) => live?.launchedAt ?? 0));
  const reason = queued ? waiting : undefined;
  return {
    id,
    status: running.length > 0 ? 'RUNNING' : busy.length > 0 ? 'STARTING' : 'RUNNABLE',
    attempts: Math.max(0, attempts - 1),
    ...(job.items > 1 && { counts: counts(running) }),
    ...(running.length > 0 && { startedAt }),
    ...(reason !== undefined && { reason }),
    containers: job.items === 1 && running.length > 0 ? runningContainers(job.name, id, attempts) : [],
  };

  function counts(on: readonly Share[]) {
    const ended = [...endings.values()].filter(isFinal);
    const succeeded = ended.filter(({ exitCode }) => exitCode === 0).length;
    const inWork = on.reduce((sum, { open, live }) => sum + Math.min(open.length, live?.slots ?? 1), 0);
    return { running: inWork, succeeded, failed: ended.length - succeeded };
  }

  function endedArray(): JobView {
    const { succeeded } = counts([]);
    const failed = job.items - succeeded;
    return {
      id,
      status: failed > 0 ? 'FAILED' : 'SUCCEEDED',
      attempts,
      counts: { running: 0, succeeded, failed },
      ...(stopped !== undefined && failed > 0 && { reason: stopped }),
      containers: [],
    };
  }
}

const mayRun = (job: HostJob, { tries }: Share): boolean => tries <= job.hostRetries;

/** One of an array. */
export function childView(
  job: HostJob,
  index: number,
  { shares, endings }: Assessment,
  stopped: string | undefined,
): JobView {
  const share = shares[index % job.hosts];
  const waits = share && !share.live && stopped === undefined && mayRun(job, share);
  if (isFinal(endings.get(index)) || !(share?.live || waits)) return endedView(job, index, share, endings, stopped);
  return { id: itemId(job, index), status: waits ? 'RUNNABLE' : 'RUNNING', attempts: 0, containers: [] };
}

/** @returns of the children that ended otherwise than with 0, or whose hosts were lost */
export function failedChildrenOf(job: HostJob, assessment: Assessment, stopped: string | undefined): JobView[] {
  return Array.from({ length: job.items }, (_, index) => index).flatMap((index) => {
    const view = childView(job, index, assessment, stopped);
    return view.status === 'FAILED' ? [view] : [];
  });
}

function endedView(
  job: HostJob,
  index: number,
  share: Share | undefined,
  endings: ReadonlyMap<number, AttemptEnding>,
  stopped: string | undefined,
): JobView {
  const ending = endings.get(index);
  const id = itemId(job, index);
  const lost = `Host EC2 (instance ${share?.gone?.id ?? 'unknown'}) terminated.`;
  const reason = isFinal(ending) ? (ending?.way === 'timeout' ? TIMED_OUT : undefined) : (stopped ?? lost);
  return {
    id,
    status: isFinal(ending) && ending?.exitCode === 0 ? 'SUCCEEDED' : 'FAILED',
    attempts: Math.max(share?.tries ?? 1, ending?.attempt ?? 1),
    ...(share?.gone && { startedAt: share.gone.launchedAt }),
    ...(reason !== undefined && { reason }),
    containers: ending ? containersOf(job.name, id, ending) : [],
  };
}
