/**
 * Who asks, for every HTTP route: `request.principal`. A route that needs nobody says so by `config: { public: true }`.
 *
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpError } from '../errors.ts';
import type { Principal } from '../principal.ts';
import type { GatewaySettings } from '../settings.ts';
import { AuthError, type Tokens } from './tokens.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler of a route that is not public. */
    principal: Principal;
  }
  interface FastifyContextConfig {
    /** Answers whoever asks. */
    public?: boolean;
  }
}

/** Everybody, where the gateway is open. */
export const LOCAL: Principal = { userId: 'local', role: 'approver', consumers: '*' };

export interface AuthenticateDeps {
  settings: Pick<GatewaySettings, 'open'>;
  /** Where the gateway is not open. */
  tokens?: Tokens | undefined;
}

/** Call it on the instance itself, not by `register`: the hook is for all routes that come after. */
export function authenticate(app: FastifyInstance, { settings, tokens }: AuthenticateDeps): void {
  app.decorateRequest('principal', null as unknown as Principal);
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.public || request.is404) return;
    request.principal = settings.open ? LOCAL : await principalOf(request, tokens);
  });
}

/** The token of `authorization: Bearer <token>`, unchecked. */
export function bearerOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const [scheme, token, ...more] = (headers.authorization ?? '').split(' ');
  return scheme?.toLowerCase() === 'bearer' && token && more.length === 0 ? token : undefined;
}

async function principalOf(request: FastifyRequest, tokens: Tokens | undefined): Promise<Principal> {
  const token = bearerOf(request);
  if (token === undefined || !tokens)
    throw new HttpError(401, 'a token is needed', 'send it as "authorization: Bearer <token>"');
  try {
    return await tokens.verify(token);
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    throw new HttpError(error.code === 'unavailable' ? 503 : 401, error.message, error.remedy);
  }
}
