/**
 * A world for the launch workflow: activities that keep a registry and a compute service in memory, and do only what
 * a test tells them. The workflow under test is the real one.
 *
 * @module
 */

import type { WorkflowClient } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { FollowInput } from '../../activities/launch/follow.ts';
import type { LaunchActivities } from '../../activities/launch/index.ts';
import type { Review } from '../../activities/launch/review.ts';
import type { BudgetState } from '../../lib/cost/budget.ts';
import {
  JOBS_CHANGED_SIGNAL,
  type JobChange,
  type LaunchStatus,
  type WaitingFor,
} from '../../workflows/launch/model.ts';
import type { StepOutline } from '../../workflows/launch/state.ts';
import type { Wishes } from '../../workflows/restore/model.ts';
import type { StoredLog } from './stored-log.ts';

export interface World {
  activities: LaunchActivities;
  /** Statuses in the order they were written. */
  statuses: LaunchStatus[];
  /** What it waited for, in order. */
  waits: WaitingFor[];
  submitted: string[];
  terminated: string[];
  errors: { type: string; message: string }[];
  /** Resolves when the step has been submitted. */
  submission(step: string): Promise<{ workflowId: string; jobId: string; generation: number }>;
}

export interface WorldOptions {
  steps: StepOutline[];
  onFailure?: 'stop' | 'finish';
  existing?: { status: LaunchStatus };
  /** Where the index of its archived inputs lies, and what the sheet says of them. */
  archived?: { place: string; objects: number };
  restore?: Wishes;
  /** What each look at the budget of its consumer finds; the last one stays. Without it there is none. */
  budget?: BudgetState[];
  planFailure?: { type: string; message: string };
  /** Steps all of whose items are done before. */
  cached?: readonly string[];
  /** How each step's review ends; SUCCEEDED by default. Called once for each review. */
  review?(step: string, nth: number): Review | Promise<Review>;
  /** What following the log of a head does; it ends at once by default. */
  follow?(input: FollowInput): Promise<void>;
  /** The log it tells; without it the launch tells none. */
  log?: StoredLog;
  /** Called after a step was submitted, before the workflow hears of it. */
  onSubmit?(step: string, job: { workflowId: string; jobId: string; generation: number }): Promise<void>;
}

export function createWorld(options: WorldOptions): World {
  const waiting = new Map<string, PromiseWithResolvers<{ workflowId: string; jobId: string; generation: number }>>();
  const submission = (step: string) => {
    const known = waiting.get(step) ?? withResolvers<{ workflowId: string; jobId: string; generation: number }>();
    waiting.set(step, known);
    return known;
  };
  const reviews = new Map<string, number>();
  const world: World = {
    statuses: [],
    waits: [],
    submitted: [],
    terminated: [],
    errors: [],
    submission: (step) => submission(step).promise,
    activities: {
      async registerLaunch({ workflowId, at, retry }) {
        if (options.existing) return { outcome: 'existing', status: options.existing.status, attempt: 1 };
        world.statuses.push('PREPARING');
        const attempt = retry?.attempt ?? 1;
        const registered = { outcome: 'new', status: 'PREPARING', attempt } as const;
        if (!options.log) return registered;
        const of = { kind: 'status', source: { name: 'workflow', attempt }, localSeq: at, at } as const;
        const begin = { ...of, begins: { attempt }, status: 'PREPARING' };
        await options.log.store.append(workflowId, { domain: 'launch' }, [begin]);
        return { ...registered, progress: { begun: true } };
      },
      async preflightLaunch() {
        return { findings: [], digests: {} };
      },
      async planLaunch() {
        if (options.planFailure)
          throw ApplicationFailure.nonRetryable(options.planFailure.message, options.planFailure.type);
        return {
          planAddress: 's3://b/plan.json',
          workflowType: 'steps',
          computeService: 'batch',
          consumer: 'lab-a',
          onFailure: options.onFailure ?? 'stop',
          ...(options.budget && { hasBudget: true }),
          ...(options.archived && { mayBeArchived: true }),
          ...(options.restore && { restore: options.restore }),
          steps: options.steps,
        };
      },
      async checkBudget() {
        const { budget: found = [] } = options;
        return found.length > 1 ? found.shift() : found[0];
      },
      async findArchivedInputs() {
        return options.archived;
      },
      async recordStatus({ status, waitingFor, error, progress }) {
        const { log } = options;
        if (progress && log) await log.store.append(progress.run, progress.facts, progress.reports);
        world.statuses.push(status);
        if (waitingFor) world.waits.push(waitingFor);
        if (error) world.errors.push(error);
        return progress && { progressTold: log !== undefined };
      },
      async submitStep({ step, generation, workflowId }) {
        const job = { workflowId, jobId: `job-${step}-${generation}`, generation };
        if (options.cached?.includes(step)) return { jobs: [], done: { succeeded: 1, cached: 1 } };
        world.submitted.push(step);
        await options.onSubmit?.(step, job);
        submission(step).resolve(job);
        return {
          jobs: [{ shard: 0, jobId: job.jobId, items: 1 }],
          done: { succeeded: 0, cached: 0 },
        };
      },
      async reviewStep({ step }) {
        const nth = (reviews.get(step) ?? 0) + 1;
        reviews.set(step, nth);
        return (await options.review?.(step, nth)) ?? { state: 'SUCCEEDED', succeeded: 1, failed: 0 };
      },
      async followHead(input) {
        await options.follow?.(input);
      },
      async terminateJobs({ jobs }) {
        world.terminated.push(...jobs.map(({ jobId }) => jobId));
      },
    },
  };
  return world;
}

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve(value: T): void;
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((accept) => {
    resolve = accept;
  });
  return { promise, resolve };
}

/** News of a job as events and poller send it. */
export async function tell(
  client: WorkflowClient,
  job: { workflowId: string; jobId: string; generation: number },
  step: string,
  status: JobChange['status'],
  attempts = 0,
  more: Partial<JobChange> = {},
): Promise<void> {
  const change: JobChange = {
    attempt: 1,
    step,
    generation: job.generation,
    shard: 0,
    jobId: job.jobId,
    status,
    attempts,
    ...more,
  };
  await client.getHandle(job.workflowId).signal(JOBS_CHANGED_SIGNAL, [change]);
}
