/**
 * The log of a run over plain HTTP: a picture, a stream, a page at a time.
 *
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ProgressReader } from '../../lib/progress/log.ts';
import type { Position } from '../../workflows/progress/model.ts';
import { HttpError } from './errors.ts';
import { requireSeen } from './http/guard.ts';
import { parsePosition } from './live/client-message.ts';
import type { Hub } from './live/hub.ts';
import { poll } from './live/polling.ts';
import type { Streams } from './live/sse.ts';
import type { Problem } from './live/subscription.ts';

const WAIT_SECONDS = 25;
const EVENTS = 500;
/** As it is told of: its id may be of somebody else's. */
const RUN = 'such run';

export interface ProgressRoutesDeps {
  reader: Pick<ProgressReader, 'head' | 'snapshot'>;
  hub: Hub;
  streams: Streams;
}

/** The rest of the address is the workflow id, which has slashes of its own. */
type OfRun = { Params: { '*': string } };

const runOf = (request: FastifyRequest<OfRun>): string => request.params['*'];

export function progressRoutes(app: FastifyInstance, { reader, hub, streams }: ProgressRoutesDeps): void {
  app.get<OfRun>('/api/v1/progress/*', async (request) => {
    const run = runOf(request);
    requireSeen(request.principal, await reader.head(run), RUN);
    const snapshot = await reader.snapshot(run);
    return requireSeen(request.principal, snapshot, RUN);
  });

  app.get<OfRun & { Querystring: Record<string, unknown> }>('/api/v1/progress-events/*', async (request, reply) => {
    const { epoch, after, wait, limit } = request.query;
    const position = positionOf(epoch, after);
    const waitMs = number('wait', wait, 0, WAIT_SECONDS, 0) * 1000;
    const most = number('limit', limit, 1, EVENTS, EVENTS);
    // A log that is gone is told of by its verdict, to whoever has seen it.
    if (!position) requireSeen(request.principal, await reader.head(runOf(request)), RUN);
    const gone = new AbortController();
    reply.raw.on('close', () => gone.abort());
    const answer = await poll(hub, {
      run: runOf(request),
      principal: request.principal,
      position,
      waitMs,
      limit: most,
      signal: gone.signal,
    });
    if ('problem' in answer) throw problemOf(answer.problem);
    return answer;
  });

  app.get<OfRun>('/api/v1/progress-stream/*', async (request, reply) => {
    const run = runOf(request);
    const id = request.headers['last-event-id'];
    // An id that means nothing here is of a log that is gone, as far as anybody can tell.
    const position = typeof id === 'string' && id !== '' ? (parsePosition(id) ?? { epoch: '-', seq: 0 }) : undefined;
    const head = await reader.head(run);
    // A log that is gone is told of in the stream, to whoever has seen it.
    if (head || !position) requireSeen(request.principal, head, RUN);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    raw.on('error', () => raw.destroy());
    streams.open(raw, run, position, request.principal);
  });
}

function positionOf(epoch: unknown, after: unknown): Position | undefined {
  if (epoch === undefined && after === undefined) return undefined;
  if (typeof epoch !== 'string' || epoch === '')
    throw new HttpError(400, 'after is a sequence of a log: epoch is needed too', 'take both from the answer before');
  return { epoch, seq: number('after', after, 0, Number.MAX_SAFE_INTEGER, 0) };
}

function number(name: string, given: unknown, least: number, most: number, fallback: number): number {
  if (given === undefined) return fallback;
  const value = typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : Number.NaN;
  if (!(value >= least && value <= most))
    throw new HttpError(
      400,
      `${name}: expected a whole number from ${least} to ${most}`,
      'see GET /api/v1/openapi.json',
    );
  return value;
}

const STATUS = { 'not-found': 404, forbidden: 403, unavailable: 503 } as const;
const problemOf = ({ code, message, remedy }: Problem): HttpError => new HttpError(STATUS[code], message, remedy, code);
