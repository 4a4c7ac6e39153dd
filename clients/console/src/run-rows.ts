/**
 * The rows of the list: pages of answers put together, and what the live connection says meanwhile. Pure.
 *
 * @module
 */
import type { Snapshot } from '../../../workflows/progress/model.ts';
import type { RunList, RunSummary } from '../../live/api.ts';

export interface Filters {
  domain?: string;
  status?: string;
  consumer?: string;
  q?: string;
}

export const FILTERS = ['domain', 'status', 'consumer', 'q'] as const;

export function filtersOf(query: URLSearchParams): Filters {
  const filters: Filters = {};
  for (const name of FILTERS) {
    const value = query.get(name)?.trim();
    if (value) filters[name] = value;
  }
  return filters;
}

/** @returns query of `GET /runs` */
export function listQuery(filters: Filters, limit: number, before?: string): string {
  const query = new URLSearchParams({ ...filters, limit: String(limit), ...(before !== undefined && { before }) });
  return query.toString();
}

/** Newest first as they come, each run once: a run that began between two pages moves those after it. */
export function rowsOf(pages: readonly RunList[]): RunSummary[] {
  const rows = new Map<string, RunSummary>();
  for (const { runs } of pages) for (const run of runs) if (!rows.has(run.workflowId)) rows.set(run.workflowId, run);
  return [...rows.values()];
}

/** A row with what is newer in a snapshot. What the snapshot does not tell stays. */
export function withSnapshot(row: RunSummary, snapshot: Snapshot | undefined): RunSummary {
  if (!snapshot || (row.attempt ?? 1) > snapshot.attempt) return row;
  const { waitingFor: _, ...rest } = row;
  const { status, waitingFor, percent, attempt, endedAt, error } = snapshot;
  return {
    ...(status === undefined ? row : rest),
    ...(status !== undefined && { status }),
    ...(waitingFor !== undefined && { waitingFor }),
    ...(percent !== undefined && { percent }),
    attempt,
    ...(endedAt !== undefined && { endedAt: new Date(endedAt).toISOString() }),
    ...(error && { errorType: error.type }),
  };
}
