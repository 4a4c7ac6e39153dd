/**
 * `/telemetry`: what the console reports of itself, for operators to see.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import type { Telemetry, TelemetryView } from '../../live/api.ts';
import { ApiProblem } from './errors.ts';
import { principalOf, requireRole } from './guard.ts';
import { answers, body, object, oneOf, ref } from './schemas.ts';
import { TelemetryBook } from './telemetry-book.ts';

const REPORTS = 50;
const BODY_BYTES = 65_536;

const report = body(
  {
    kind: oneOf(['page', 'request', 'error'], 'What is reported.'),
    // A pattern, as `/launches/:id`: an address with ids has no place in logs.
    route: { type: 'string', pattern: '^[A-Za-z0-9/:{}*_. -]{1,120}$', description: 'Route pattern, without ids.' },
  },
  {
    ms: { type: 'number', minimum: 0, maximum: 3_600_000, description: 'How long it took.' },
    status: { type: 'integer', minimum: 0, maximum: 599, description: 'Of the answer; 0: there was none.' },
    message: { type: 'string', maxLength: 500, description: 'Of an error: what, and where in the script.' },
  },
);

export function telemetryRoutes(app: FastifyInstance, book = new TelemetryBook()): void {
  const tags = ['telemetry'];
  app.post<{ Body: Telemetry[] }>(
    '/telemetry',
    {
      bodyLimit: BODY_BYTES,
      schema: {
        tags,
        summary: 'What the console reports of itself: page loads, requests, script errors',
        body: { type: 'array', minItems: 1, maxItems: REPORTS, items: report },
        response: answers(object({ taken: { type: 'integer' } }), { also: [413] }),
      },
    },
    (request, reply): { taken: number } => {
      const { userId } = principalOf(request);
      const now = Date.now();
      const admitted = book.admit(userId, request.body.length, now);
      if (!admitted.ok) {
        void reply.header('retry-after', String(admitted.waitSeconds));
        throw new ApiProblem('too-many-requests', 'too many reports', `wait ${admitted.waitSeconds} s, or report less`);
      }
      for (const one of request.body) {
        book.add(one, now);
        const { kind, route, ms, status } = one;
        // Messages of scripts may quote what a page shows: operators read them by the API, logs have the fact.
        request.log[kind === 'error' ? 'warn' : 'debug']({ kind, page: route, ms, status }, 'console');
      }
      return { taken: request.body.length };
    },
  );
  app.get(
    '/telemetry',
    {
      schema: {
        tags,
        summary: 'What consoles have reported since this gateway started. Needs the role operator',
        response: answers(ref('TelemetryView')),
      },
    },
    (request): TelemetryView => {
      const principal = principalOf(request);
      requireRole(principal, 'operator');
      // Reports have no consumer: they are of whoever runs the gateway.
      if (principal.consumers !== '*')
        throw new ApiProblem('forbidden', 'this is of all users', 'ask for a token for all consumers');
      return book.view();
    },
  );
}
