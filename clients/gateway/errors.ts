/**
 * What is told to whoever asked wrongly: the same body from every route.
 *
 * @module
 */
import type { FastifyError, FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { ApiError } from '../live/api.ts';

const CODES: Readonly<Record<number, string>> = {
  400: 'bad-request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  413: 'too-large',
  429: 'too-many-requests',
  503: 'unavailable',
};

/** Thrown in a route: becomes the answer. */
export class HttpError extends Error {
  override name = 'HttpError';
  readonly statusCode: number;
  readonly code: string;
  readonly remedy: string;

  constructor(statusCode: number, message: string, remedy: string, code = CODES[statusCode] ?? 'bad-request') {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
    this.remedy = remedy;
  }
}

export const errorBody = (code: string, message: string, remedy: string): ApiError => ({
  error: { code, message, remedy },
});

const WHAT_TO_DO: Readonly<Record<number, string>> = {
  400: 'see GET /api/v1/openapi.json',
  404: 'see GET /api/v1/openapi.json for the addresses there are',
  413: 'send less',
  429: 'wait for the seconds in the retry-after header',
};

/** What a route throws and did not expect is logged by its name and told as 500, without its message. */
export function answerErrors(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler<FastifyError | HttpError>(async (error, request, reply) => {
    const status = error.statusCode ?? 500;
    if (error instanceof HttpError) {
      return reply.code(status).send(errorBody(error.code, error.message, error.remedy));
    }
    if (status < 500) {
      const remedy = WHAT_TO_DO[status] ?? 'see GET /api/v1/openapi.json';
      return reply.code(status).send(errorBody(CODES[status] ?? 'bad-request', error.message, remedy));
    }
    log.error({ route: request.routeOptions.url, error: error.name, errorMessage: error.message }, 'a request failed');
    return reply.code(500).send(errorBody('internal', 'the gateway failed', "the gateway's log says why"));
  });
  app.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).send(errorBody('not-found', 'there is nothing at this address', WHAT_TO_DO[404] as string)),
  );
}
