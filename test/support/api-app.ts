/**
 * The HTTP API in a fastify application of its own, for tests: the principal is named by a header, as authentication would
 * set it. Nothing listens.
 *
 * @module
 */
import Fastify, {
  type FastifyInstance,
  type InjectOptions,
  type LightMyRequestResponse,
  type RouteOptions,
} from 'fastify';
import { onTestFinished } from 'vitest';
import { type ApiDependencies } from '../../clients/gateway/http/dependencies.ts';
import { PREFIX, registerApi } from '../../clients/gateway/http/index.ts';
import type { Principal } from '../../clients/gateway/principal.ts';
import { readSettings } from '../../lib/settings.ts';

export const OPEN: Principal = { userId: 'somebody-of-this-machine', role: 'approver', consumers: '*' };

export interface ApiUnderTest {
  app: FastifyInstance;
  /** Every route that was registered below the prefix: `GET /launches/:id`. */
  routes: string[];
  as(principal: Principal | undefined): ApiUnderTest;
  get(path: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  post(path: string, payload?: unknown): Promise<LightMyRequestResponse>;
}

/** Whatever is not given fails when it is used. */
const missing = <T extends object>(what: string): T =>
  new Proxy({} as T, {
    get: (_, name) => {
      if (name === 'then') return undefined;
      return () => Promise.reject(new Error(`the test has given no ${what}.${String(name)}`));
    },
  });

export async function openApi(
  given: Partial<ApiDependencies> = {},
  options: { logger?: { write(line: string): void }; keep?: boolean } = {},
): Promise<ApiUnderTest> {
  const routes: string[] = [];
  const app = Fastify({
    logger: options.logger ? { level: 'info', stream: options.logger } : false,
    forceCloseConnections: true,
  });
  let current: Principal | undefined = OPEN;
  app.addHook('onRoute', ({ method, url }: RouteOptions) => {
    for (const verb of [method].flat())
      if (verb !== 'HEAD' && url.startsWith(PREFIX)) routes.push(`${verb} ${url.slice(PREFIX.length)}`);
  });
  app.decorateRequest('principal');
  app.addHook('onRequest', (request, _reply, next) => {
    if (current) request.principal = current;
    next();
  });
  await registerApi(app, {
    settings: readSettings({}, 'there-is-no-such-file.yaml'),
    aws: missing('aws'),
    client: missing('client'),
    launches: missing('launches'),
    steps: missing('steps'),
    restores: missing('restores'),
    ledger: missing('ledger'),
    stories: missing('stories'),
    families: missing('families'),
    progress: missing('progress'),
    auth: 'open',
    version: '0.0.0-test',
    ...given,
  });
  await app.ready();
  // Kept: whoever opened it closes it.
  if (!options.keep) onTestFinished(() => app.close());
  const send = (principal: Principal | undefined, request: InjectOptions) => {
    current = principal;
    return app.inject(request);
  };
  const as = (principal: Principal | undefined): ApiUnderTest => ({
    app,
    routes,
    as,
    get: (path, headers = {}) => send(principal, { method: 'GET', url: `${PREFIX}${path}`, headers }),
    post: (path, payload = {}) =>
      send(principal, {
        method: 'POST',
        url: `${PREFIX}${path}`,
        payload: payload as InjectOptions['payload'] & object,
      }),
  });
  return as(OPEN);
}
