/**
 * The WebSocket APIs of the account: what a stack has deployed, put in by `POST websocket-apis`.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Journal, openJournal } from '../../kit/journal.ts';

/** An HTTP proxy integration: the request goes on as it is, with what `requestParameters` adds. */
export interface Integration {
  /** `http://…`; always sent by POST. */
  uri: string;
  /** `integration.request.header.<name>` to `context.<name>`, `route.request.header.<name>` or `'<text>'`. */
  requestParameters: Readonly<Record<string, string>>;
}

export const ROUTE_KEYS = ['$connect', '$disconnect', '$default'] as const;
export type RouteKey = (typeof ROUTE_KEYS)[number];

export interface WebSocketApi {
  apiId: string;
  stage: string;
  routes: Readonly<Partial<Record<RouteKey, Integration>>>;
}

const TARGET = /^integration\.request\.header\.([\w-]+)$/;
const SOURCE = /^(context\.\w+|route\.request\.header\.[\w-]+|'[^']*')$/;
const STAGE = /^[\w-]{1,128}$/;

export class ApiStore {
  readonly #byId = new Map<string, WebSocketApi>();
  readonly #journal: Journal<WebSocketApi>;

  constructor(directory: string) {
    this.#journal = openJournal<WebSocketApi>({
      file: join(directory, 'websocket-apis.jsonl'),
      replay: (api) => this.#byId.set(api.apiId, api),
      snapshot: () => this.#byId.values(),
    });
  }

  find(apiId: string, stage: string): WebSocketApi | undefined {
    const api = this.#byId.get(apiId);
    return api?.stage === stage ? api : undefined;
  }

  /**
   * Puts one in, or another in its place.
   * @throws Error for what API Gateway would not deploy
   */
  put(input: Record<string, unknown>): WebSocketApi {
    const { apiId = randomBytes(5).toString('hex'), stage = 'live', routes = {} } = input;
    if (!/^[a-z0-9]{1,20}$/.test(String(apiId))) throw new Error('apiId: lower-case letters and digits');
    if (!STAGE.test(String(stage))) throw new Error('stage: letters, digits, _ and -');
    const read = Object.entries(routes as Record<string, unknown>).map(([key, integration]) => {
      if (!ROUTE_KEYS.includes(key as RouteKey)) throw new Error(`routes: one of ${ROUTE_KEYS.join(', ')}, not ${key}`);
      return [key, toIntegration(key, integration)] as const;
    });
    if (read.length === 0) throw new Error('routes: an API without a route cannot be deployed');
    const api: WebSocketApi = { apiId: String(apiId), stage: String(stage), routes: Object.fromEntries(read) };
    this.#journal.append(api);
    this.#byId.set(api.apiId, api);
    return api;
  }

  close(): void {
    this.#journal.close();
  }
}

function toIntegration(route: string, input: unknown): Integration {
  const { uri, requestParameters = {} } = (input ?? {}) as { uri?: unknown; requestParameters?: unknown };
  if (typeof uri !== 'string' || !/^https?:\/\/[^\s]+$/.test(uri)) throw new Error(`${route}: uri: an http address`);
  const parameters = Object.entries(requestParameters as Record<string, unknown>);
  for (const [target, source] of parameters) {
    if (!TARGET.test(target) || typeof source !== 'string' || !SOURCE.test(source))
      throw new Error(`${route}: requestParameters: ${target}: ${String(source)} is no mapping`);
  }
  return { uri, requestParameters: Object.fromEntries(parameters) as Record<string, string> };
}

/** The headers an integration adds. */
export function mappedHeaders(
  { requestParameters }: Integration,
  context: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const mapped: Record<string, string> = {};
  for (const [target, source] of Object.entries(requestParameters)) {
    const name = TARGET.exec(target)?.[1] ?? '';
    const value = source.startsWith("'")
      ? source.slice(1, -1)
      : source.startsWith('context.')
        ? context[source.slice('context.'.length)]
        : headers[source.slice('route.request.header.'.length).toLowerCase()];
    if (value !== undefined) mapped[name] = value;
  }
  return mapped;
}
