/**
 * From completions of restores to the restores that wait for them. An event is a hint that somebody should look: it is
 * counted, counts are written a second's worth at a time, and a restore is told at every hundredth of its way. So ten
 * million completions are ten thousand writes and a hundred signals; one that is lost is found by the next look.
 *
 * @module
 */
import {
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Settings } from '../../lib/settings.ts';
import type { OpenRestore, RestoreStore } from '../../lib/store/restores.ts';
import { OBJECTS_RESTORED_SIGNAL } from '../../workflows/restore/model.ts';
import { parseCompletions } from './parse-completions.ts';
import { persist } from './persist.ts';

export interface CompletionsDependencies {
  sqs: SQSClient;
  client: Client;
  restores: Pick<RestoreStore, 'open' | 'tell'>;
  settings: Pick<Settings, 'restoresQueue'>;
  log: Logger;
  signal: AbortSignal;
}

/** At a time; SQS gives ten messages a call. */
const RECEIVERS = 4;
const LONG_POLL_SECONDS = 20;
/** What is gathered before it is written: for so long, or so many messages. */
const GATHER = { ms: 1_000, messages: 1_000 } as const;
/** A restore is told so often on its way. */
const PARTS = 100;

/**
 * Runs until `signal` aborts.
 * @throws Error when the queue is not there or may not be read
 */
export async function consumeCompletions(dependencies: CompletionsDependencies): Promise<void> {
  const { sqs, settings, log, signal } = dependencies;
  const found = await persist(dependencies, 'find the queue of restores', () =>
    sqs.send(new GetQueueUrlCommand({ QueueName: settings.restoresQueue }), { abortSignal: signal }),
  );
  if (signal.aborted) return;
  const queueUrl = found?.result.QueueUrl;
  if (!queueUrl)
    throw new Error(`the queue ${settings.restoresQueue} cannot be used: create it, or set LONGHAUL_RESTORES_QUEUE`);
  log.info({ queue: settings.restoresQueue }, 'waiting for completions of restores');
  await Promise.all(Array.from({ length: RECEIVERS }, () => receive(dependencies, queueUrl)));
}

async function receive(dependencies: CompletionsDependencies, queueUrl: string): Promise<void> {
  const { signal, settings } = dependencies;
  while (!signal.aborted) {
    const messages = await gather(dependencies, queueUrl);
    if (!messages && !signal.aborted) throw new Error(`no messages can be received from ${settings.restoresQueue}`);
    if (messages?.length) await handOver(dependencies, queueUrl, messages);
  }
}

/** Waits for the first, then takes what more there is. */
async function gather(dependencies: CompletionsDependencies, queueUrl: string): Promise<Message[] | undefined> {
  const { sqs, signal } = dependencies;
  const all: Message[] = [];
  const until = () => Date.now() < begun + GATHER.ms && all.length < GATHER.messages;
  let begun = 0;
  for (let wait: number = LONG_POLL_SECONDS; ; wait = 0) {
    const received = await persist(dependencies, 'receive completions', () =>
      sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: wait }), {
        abortSignal: signal,
      }),
    );
    if (!received) return all.length > 0 ? all : undefined;
    const { Messages = [] } = received.result;
    begun ||= Date.now();
    all.push(...Messages);
    if (Messages.length === 0 || !until()) return all;
  }
}

async function handOver(
  dependencies: CompletionsDependencies,
  queueUrl: string,
  messages: readonly Message[],
): Promise<void> {
  const { restores, log } = dependencies;
  const understood: Message[] = [];
  const objects: { bucket: string; key: string }[] = [];
  for (const message of messages) {
    const parsed = parseCompletions(message.Body ?? '');
    if ('poison' in parsed)
      log.warn({ messageId: message.MessageId, reason: parsed.poison }, 'left for the dead-letter queue');
    else {
      understood.push(message);
      objects.push(...parsed.objects);
    }
  }
  const done = await persist(dependencies, 'hand completions over', async () => {
    if (objects.length === 0) return;
    for (const restore of await restores.open()) {
      const own = objects.filter((object) => isBelow(restore, object)).length;
      if (own > 0) await tell(dependencies, restore, own);
    }
  });
  if (done) await remove(dependencies, queueUrl, understood);
}

const isBelow = ({ roots = [] }: OpenRestore, { bucket, key }: { bucket: string; key: string }): boolean =>
  roots.some((root) => root.bucket === bucket && key.startsWith(root.prefix));

async function tell(
  { restores, client, log }: CompletionsDependencies,
  restore: OpenRestore,
  completions: number,
): Promise<void> {
  const told = await restores.tell(restore.restore_id, completions);
  if (told === undefined || !isWorthASignal(told - completions, told, restore.counts?.total ?? 0)) return;
  try {
    await client.workflow.getHandle(restore.workflow_id).signal(OBJECTS_RESTORED_SIGNAL);
    log.debug({ restoreId: restore.restore_id, told }, 'a restore was told');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/**
 * At every hundredth of the objects, and when all have been told of. Beyond that, which doubled messages and objects of
 * others with the same prefix lead to, at every doubling.
 */
export function isWorthASignal(before: number, now: number, total: number): boolean {
  if (total <= 0) return true;
  const part = (told: number) =>
    told < total ? Math.floor((PARTS * told) / total) : PARTS + Math.floor(Math.log2(told / total));
  return part(before) !== part(now);
}

async function remove(
  { sqs, log }: CompletionsDependencies,
  queueUrl: string,
  messages: readonly Message[],
): Promise<void> {
  const batches = Array.from({ length: Math.ceil(messages.length / 10) }, (_, at) =>
    messages.slice(at * 10, at * 10 + 10),
  );
  await Promise.all(
    batches.map(async (batch) => {
      const Entries = batch.map(({ ReceiptHandle }, place) => ({ Id: String(place), ReceiptHandle }));
      try {
        await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
      } catch (error) {
        // They will come again, and change nothing then.
        log.warn({ error: (error as Error).name }, 'completions that were handled could not be deleted');
      }
    }),
  );
}
