/**
 * The gateway: HTTP, WebSocket and SSE on one port. What it is made of is given to it, so that tests and the deployed form
 * may give something else.
 *
 * @module
 */
import type { AddressInfo } from 'node:net';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { authenticate } from './auth/authenticate.ts';
import type { Tokens } from './auth/tokens.ts';
import { answerErrors, HttpError } from './errors.ts';
import { refuseOrigin } from './origins.ts';
import type { GatewaySettings } from './settings.ts';

export interface GatewayDeps {
  settings: GatewaySettings;
  log: Logger;
  /** Where the gateway is not open. */
  tokens?: Tokens;
  /** The resources: mounted under `/api/v1`, behind everything that holds for all routes. */
  registerApi?(app: FastifyInstance): Promise<void> | void;
  /** Of one address, a minute. */
  requestsPerMinute?: number;
}

export interface Gateway {
  app: FastifyInstance;
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
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1_000 },
    http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: CHECK_MS, maxHeaderSize: HEADER_BYTES },
  });
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
  app.get('/api/v1/health', { config: { public: true } }, async () => ({ ok: true }));
  if (deps.registerApi) {
    const { registerApi } = deps;
    await app.register(async (api) => registerApi(api), { prefix: '/api/v1' });
  }
  return {
    app,
    async listen() {
      await app.listen({ host: settings.host, port: settings.port });
      const { address, port, family } = app.server.address() as AddressInfo;
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
    },
    close: () => app.close(),
  };
}
