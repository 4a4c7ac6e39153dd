/**
 * From what a restore knows of itself to what its watchers are told. Pure.
 *
 * @module
 */
import type { Change, EventKind, RunFacts } from '../progress/model.ts';
import { formatUsd } from './details.ts';
import { isEnded, type RestoreInput, type RestoreProgress } from './model.ts';

export const factsOf = ({ consumer, launch }: RestoreInput): RunFacts => ({
  domain: 'restore',
  ...(consumer !== undefined && { consumer }),
  ...(launch && { parent: launch.workflowId }),
});

/**
 * @param told the status its watchers know
 * @returns everything there is to tell now
 */
export function reportOf(
  progress: RestoreProgress,
  told: RestoreProgress['status'] | undefined,
): { kind: EventKind; change: Change } {
  const { status, readyBy, error } = progress;
  const waits = status === 'APPROVAL' && { waitingFor: 'approval' };
  const change: Change = {
    ...countsOf(progress),
    message: messageOf(progress) ?? null,
    etaAt: readyBy ?? null,
    ...(status !== told && { status, ...waits }),
    ...(error && { error }),
  };
  if (status === told) return { kind: 'progress', change };
  return { kind: isEnded(status) ? 'end' : 'status', change };
}

function countsOf({
  counts: { total, bytes, requested, readable, readableBytes, restoring, failed },
}: RestoreProgress) {
  return {
    ...(total > 0 && { percent: Math.min(100, (100 * (readable + failed)) / total) }),
    counts: { objects: total, bytes, requested, restored: readable, restoredBytes: readableBytes, restoring, failed },
  };
}

function messageOf({ status, counts, approval }: RestoreProgress): string | undefined {
  const { total, requested, readable } = counts;
  if (approval)
    return `would cost ${formatUsd(approval.usd)}, above the limit of ${formatUsd(approval.limitUsd)}: waits for an approval`;
  if (status === 'REQUESTING') return `${requested} objects have been asked for`;
  if (status === 'RESTORING' || status === 'READY') return `${readable} of ${total} objects can be read`;
  return undefined;
}
