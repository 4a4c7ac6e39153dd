/**
 * What a platform is made of: Temporal, DynamoDB Local, the stand-ins of AWS and of OpenAI, and the caller's own
 * processes.
 *
 * @module
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Jars } from '../tools/jars.ts';
import { dynamoDbLocalXml, JETTY_MAIN } from '../tools/jetty.ts';
import { childEnvironment, type PlatformEnvironment } from './environment.ts';
import type { Ports } from './ports.ts';
import { entryFile } from './root.ts';
import type { ServiceSpec } from './supervised.ts';
import { NAMESPACE, type SearchAttributeType, temporalArguments, temporalReady } from './temporal.ts';

/** A Node process of the caller's, such as a worker. */
export interface ExtraProcess {
  name: string;
  /** Absolute path of a JavaScript file, or the name of a compiled entry (`worker` is `dist/worker.js`). */
  entry: string;
  args?: string[];
  /** On top of the platform's environment. */
  env?: Record<string, string>;
  /** Resolves true once it does its work; without it, it counts as ready as soon as it runs. */
  ready?(environment: PlatformEnvironment): Promise<boolean>;
  /** Between SIGTERM and SIGKILL (default 10 s). */
  graceMs?: number;
}

const READY_WITHIN_MS = 60_000;
const GRACE_MS = 10_000;

const base = { readyWithinMs: READY_WITHIN_MS, graceMs: GRACE_MS };

export function temporalService(options: {
  path: string;
  ports: Ports;
  stateDirectory: string;
  searchAttributes: Readonly<Record<string, SearchAttributeType>>;
}): ServiceSpec {
  const { path, ports, stateDirectory, searchAttributes } = options;
  const ui = `http://127.0.0.1:${ports.temporalUi}/`;
  return {
    ...base,
    name: 'temporal',
    command: path,
    args: temporalArguments(ports, stateDirectory, searchAttributes),
    env: childEnvironment({}),
    stdin: false,
    probe: async () => {
      const [server, page] = await Promise.all([
        temporalReady(`127.0.0.1:${ports.temporal}`, NAMESPACE),
        httpStatus(ui),
      ]);
      return server && page === 200;
    },
  };
}

export async function dynamoDbService(options: {
  java: string;
  jars: Jars;
  port: number;
  stateDirectory: string;
}): Promise<ServiceSpec> {
  const { java, jars, port, stateDirectory } = options;
  const database = join(stateDirectory, 'dynamodb');
  const configuration = join(stateDirectory, 'dynamodb.xml');
  // SQLite's native library is unpacked here at every start; elsewhere the copies of killed runs would pile up.
  const scratch = join(stateDirectory, 'tmp');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch);
  await mkdir(database, { recursive: true });
  await writeFile(configuration, dynamoDbLocalXml(port, database));
  return {
    ...base,
    name: 'dynamodb',
    command: java,
    args: [
      '-XX:+UseSerialGC',
      // Of a server of an hour or two the second compiler would cost more than it saves: a third less of the processor without.
      '-XX:TieredStopAtLevel=1',
      '--enable-native-access=ALL-UNNAMED',
      `-Djava.io.tmpdir=${scratch}`,
      `-Dorg.sqlite.tmpdir=${scratch}`,
      '-cp',
      jars.classPath,
      JETTY_MAIN,
      configuration,
    ],
    env: childEnvironment({}),
    stdin: false,
    // It refuses what is not signed: an answer all the same.
    probe: async () => (await httpStatus(`http://127.0.0.1:${port}/`)) === 400,
  };
}

export async function awsService(options: {
  entry: string;
  ports: Ports;
  stateDirectory: string;
  imagesFile: string;
  environment: PlatformEnvironment;
}): Promise<ServiceSpec> {
  const { ports, stateDirectory } = options;
  await mkdir(join(stateDirectory, 'aws'), { recursive: true });
  return {
    ...base,
    name: 'aws',
    command: process.execPath,
    args: [
      ['--enable-source-maps', entryFile(options.entry)],
      ['--directory', join(stateDirectory, 'aws'), '--port', String(ports.aws)],
      ['--images-file', options.imagesFile, '--dynamodb-port', String(ports.dynamodb)],
    ].flat(),
    env: childEnvironment(options.environment),
    stdin: true,
    probe: async () => (await httpStatus(`http://127.0.0.1:${ports.aws}/_longhaul/health`)) === 200,
  };
}

export function openaiService(options: { entry: string; port: number; environment: PlatformEnvironment }): ServiceSpec {
  const { entry, port, environment } = options;
  return {
    ...base,
    name: 'openai',
    command: process.execPath,
    args: ['--enable-source-maps', entryFile(entry), '--port', String(port)],
    env: childEnvironment(environment),
    stdin: true,
    probe: async () => (await httpStatus(`http://127.0.0.1:${port}/_longhaul/health`)) === 200,
  };
}

export function extraService(extra: ExtraProcess, environment: PlatformEnvironment): ServiceSpec {
  return {
    ...base,
    name: extra.name,
    command: process.execPath,
    args: ['--enable-source-maps', entryFile(extra.entry), ...(extra.args ?? [])],
    env: childEnvironment(environment, extra.env),
    stdin: true,
    graceMs: extra.graceMs ?? GRACE_MS,
    ...(extra.ready && { probe: () => extra.ready?.(environment) ?? Promise.resolve(true) }),
  };
}

export async function httpStatus(url: string): Promise<number> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await answer.body?.cancel();
  return answer.status;
}
