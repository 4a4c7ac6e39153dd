/**
 * Errors as the API tells them: a code, what is the matter, what to do. What is not meant for the client stays in the log.
 *
 * @module
 */
import {
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ReportError } from '../../../lib/cost/calendar.ts';
import { RequestFileError } from '../../../lib/restore/request-file.ts';
import { UnreadableObjectError } from '../../../lib/s3-objects.ts';
import { InvalidNameError } from '../../../lib/story/names.ts';
import { SheetError } from '../../../workflows/launch/sheet/problems.ts';
import { NoCostError } from '../../cost/view.ts';
import { isOutage } from '../../events/outage.ts';
import { StoryProblem, type StoryProblemKind } from '../../story/problem.ts';
import { errorBody, HttpError } from '../errors.ts';

export const STATUS_OF = {
  'bad-request': 400,
  'bad-sheet': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  'unsupported-media-type': 415,
  'too-many-requests': 429,
  internal: 500,
  unavailable: 503,
} as const;
export type ApiErrorCode = keyof typeof STATUS_OF;

/** What a route throws for its client to read. */
export class ApiProblem extends HttpError {
  declare readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string, remedy: string) {
    super(STATUS_OF[code], message, remedy, code);
    this.name = 'ApiProblem';
  }
}

const SEE_DOCUMENT = 'see GET /api/v1/openapi.json for what this route takes';
const NO_COST = {
  unknown: 'GET /api/v1/runs lists those that may be seen',
  open: 'wait for its end',
  pricing: 'wait until it has been priced',
} as const;
const OF_STORIES: Readonly<Record<StoryProblemKind, ApiErrorCode>> = {
  input: 'bad-request',
  unknown: 'not-found',
  conflict: 'conflict',
  unavailable: 'unavailable',
};
const LATER = 'try again in a moment; GET /api/v1/health says what is out of reach';

/** Of fastify's own refusals. */
const BY_STATUS: Readonly<Record<number, [ApiErrorCode, string]>> = {
  400: ['bad-request', SEE_DOCUMENT],
  401: ['unauthorized', 'send "Authorization: Bearer <token>" with a token that is valid now'],
  403: ['forbidden', 'ask who runs this gateway for a role that may'],
  404: ['not-found', SEE_DOCUMENT],
  413: ['too-large', 'send less at a time'],
  415: ['unsupported-media-type', 'send "Content-Type: application/json"'],
  429: ['too-many-requests', 'wait as long as the header retry-after says'],
  503: ['unavailable', LATER],
};

/** What a client is told of an error; undefined where it is none of its business. */
export function problemOf(error: unknown): ApiProblem | undefined {
  if (error instanceof ApiProblem) return error;
  if (error instanceof SheetError) return new ApiProblem('bad-sheet', error.message, 'correct what each line names');
  if (error instanceof ReportError) return new ApiProblem('bad-request', error.message, SEE_DOCUMENT);
  if (error instanceof NoCostError)
    return new ApiProblem(error.reason === 'unknown' ? 'not-found' : 'conflict', error.message, NO_COST[error.reason]);
  if (error instanceof RequestFileError)
    return new ApiProblem('bad-request', error.message, 'correct the file, or name another one');
  if (error instanceof UnreadableObjectError)
    return new ApiProblem('bad-request', error.message, 'name an object that is there, and that the gateway may read');
  if (error instanceof StoryProblem) return new ApiProblem(OF_STORIES[error.kind], error.message, error.remedy);
  if (error instanceof InvalidNameError)
    return new ApiProblem('bad-request', error.message, 'correct the name, or how it looks');
  if (error instanceof WorkflowNotFoundError)
    return new ApiProblem('not-found', 'there is no such open workflow', 'look it up with GET /api/v1/runs');
  if (error instanceof WorkflowUpdateFailedError)
    return new ApiProblem(
      'conflict',
      error.cause?.message ?? 'it was refused',
      'look at the run for what it waits for',
    );
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
    return new ApiProblem('unavailable', 'no worker has answered', 'see that workers run, then ask again');
  const refused = ofFastify(error);
  if (refused) return refused;
  // A gRPC error that is none of the above says nothing a client could mend.
  if (error instanceof ServiceError || isOutage(error))
    return new ApiProblem('unavailable', 'a service this needs does not answer now', LATER);
  return undefined;
}

function ofFastify(error: unknown): ApiProblem | undefined {
  if (!(error instanceof Error)) return undefined;
  const {
    statusCode,
    validation,
    validationContext,
    code = '',
    remedy: own,
  } = error as Partial<FastifyError> & { remedy?: unknown };
  const isOwn =
    validation !== undefined || typeof own === 'string' || code.startsWith('FST_') || (statusCode ?? 500) < 500;
  const [known, usual] = BY_STATUS[statusCode ?? 500] ?? [];
  if (!isOwn || !known || usual === undefined) return undefined;
  // Authentication says itself what to do.
  const remedy = typeof own === 'string' ? own : usual;
  if (!validation) return new ApiProblem(known, error.message, remedy);
  const [first] = validation;
  const field = `${validationContext ?? 'request'}${(first?.instancePath ?? '').replaceAll('/', '.')}`;
  const named = first?.params.additionalProperty ?? first?.params.missingProperty;
  const allowed: unknown = first?.params.allowedValues;
  const what = `${first?.message ?? 'is not valid'}${named === undefined ? '' : `: ${String(named)}`}`;
  return new ApiProblem(known, `${field} ${what}${Array.isArray(allowed) ? `: ${allowed.join(', ')}` : ''}`, remedy);
}

const INTERNAL = new ApiProblem(
  'internal',
  'this went wrong inside the gateway',
  'report it with the id of the request: header x-request-id',
);

/** The one error handler. The log gets the error with its stack, and the route's pattern instead of the address. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error) ?? INTERNAL;
  const status = problem.statusCode;
  const about = { route: request.routeOptions.url, method: request.method, code: problem.code };
  if (status >= 500) request.log.error({ ...about, err: error }, 'a request failed');
  else request.log.info(about, 'a request was refused');
  if (status === 503 && !reply.hasHeader('retry-after')) void reply.header('retry-after', '2');
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(errorBody(problem.code, problem.message, problem.remedy));
}

export const notFound = (what: string): ApiProblem =>
  new ApiProblem('not-found', `there is no ${what}`, 'GET /api/v1/runs lists those that may be seen');
