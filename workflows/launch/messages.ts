/**
 * The messages a launch understands.
 *
 * @module
 */
import { defineQuery, defineSignal } from '@temporalio/workflow';
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
