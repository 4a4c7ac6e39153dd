/**
 * A real log for tests and benches of live updates: DynamoDB Local in a process and a folder of its own, without the front
 * door, so that what is measured is not our proxy, and where it can be in memory, so that it is not this machine's disk.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ProgressStore } from '../../lib/store/progress.ts';
import { progressTable } from '../../lib/store/progress-table.ts';
import { tableDefinitions, tableNames } from '../../lib/store/tables.ts';
import { freePort, startDynamoDb } from './dynamodb.ts';

/** What another process needs to open it. */
export interface LogPlace {
  endpoint: string;
  prefix: string;
}

export interface LogServer {
  place: LogPlace;
  close(): Promise<void>;
}

export function dynamoDbAt(endpoint: string): DynamoDBClient {
  const credentials = { accessKeyId: 'live', secretAccessKey: 'live' };
  return new DynamoDBClient({ region: 'us-east-1', endpoint, credentials });
}

/** A file system in memory, of Linux. */
const IN_MEMORY = '/dev/shm';

/** LONGHAUL_BENCH_DISK=1 puts it on disk: each transaction is synced then, as in the embedded platform. */
export async function startLog(): Promise<LogServer> {
  const onDisk = process.env.LONGHAUL_BENCH_DISK === '1' || !existsSync(IN_MEMORY);
  const directory = await mkdtemp(join(onDisk ? tmpdir() : IN_MEMORY, 'longhaul-log-'));
  const port = await freePort();
  const stop = await startDynamoDb(directory, port);
  const place = { endpoint: `http://127.0.0.1:${port}`, prefix: 'live-' };
  const client = dynamoDbAt(place.endpoint);
  for (const definition of tableDefinitions(place.prefix)) await client.send(new CreateTableCommand(definition));
  client.destroy();
  return {
    place,
    async close() {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const openStore = ({ endpoint, prefix }: LogPlace): ProgressStore =>
  new ProgressStore(progressTable(dynamoDbAt(endpoint), tableNames(prefix)));
