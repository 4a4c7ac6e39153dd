/**
 * A gateway on loopback with everything behind it in memory, and a client that keeps what it gets.
 *
 * @module
 */
import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { createGateway, type Gateway, type GatewayDeps } from '../../clients/gateway/server.ts';
import type { GatewaySettings } from '../../clients/gateway/settings.ts';
import { type ClientMessage, PATH, type ServerMessage } from '../../clients/live/protocol.ts';
import type { ProgressEvent, Report } from '../../workflows/progress/model.ts';
import { createMemoryLog, type MemoryLog } from './memory-log.ts';
import {
  createMemoryConnections,
  createMemorySessions,
  type MemoryConnections,
  type MemorySessions,
} from './memory-sessions.ts';

export const OPEN: GatewaySettings = { host: '127.0.0.1', port: 0, open: true, origins: [], key: '', anonymous: true };

export interface GatewayRig {
  gateway: Gateway;
  url: string;
  log: MemoryLog;
  sessions: MemorySessions;
  connections: MemoryConnections;
  /** @param protocols of the WebSocket */
  connect(protocols?: string[], headers?: Record<string, string>): LiveClient;
  close(): Promise<void>;
}

export interface RigOptions extends Partial<Omit<GatewayDeps, 'settings'>> {
  settings?: Partial<GatewaySettings>;
  memory?: MemoryLog;
  /** Whether appends are told to the gateway at once. */
  nudges?: boolean;
}

export async function openGateway({
  settings,
  memory: log = createMemoryLog(),
  nudges = true,
  ...deps
}: RigOptions = {}): Promise<GatewayRig> {
  const sessions = createMemorySessions();
  const connections = createMemoryConnections();
  const gateway = await createGateway({
    settings: { ...OPEN, ...settings },
    log: pino({ level: 'silent' }),
    reader: log,
    sessions,
    connections,
    ...deps,
  });
  if (nudges) log.onAppend = (run, { epoch, events }) => gateway.hub.told(run, epoch, events);
  const url = await gateway.listen();
  const clients = new Set<LiveClient>();
  return {
    gateway,
    url,
    log,
    sessions,
    connections,
    connect(protocols = [], headers = {}) {
      const client = openClient(`${url.replace('http', 'ws')}${PATH}`, protocols, headers);
      clients.add(client);
      return client;
    },
    async close() {
      for (const client of clients) client.socket.terminate();
      await gateway.close();
    },
  };
}

export interface LiveClient {
  socket: WebSocket;
  /** All that has come. */
  readonly messages: ServerMessage[];
  /** Of events of a run, in the order they came. */
  events(run: string): ProgressEvent[];
  say(message: ClientMessage): void;
  /** The first message of this type that {@link LiveClient.next} has not given yet; waits for it. */
  next<Type extends ServerMessage['type']>(type: Type): Promise<Extract<ServerMessage, { type: Type }>>;
  /** Once it holds; asked after every message. */
  until(holds: () => boolean): Promise<void>;
  /** How it ended; `status` of HTTP, where it was not let in. */
  closed: Promise<{ code: number; reason: string; status?: number; body?: string }>;
}

function openClient(url: string, protocols: string[], headers: Record<string, string>): LiveClient {
  const socket = new WebSocket(url, protocols, { headers, perMessageDeflate: false });
  const messages: ServerMessage[] = [];
  const given = new Set<ServerMessage>();
  const arrivals = new EventEmitter();
  arrivals.setMaxListeners(0);
  const closed = new Promise<{ code: number; reason: string; status?: number; body?: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    socket.on('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ code: 0, reason: '', status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    socket.on('error', () => {});
  });
  void closed.then(() => arrivals.emit('any'));
  socket.on('message', (data) => {
    messages.push(JSON.parse((data as Buffer).toString()) as ServerMessage);
    arrivals.emit('any');
  });
  const client: LiveClient = {
    socket,
    messages,
    closed,
    events: (run) =>
      messages.flatMap((message) => (message.type === 'event' && message.run === run ? [message.event] : [])),
    say(message) {
      const send = () => socket.send(JSON.stringify(message));
      if (socket.readyState === WebSocket.CONNECTING) socket.once('open', send);
      else send();
    },
    until: (holds) =>
      new Promise((resolve, reject) => {
        let ended = false;
        const look = () => {
          if (holds()) {
            arrivals.off('any', look);
            resolve();
          } else if (ended) {
            arrivals.off('any', look);
            reject(new Error('the connection ended before it came'));
          }
        };
        arrivals.on('any', look);
        void closed.then(() => {
          ended = true;
          look();
        });
        look();
      }),
    async next(type) {
      const find = () => messages.find((message) => message.type === type && !given.has(message));
      await client.until(() => find() !== undefined);
      const message = find() as Extract<ServerMessage, { type: typeof type }>;
      given.add(message);
      return message;
    },
  };
  return client;
}

let reports = 0;

/** A report of a source that only goes on. */
export function report(more: Partial<Report> = {}): Report {
  reports += 1;
  return { kind: 'status', source: { name: 'workflow', attempt: 1 }, localSeq: reports, at: reports, ...more };
}

export const FACTS = { domain: 'launch', consumer: 'lab-a' };

/** Appends so many events. */
export async function tell(log: MemoryLog, run: string, events: number, more: Partial<Report> = {}): Promise<void> {
  for (let event = 0; event < events; event += 1) await log.append(run, FACTS, [report(more)]);
}
