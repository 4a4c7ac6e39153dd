/**
 * What the contract tests talk to: the stand-ins, started fresh in this process, or with `LONGHAUL_VERIFY_AWS=1` the
 * user's own account by the ordinary AWS settings. The tests themselves must not know which. What a real service
 * answers is kept as a transcript; `LONGHAUL_TRANSCRIPTS=<directory>` does the same for the stand-ins.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3ControlClientConfig } from '@aws-sdk/client-s3-control';
import { expect } from 'vitest';
import { type Aws, openAws } from '../../infra/local/aws/server.ts';
import { lookupLoopback } from '../../lib/loopback-names.ts';
import { freePort, startDynamoDb } from '../support/dynamodb.ts';
import { recordingHandler } from './transcript.ts';

export interface Target {
  real: boolean;
  /** Settings for one SDK client: `new S3Client(target.client)`. */
  readonly client: {
    region: string;
    endpoint?: string;
    credentials?: { accessKeyId: string; secretAccessKey: string };
    requestHandler?: ReturnType<typeof recordingHandler>;
  };
  /** The same for `new S3ControlClient(target.controlClient)`: its calls need an endpoint with a name, as in lib/aws-clients.ts. */
  readonly controlClient: Omit<Target['client'], 'requestHandler'> & {
    requestHandler: NonNullable<S3ControlClientConfig['requestHandler']>;
  };
  /** A name no other run uses; starts with `longhaul-contract-`, lower case. */
  unique(what: string): string;
  /** The stand-ins, for what only they have (clock, faults, call log); undefined on a real account. */
  local: Aws | undefined;
  /**
   * Stops the stand-ins, or DynamoDB Local, and starts them again on the same state. In between `meanwhile` runs, with the
   * address of DynamoDB Local itself.
   */
  restart:
    | ((what: 'stand-ins' | 'dynamodb', meanwhile: (dynamodb: string) => Promise<void>) => Promise<void>)
    | undefined;
  close(): Promise<void>;
}

/** @param options.dynamodb brings DynamoDB Local along */
export async function openTarget(
  options: { images?: Record<string, unknown>; dynamodb?: boolean } = {},
): Promise<Target> {
  const unique = (what: string) => `longhaul-contract-${what}-${randomUUID().slice(0, 8)}`;
  const region = process.env.AWS_REGION ?? 'us-east-1';
  const real = process.env.LONGHAUL_VERIFY_AWS === '1';
  const transcripts = process.env.LONGHAUL_TRANSCRIPTS ?? (real ? join(import.meta.dirname, 'transcripts') : undefined);
  const testFile = expect.getState().testPath ?? 'unknown';
  // One for each client: a client that is destroyed takes its handler's connections along.
  const recording = () =>
    transcripts === undefined ? {} : { requestHandler: recordingHandler(transcripts, testFile, region) };
  const named = { httpAgent: { lookup: lookupLoopback } };
  const controlHandler = () =>
    transcripts === undefined ? named : recordingHandler(transcripts, testFile, region, named);
  if (real) {
    return {
      real,
      get client() {
        return { region, ...recording() };
      },
      get controlClient() {
        return { region, requestHandler: controlHandler() };
      },
      unique,
      local: undefined,
      restart: undefined,
      close: async () => {},
    };
  }
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-contract-'));
  const imagesFile = join(directory, 'images.json');
  await writeFile(imagesFile, JSON.stringify(options.images ?? {}));
  const dynamodb = options.dynamodb ? { port: await freePort() } : undefined;
  const startTables = async () => (dynamodb ? startDynamoDb(directory, dynamodb.port) : async () => {});
  let stopTables = await startTables();
  const open = (port: number) => openAws({ directory, imagesFile, port, ...(dynamodb && { dynamodb }) });
  let local = await open(0);
  const { url, port } = local;
  const credentials = { accessKeyId: 'contract', secretAccessKey: 'contract' };
  return {
    real,
    get client() {
      return { region, endpoint: url, credentials, ...recording() };
    },
    get controlClient() {
      const endpoint = url.replace('127.0.0.1', 'localhost');
      return { region, endpoint, credentials, requestHandler: controlHandler() };
    },
    unique,
    get local() {
      return local;
    },
    async restart(what, meanwhile) {
      await (what === 'dynamodb' ? stopTables() : local.close());
      await meanwhile(`http://127.0.0.1:${dynamodb?.port ?? 0}`);
      if (what === 'dynamodb') stopTables = await startTables();
      else local = await open(port);
    },
    async close() {
      await local.close();
      await stopTables();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
