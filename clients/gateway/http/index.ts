/**
 * The HTTP API of the gateway: everything the command line can do. The gateway has `request.principal` set by then;
 * routes of live progress and of health are its own.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import type { ApiDependencies } from './dependencies.ts';
import { errorBody, handleError, notFound } from './errors.ts';
import { describeApi } from './openapi.ts';
import { addSchemas } from './schemas.ts';
import { sessionRoutes } from './session.ts';

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
      api.setErrorHandler(handleError);
      api.setNotFoundHandler((_request, reply) =>
        reply
          .code(404)
          .type('application/json; charset=utf-8')
          .send(errorBody(notFound('such route'))),
      );
      // Response schemas describe; what is sent is what was made, nothing left out.
      api.setSerializerCompiler(() => JSON.stringify);
      api.addHook('onSend', (request, reply, _payload, next) => {
        if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
        void reply.header('x-request-id', request.id);
        next();
      });
      sessionRoutes(api, deps);
      api.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
      done();
    },
    { prefix: PREFIX },
  );
}
