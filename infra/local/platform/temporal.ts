/**
 * The Temporal dev server: how it is started, when it is ready, and its search attributes.
 *
 * @module
 */
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { Ports } from './ports.ts';

/** The numbers of temporal.api.enums.v1.IndexedValueType. */
const TYPES = { Text: 1, Keyword: 2, Int: 3, Double: 4, Bool: 5, Datetime: 6, KeywordList: 7 } as const;

export type SearchAttributeType = keyof typeof TYPES;

export const NAMESPACE = 'default';
export const TEMPORAL_DATABASE = 'temporal.db';

/** The journal in WAL mode costs nothing measurable; the default one makes everything two to three times slower. */
export function temporalArguments(
  ports: Ports,
  stateDirectory: string,
  searchAttributes: Readonly<Record<string, SearchAttributeType>>,
): string[] {
  return [
    ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.temporal)],
    ['--ui-ip', '127.0.0.1', '--ui-port', String(ports.temporalUi)],
    ['--db-filename', join(stateDirectory, TEMPORAL_DATABASE)],
    ['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
    // Halves the latency of an activity that runs on the worker that asked for it.
    ['--dynamic-config-value', 'system.enableActivityEagerExecution=true'],
    // Nothing is told to anybody.
    ['--dynamic-config-value', 'frontend.enableServerVersionCheck=false'],
    ['--log-level', 'warn', '--color', 'never', '--disable-config-file', '--disable-config-env'],
    ...Object.entries(searchAttributes).map(([name, type]) => ['--search-attribute', `${name}=${type}`]),
  ].flat();
}

/** One connection, never through a proxy; fails when the server does not answer soon. */
async function connect(address: string): Promise<Connection> {
  return Connection.connect({ address, connectTimeout: '2s', channelArgs: { 'grpc.enable_http_proxy': 0 } });
}

/** Whether the server answers for the namespace. */
export async function temporalReady(address: string, namespace: string): Promise<boolean> {
  const connection = await connect(address);
  try {
    await connection.withDeadline(Date.now() + 2_000, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return true;
  } finally {
    await connection.close();
  }
}

/** The version the server says it has. */
export async function temporalServerVersion(address: string): Promise<string> {
  const connection = await connect(address);
  try {
    return (await connection.workflowService.getSystemInfo({})).serverVersion ?? 'unknown';
  } finally {
    await connection.close();
  }
}

/**
 * Registers what is missing. The server's own flag does it for a new database only, and says nothing when it does
 * not.
 * @throws Error when one exists with another type
 */
export async function ensureSearchAttributes(
  address: string,
  namespace: string,
  wanted: Readonly<Record<string, SearchAttributeType>>,
): Promise<void> {
  if (Object.keys(wanted).length === 0) return;
  const connection = await connect(address);
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const missing: Record<string, number> = {};
    for (const [name, type] of Object.entries(wanted)) {
      const there = customAttributes?.[name];
      if (there === undefined) missing[name] = TYPES[type];
      else if (there !== TYPES[type]) {
        throw new Error(`search attribute ${name} exists as ${nameOfType(there)}, not as ${type}`);
      }
    }
    if (Object.keys(missing).length > 0) {
      await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: missing });
    }
  } finally {
    await connection.close();
  }
}

function nameOfType(code: number): string {
  return Object.entries(TYPES).find(([, number]) => number === code)?.[0] ?? `type ${code}`;
}
