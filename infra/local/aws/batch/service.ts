/**
 * The stand-in for AWS Batch: its restJson protocol in front, local processes behind.
 *
 * @module
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kit } from '../../kit/front-door.ts';
import { jsonError, parseJsonBody } from '../../kit/json-protocol.ts';
import { AwsError, type AwsService } from '../../kit/service.ts';
import { type Rate, TokenBucket } from '../../kit/token-bucket.ts';
import type { EventPort, InstancePort, LogPort, Place } from '../ports.ts';
import { Attempts } from './attempts.ts';
import { Engine } from './engine.ts';
import { tooManyRequests } from './errors.ts';
import { Instances } from './instances.ts';
import { Launcher } from './launcher.ts';
import { MemoryWatch } from './memory-watch.ts';
import { MetadataService } from './metadata.ts';
import { operationOf } from './operations.ts';
import { Store } from './store.ts';

export interface BatchOptions {
  kit: Kit;
  place: Place;
  directory: string;
  events: EventPort;
  logs: LogPort;
  /** JSON file that says what each container image is on this machine. */
  imagesFile: string;
  /** Between SIGTERM and SIGKILL; 30 s by default, as the ECS agent's. */
  stopTimeoutMs?: number;
  /** How long an instance stays without a job; 5 minutes by default. */
  idleInstanceMs?: number;
  /** How long a job that fits nowhere is at the head of its queue before it is reported; 10 minutes by default. */
  blockedAfterMs?: number;
  /** By default AWS's 50 a second with a burst of 100. */
  submitRate?: Rate;
  otherRate?: Rate;
}

export interface Batch {
  service: AwsService;
  /** Takes up the work left by the last process and runs jobs from now on. */
  start(options: { endpointUrl: string }): Promise<void>;
  /** Ends an instance as a lost host, or leaves its processes as zombies; false when there is none of that id. */
  loseInstance(instanceId: string, zombies?: boolean): boolean;
  /** Ids of the instances that are up. */
  instanceIds(): string[];
  instances: InstancePort;
}

const MINUTE_MS = 60_000;
const BODY_LIMIT = 1024 * 1024;

export async function createBatch(options: BatchOptions): Promise<Batch> {
  const { kit, place, directory } = options;
  const { clock } = kit;
  const store = new Store({ clock, place, directory });
  const instances = new Instances({ clock, place, idleMs: options.idleInstanceMs ?? 5 * MINUTE_MS });
  const metadata = new MetadataService(clock, (id) => instances.get(id));
  const launcher = new Launcher();
  const attempts = new Attempts({
    host: {
      clock,
      logs: options.logs,
      memory: new MemoryWatch(),
      launcher,
      imagesFile: options.imagesFile,
      efsDirectory: join(directory, 'efs'),
      stopTimeoutMs: options.stopTimeoutMs ?? 30_000,
    },
    place,
    directory,
    metadata,
  });
  const engine = new Engine({
    store,
    events: options.events,
    attempts,
    instances,
    blockedAfterMs: options.blockedAfterMs ?? 10 * MINUTE_MS,
  });
  const submits = new TokenBucket(clock, options.submitRate ?? { perSecond: 50, burst: 100 });
  const others = new TokenBucket(clock, options.otherRate ?? { perSecond: 500, burst: 1000 });
  return {
    service: {
      names: ['batch'],
      async prepare(request) {
        const body = await request.bytes(BODY_LIMIT);
        const operation = operationOf(request.method, request.path);
        if (!operation)
          throw new AwsError('UnknownOperationException', `unknown operation: ${request.method} ${request.path}`, 404);
        const input = parseJsonBody(body);
        return {
          operation: operation.name,
          subject: operation.subject(input),
          async run() {
            const bucket = operation.name === 'SubmitJob' ? submits : others;
            if (!bucket.take()) throw tooManyRequests();
            const output = operation.run({ store, engine, bodyBytes: body.length, query: request.query }, input);
            return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(output) };
          },
        };
      },
      renderError: (error) => jsonError(error),
      async close() {
        await engine.close();
        launcher.close();
        instances.close();
        await metadata.close();
        store.close();
      },
    },
    async start({ endpointUrl }) {
      // What a killed process left: its jobs are gone with it.
      await rm(join(directory, 'scratch'), { recursive: true, force: true, maxRetries: 3 });
      await metadata.open();
      attempts.setEndpoint(endpointUrl);
      engine.start();
    },
    loseInstance: (instanceId, zombies) => engine.loseInstance(instanceId, zombies),
    instanceIds: () => instances.list().map(({ id }) => id),
    instances: { list: () => instances.records() },
  };
}
