/**
 * One client's connection at API Gateway: its life, its limits, and what its routes are told.
 *
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { Cancel, Clock } from '../../kit/clock.ts';
import { mappedHeaders, type RouteKey, type WebSocketApi } from './apis.ts';

/** Of the quotas of API Gateway, as of November 2026; none can be raised. */
export const QUOTAS = {
  frameBytes: 32 * 1024,
  messageBytes: 128 * 1024,
  idleMs: 10 * 60_000,
  lifeMs: 2 * 60 * 60_000,
  integrationMs: 29_000,
} as const;

/** Of one hop, or the library's own. */
const NOT_PASSED =
  /^(connection|upgrade|host|content-length|transfer-encoding|sec-websocket-(key|version|extensions))$/;
/** Two posts on their way at once may arrive in either order. */
const OVERTAKING_MS = 3;

export class ApiConnection {
  readonly id: string;
  readonly api: WebSocketApi;
  readonly connectedAt: number;
  lastActiveAt: number;
  readonly #clock: Clock;
  readonly #headers: Record<string, string | undefined>;
  readonly #context: Record<string, string>;
  readonly #timers: { life?: Cancel; idle?: Cancel } = {};
  #socket: WebSocket | undefined;

  constructor(options: { api: WebSocketApi; clock: Clock; request: IncomingMessage; domainName: string }) {
    const { api, clock, request } = options;
    this.api = api;
    this.#clock = clock;
    // Such as L0SM9cOFvHcCIhw=
    this.id = `${randomBytes(11).toString('base64url')}=`;
    this.connectedAt = clock.now();
    this.lastActiveAt = this.connectedAt;
    this.#headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    );
    this.#context = {
      connectionId: this.id,
      apiId: api.apiId,
      stage: api.stage,
      domainName: options.domainName,
      connectedAt: String(this.connectedAt),
    };
  }

  get identity(): { sourceIp: string; userAgent: string } {
    return { sourceIp: '127.0.0.1', userAgent: this.#headers['user-agent'] ?? '' };
  }

  /** `$connect`: whether the client is let in, and with which subprotocol. */
  async ask(): Promise<{ status: number; subprotocol?: string }> {
    const headers = Object.entries(this.#headers).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !NOT_PASSED.test(entry[0]),
    );
    const answer = await this.#call('$connect', 'CONNECT', '', Object.fromEntries(headers));
    if (!answer) return { status: 200 };
    const subprotocol = answer.headers.get('sec-websocket-protocol');
    return { status: answer.status, ...(subprotocol !== null && { subprotocol }) };
  }

  open(socket: WebSocket): void {
    this.#socket = socket;
    this.#timers.life = this.#clock.after(QUOTAS.lifeMs, () => socket.close(1001, 'Going away'));
    this.#touch();
    socket.on('ping', () => this.#touch());
    socket.on('pong', () => this.#touch());
    socket.on('message', (data, binary) => {
      this.#touch();
      // Each is an invocation of its own: they may overtake one another.
      void this.#received(String(data), binary);
    });
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      this.#timers.life?.();
      this.#timers.idle?.();
      this.#context.disconnectStatusCode = String(code);
      this.#context.disconnectReason = String(reason);
      void this.#call('$disconnect', 'DISCONNECT', '', {});
    });
  }

  /** From the backend to the client, in frames of at most 32 KB. */
  async post(bytes: Buffer): Promise<void> {
    await delay(Math.random() * OVERTAKING_MS);
    this.#touch();
    let from = 0;
    do {
      const to = Math.min(bytes.length, from + QUOTAS.frameBytes);
      this.#socket?.send(bytes.subarray(from, to), { binary: false, fin: to === bytes.length });
      from = to;
    } while (from < bytes.length);
  }

  close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }

  isOpen(): boolean {
    return this.#socket?.readyState === 1;
  }

  #touch(): void {
    this.lastActiveAt = this.#clock.now();
    this.#timers.idle?.();
    this.#timers.idle = this.#clock.after(QUOTAS.idleMs, () => this.#socket?.close(1001, 'Going away'));
  }

  async #received(body: string, binary: boolean): Promise<void> {
    if (binary) return this.close(1003, 'Binary is not supported by this API');
    if (!this.api.routes.$default) return this.#tell('Forbidden');
    const answer = await this.#call('$default', 'MESSAGE', body, {});
    if (!answer || answer.status >= 500) this.#tell('Internal server error');
  }

  /** What API Gateway itself says to a client. */
  #tell(message: string): void {
    this.#socket?.send(JSON.stringify({ message, connectionId: this.id, requestId: randomUUID() }));
  }

  /** @returns undefined where there is no such route; 504 when its integration does not answer */
  async #call(
    route: RouteKey,
    eventType: string,
    body: string,
    headers: Record<string, string>,
  ): Promise<Response | undefined> {
    const integration = this.api.routes[route];
    if (!integration) return undefined;
    const context = { ...this.#context, routeKey: route, eventType, requestId: randomUUID() };
    try {
      const answer = await fetch(integration.uri, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...headers,
          ...mappedHeaders(integration, context, this.#headers),
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(QUOTAS.integrationMs),
      });
      await answer.body?.cancel();
      return answer;
    } catch {
      return new Response(undefined, { status: 504 });
    }
  }
}
