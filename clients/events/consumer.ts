/**
 * From the events queue to workflows. A message is deleted only when what it asked for has been done; what is not
 * understood is left to the queue's redrive policy; while Temporal or AWS is down, messages are held, not spent.
 *
 * @module
 */
import { type S3Client } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import { RequestFileError, readRequestFile } from '../../lib/restore/request-file.ts';
import { formatS3Address } from '../../lib/s3-address.ts';
import { readObject, UnreadableObjectError } from '../../lib/s3-objects.ts';
import type { Settings } from '../../lib/settings.ts';
import type { LaunchStore } from '../../lib/store/launches.ts';
import type { RestoreStore } from '../../lib/store/restores.ts';
import { JOBS_CHANGED_SIGNAL, type JobChange, LAUNCH_STATUSES, LIMITS } from '../../workflows/launch/model.ts';
import { requestOf } from '../../workflows/restore/model.ts';
import { startCost } from '../cost/start.ts';
import { retryLaunch } from '../launch/retry.ts';
import { startLaunch } from '../launch/start.ts';
import { restoreIdFor, startRestore } from '../restore/start.ts';
import { type Event, parseMessage } from './parse.ts';
import { persist } from './persist.ts';

export interface ConsumerDependencies {
  sqs: SQSClient;
  s3: S3Client;
  client: Client;
  launches: LaunchStore;
  restores: Pick<RestoreStore, 'get'>;
  settings: Pick<Settings, 'bucket' | 'eventsQueue'>;
  log: Logger;
  signal: AbortSignal;
}

/** SQS allows 10 messages and 20 seconds. */
const RECEIVE = { MaxNumberOfMessages: 10, WaitTimeSeconds: 20 } as const;
/** While something is down, a message in hand is kept from the queue this much longer at each try. */
const HOLD_SECONDS = 60;

/**
 * Runs until `signal` aborts.
 * @throws Error when the queue is not there or may not be read
 */
export async function consumeEvents(dependencies: ConsumerDependencies): Promise<void> {
  const { sqs, settings, log, signal } = dependencies;
  const found = await persist(dependencies, 'find the queue', () =>
    sqs.send(new GetQueueUrlCommand({ QueueName: settings.eventsQueue }), { abortSignal: signal }),
  );
  if (signal.aborted) return;
  const queueUrl = found?.result.QueueUrl;
  if (!queueUrl)
    throw new Error(`the queue ${settings.eventsQueue} cannot be used: create it, or set LONGHAUL_EVENTS_QUEUE`);
  log.info({ queue: settings.eventsQueue }, 'waiting for events');
  while (!signal.aborted) {
    const received = await persist(dependencies, 'receive messages', () =>
      sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, ...RECEIVE }), { abortSignal: signal }),
    );
    if (!received && !signal.aborted) throw new Error(`no messages can be received from ${settings.eventsQueue}`);
    await handleBatch(dependencies, queueUrl, received?.result.Messages ?? []);
  }
}

/** One thing to do, and the messages that are done with when it is. */
interface Task {
  messages: Message[];
  run(): Promise<void>;
}

async function handleBatch(
  dependencies: ConsumerDependencies,
  queueUrl: string,
  messages: readonly Message[],
): Promise<void> {
  const { settings, log } = dependencies;
  const keep = new Set<Message>();
  const events = new Map<Message, Event[]>();
  for (const message of messages) {
    const parsed = parseMessage(message.Body ?? '', settings.bucket);
    const poison = parsed.find((event) => event.kind === 'poison');
    if (poison) keep.add(message);
    else events.set(message, parsed);
    if (poison) log.warn({ messageId: message.MessageId, reason: poison.reason }, 'left for the dead-letter queue');
  }
  const hold = () =>
    holdMessages(
      dependencies,
      queueUrl,
      messages.filter((message) => !keep.has(message)),
    );
  await Promise.all(
    toTasks(dependencies, events).map(async (task) => {
      const done = await persist(dependencies, 'hand an event over', task.run, hold);
      if (!done) for (const message of task.messages) keep.add(message);
    }),
  );
  await Promise.all(
    messages.filter((message) => !keep.has(message)).map((message) => deleteMessage(dependencies, queueUrl, message)),
  );
}

/** Job changes of one launch travel in one signal. */
function toTasks(dependencies: ConsumerDependencies, events: ReadonlyMap<Message, Event[]>): Task[] {
  const tasks: Task[] = [];
  const signals = new Map<string, { messages: Message[]; changes: JobChange[] }>();
  for (const [message, parsed] of events) {
    for (const event of parsed) {
      if (event.kind === 'sheet') tasks.push({ messages: [message], run: () => launch(dependencies, event) });
      if (event.kind === 'restore') tasks.push({ messages: [message], run: () => restore(dependencies, event) });
      if (event.kind === 'ended') tasks.push({ messages: [message], run: () => price(dependencies, event) });
      if (event.kind === 'retry') tasks.push({ messages: [message], run: () => retry(dependencies, event) });
      if (event.kind !== 'job') continue;
      const signal = signals.get(event.workflowId) ?? { messages: [], changes: [] };
      signal.messages.push(message);
      signal.changes.push(event.change);
      signals.set(event.workflowId, signal);
    }
  }
  for (const [workflowId, signal] of signals) {
    tasks.push({ messages: signal.messages, run: () => tell(dependencies, workflowId, signal.changes) });
  }
  return tasks;
}

async function price(
  { client, log }: ConsumerDependencies,
  { launchId }: Extract<Event, { kind: 'ended' }>,
): Promise<void> {
  const { workflowId } = await startCost(client, { launchId });
  log.info({ launchId, workflowId }, 'an ended launch is priced');
}

async function launch(
  { s3, client, launches, log }: ConsumerDependencies,
  event: Extract<Event, { kind: 'sheet' }>,
): Promise<void> {
  const address = formatS3Address(event);
  let sheet: { bytes: Buffer; version?: string; etag: string };
  try {
    sheet = await readObject(s3, address, {
      limit: LIMITS.sheetBytes,
      ...(event.version && { version: event.version }),
    });
  } catch (error) {
    if (!(error instanceof UnreadableObjectError)) throw error;
    // Taken away again before we came: there is nothing to launch, and nobody waits for it.
    if (error.reason.startsWith('there is no')) {
      log.warn({ sheet: address }, 'the sheet is not there any more');
      return;
    }
    sheet = { bytes: Buffer.alloc(0), etag: event.etag, ...(event.version && { version: event.version }) };
  }
  const started = await startLaunch({ client, launches }, { address, ...sheet });
  const level = started.outcome === 'conflict' ? 'warn' : 'info';
  log[level]({ sheet: address, launchId: started.launchId, outcome: started.outcome, status: started.status }, 'sheet');
}

/** The request says itself whose it is; one that cannot be read fails as a restore of its own, with the reason. */
async function restore(
  { s3, client, launches, restores, log }: ConsumerDependencies,
  event: Extract<Event, { kind: 'restore' }>,
): Promise<void> {
  const configurationFile = formatS3Address(event);
  const input = {
    configurationFile,
    consumer: event.consumer,
    ...(event.version !== undefined && { configurationFileVersion: event.version }),
  };
  let id: string | undefined;
  try {
    const file = await readRequestFile(s3, configurationFile, event.version);
    if (file.kind === 'request') id = file.request.launchId ?? file.request.restoreId;
  } catch (error) {
    if (!(error instanceof RequestFileError)) throw error;
  }
  // A request may not take the place of a launch of somebody else.
  const launch = id === undefined ? undefined : await launches.get(id);
  if (launch?.consumer !== undefined && launch.consumer !== event.consumer) {
    log.warn({ file: configurationFile, launchId: id }, 'a request names the launch of another consumer');
    id = undefined;
  }
  const restoreId = id ?? restoreIdFor({ ...input, configurationFileVersion: event.version ?? event.etag });
  // A message that comes again, even long after, must not pay for the same once more.
  const known = await restores.get(restoreId);
  if (known?.request === requestOf(input)) {
    log.info({ file: configurationFile, restoreId }, 'a request that has been followed before');
    return;
  }
  const { started } = await startRestore(client, { restoreId, ...input });
  log.info({ file: configurationFile, restoreId, started }, 'a restore was asked for');
}

/** Whoever asks by the table learns by the table why not. */
async function retry(
  { client, launches, log }: ConsumerDependencies,
  { launchId, before, attempt }: Extract<Event, { kind: 'retry' }>,
): Promise<void> {
  // A message that comes again, even long after, must not start yet another attempt.
  const known = attempt === undefined ? undefined : (await launches.get(launchId))?.attempt;
  if (known !== undefined && known !== attempt) {
    log.info({ launchId, attempt: known }, 'a retry that was asked for has been followed before');
    return;
  }
  const retried = await retryLaunch({ client, launches }, launchId);
  if (retried.outcome === 'refused') {
    const status = LAUNCH_STATUSES.find((known) => known === before);
    if (status) await launches.refuseRetry(launchId, status, retried.reason);
  }
  log.info({ launchId, outcome: retried.outcome }, 'a retry was asked for in the table');
}

async function tell({ client, log }: ConsumerDependencies, workflowId: string, changes: JobChange[]): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).signal(JOBS_CHANGED_SIGNAL, changes);
  } catch (error) {
    // News for a launch that has ended is no news.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    log.debug({ workflowId }, 'job events of a launch that has ended');
  }
}

async function deleteMessage(
  { sqs, log }: ConsumerDependencies,
  queueUrl: string,
  { ReceiptHandle, MessageId }: Message,
): Promise<void> {
  try {
    await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
  } catch (error) {
    // It will come again, and change nothing then.
    log.warn({ messageId: MessageId, error: (error as Error).name }, 'a message that was handled could not be deleted');
  }
}

/** A receive that only waited for a service to come back must not bring a message nearer to the dead-letter queue. */
async function holdMessages(
  { sqs }: ConsumerDependencies,
  queueUrl: string,
  messages: readonly Message[],
): Promise<void> {
  await Promise.allSettled(
    messages.map(({ ReceiptHandle }) =>
      sqs.send(
        new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: HOLD_SECONDS }),
      ),
    ),
  );
}
