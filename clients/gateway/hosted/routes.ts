/**
 * What the routes `$connect`, `$default` and `$disconnect` of a WebSocket API call, as HTTP proxy integrations, and how
 * gateways hand on to one another what is of another's connection. docs/live.md has the mapping of headers.
 *
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { requireKey } from '../auth/key.ts';
import { AuthError } from '../auth/tokens.ts';
import { HttpError } from '../errors.ts';
import { type IdentityDeps, identify } from '../live/identity.ts';
import { type Hosted, type HostedNews, PASS_PATH } from './hosted.ts';

/** Headers the integrations add, from `context.connectionId` and from a text. */
export const CONNECTION_HEADER = 'longhaul-connection';
export const KEY_HEADER = 'longhaul-key';
/** Of a client's message, by API Gateway. */
const MESSAGE_BYTES = 131_072;
const CONNECTION_ID = /^[\w=-]{1,128}$/;
const PROTOCOLS = 8;

export interface HostedRoutesDeps extends IdentityDeps {
  hosted: Hosted;
  /** Of our own processes; it is also what the integrations send. */
  key: string;
}

export async function hostedRoutes(app: FastifyInstance, deps: HostedRoutesDeps): Promise<void> {
  const { hosted } = deps;
  const options = (read: (request: FastifyRequest) => string) => ({
    config: { public: true, rateLimit: false as const },
    bodyLimit: MESSAGE_BYTES * 2,
    onRequest: requireKey(deps.key, read, 'map it to the header longhaul-key: docs/live.md'),
    schema: { hide: true },
  });
  const byHeader = options((request) => String(request.headers[KEY_HEADER] ?? ''));
  const byBearer = options((request) => (request.headers.authorization ?? '').replace(/^Bearer /, ''));

  await app.register(async (api) => {
    // A client's message, whatever it is: the session says what is wrong with it.
    api.removeAllContentTypeParsers();
    api.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));

    api.post('/hosted/v1/connect', byHeader, async (request, reply) => {
      const connectionId = connectionOf(request);
      const offered = String(request.headers['sec-websocket-protocol'] ?? '').split(',');
      const protocols = offered.map((protocol) => protocol.trim()).filter(Boolean);
      try {
        await hosted.open(connectionId, await identify(protocols.slice(0, PROTOCOLS), deps));
      } catch (error) {
        if (!(error instanceof AuthError)) throw error;
        throw new HttpError(error.code === 'unavailable' ? 503 : 401, error.message, error.remedy);
      }
      const [first] = protocols;
      return reply.headers(first === undefined ? {} : { 'sec-websocket-protocol': first }).send('');
    });

    api.post('/hosted/v1/message', byHeader, async (request, reply) => {
      await hosted.pass({ connectionId: connectionOf(request), text: String(request.body ?? '') });
      return reply.send('');
    });

    api.post('/hosted/v1/disconnect', byHeader, async (request, reply) => {
      await hosted.pass({ connectionId: connectionOf(request) });
      return reply.send('');
    });

    api.post(PASS_PATH, byBearer, async (request, reply) => {
      if (!hosted.here(newsOf(String(request.body ?? ''))))
        throw new HttpError(
          404,
          'this gateway does not have that connection',
          'end the connection: its client comes again',
        );
      return reply.code(204).send();
    });
  });
}

function connectionOf(request: FastifyRequest): string {
  const connectionId = String(request.headers[CONNECTION_HEADER] ?? '');
  if (!CONNECTION_ID.test(connectionId))
    throw new HttpError(
      400,
      `the header ${CONNECTION_HEADER} is missing`,
      'map context.connectionId to it: docs/live.md',
    );
  return connectionId;
}

function newsOf(body: string): HostedNews {
  const wrong = new HttpError(400, 'no news of a connection', 'send { connectionId, text? }');
  let news: unknown;
  try {
    news = JSON.parse(body);
  } catch {
    throw wrong;
  }
  const { connectionId, text } = (news ?? {}) as Record<string, unknown>;
  if (typeof connectionId !== 'string' || (text !== undefined && typeof text !== 'string')) throw wrong;
  return { connectionId, ...(text !== undefined && { text }) };
}
