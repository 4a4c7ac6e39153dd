/**
 * S3, S3 Batch Operations, SQS and EventBridge behind a front door in this process, with clients to them.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { S3ControlClient } from '@aws-sdk/client-s3-control';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createEvents } from '../../infra/local/aws/events/service.ts';
import { LOCAL_PLACE } from '../../infra/local/aws/ports.ts';
import { createS3 } from '../../infra/local/aws/s3/service.ts';
import { createS3Control } from '../../infra/local/aws/s3control/service.ts';
import { createSqs } from '../../infra/local/aws/sqs/service.ts';
import { createKit, type Kit, openFrontDoor } from '../../infra/local/kit/front-door.ts';
import type { AwsService } from '../../infra/local/kit/service.ts';
import { lookupLoopback } from '../../lib/loopback-names.ts';

export interface StandIns {
  kit: Kit;
  s3: S3Client;
  s3control: S3ControlClient;
  sqs: SQSClient;
  events: EventBridgeClient;
  /** Of clients to what else is behind the door. */
  settings: { region: string; endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  close(): Promise<void>;
}

/** @param more services behind the same door */
export async function openStandIns(more: readonly AwsService[] = []): Promise<StandIns> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-unit-'));
  const kit = createKit();
  const at = (name: string) => ({ kit, place: LOCAL_PLACE, directory: join(directory, name) });
  const sqs = await createSqs(at('sqs'));
  const events = await createEvents({ ...at('events'), queues: sqs.port });
  const s3 = await createS3({ ...at('s3'), queues: sqs.port, events: events.port });
  const s3control = createS3Control({ ...at('s3control'), objects: s3.port });
  // S3 Batch Operations is closed before the objects it works on.
  const services = [s3control, sqs, events, s3].map(({ service }) => service);
  const door = await openFrontDoor(kit, [...services, ...more]);
  const settings = {
    region: LOCAL_PLACE.region,
    endpoint: door.url,
    credentials: { accessKeyId: 'unit', secretAccessKey: 'unit' },
  };
  const clients = {
    s3: new S3Client(settings),
    // Puts the account's id before the host, which it cannot before an address.
    s3control: new S3ControlClient({
      ...settings,
      endpoint: `http://localhost:${door.port}`,
      requestHandler: { httpAgent: { lookup: lookupLoopback } },
    }),
    sqs: new SQSClient(settings),
    events: new EventBridgeClient(settings),
  };
  return {
    kit,
    ...clients,
    settings,
    async close() {
      for (const client of Object.values(clients)) client.destroy();
      await door.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Polls until `test` gives something true; on a busy machine that may take long. */
export async function until<T>(what: string, test: () => Promise<T> | T, withinMs = 120_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await test();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`never came to pass: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
