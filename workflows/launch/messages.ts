/**
 * The messages a launch understands.
 *
 * @module
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import {
  APPROVE_UPDATE,
  type Approval,
  RESTORE_CHANGED_SIGNAL,
  RESTORE_STATUSES,
  type RestoreProgress,
} from '../restore/model.ts';
import {
  JOB_STATUSES,
  JOBS_CHANGED_SIGNAL,
  type JobChange,
  type LaunchProgress,
  PROGRESS_QUERY,
  TASKS_REPORTED_SIGNAL,
  type TasksReport,
} from './model.ts';

/** News of jobs, merged: from Batch's events and from the poller, in any order and any number. */
export const jobsChanged = defineSignal<[JobChange[]]>(JOBS_CHANGED_SIGNAL);

/** What the log of a head job says of its own tasks. */
export const tasksReported = defineSignal<[TasksReport]>(TASKS_REPORTED_SIGNAL);

/** How far the restore of the launch's inputs is. */
export interface RestoreChange {
  attempt: number;
  progress: RestoreProgress;
}
export const restoreChanged = defineSignal<[RestoreChange]>(RESTORE_CHANGED_SIGNAL);

/** Lets the launch spend more than its limit, or refuses. Returns the status it leads to. */
export const approve = defineUpdate<string, [Approval]>(APPROVE_UPDATE);

/** Status, steps and counts as the workflow knows them now. */
export const progressQuery = defineQuery<LaunchProgress>(PROGRESS_QUERY);

/** Anybody can send a signal, and one that throws would stop the launch for good: what cannot be used is left out. */
export function usableChanges(changes: unknown): JobChange[] {
  return Array.isArray(changes) ? changes.filter(isJobChange) : [];
}

/** @returns undefined for what is no such report */
export function usableReport(report: unknown): TasksReport | undefined {
  if (typeof report !== 'object' || report === null) return undefined;
  const { attempt, step, generation, tasks } = report as Partial<Record<keyof TasksReport, unknown>>;
  const usable =
    Number.isInteger(attempt) && typeof step === 'string' && Number.isInteger(generation) && Array.isArray(tasks);
  return usable && (tasks as unknown[]).every(isTaskCounts) ? (report as TasksReport) : undefined;
}

/** @returns undefined for what tells of no restore */
export function usableRestore(change: unknown): RestoreChange | undefined {
  if (typeof change !== 'object' || change === null) return undefined;
  const { attempt, progress } = change as Partial<Record<keyof RestoreChange, unknown>>;
  if (!Number.isInteger(attempt) || typeof progress !== 'object' || progress === null) return undefined;
  const { status, counts } = progress as Partial<Record<keyof RestoreProgress, unknown>>;
  const usable = RESTORE_STATUSES.some((known) => known === status) && typeof counts === 'object' && counts !== null;
  return usable ? (change as RestoreChange) : undefined;
}

function isTaskCounts(counts: unknown): boolean {
  if (!isCounts(counts)) return false;
  const { name, total } = counts as Record<string, unknown>;
  return typeof name === 'string' && Number.isInteger(total);
}

function isJobChange(change: unknown): change is JobChange {
  if (typeof change !== 'object' || change === null) return false;
  const { step, jobId, status, counts, stuck, ...rest } = change as Partial<Record<keyof JobChange, unknown>>;
  return (
    typeof step === 'string' &&
    typeof jobId === 'string' &&
    [rest.attempt, rest.generation, rest.shard, rest.attempts].every(Number.isInteger) &&
    (stuck === undefined || typeof stuck === 'string') &&
    JOB_STATUSES.some((known) => known === status) &&
    (counts === undefined || isCounts(counts))
  );
}

function isCounts(counts: unknown): boolean {
  if (typeof counts !== 'object' || counts === null) return false;
  const { running, succeeded, failed } = counts as Record<string, unknown>;
  return [running, succeeded, failed].every(Number.isInteger);
}
