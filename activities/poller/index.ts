/**
 * The poller's look at all open jobs of a place: hundreds of jobs in a few calls, whoever launched them.
 *
 * @module
 */
import { heartbeat, log } from '@temporalio/activity';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { mapLimited } from '../../lib/concurrency.ts';
import type { LaunchStore } from '../../lib/store/launches.ts';
import { currentJobs, type StepItem, type StepJob, type StepStore } from '../../lib/store/steps.ts';
import { isEnded, JOBS_CHANGED_SIGNAL, type JobChange, type RunningCounts } from '../../workflows/launch/model.ts';
import { type Place, placeOf } from '../../workflows/poller/model.ts';
import { type ComputeService, describeAll, hasEnded, type JobView, serviceNamed } from '../launch/compute/service.ts';

type PolledService = Pick<ComputeService, 'describe' | 'describeLimit' | 'terminate' | 'whyNotPlaced' | 'held'>;

export interface PollerDependencies {
  steps: StepStore;
  launches: Pick<LaunchStore, 'get' | 'recordTermination'>;
  compute: ReadonlyMap<string, PolledService>;
  client: Client;
}

/** Launches asked for at a time. */
const LOOKING = 16;

/** A job that is not known this long after it was submitted will not be any more. */
const LOST_AFTER_MS = 120_000;

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
      const views = await describe(open);
      for (const row of open) {
        heartbeat();
        const changes = await noteChanges(row, views, lookForLaunches);
        if (changes.length === 0) continue;
        const known = news.get(row.workflow_id) ?? [];
        news.set(row.workflow_id, [...known, ...changes.map((change) => ({ row, change }))]);
      }
      for (const [workflowId, changes] of news) {
        heartbeat();
        await tell(workflowId, changes);
      }
      if (lookForLaunches) await endOrphans(open);
      // Also at the last look, after which there may be none for long.
      if (lookForLaunches || open.length === 0) await endHeld(open);
      return { open: open.length, changed: [...news.values()].reduce((sum, changes) => sum + changes.length, 0) };
    },
  };

  /** A service that does not answer must not keep the news of the others back. */
  async function describe(open: readonly StepItem[]): Promise<Map<string, JobView>> {
    const views = new Map<string, JobView>();
    const ids = new Map<string, string[]>();
    for (const row of open) {
      const name = row.compute_service ?? 'batch';
      ids.set(name, [...(ids.get(name) ?? []), ...currentJobs(row).map(({ id }) => id)]);
    }
    const failures: unknown[] = [];
    for (const [name, some] of ids) {
      try {
        for (const view of await describeAll(serviceNamed(compute, name), some, heartbeat)) views.set(view.id, view);
      } catch (error) {
        log.warn('a compute service could not be asked', { computeService: name, error: String(error) });
        failures.push(error);
      }
    }
    if (failures.length === ids.size && failures.length > 0) throw failures[0];
    return views;
  }

  /**
   * An end is told until the launch has taken the job out of the open ones; anything else only once. Counts are told at
   * so many steps of the way, because each telling costs the launch history.
   */
  async function noteChanges(
    row: StepItem,
    views: ReadonlyMap<string, JobView>,
    thorough: boolean,
  ): Promise<JobChange[]> {
    const jobs = currentJobs(row).flatMap((job) => {
      const view = views.get(job.id);
      return view && !isTooYoung(job, view) ? [{ job, view }] : [];
    });
    const ends = jobs.filter(({ view }) => hasEnded(view)).map(({ job, view }) => toChange(row, job, view));
    if (jobs.length === 0 || ends.length === jobs.length) return ends;
    const counts = sumOf(jobs);
    const items = {
      ...row.items,
      running: counts.running,
      succeeded: row.settled + counts.succeeded,
      failed: counts.failed,
    };
    const running = counts.running > 0;
    const queued = jobs.some(({ view }) => view.status === 'RUNNABLE' || view.status === 'STARTING');
    const state = running ? 'RUNNING' : queued ? 'RUNNABLE' : row.state;
    const stuck = running ? undefined : await whyStuck(row, jobs, thorough ? undefined : row.stuck);
    if (!(await steps.counted(row, items, state, stuck))) return ends;
    const part = (done: number) => Math.floor((row.reports * done) / row.items.total);
    const moved = part(items.succeeded + items.failed) !== part(row.items.succeeded + row.items.failed);
    if (state === row.state && stuck === row.stuck && !moved) return ends;
    return jobs.map(({ job, view }) => ({ ...toChange(row, job, view), ...(stuck && { stuck }) }));
  }

  /** Batch gives its reason to the job itself, or to the child of the array that is at the head of the queue. */
  async function whyStuck(
    row: StepItem,
    jobs: readonly { job: StepJob; view: JobView }[],
    known: string | undefined,
  ): Promise<string | undefined> {
    const reason = jobs.find(({ view }) => view.status === 'RUNNABLE' && view.reason)?.view.reason;
    if (reason !== undefined || known !== undefined) return reason ?? known;
    const array = jobs.find(({ job, view }) => job.items > 1 && !hasEnded(view));
    return array && serviceNamed(compute, row.compute_service).whyNotPlaced(array.job.id);
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

  /** Of a launch that went before its job was recorded only the hosts themselves tell. */
  async function endHeld(open: readonly StepItem[]): Promise<void> {
    const recorded = new Set(open.flatMap((row) => currentJobs(row).map(({ id }) => id)));
    for (const service of compute.values()) {
      for (const { id, workflowId } of (await service.held?.()) ?? []) {
        heartbeat();
        if (recorded.has(id) || (await isRunning(workflowId))) continue;
        log.warn('ending the hosts of a launch that is gone', { workflowId, jobId: id });
        await service.terminate(id, 'the launch is gone');
      }
    }
  }

  /** The workflow could not write its own end. */
  async function recordTermination({ launch_id: launchId, attempt }: StepItem): Promise<void> {
    const known = await launches.get(launchId);
    if (!known || known.attempt !== attempt || isEnded(known.status)) return;
    await launches.recordTermination(known);
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
    log.warn('ending the jobs of a launch that is gone', { workflowId: row.workflow_id, jobId: row.job_id });
    for (const { id } of currentJobs(row)) await serviceNamed(compute, row.compute_service).terminate(id, cause);
    await steps.ended(row, { state: 'CANCELLED', items: row.items, ended_at: new Date().toISOString(), cause });
  }
}

/** DescribeJobs may not know a job yet that was submitted a moment ago. */
function isTooYoung(job: StepJob, view: JobView): boolean {
  return view.status === 'LOST' && Date.now() - Date.parse(job.submitted_at) < LOST_AFTER_MS;
}

function toChange(row: StepItem, job: StepJob, view: JobView): JobChange {
  return {
    attempt: row.attempt,
    step: row.step,
    generation: job.generation,
    shard: job.shard,
    jobId: job.id,
    status: view.status === 'LOST' ? 'FAILED' : view.status,
    attempts: view.attempts,
    ...(view.counts && { counts: view.counts }),
  };
}

function sumOf(jobs: readonly { view: JobView }[]): RunningCounts {
  const sum = { running: 0, succeeded: 0, failed: 0 };
  for (const { view } of jobs) {
    const single = { running: view.status === 'RUNNING' ? 1 : 0, succeeded: 0, failed: 0 };
    const { running, succeeded, failed } = view.counts ?? single;
    sum.running += running;
    sum.succeeded += succeeded;
    sum.failed += failed;
  }
  return sum;
}

export type PollerActivities = ReturnType<typeof createPollerActivities>;
