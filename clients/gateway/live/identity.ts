/**
 * Who opens a connection, by the subprotocols it offers: an anonymous user's id and secret, or a token.
 *
 * @module
 */
import type { SessionsStore, SessionUser } from '../../../lib/store/sessions.ts';
import { BEARER_PREFIX, SECRET_PATTERN, TOKEN_PROTOCOL, USER_ID_PATTERN } from '../../live/protocol.ts';
import { LOCAL } from '../auth/authenticate.ts';
import { AuthError, type Tokens } from '../auth/tokens.ts';
import type { Principal } from '../principal.ts';
import type { GatewaySettings } from '../settings.ts';

export interface SessionIdentity {
  /** As the client knows it. */
  userId: string;
  user: SessionUser;
  principal: Principal;
  session: 'new' | 'resumed' | 'purged';
  /** Told once. */
  secret?: string;
}

export interface IdentityDeps {
  settings: Pick<GatewaySettings, 'open' | 'anonymous'>;
  tokens?: Tokens | undefined;
  sessions: Pick<SessionsStore, 'arrive' | 'arriveByToken'>;
  now(): number;
}

/**
 * @param protocols as offered; the first is echoed
 * @throws AuthError
 */
export async function identify(protocols: readonly string[], deps: IdentityDeps): Promise<SessionIdentity> {
  const [first, second] = protocols;
  if (first !== undefined && USER_ID_PATTERN.test(first)) return anonymous(first, second, deps);
  if (first !== undefined && first !== TOKEN_PROTOCOL)
    throw new AuthError(
      'the subprotocol offered first is neither longhaul nor the id of a user',
      'offer [userId, secret] or ["longhaul", "bearer.<JWT>"]',
    );
  if (deps.settings.open) return byToken(LOCAL, deps);
  if (!second?.startsWith(BEARER_PREFIX) || !deps.tokens)
    throw new AuthError('a token is needed', 'offer the subprotocols ["longhaul", "bearer.<JWT>"]');
  return byToken(await deps.tokens.verify(second.slice(BEARER_PREFIX.length)), deps);
}

async function byToken(principal: Principal, { sessions, now }: IdentityDeps): Promise<SessionIdentity> {
  const { session, user } = await sessions.arriveByToken(principal.userId, now());
  return { userId: principal.userId, user, principal, session };
}

async function anonymous(
  userId: string,
  secret: string | undefined,
  { settings, sessions, now }: IdentityDeps,
): Promise<SessionIdentity> {
  if (!settings.anonymous)
    throw new AuthError('users without a token are not let in', 'offer the subprotocols ["longhaul", "bearer.<JWT>"]');
  const offered = secret !== undefined && SECRET_PATTERN.test(secret) ? secret : undefined;
  const arrival = await sessions.arrive(userId, offered, now());
  if (arrival.session === 'refused')
    throw new AuthError('this user id is taken, and the secret is not its', 'make a new user id');
  const { subject, session } = arrival;
  return {
    userId,
    user: { userId, subject },
    // Under its subject, not its id: an id may be guessed, and taken by others once its session is gone.
    principal: settings.open ? { ...LOCAL, userId: subject } : { userId: subject, role: 'viewer', consumers: [] },
    session,
    ...('secret' in arrival && { secret: arrival.secret }),
  };
}
