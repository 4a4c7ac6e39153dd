/**
 * The embedded platform: everything the product needs, on loopback, started by one call and held by the process that
 * made it. Another process finds it by name and can stop it.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cacheDirectory } from '../tools/cache.ts';
import { isAlive, ownIdentity } from '../tools/identity.ts';
import { tools } from '../tools/index.ts';
import { withLock } from '../tools/lock.ts';
import { type Progress, silent, ToolError } from '../tools/progress.ts';
import { environmentFor, type PlatformEnvironment } from './environment.ts';
import { choosePorts, hold, type Ports } from './ports.ts';
import { endLeftovers, livingRecord, type PlatformRecord } from './record.ts';
import { packageVersion } from './root.ts';
import {
  awsService,
  dynamoDbService,
  type ExtraProcess,
  extraService,
  openaiService,
  temporalService,
} from './services.ts';
import { onSignals } from './signals.ts';
import { completeState, openState, removeState, stateDirectoryOf } from './state.ts';
import type { ServiceSpec, ServiceStatus } from './supervised.ts';
import { Supervisor } from './supervisor.ts';
import {
  ensureSearchAttributes,
  NAMESPACE,
  type SearchAttributeType,
  TEMPORAL_DATABASE,
  temporalReady,
  temporalServerVersion,
} from './temporal.ts';

export interface PlatformOptions {
  /** Two platforms of different names run side by side (default `default`). */
  name?: string;
  /** Default `${XDG_STATE_HOME:-~/.local/state}/longhaul/<name>`. */
  stateDirectory?: string;
  /** A port given here must be free (0 chooses one); a default one that is taken is replaced. */
  ports?: Partial<Ports>;
  progress?: Progress;
  /** Runs once the servers answer and before the processes start: makes tables, queues and the like. */
  prepare?(environment: PlatformEnvironment): Promise<void>;
  /** Further variables for callers and processes, made from where things listen. */
  variables?(places: { awsUrl: string; ports: Ports; temporalUi?: string }): Readonly<Record<string, string>>;
  /** Started once everything else is ready, in the platform's environment. */
  processes?: readonly ExtraProcess[];
  /** Registered before the processes start; those that exist already are left alone. */
  searchAttributes?: Readonly<Record<string, SearchAttributeType>>;
  /** What container images are on this machine, for AWS Batch (default: `images.json` in the state directory). */
  imagesFile?: string;
  /** A running Temporal server to use instead of starting one (default: TEMPORAL_ADDRESS). */
  temporalAddress?: string;
  /** The compiled entry of the stand-ins (default `aws`, which is `dist/aws.js`). */
  awsEntry?: string;
  /** The compiled entry of OpenAI's stand-in (default `openai`). */
  openaiEntry?: string;
  /**
   * Stop on SIGINT, SIGTERM and SIGHUP and then end this process; a second signal ends all at once (default true).
   * A caller that says false must stop the platform itself.
   */
  signals?: boolean;
}

export interface Platform extends PlatformRecord {
  /** It was running already; this process does not hold it. */
  reused: boolean;
  status(): ServiceStatus[];
  /** Stops it, whoever holds it. */
  stop(): Promise<void>;
}

/** A platform's place; `stateDirectory` only where it was started with one. */
export interface PlatformPlace {
  stateDirectory?: string;
}

/** How to stop the platforms this process holds, by state directory. */
const own = new Map<string, () => Promise<void>>();

function placeOf(name: string, place: PlatformPlace): string {
  return resolve(place.stateDirectory ?? stateDirectoryOf(name));
}

/**
 * Starts a platform, or returns the running one of that name (`reused`).
 * @throws ToolError with a remedy when a tool, a port or the state on disk does not do
 */
export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const name = options.name ?? 'default';
  const progress = options.progress ?? silent;
  const directory = placeOf(name, options);
  const waiting = (holder: { pid: number }, seconds: number) =>
    progress({ tool: 'platform', step: 'waiting', detail: `process ${holder.pid} is starting it, ${seconds} s` });
  return withLock(join(directory, 'start.lock'), waiting, async () => {
    const running = await livingRecord(directory);
    if (running) {
      progress({ tool: 'platform', step: 'already running', detail: `process ${running.pid}` });
      return reuse(running);
    }
    const ended = await endLeftovers(directory);
    if (ended.length > 0) {
      progress({ tool: 'platform', step: 'ended processes of an earlier run', detail: ended.join(', ') });
    }
    return launch(name, directory, options, progress);
  });
}

async function launch(
  name: string,
  directory: string,
  options: PlatformOptions,
  progress: Progress,
): Promise<Platform> {
  // Set but empty is how a setting is switched off.
  const address = options.temporalAddress || process.env.TEMPORAL_ADDRESS || undefined;
  const temporalPart = address ? `temporal: ${address}` : TEMPORAL_DATABASE;
  await openState(directory, [temporalPart, 'dynamodb', 'aws']);
  const supervisor = new Supervisor(directory, progress);
  const stop = async () => {
    await supervisor.stop();
    own.delete(directory);
    release();
  };
  const release =
    options.signals === false ? () => {} : onSignals({ stop, killNow: () => supervisor.killNow(), progress });
  own.set(directory, stop);
  try {
    const made = await bringUp(name, directory, address, options, supervisor, progress);
    return { ...made, reused: false, status: () => supervisor.status(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bringUp(
  name: string,
  directory: string,
  address: string | undefined,
  options: PlatformOptions,
  supervisor: Supervisor,
  progress: Progress,
): Promise<PlatformRecord> {
  const [temporal, java, jars] = await all([
    address ? undefined : tools.temporal(progress),
    tools.java(progress),
    tools.jars('dynamodb-local', progress),
  ]);
  if (address) await reach(address, progress);
  const imagesFile = resolve(options.imagesFile ?? join(directory, 'images.json'));
  if (!existsSync(imagesFile)) await writeFile(imagesFile, '{}\n');

  const searchAttributes = options.searchAttributes ?? {};
  // A chosen port is free only until somebody takes it: platforms that start at once take turns.
  const turn = (holder: { pid: number }, seconds: number) =>
    progress({
      tool: 'platform',
      step: 'waiting',
      detail: `process ${holder.pid} is starting another one, ${seconds} s`,
    });
  const { ports, environment, temporalUi, gatewayPort } = await withLock(
    join(cacheDirectory(), 'ports.lock'),
    turn,
    async () => {
      const ports = await choosePorts(options.ports ?? {}, (port, taken, chosen) =>
        progress({ tool: 'platform', step: `port ${taken} is in use`, detail: `${port} is on ${chosen} instead` }),
      );
      const awsUrl = `http://127.0.0.1:${ports.aws}`;
      const temporalUi = temporal && `http://127.0.0.1:${ports.temporalUi}`;
      // Whoever listens there starts last: until then it is kept from other platforms.
      const gatewayPort = await hold(ports.gateway);
      const environment = {
        ...environmentFor(
          address ?? `127.0.0.1:${ports.temporal}`,
          process.env.TEMPORAL_NAMESPACE && address ? process.env.TEMPORAL_NAMESPACE : NAMESPACE,
          awsUrl,
          `http://127.0.0.1:${ports.openai}`,
        ),
        ...options.variables?.({ awsUrl, ports, ...(temporalUi && { temporalUi }) }),
      };
      const base = { ports, stateDirectory: directory };
      const specs: ServiceSpec[] = [
        ...(temporal ? [temporalService({ ...base, path: temporal.path, searchAttributes })] : []),
        await dynamoDbService({ java: java.path, jars, port: ports.dynamodb, stateDirectory: directory }),
        await awsService({ ...base, entry: options.awsEntry ?? 'aws', imagesFile, environment }),
        openaiService({ entry: options.openaiEntry ?? 'openai', port: ports.openai, environment }),
      ];
      await supervisor.start(specs, ['openai', 'aws', 'dynamodb', 'temporal']);
      return { ports, environment, temporalUi, gatewayPort };
    },
  );

  await ensureSearchAttributes(environment.TEMPORAL_ADDRESS, environment.TEMPORAL_NAMESPACE, searchAttributes);
  const record: PlatformRecord = {
    name,
    ...ownIdentity(),
    startedAt: new Date().toISOString(),
    stateDirectory: directory,
    versions: {
      longhaul: packageVersion(),
      node: process.versions.node,
      java: java.version,
      dynamodbLocal: jars.version,
      temporalServer: await temporalServerVersion(environment.TEMPORAL_ADDRESS),
      ...(temporal && { temporal: temporal.version }),
    },
    ports,
    urls: {
      temporal: environment.TEMPORAL_ADDRESS,
      ...(temporalUi && { temporalUi }),
      aws: environment.AWS_ENDPOINT_URL,
      openai: `http://127.0.0.1:${ports.openai}`,
      ...(environment.LONGHAUL_GATEWAY_URL && { gateway: environment.LONGHAUL_GATEWAY_URL }),
    },
    environment,
    children: [],
  };
  await options.prepare?.(environment);
  const processes = options.processes ?? [];
  await new Promise((closed) => (gatewayPort ? gatewayPort.close(closed) : closed(undefined)));
  if (processes.length > 0) await supervisor.start(processes.map((extra) => extraService(extra, environment)));
  await completeState(directory);
  await supervisor.publish(record);
  return { ...record, children: supervisor.children() };
}

/** Waits for all before the first failure is thrown: nothing goes on behind the caller's back. */
async function all<T extends readonly unknown[]>(promises: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

async function reach(address: string, progress: Progress): Promise<void> {
  progress({ tool: 'temporal', step: 'using TEMPORAL_ADDRESS', detail: address });
  await temporalReady(address, process.env.TEMPORAL_NAMESPACE ?? NAMESPACE).catch((error: Error) => {
    throw new ToolError('temporal', `no Temporal server answers at ${address}`, {
      tried: [error.message],
      remedy: 'start it, or unset TEMPORAL_ADDRESS to have one started',
      cause: error,
    });
  });
}

function reuse(record: PlatformRecord): Platform {
  return {
    ...record,
    reused: true,
    status: () =>
      record.children.map((child) => ({
        name: child.name,
        state: isAlive(child) ? 'running' : 'stopped',
        pid: child.pid,
        restarts: 0,
      })),
    stop: async () => {
      await stopPlatform(record.name, record);
    },
  };
}

/** The running platform of that name; undefined when there is none, whatever files say. */
export async function findPlatform(name = 'default', place: PlatformPlace = {}): Promise<Platform | undefined> {
  const record = await livingRecord(placeOf(name, place));
  return record && reuse(record);
}

/**
 * Stops the platform of that name, also from another process, and waits until it is gone.
 * @returns false when none was running; leftovers of a killed one are ended all the same
 * @throws ToolError when it does not end in time
 */
export async function stopPlatform(
  name = 'default',
  place: PlatformPlace & { timeoutMs?: number } = {},
): Promise<boolean> {
  const directory = placeOf(name, place);
  const held = own.get(directory);
  if (held) {
    await held();
    return true;
  }
  const record = await livingRecord(directory);
  if (!record) {
    await endLeftovers(directory);
    return false;
  }
  process.kill(record.pid, 'SIGTERM');
  const deadline = Date.now() + (place.timeoutMs ?? 60_000);
  while (isAlive(record) && (await livingRecord(directory))) {
    if (Date.now() > deadline) {
      throw new ToolError('platform', `${name} (process ${record.pid}) did not stop in time`, {
        remedy: `end it with \`kill -9 ${record.pid}\`: its processes end with it`,
      });
    }
    await delay(100);
  }
  return true;
}

/**
 * Removes everything a stopped platform kept: Temporal's state, tables, objects, queues and logs together.
 * @throws ToolError while it runs
 */
export async function dropState(name = 'default', place: PlatformPlace = {}): Promise<void> {
  const directory = placeOf(name, place);
  if (own.has(directory) || (await livingRecord(directory))) {
    throw new ToolError('platform', `${name} is running`, { remedy: 'stop it first: `longhaul down`' });
  }
  await endLeftovers(directory);
  await removeState(directory);
}
