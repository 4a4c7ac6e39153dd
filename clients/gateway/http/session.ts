/**
 * `GET /session`: what the gateway takes the caller for.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import type { SessionInfo } from '../../live/api.ts';
import type { ApiDependencies } from './dependencies.ts';
import { principalOf } from './guard.ts';
import { answers, ref } from './schemas.ts';

export function sessionRoutes(app: FastifyInstance, { auth, version, settings }: ApiDependencies): void {
  app.get(
    '/session',
    {
      schema: {
        tags: ['session'],
        summary: 'Who asks: role, consumers, and what this gateway is',
        response: answers(ref('SessionInfo')),
      },
    },
    (request): SessionInfo => {
      const { role, consumers, expiresAt } = principalOf(request);
      return {
        auth,
        role,
        consumers,
        version,
        temporalUi: settings.temporalUi,
        ...(expiresAt !== undefined && { expiresAt }),
      };
    },
  );
}
