/**
 * Writing down how far a restore is.
 *
 * @module
 */
import { log } from '@temporalio/activity';
import { readIndex } from '../../lib/restore/index-files.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';
import type { RestoreProgress, RestoreStatus } from '../../workflows/restore/model.ts';
import { tellInPassing } from '../progress/in-passing.ts';
import type { RestoreDependencies } from './dependencies.ts';

export interface RecordInput {
  /** What the log is told with it. */
  batch?: Batch;
  progress: RestoreProgress;
  sequence: number;
  /** Epoch ms. */
  beganAt: number;
  workflowId: string;
  runId: string;
  place?: string;
  consumer?: string;
  /** The file it was asked for by. */
  request?: string;
  launchId?: string;
}

export function createRecordActivities({ s3, restores, progress: writer }: RestoreDependencies) {
  return {
    /**
     * What is there already, or something later, stays.
     * @returns whether the log has what came with it; nothing where there is no log
     */
    async recordRestore({
      batch,
      progress,
      sequence,
      beganAt,
      workflowId,
      runId,
      ...of
    }: RecordInput): Promise<{ progressTold: boolean } | undefined> {
      const { restoreId, status, statuses, counts, plan, error } = progress;
      const waits = status === 'REQUESTING' || status === 'RESTORING';
      // Where its objects lie has to be known before the first of them can be told of.
      const index = status === 'REQUESTING' && of.place ? await readIndex(s3, of.place) : undefined;
      const written = await restores.record({
        restore_id: restoreId,
        created_at: new Date(beganAt).toISOString(),
        sequence,
        status,
        statuses: toIso(statuses),
        workflow_id: workflowId,
        run_id: runId,
        counts,
        ...(plan && { plan }),
        ...(of.place !== undefined && { place: of.place }),
        ...(of.consumer !== undefined && { consumer: of.consumer }),
        ...(of.request !== undefined && { request: of.request }),
        ...(of.launchId !== undefined && { launch_id: of.launchId }),
        ...(index && { roots: index.roots, told: 0 }),
        ...(waits && { open: 'open' as const }),
        ...(error && { error_type: error.type, error_message: error.message }),
      });
      log.info('restore status', { restoreId, status, written });
      return writer && { progressTold: await tellInPassing(writer, batch) };
    },
  };
}

function toIso(statuses: RestoreProgress['statuses']): Partial<Record<RestoreStatus, string>> {
  return Object.fromEntries(
    Object.entries(statuses).map(([status, at]) => [status, new Date(at).toISOString()]),
  ) as Partial<Record<RestoreStatus, string>>;
}
