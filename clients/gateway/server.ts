/**
 * The gateway: HTTP, WebSocket and SSE on one port. What it is made of is given to it, so that tests and the deployed form
 * may give something else.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { Client } from '@temporalio/client';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { ProgressReader } from '../../lib/progress/log.ts';
import type { ConnectionsStore } from '../../lib/store/connections.ts';
import type { SessionsStore } from '../../lib/store/sessions.ts';
import { authenticate } from './auth/authenticate.ts';
import type { Tokens } from './auth/tokens.ts';
import { serveConsole } from './console.ts';
import { answerErrors, HttpError } from './errors.ts';
import { createHosted, type HostedDeps } from './hosted/hosted.ts';
import { hostedRoutes } from './hosted/routes.ts';
import { Hub } from './live/hub.ts';
import { createSessions } from './live/sessions.ts';
import { createStreams } from './live/sse.ts';
import { acceptUpgrades } from './live/upgrade.ts';
import { nudgeRoute } from './nudge-route.ts';
import { refuseOrigin } from './origins.ts';
import { progressRoutes } from './progress-routes.ts';
import type { RequestHandler } from './requests.ts';
import { serveSamples } from './samples/pages.ts';
import type { GatewaySettings } from './settings.ts';
import { type StoriesDeps, storyRoutes } from './stories/index.ts';

export interface GatewayDeps {
  settings: GatewaySettings;
  log: Logger;
  /** Where the gateway is not open. */
  tokens?: Tokens;
  reader: ProgressReader;
  connections: ConnectionsStore;
  sessions: SessionsStore;
  /** What may be asked for over a live connection, and the client that starts it. */
  requests?: readonly RequestHandler[];
  client?: Client;
  /** Where clients also come by an API of API Gateway. */
  hosted?: Pick<HostedDeps, 'api' | 'held' | 'url'>;
  /** Stories, and what their pages are made of; without them there are no such pages. */
  stories?: StoriesDeps;
  /** Folder of the samples' built pages. */
  samples?: string;
  /** Folder of the built console; without one there is none. */
  console?: string;
  /** Adds the resources, behind everything that holds for all routes; who asks is in `request.principal`. */
  registerApi?(app: FastifyInstance): Promise<void> | void;
  /** Of one address, a minute. */
  requestsPerMinute?: number;
  /** How long headers may take to come, and how often that is looked at. */
  patience?: { headersMs: number; checkMs: number };
  /** Of live connections. */
  heartbeatMs?: number;
  /** Epoch ms; of live sessions. */
  now?(): number;
}

export interface Gateway {
  /** Of this process. */
  id: string;
  app: FastifyInstance;
  hub: Hub;
  /** @returns the address it listens on, such as `http://127.0.0.1:8780` */
  listen(): Promise<string>;
  /** Ends connections in order; clients go to another gateway. */
  close(): Promise<void>;
}

const BODY_BYTES = 1_048_576;
/** Who sends headers or a body slower than this is let go. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const CHECK_MS = 2_000;
const HEADER_BYTES = 16_384;
const REQUESTS_PER_MINUTE = 3_000;
const CHANGES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Without a Content-Security-Policy for other sites: the console needs nothing from outside. */
const SELF = ["'self'"];
const SECURITY = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: SELF,
      styleSrc: SELF,
      imgSrc: [...SELF, 'data:'],
      fontSrc: SELF,
      connectSrc: SELF,
      manifestSrc: SELF,
      baseUri: ["'none'"],
      formAction: SELF,
      frameAncestors: ["'none'"],
    },
  },
  // By whoever ends TLS before it; over plain HTTP on loopback it would lock other programs on that host out.
  strictTransportSecurity: false,
  crossOriginEmbedderPolicy: false,
  referrerPolicy: { policy: 'no-referrer' as const },
};

export async function createGateway(deps: GatewayDeps): Promise<Gateway> {
  const { settings, log } = deps;
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1_000 },
    http: {
      headersTimeout: deps.patience?.headersMs ?? HEADERS_MS,
      connectionsCheckingInterval: deps.patience?.checkMs ?? CHECK_MS,
      maxHeaderSize: HEADER_BYTES,
    },
  }) as unknown as FastifyInstance;
  answerErrors(app, log);
  await app.register(helmet, SECURITY);
  await app.register(rateLimit, {
    max: deps.requestsPerMinute ?? REQUESTS_PER_MINUTE,
    timeWindow: '1 minute',
    errorResponseBuilder: (_request, { after }) => new HttpError(429, 'too many requests', `try again in ${after}`),
  });
  app.addHook('onRequest', async (request) => {
    const checked = settings.open || CHANGES.has(request.method) || request.headers.origin !== undefined;
    const refusal = checked && refuseOrigin(request.headers, settings);
    if (refusal) throw new HttpError(403, refusal, 'open the console at the address of the gateway itself');
  });
  authenticate(app, { settings, tokens: deps.tokens });
  await deps.registerApi?.(app);
  const id = randomUUID();
  const now = deps.now ?? Date.now;
  const hub = new Hub({ reader: deps.reader, log, now });
  const live = createSessions({ ...deps, gateway: id, hub, now });
  const streams = createStreams(hub, now);
  const upgrades = acceptUpgrades(app.server, { ...deps, live, now });
  app.get('/api/v1/health', { config: { public: true, rateLimit: false } }, async () => ({
    ok: true,
    connections: live.count,
    streams: streams.count,
    runs: hub.runs,
  }));
  if (deps.hosted && settings.key !== '') {
    const hosted = createHosted({ ...deps.hosted, live, key: settings.key, log, now });
    await hostedRoutes(app, { ...deps, hosted, key: settings.key, now });
  }
  nudgeRoute(app, hub, settings.key);
  progressRoutes(app, { reader: deps.reader, hub, streams });
  const { tokens, heartbeatMs } = deps;
  const stories =
    deps.stories && storyRoutes(app, { ...deps.stories, open: settings.open, tokens, hub, now, heartbeatMs });
  if (deps.samples !== undefined) serveSamples(app, deps.samples);
  if (deps.console !== undefined) serveConsole(app, deps.console);
  return {
    id,
    app,
    hub,
    async listen() {
      hub.start();
      live.start();
      await app.listen({ host: settings.host, port: settings.port });
      const { address, port, family } = app.server.address() as AddressInfo;
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
    },
    async close() {
      upgrades.stop();
      await live.close();
      streams.close();
      stories?.close();
      hub.stop();
      await app.close();
    },
  };
}
