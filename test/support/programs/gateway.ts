/**
 * A gateway in a process of its own, as `clients/gateway` makes it: over logs and sessions in memory, which this process is
 * told of, or over those on DynamoDB.
 *
 * @module
 */
import { pino } from 'pino';
import { createTokens } from '../../../clients/gateway/auth/tokens.ts';
import { createGateway, type Gateway, type GatewayDeps } from '../../../clients/gateway/server.ts';
import { gatewaySettings } from '../../../clients/gateway/settings.ts';
import { announceGateway } from '../../../lib/progress/announce.ts';
import { readSettings } from '../../../lib/settings.ts';
import { createConnectionsStore } from '../../../lib/store/connections.ts';
import { gatewayTable } from '../../../lib/store/gateways.ts';
import { createSessionsStore } from '../../../lib/store/sessions.ts';
import { tableNames } from '../../../lib/store/tables.ts';
import type { Report, RunFacts } from '../../../workflows/progress/model.ts';
import type { Message } from '../../bench/progress/plan.ts';
import { createMemoryLog } from '../memory-log.ts';
import { createMemoryConnections, createMemorySessions } from '../memory-sessions.ts';
import { answer, machineMs, memoryUse } from '../program.ts';
import { dynamoDbAt, type LogPlace, openStore } from '../progress-log.ts';

export interface GatewayStart {
  /** 0: any free one. */
  port: number;
  /** Tokens are asked for, and anonymous users are let in. */
  auth?: { jwks: string; issuer: string; audience: string };
  /** Where the logs are; without it they are in this process. */
  log?: LogPlace;
  /** Sessions and connections are in this process, though the logs are not. */
  forgetful?: boolean;
  /** With which this process is told of news. */
  key?: string;
  heartbeatMs?: number;
}

const SOURCE = { name: 'workflow', attempt: 1 };
const memory = createMemoryLog({ events: 100_000 });
let gateway: Gateway;
let sequence = 0;

function depsOf({ log, forgetful }: GatewayStart): Pick<GatewayDeps, 'reader' | 'connections' | 'sessions'> {
  const inMemory = { connections: createMemoryConnections(), sessions: createMemorySessions() };
  if (!log) return { reader: memory, ...inMemory };
  const reader = openStore(log);
  if (forgetful) return { reader, ...inMemory };
  const client = dynamoDbAt(log.endpoint);
  const tables = tableNames(log.prefix);
  return {
    reader,
    connections: createConnectionsStore(client, tables),
    sessions: createSessionsStore(client, tables),
  };
}

const append = (run: string, facts: RunFacts, said: Partial<Report>) =>
  memory.append(run, facts, [
    { kind: 'progress', source: SOURCE, at: Date.now(), ...said, localSeq: said.localSeq ?? ++sequence },
  ]);

answer({
  async start(start: GatewayStart) {
    const { port, auth, log, key = '', heartbeatMs } = start;
    const settings = gatewaySettings(
      readSettings({
        LONGHAUL_GATEWAY_PORT: String(port),
        LONGHAUL_GATEWAY_KEY: key,
        ...(auth && {
          LONGHAUL_GATEWAY_AUTH: 'jwt',
          LONGHAUL_GATEWAY_ANONYMOUS: 'on',
          LONGHAUL_GATEWAY_ISSUER: auth.issuer,
          LONGHAUL_GATEWAY_AUDIENCE: auth.audience,
          LONGHAUL_GATEWAY_JWKS: auth.jwks,
        }),
      }),
    );
    gateway = await createGateway({
      ...depsOf(start),
      settings,
      log: pino({ level: 'warn' }),
      ...(settings.tokens && { tokens: await createTokens(settings.tokens) }),
      ...(heartbeatMs !== undefined && { heartbeatMs }),
    });
    memory.onAppend = (run, { epoch, events }) => gateway.hub.told(run, epoch, events);
    const url = await gateway.listen();
    if (log && key !== '') {
      await announceGateway({
        table: gatewayTable(dynamoDbAt(log.endpoint), tableNames(log.prefix)),
        id: gateway.id,
        url,
        warn: (message) => console.error(message),
      });
    }
    return { port: Number(new URL(url).port) };
  },
  /** Into a log in memory. */
  append,
  async publish(messages: readonly Message[]) {
    for (const { run, n, text } of messages)
      await append(run, { domain: 'bench' }, { kind: 'data', localSeq: n, data: { n, at: machineMs(), text } });
    return [];
  },
  connections: async () => ((await gateway.app.inject('/api/v1/health')).json() as { connections: number }).connections,
  memory: memoryUse,
  /** As for a restart that was planned. */
  close: () => gateway.close(),
});
