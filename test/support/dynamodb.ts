/**
 * DynamoDB Local behind a front door, for a file of tests: its own process, its own folder, gone afterwards.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createDynamoDbProxy } from '../../infra/local/aws/dynamodb/proxy.ts';
import { createKit, type Kit, openFrontDoor } from '../../infra/local/kit/front-door.ts';
import { dynamoDbService } from '../../infra/local/platform/services.ts';
import { Supervised } from '../../infra/local/platform/supervised.ts';
import { silent, tools } from '../../infra/local/tools/index.ts';
import { tableDefinitions } from '../../lib/store/tables.ts';

export interface Tables {
  client: DynamoDBClient;
  /** Its address, for other clients and processes. */
  url: string;
  kit: Kit;
  /** Creates Longhaul's tables under a prefix of their own. */
  create(prefix: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts DynamoDB Local on what `directory` holds.
 * @returns what ends it at once
 */
export async function startDynamoDb(directory: string, port: number): Promise<() => Promise<void>> {
  const [{ path: java }, jars] = await Promise.all([tools.java(silent), tools.jars('dynamodb-local', silent)]);
  const process = new Supervised(await dynamoDbService({ java, jars, port, stateDirectory: directory }), {
    marker: directory,
    logFile: join(directory, 'dynamodb.log'),
    progress: silent,
    changed: () => {},
  });
  await process.start();
  return () => process.stop(true);
}

export async function openDynamoDb(): Promise<Tables> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-dynamodb-'));
  const port = await freePort();
  const stop = await startDynamoDb(directory, port);
  const kit = createKit();
  const door = await openFrontDoor(kit, [createDynamoDbProxy({ host: '127.0.0.1', port })]);
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: door.url,
    credentials: { accessKeyId: 'contract', secretAccessKey: 'contract' },
  });
  return {
    client,
    url: door.url,
    kit,
    async create(prefix) {
      for (const definition of tableDefinitions(prefix)) await client.send(new CreateTableCommand(definition));
    },
    async close() {
      client.destroy();
      await door.close();
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
