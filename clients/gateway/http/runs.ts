/**
 * `/runs`: the list of runs of every domain, and one run of whatever domain.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import { WORKFLOW_TYPES } from '../../../workflows/launch/model.ts';
import type { RunDetail, RunList } from '../../live/api.ts';
import type { ApiDependencies } from './dependencies.ts';
import { principalOf, seenLaunch } from './guard.ts';
import { launchDetail } from './launch-detail.ts';
import { otherRun } from './other-runs.ts';
import type { PlanReader } from './plans.ts';
import { restoreDetail } from './restore-detail.ts';
import { listRuns, type RunQuery } from './run-list.ts';
import { answers, body, consumer, name, object, oneOf, ref, whole, workflowId } from './schemas.ts';
import { splitWorkflowId } from './summaries.ts';

export const PAGE = { most: 200, usual: 50 };

export function runRoutes(app: FastifyInstance, deps: ApiDependencies, plans: PlanReader): void {
  app.get<{ Querystring: RunQuery }>(
    '/runs',
    {
      schema: {
        tags: ['runs'],
        summary: 'Runs of every domain, the newest first',
        querystring: body(
          {},
          {
            domain: { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9-]{0,31}$', description: '`launch`, `restore`, …' },
            status: { type: 'string', pattern: '^[A-Z][A-Z_]{0,31}$', description: 'In the words of its domain.' },
            consumer,
            workflowType: oneOf(WORKFLOW_TYPES, 'Of launches.'),
            q: name('Beginning of the id.', 64),
            limit: whole(1, PAGE.most, 'Runs to a page.', { default: PAGE.usual }),
            before: { type: 'string', maxLength: 600, pattern: '^[A-Za-z0-9_-]+$', description: '`next` of a page.' },
          },
        ),
        response: answers(ref('RunList')),
      },
    },
    (request): Promise<RunList> => listRuns(deps, principalOf(request), request.query, Date.now()),
  );
  app.get<{ Params: { workflowId: string } }>(
    '/runs/:workflowId',
    {
      schema: {
        tags: ['runs'],
        summary: 'One run, by its workflow id: percent-encoded, `launch%2Fcohort-7`',
        params: object({ workflowId }),
        response: answers(ref('RunDetail')),
      },
    },
    async (request): Promise<RunDetail> => {
      const principal = principalOf(request);
      const { domain, id } = splitWorkflowId(request.params.workflowId);
      const { log } = request;
      if (domain === 'launch')
        return launchDetail(deps, { plans, log }, principal, await seenLaunch(deps, principal, id));
      if (domain === 'restore') return restoreDetail(deps, principal, id, log);
      return otherRun(deps, principal, request.params.workflowId, log);
    },
  );
}
