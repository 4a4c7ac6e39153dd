/**
 * Runs of domains that have no registry, by Temporal's visibility: each new domain's appear by themselves. It lists by the
 * time of the end and not of the beginning, so runs are read within windows of time that grow until there are enough.
 *
 * @module
 */
import type { Client } from '@temporalio/client';
import { comparePlaces, type RunPage, type RunPlace } from '../../../lib/store/newest.ts';
import { WORKFLOW_TYPE as LAUNCH } from '../../../workflows/launch/model.ts';
import { WORKFLOW_TYPE as POLLER } from '../../../workflows/poller/model.ts';
import { WORKFLOW_TYPE as RESTORE } from '../../../workflows/restore/model.ts';
import { WORKFLOW_TYPE as PURGE } from '../../../workflows/sessions/model.ts';
import { NIGHT_WORKFLOW_TYPE as NIGHT } from '../../../workflows/story/model.ts';
import type { RunSummary } from '../../live/api.ts';
import { temporalSummary } from './summaries.ts';

export interface TemporalFilter {
  after?: RunPlace;
  domain?: string;
  status?: string;
  consumers?: readonly string[];
  /** Beginning of the id. */
  prefix?: string;
  limit: number;
}

/** These are in registries, or are no runs anybody asked for. */
const LEFT_OUT = [LAUNCH, RESTORE, POLLER, PURGE, NIGHT];
const HOUR_MS = 3_600_000;
const GROWTH = 16;
/** The first, and how often it grows before it is without bounds. */
const WINDOWS = [HOUR_MS, HOUR_MS * GROWTH, HOUR_MS * GROWTH * GROWTH, Number.POSITIVE_INFINITY];
const NARROWEST_MS = 1_000;
/** Runs of one window that are looked at; more make it narrower. */
const MOST = 2_000;
/** Clocks differ: what began a moment from now is there already. */
const AHEAD_MS = HOUR_MS;
/** What is put into a query in quotes. */
const SAFE = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export async function temporalRuns(client: Client, filter: TemporalFilter, now: number): Promise<RunPage<RunSummary>> {
  const { consumers } = filter;
  if (consumers && !consumers.some((consumer) => SAFE.test(consumer))) return { items: [] };
  const to = filter.after ? Date.parse(filter.after.createdAt) : now + AHEAD_MS;
  const base = filter.after ? to : now;
  let best: RunPage<RunSummary> | undefined;
  let widths = WINDOWS;
  for (let [width] = widths; width !== undefined; [width] = widths) {
    widths = widths.slice(1);
    const from = base - width;
    const rows = await readWindow(client, filter, from, to);
    if (rows) {
      const items = rows.filter((row) => isWanted(row, filter)).toSorted(comparePlaces);
      best = pageOf(items, filter.limit, from);
      if (items.length >= filter.limit) return best;
      continue;
    }
    if (best) return best;
    if (width <= NARROWEST_MS) throw new Error(`more than ${MOST} runs began within ${width} ms`);
    widths = [width / GROWTH];
  }
  return best ?? { items: [] };
}

function pageOf(items: readonly RunSummary[], limit: number, from: number): RunPage<RunSummary> {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  if (last && items.length > limit) return { items: page, reached: placeOf(last) };
  // Everything of the window is known, to its very beginning.
  const reached = { createdAt: timeOf(from), workflowId: '' };
  return { items: page, ...(Number.isFinite(from) && { reached }) };
}

const placeOf = ({ createdAt, workflowId }: RunSummary): RunPlace => ({ createdAt, workflowId });
const timeOf = (ms: number): string => (Number.isFinite(ms) ? new Date(ms).toISOString() : '');

const isWanted = (row: RunSummary, { after, domain, status, prefix }: TemporalFilter): boolean =>
  (after === undefined || comparePlaces(after, row) < 0) &&
  (domain === undefined || row.domain === domain) &&
  (status === undefined || row.status === status) &&
  (prefix === undefined || row.id.startsWith(prefix));

/** @returns undefined when there are too many */
async function readWindow(
  client: Client,
  filter: TemporalFilter,
  from: number,
  to: number,
): Promise<RunSummary[] | undefined> {
  // Of one id the latest run stands for all.
  const rows = new Map<string, RunSummary>();
  let read = 0;
  for await (const info of client.workflow.list({ query: queryOf(filter, from, to), pageSize: MOST / 2 })) {
    read += 1;
    if (read > MOST) return undefined;
    const row = temporalSummary(info);
    const known = rows.get(row.workflowId);
    if (!known || known.createdAt < row.createdAt) rows.set(row.workflowId, row);
  }
  return [...rows.values()];
}

export function queryOf({ domain, consumers }: TemporalFilter, from: number, to: number): string {
  const parts = [
    ...LEFT_OUT.map((type) => `WorkflowType != "${type}"`),
    'ExecutionStatus != "ContinuedAsNew"',
    // Temporal's times are finer than ours.
    `StartTime < "${timeOf(to + 1)}"`,
    ...(Number.isFinite(from) ? [`StartTime >= "${timeOf(from)}"`] : []),
    ...(domain !== undefined && SAFE.test(domain) ? [`WorkflowId STARTS_WITH "${domain}/"`] : []),
  ];
  const own = (consumers ?? []).filter((consumer) => SAFE.test(consumer)).map((consumer) => `"${consumer}"`);
  return [...parts, ...(consumers ? [`LonghaulConsumer IN (${own.join(', ')})`] : [])].join(' AND ');
}
