/**
 * The Temporal client of command line, event consumer and activities.
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { Settings } from '../settings.ts';
import { dataConverter } from './codec.ts';

/** Set at build time: beside the built program lies the built failure converter. */
declare const LONGHAUL_BUILT: boolean | undefined;

/** Files that Temporal loads by path: built programs find them beside themselves. */
export const builtFile = (name: string): string =>
  fileURLToPath(new URL(typeof LONGHAUL_BUILT === 'undefined' ? `../../dist/${name}` : `./${name}`, import.meta.url));

export const converterOf = (settings: Pick<Settings, 'payloadKey'>): DataConverter =>
  dataConverter(settings.payloadKey, builtFile('failure-converter.js'));

export interface TemporalClient {
  client: Client;
  close(): Promise<void>;
}

/** @throws Error naming the address and the remedy when no server answers within `timeoutMs` */
export async function connectTemporal(
  settings: Pick<Settings, 'temporalAddress' | 'temporalNamespace' | 'payloadKey'>,
  timeoutMs = 10_000,
): Promise<TemporalClient> {
  let connection: Connection;
  try {
    connection = await Connection.connect({ address: settings.temporalAddress, connectTimeout: timeoutMs });
  } catch (error) {
    throw new Error(
      `no Temporal server answers at ${settings.temporalAddress}: start the embedded platform with "longhaul up", or set TEMPORAL_ADDRESS`,
      { cause: error },
    );
  }
  const client = new Client({
    connection,
    namespace: settings.temporalNamespace,
    dataConverter: converterOf(settings),
  });
  return { client, close: () => connection.close() };
}
