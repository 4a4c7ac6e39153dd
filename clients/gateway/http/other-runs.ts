/**
 * A run of a domain without a registry of its own: from its log of progress and from Temporal, each of which may have
 * forgotten it.
 *
 * @module
 */
import { type WorkflowExecutionDescription, WorkflowNotFoundError } from '@temporalio/client';
import type { LogHead } from '../../../lib/progress/log.ts';
import { workflowIdOf as costIdOf } from '../../../workflows/cost/model.ts';
import { workflowIdOf as launchIdOf } from '../../../workflows/launch/model.ts';
import type { Snapshot } from '../../../workflows/progress/model.ts';
import type { RunDetail, RunSummary } from '../../live/api.ts';
import { maySee, type Ownership, type Principal } from '../principal.ts';
import { actionsOf } from './actions.ts';
import type { ApiDependencies } from './dependencies.ts';
import { notFound } from './errors.ts';
import { parentLink, temporalLink } from './links.ts';
import { loggedHead, loggedSnapshot, type Warner } from './logged.ts';
import { snapshotOf } from './stored-snapshot.ts';
import { splitWorkflowId, temporalSummary } from './summaries.ts';

/** @throws ApiProblem 404 */
export async function otherRun(
  deps: ApiDependencies,
  principal: Principal,
  workflowId: string,
  log: Warner,
): Promise<RunDetail> {
  const [head, described] = await Promise.all([loggedHead(deps.progress, workflowId, log), describe(deps, workflowId)]);
  const owned = await ownershipOf(deps, workflowId, head, described);
  if ((!head && !described) || !maySee(principal, owned)) throw notFound(`run ${workflowId}`);
  const snapshot = await loggedSnapshot(deps.progress, workflowId, log);
  const known = described ? temporalSummary(described) : undefined;
  const summary = { ...(known ?? summaryOf(snapshot, workflowId)), ...ofSnapshot(snapshot) };
  const parent = snapshot?.parent ?? described?.parentExecution?.workflowId ?? launchOf(workflowId);
  return {
    ...summary,
    snapshot: snapshot ?? snapshotBy(summary, owned, parent),
    actions: actionsOf(principal, { ...summary, ...owned }),
    links: [...(parent === undefined ? [] : [parentLink(parent)]), temporalLink(deps.settings, workflowId)],
    ...(snapshot?.error && { error: snapshot.error }),
  };
}

async function describe(
  { client }: Pick<ApiDependencies, 'client'>,
  workflowId: string,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** A pricing belongs to whom its launch belongs to. */
const launchOf = (workflowId: string): string | undefined => {
  const { id } = splitWorkflowId(workflowId);
  return workflowId === costIdOf(id) ? launchIdOf(id) : undefined;
};

async function ownershipOf(
  { launches }: Pick<ApiDependencies, 'launches'>,
  workflowId: string,
  head: LogHead | undefined,
  described: WorkflowExecutionDescription | undefined,
): Promise<Ownership> {
  const attribute = described && temporalSummary(described).consumer;
  const own = { consumer: head?.consumer ?? attribute, owner: head?.owner };
  if (own.consumer !== undefined || own.owner !== undefined || launchOf(workflowId) === undefined) return own;
  return { consumer: (await launches.get(splitWorkflowId(workflowId).id))?.consumer };
}

/** What Temporal does not know, and what the log knows better. */
function ofSnapshot(snapshot: Snapshot | undefined): Partial<RunSummary> {
  if (!snapshot) return {};
  const { status, waitingFor, consumer, percent, cost, attempt } = snapshot;
  return {
    attempt,
    ...(status !== undefined && { status }),
    ...(waitingFor !== undefined && { waitingFor }),
    ...(consumer !== undefined && { consumer }),
    ...(percent !== undefined && { percent }),
    ...(cost && { cost }),
  };
}

function summaryOf(snapshot: Snapshot | undefined, workflowId: string): RunSummary {
  const { startedAt = 0, endedAt, status = 'UNKNOWN' } = snapshot ?? {};
  return {
    workflowId,
    ...splitWorkflowId(workflowId),
    status,
    createdAt: new Date(startedAt).toISOString(),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt).toISOString() }),
  };
}

function snapshotBy(summary: RunSummary, { consumer, owner }: Ownership, parent: string | undefined): Snapshot {
  const { workflowId, domain, status, createdAt, endedAt } = summary;
  const at = Date.parse(endedAt ?? createdAt);
  return snapshotOf(workflowId, {
    facts: {
      domain,
      ...(consumer !== undefined && { consumer }),
      ...(owner !== undefined && { owner }),
      ...(parent !== undefined && { parent }),
    },
    attempt: 1,
    status,
    waitingFor: undefined,
    statuses: [{ status, at, attempt: 1 }],
    change: {},
    startedAt: Date.parse(createdAt),
    endedAt: endedAt === undefined ? undefined : at,
  });
}
