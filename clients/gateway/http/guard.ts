/**
 * What every route asks before it does anything: what of a run this principal may see and do. A run of another consumer is
 * as if it were not there, so that its name tells nothing.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify';
import type { LaunchItem, LaunchStore } from '../../../lib/store/launches.ts';
import type { Role } from '../../live/protocol.ts';
import { hasRole, maySee, type Ownership, type Principal } from '../principal.ts';
import { ApiProblem, notFound } from './errors.ts';

/** @throws ApiProblem 401: whoever sets up authentication has let through a request without a principal */
export function principalOf(request: FastifyRequest): Principal {
  const { principal } = request as { principal?: Principal | null };
  if (!principal)
    throw new ApiProblem('unauthorized', 'this needs a token', 'send "Authorization: Bearer <token>" with a valid one');
  return principal;
}

/** @throws ApiProblem 403 */
export function requireRole(principal: Principal, needed: Role): void {
  if (hasRole(principal, needed)) return;
  throw new ApiProblem(
    'forbidden',
    `this needs the role ${needed}; yours is ${principal.role}`,
    `ask for a token with the role ${needed}`,
  );
}

/** @throws ApiProblem 404 for one of others, as for one that is not there */
export function requireSeen<Run extends Ownership>(principal: Principal, run: Run | undefined, what: string): Run {
  if (!run || !maySee(principal, run)) throw notFound(what);
  return run;
}

/** @throws ApiProblem 404 */
export async function seenLaunch(
  { launches }: { launches: Pick<LaunchStore, 'get'> },
  principal: Principal,
  launchId: string,
): Promise<LaunchItem> {
  return requireSeen(principal, await launches.get(launchId), `launch ${launchId}`);
}

/** Whose costs and runs are asked for: one that is named has to be one's own. @throws ApiProblem 403 */
export function requireConsumer(principal: Principal, consumer: string): void {
  if (principal.consumers === '*' || principal.consumers.includes(consumer)) return;
  throw new ApiProblem(
    'forbidden',
    `consumer ${consumer} is none of yours`,
    principal.consumers.length > 0
      ? `name one of ${principal.consumers.join(', ')}`
      : 'ask for a token that names consumers',
  );
}
