/**
 * Where our own processes say that a log has grown. Watchers see it sooner; what is never said here, a look at the log finds.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import { NUDGE_LIMITS, NUDGE_PATH, parseNudges } from '../../lib/progress/nudges.ts';
import { InvalidProgressError } from '../../lib/progress/report.ts';
import { requireKey } from './auth/key.ts';
import { HttpError } from './errors.ts';
import type { Hub } from './live/hub.ts';

/** @param key of our own processes; without one there is no such route */
export function nudgeRoute(app: FastifyInstance, hub: Pick<Hub, 'told'>, key: string): void {
  if (key === '') return;
  app.post(
    NUDGE_PATH,
    {
      config: { public: true, rateLimit: false },
      bodyLimit: NUDGE_LIMITS.bodyBytes,
      onRequest: requireKey(
        `Bearer ${key}`,
        ({ headers }) => headers.authorization ?? '',
        'set the same gatewayKey for workers and gateways',
      ),
    },
    async (request, reply) => {
      try {
        for (const { run, epoch, events } of parseNudges(request.body)) hub.told(run, epoch, events);
      } catch (error) {
        if (error instanceof InvalidProgressError)
          throw new HttpError(400, error.message, 'send what lib/progress/nudges.ts reads');
        throw error;
      }
      return reply.code(204).send();
    },
  );
}
