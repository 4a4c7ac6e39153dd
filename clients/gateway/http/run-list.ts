/**
 * One list of the runs of every domain, the newest first, page by page.
 *
 * @module
 */
import { mergePages, type PageFilter, type RunPage, type RunPlace } from '../../../lib/store/newest.ts';
import { LAUNCH_STATUSES } from '../../../workflows/launch/model.ts';
import { RESTORE_STATUSES } from '../../../workflows/restore/model.ts';
import { isOutage } from '../../events/outage.ts';
import type { RunList, RunSummary } from '../../live/api.ts';
import type { Principal } from '../principal.ts';
import type { ApiDependencies } from './dependencies.ts';
import { ApiProblem } from './errors.ts';
import { requireConsumer } from './guard.ts';
import { launchSummary, restoreSummary } from './summaries.ts';
import { temporalRuns } from './temporal-runs.ts';

export interface RunQuery {
  domain?: string;
  status?: string;
  consumer?: string;
  workflowType?: string;
  q?: string;
  limit: number;
  before?: string;
}

type Sources = Pick<ApiDependencies, 'launches' | 'restores' | 'client'>;

/** Temporal may be slow, and the registries tell of most. */
const TEMPORAL_MS = 5_000;

/** @throws ApiProblem 400 for a `before` that is none of ours; 403 for a consumer that is none of the caller's */
export async function listRuns(sources: Sources, principal: Principal, query: RunQuery, now: number): Promise<RunList> {
  const { domain, status, workflowType, q: prefix, limit } = query;
  if (query.consumer !== undefined) requireConsumer(principal, query.consumer);
  const consumers =
    query.consumer !== undefined ? [query.consumer] : principal.consumers === '*' ? undefined : principal.consumers;
  const after = query.before === undefined ? undefined : parseCursor(query.before);
  const filter: PageFilter = {
    limit,
    ...(after && { after }),
    ...(status !== undefined && { status }),
    ...(consumers && { consumers }),
    ...(prefix !== undefined && { prefix }),
  };
  const wants = (own: string) => domain === undefined || domain === own;
  const incomplete: string[] = [];
  const others = async (): Promise<RunPage<RunSummary>> => {
    const temporal = { ...filter, ...(domain !== undefined && { domain }) };
    try {
      return await sources.client.withDeadline(Date.now() + TEMPORAL_MS, () =>
        temporalRuns(sources.client, temporal, now),
      );
    } catch (error) {
      if (!isOutage(error)) throw error;
      incomplete.push('temporal');
      return { items: [] };
    }
  };
  const pages = await Promise.all([
    ...(wants('launch') && isOneOf(LAUNCH_STATUSES, status)
      ? [
          pageThrough(
            sources.launches.page({ ...filter, ...(workflowType !== undefined && { workflowType }) }),
            launchSummary,
          ),
        ]
      : []),
    ...(wants('restore') && workflowType === undefined && isOneOf(RESTORE_STATUSES, status)
      ? [pageThrough(sources.restores.page(filter), restoreSummary)]
      : []),
    ...(domain !== 'launch' && domain !== 'restore' && workflowType === undefined ? [others()] : []),
  ]);
  const { items: runs, reached } = mergePages(pages, limit, placeOf);
  return { runs, ...(reached && { next: formatCursor(reached) }), ...(incomplete.length > 0 && { incomplete }) };
}

const isOneOf = (statuses: readonly string[], status: string | undefined): boolean =>
  status === undefined || statuses.includes(status);

async function pageThrough<Item>(
  reading: Promise<RunPage<Item>>,
  toSummary: (item: Item) => RunSummary,
): Promise<RunPage<RunSummary>> {
  const { items, ...rest } = await reading;
  return { items: items.map(toSummary), ...rest };
}

const placeOf = ({ createdAt, workflowId }: RunSummary): RunPlace => ({ createdAt, workflowId });

export const formatCursor = ({ createdAt, workflowId }: RunPlace): string =>
  Buffer.from(JSON.stringify([createdAt, workflowId])).toString('base64url');

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

/** @throws ApiProblem 400 */
export function parseCursor(cursor: string): RunPlace {
  try {
    const [createdAt, workflowId, ...rest] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    const usable = typeof createdAt === 'string' && ISO.test(createdAt) && !Number.isNaN(Date.parse(createdAt));
    if (usable && typeof workflowId === 'string' && rest.length === 0) return { createdAt, workflowId };
  } catch {
    // The same as any other that is not ours.
  }
  throw new ApiProblem(
    'bad-request',
    'querystring.before is no place in this list',
    'use the "next" of a page as it is',
  );
}
