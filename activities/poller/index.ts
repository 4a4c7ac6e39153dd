/**
 * The poller's look at all open jobs of a place: hundreds of jobs in a few calls, whoever launched them.
 *
 * @module
 */
import { heartbeat, log } from '@temporalio/activity';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { mapLimited } from '../../lib/concurrency.ts';
import type { LaunchStore } from '../../lib/store/launches.ts';
import type { StepItem, StepStore } from '../../lib/store/steps.ts';
import { isEnded, JOBS_CHANGED_SIGNAL, type JobChange } from '../../workflows/launch/model.ts';
import { type Place, placeOf } from '../../workflows/poller/model.ts';
import { DESCRIBE_LIMIT } from '../launch/compute/batch.ts';
import type { ComputeService, JobView } from '../launch/compute/service.ts';

export interface PollerDependencies {
  steps: StepStore;
  launches: Pick<LaunchStore, 'get' | 'recordStatus'>;
  compute: Pick<ComputeService, 'describe' | 'terminate'>;
  client: Client;
}

/** Launches asked for at a time. */
const LOOKING = 16;

export interface PollInput extends Place {
  /** Also look whether the launches of the open jobs are still there. */
  lookForLaunches: boolean;
}

export function createPollerActivities({ steps, launches, compute, client }: PollerDependencies) {
  return {
    /** @returns how many jobs are open, and of how many there was news */
    async pollOpenJobs({ lookForLaunches, ...place }: PollInput): Promise<{ open: number; changed: number }> {
      const open = await steps.open(placeOf(place));
      const news = new Map<string, { row: StepItem; change: JobChange }[]>();
      for (let first = 0; first < open.length; first += DESCRIBE_LIMIT) {
        heartbeat();
        const rows = open.slice(first, first + DESCRIBE_LIMIT);
        const views = await compute.describe(rows.map((row) => row.job_id));
        for (const [index, row] of rows.entries()) {
          const change = await noteChange(row, views[index] as JobView);
          if (change) news.set(row.workflow_id, [...(news.get(row.workflow_id) ?? []), { row, change }]);
        }
      }
      for (const [workflowId, changes] of news) {
        heartbeat();
        await tell(workflowId, changes);
      }
      if (lookForLaunches) await endOrphans(open);
      return { open: open.length, changed: [...news.values()].reduce((sum, changes) => sum + changes.length, 0) };
    },
  };

  /** An end is told until the launch has taken the job out of the open ones; anything else only once. */
  async function noteChange(row: StepItem, view: JobView): Promise<JobChange | undefined> {
    const status = view.status === 'LOST' ? 'FAILED' : view.status;
    const change: JobChange = {
      step: row.step,
      generation: row.generation,
      jobId: row.job_id,
      status,
      attempts: view.attempts,
      ...(view.counts && { counts: view.counts }),
    };
    if (status === 'SUCCEEDED' || status === 'FAILED') return change;
    const running = status === 'RUNNING' || (view.counts?.running ?? 0) > 0;
    const items = { total: row.items.total, ...(view.counts ?? { running: running ? 1 : 0, succeeded: 0, failed: 0 }) };
    const state = running ? 'RUNNING' : status === 'RUNNABLE' || status === 'STARTING' ? 'RUNNABLE' : row.state;
    return (await steps.counted(row, items, state)) ? change : undefined;
  }

  async function tell(workflowId: string, changes: { row: StepItem; change: JobChange }[]): Promise<void> {
    const payload = changes.map(({ change }) => change);
    try {
      await client.workflow.getHandle(workflowId).signal(JOBS_CHANGED_SIGNAL, payload);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      for (const { row } of changes) await endOrphan(row);
      if (changes[0]) await recordTermination(changes[0].row);
    }
  }

  /** A launch that was terminated from outside could not end its jobs: they would run, and cost, for nobody. */
  async function endOrphans(open: readonly StepItem[]): Promise<void> {
    const byLaunch = new Map<string, StepItem[]>();
    for (const row of open) byLaunch.set(row.workflow_id, [...(byLaunch.get(row.workflow_id) ?? []), row]);
    await mapLimited([...byLaunch], LOOKING, async ([workflowId, rows]) => {
      heartbeat();
      if (await isRunning(workflowId)) return;
      for (const row of rows) await endOrphan(row);
      if (rows[0]) await recordTermination(rows[0]);
    });
  }

  /** The workflow could not write its own end. */
  async function recordTermination({ launch_id: launchId, attempt }: StepItem): Promise<void> {
    const known = await launches.get(launchId);
    if (!known || known.attempt !== attempt || isEnded(known.status)) return;
    const error = {
      type: 'LaunchTerminatedError',
      message: 'the workflow of this launch was terminated from outside; its jobs have been ended',
    };
    const sequence = known.sequence + 1;
    await launches.recordStatus({
      launchId,
      attempt,
      sequence,
      status: 'CANCELLED',
      at: new Date().toISOString(),
      error,
    });
  }

  async function isRunning(workflowId: string): Promise<boolean> {
    try {
      const { status } = await client.workflow.getHandle(workflowId).describe();
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  async function endOrphan(row: StepItem): Promise<void> {
    const cause = 'the launch is gone';
    log.warn('ending a job whose launch is gone', { workflowId: row.workflow_id, jobId: row.job_id });
    await compute.terminate(row.job_id, cause);
    await steps.ended(row, { state: 'CANCELLED', items: row.items, ended_at: new Date().toISOString(), cause });
  }
}

export type PollerActivities = ReturnType<typeof createPollerActivities>;
