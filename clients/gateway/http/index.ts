/**
 * The HTTP API of the gateway: everything the command line can do. The gateway has `request.principal` set by then;
 * routes of live progress and of health are its own.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import { errorBody } from '../errors.ts';
import { approvalRoutes } from './approvals.ts';
import { costRoutes } from './costs.ts';
import type { ApiDependencies } from './dependencies.ts';
import { handleError, notFound } from './errors.ts';
import { familyRoutes } from './families.ts';
import { familyCardRoutes } from './family-cards.ts';
import { launchActionRoutes } from './launch-actions.ts';
import { launchRoutes } from './launches.ts';
import { logRoutes } from './logs.ts';
import { describeApi } from './openapi.ts';
import { createPlanReader } from './plans.ts';
import { restoreRoutes } from './restores.ts';
import { runRoutes } from './runs.ts';
import { addSchemas, answers } from './schemas.ts';
import { sessionRoutes } from './session.ts';
import { storyRoutes } from './stories.ts';
import { telemetryRoutes } from './telemetry.ts';
import { checkStrictly } from './validation.ts';

export const PREFIX = '/api/v1';

/**
 * Register it before other routes: those that come later are described by the OpenAPI document too, where they have a
 * schema.
 */
export async function registerApi(app: FastifyInstance, deps: ApiDependencies): Promise<void> {
  await describeApi(app, deps);
  await app.register(
    (api, _options, done) => {
      addSchemas(api);
      checkStrictly(api);
      api.setErrorHandler(handleError);
      api.setNotFoundHandler((_request, reply) => {
        const { code, message, remedy } = notFound('such route');
        return reply
          .code(404)
          .type('application/json; charset=utf-8')
          .send(errorBody(code, message, remedy));
      });
      // Response schemas describe; what is sent is what was made, nothing left out.
      api.setSerializerCompiler(() => JSON.stringify);
      api.addHook('onSend', (request, reply, _payload, next) => {
        if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
        void reply.header('x-request-id', request.id);
        next();
      });
      const plans = createPlanReader(deps.aws.s3);
      sessionRoutes(api, deps);
      runRoutes(api, deps, plans);
      launchRoutes(api, deps, plans);
      launchActionRoutes(api, deps);
      logRoutes(api, deps);
      restoreRoutes(api, deps);
      approvalRoutes(api, deps);
      costRoutes(api, deps);
      familyRoutes(api, deps);
      familyCardRoutes(api, deps);
      storyRoutes(api, deps);
      telemetryRoutes(api);
      api.get(
        '/openapi.json',
        {
          config: { public: true },
          schema: {
            tags: ['gateway'],
            summary: 'This document',
            security: [],
            response: answers({ type: 'object', additionalProperties: true }),
          },
        },
        () => app.swagger(),
      );
      done();
    },
    { prefix: PREFIX },
  );
}
