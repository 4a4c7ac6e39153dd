/**
 * The event consumer in a world of its own: real SQS and S3 protocols, and a Temporal that only writes down what it
 * is asked, or is out of order.
 *
 * @module
 */
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
} from '@aws-sdk/client-sqs';
import {
  type Client,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { pino } from 'pino';
import { consumeEvents } from '../../clients/events/consumer.ts';
import type { LaunchItem, LaunchStore } from '../../lib/store/launches.ts';
import type { RestoreItem } from '../../lib/store/restores.ts';
import type { JobChange } from '../../workflows/launch/model.ts';
import { openStandIns, type StandIns, until } from './stand-ins.ts';

export const BUCKET = 'longhaul';
const QUEUE = 'longhaul-events';
export const VISIBILITY_SECONDS = 30;

export interface ConsumerWorld extends StandIns {
  queueArn: string;
  /** Every start and signal that Temporal took, in order. */
  starts: { type: string; options: WorkflowStartOptions }[];
  signals: { workflowId: string; changes: JobChange[] }[];
  /** Calls of either kind, those that failed included. */
  attempts: number;
  temporal: { down: boolean; hold?: Promise<void> };
  registry: Map<string, Partial<LaunchItem>>;
  restores: Map<string, RestoreItem>;
  /** What was written back to the registry instead of a retry. */
  refusals: { launchId: string; before: string; reason: string }[];
  endedWorkflows: Set<string>;
  openWorkflows: Set<string>;
  send(...bodies: string[]): Promise<void>;
  putSheet(key: string, text: string): Promise<void>;
  /** Messages waiting, in hand, and in the dead-letter queue. */
  counts(): Promise<{ waiting: number; inHand: number; dead: number }>;
  deadBodies(): Promise<string[]>;
  /** Runs the consumer until `stop`. */
  consume(queue?: string): Promise<void>;
  start(): void;
  stop(): void;
  stopped(): Promise<void>;
  /** Until nothing waits, and nothing is in hand. */
  drained(): Promise<void>;
}

export async function openConsumerWorld(maxReceiveCount: number): Promise<ConsumerWorld> {
  const standIns = await openStandIns();
  const { sqs, s3 } = standIns;
  const arnOf = async (url: string) =>
    (await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }))).Attributes
      ?.QueueArn ?? '';
  const { QueueUrl: deadUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'dead' }));
  const redrive = JSON.stringify({ deadLetterTargetArn: await arnOf(deadUrl), maxReceiveCount });
  const statement = { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sqs:SendMessage' };
  const attributes = {
    VisibilityTimeout: String(VISIBILITY_SECONDS),
    RedrivePolicy: redrive,
    Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, Resource: '*' }] }),
  };
  const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName: QUEUE, Attributes: attributes }));
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  let stop = new AbortController();
  let consumer: Promise<void> | undefined;
  const number = async (queue: string, name: 'ApproximateNumberOfMessages' | 'ApproximateNumberOfMessagesNotVisible') =>
    Number(
      (await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: [name] }))).Attributes?.[name],
    );

  const world: ConsumerWorld = {
    ...standIns,
    queueArn: await arnOf(url),
    starts: [],
    signals: [],
    attempts: 0,
    temporal: { down: false },
    registry: new Map(),
    restores: new Map(),
    refusals: [],
    endedWorkflows: new Set(),
    openWorkflows: new Set(),
    async send(...bodies) {
      const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    },
    async putSheet(key, text) {
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: text }));
    },
    counts: async () => ({
      waiting: await number(url, 'ApproximateNumberOfMessages'),
      inHand: await number(url, 'ApproximateNumberOfMessagesNotVisible'),
      dead: await number(deadUrl, 'ApproximateNumberOfMessages'),
    }),
    async deadBodies() {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: deadUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
      );
      return Messages.map((message) => message.Body ?? '');
    },
    consume(queue = QUEUE) {
      stop = new AbortController();
      return consumeEvents({
        sqs,
        s3,
        client: fakeClient(world),
        launches: {
          get: async (id: string) => world.registry.get(id),
          refuseRetry: async (launchId: string, before: string, reason: string) => {
            world.refusals.push({ launchId, before, reason });
          },
        } as unknown as LaunchStore,
        restores: { get: async (id: string) => world.restores.get(id) },
        settings: { bucket: BUCKET, eventsQueue: queue },
        log: pino({ level: 'silent' }),
        signal: stop.signal,
      });
    },
    start() {
      consumer = world.consume();
    },
    stop: () => stop.abort(),
    stopped: async () => consumer,
    async drained() {
      await until('the queue is drained', async () => {
        const { waiting, inHand } = await world.counts();
        return waiting + inHand === 0;
      });
    },
    async close() {
      stop.abort();
      await consumer;
      await standIns.close();
    },
  };
  return world;
}

function fakeClient(world: ConsumerWorld): Client {
  const reach = async (what: string) => {
    world.attempts += 1;
    // As the SDK's client says it: the gRPC error, with its code, is the cause.
    const cause = Object.assign(new Error('14 UNAVAILABLE: connection refused'), { code: 14 });
    if (world.temporal.down) throw new ServiceError(`Failed to ${what}`, { cause });
    await world.temporal.hold;
  };
  return {
    workflow: {
      async start(type: string, options: WorkflowStartOptions) {
        await reach('start Workflow');
        const { workflowId } = options;
        // Who says nothing of it does not want the open one.
        if (world.openWorkflows.has(workflowId) && options.workflowIdConflictPolicy === undefined)
          throw new WorkflowExecutionAlreadyStartedError('Workflow execution already started', workflowId, type);
        world.starts.push({ type, options });
      },
      async signalWithStart(type: string, options: WorkflowStartOptions) {
        await reach('signal with start Workflow');
        world.starts.push({ type, options });
      },
      getHandle: (workflowId: string) => ({
        async signal(_: string, changes: JobChange[]) {
          await reach('signal Workflow');
          if (world.endedWorkflows.has(workflowId)) throw new WorkflowNotFoundError('gone', workflowId, undefined);
          world.signals.push({ workflowId, changes });
        },
      }),
    },
  } as unknown as Client;
}
