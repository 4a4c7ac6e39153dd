/**
 * `/approvals`: letting a run that waits spend more than its limit, or refusing it.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import { decide } from '../../restore/approve.ts';
import type { ApiDependencies } from './dependencies.ts';
import { ApiProblem, notFound } from './errors.ts';
import { principalOf, requireRole, requireSeen } from './guard.ts';
import { answers, body, ref, workflowId } from './schemas.ts';
import { digestOf } from './sheets.ts';
import { splitWorkflowId } from './summaries.ts';

interface ApprovalBody {
  workflowId: string;
  refuse?: boolean;
}

/** An update waits for a worker; a person does not. */
const PATIENCE_MS = 15_000;

export function approvalRoutes(app: FastifyInstance, deps: ApiDependencies): void {
  app.post<{ Body: ApprovalBody }>(
    '/approvals',
    {
      schema: {
        tags: ['approvals'],
        summary: 'Lets a launch or restore that waits spend more than its limit, or refuses. Needs the role approver',
        body: body({ workflowId }, { refuse: { type: 'boolean', description: 'Refuse instead: it fails.' } }),
        response: answers(ref('Decided'), { also: [409] }),
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { workflowId: run, refuse } = request.body;
      await requireSeenRun();
      requireRole(principal, 'approver');
      // Who it was, for who knows the user ids; what stands in a history is not personal.
      const by = `user-${digestOf(principal.userId).slice(0, 12)}`;
      const decided = await deps.client.withDeadline(Date.now() + PATIENCE_MS, () =>
        decide(deps.client, run, { by, ...(refuse && { refuse }) }),
      );
      if ('reason' in decided) {
        const ended = decided.outcome === 'missing';
        throw new ApiProblem(
          'conflict',
          ended ? `${run} has ended: there is nothing to decide` : decided.reason,
          'GET /api/v1/runs/{workflowId} says what it waits for',
        );
      }
      return { workflowId: run, decision: decided.outcome, status: decided.status };

      async function requireSeenRun(): Promise<void> {
        const { domain, id } = splitWorkflowId(run);
        if (domain === 'launch') requireSeen(principal, await deps.launches.get(id), run);
        else if (domain === 'restore') requireSeen(principal, await deps.restores.get(id), run);
        else {
          const head = await deps.progress.head(run);
          if (!head) throw notFound(run);
          requireSeen(principal, head, run);
        }
      }
    },
  );
}
