/**
 * Who asks, and what that lets them see and do. Every route and channel asks here and nowhere else.
 *
 * @module
 */
import { ROLES, type Role } from '../live/protocol.ts';

export interface Principal {
  /** Opaque: of an anonymous session, or the token's subject. */
  userId: string;
  role: Role;
  /** Whose runs may be seen; `*`: everybody's. */
  consumers: readonly string[] | '*';
  /** Epoch ms: when the token ends. */
  expiresAt?: number;
}

/** Whose a run is. */
export interface Ownership {
  consumer?: string | undefined;
  /** User id of the anonymous user who began it. */
  owner?: string | undefined;
}

/** A run without a consumer and without an owner is the operators' of everything. */
export function maySee(principal: Principal, run: Ownership): boolean {
  if (principal.consumers === '*') return true;
  if (run.owner !== undefined && run.owner === principal.userId) return true;
  return run.consumer !== undefined && principal.consumers.includes(run.consumer);
}

export const hasRole = (principal: Principal, needed: Role): boolean =>
  ROLES.indexOf(principal.role) >= ROLES.indexOf(needed);

/** To start, cancel and retry is an operator's, to let money be spent an approver's. */
export function mayAct(principal: Principal, run: Ownership, needed: Role): boolean {
  return maySee(principal, run) && hasRole(principal, needed);
}
