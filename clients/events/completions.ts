/**
 * From completions of restores to the restores that wait for them. An event is a hint that somebody should look: it is
 * counted, counts are written a second's worth at a time, and a restore is told at every hundredth of its way. So ten
 * million completions are ten thousand writes and a hundred signals; one that is lost is found by the next look.
 *
 * @module
 */
import type { Message } from '@aws-sdk/client-sqs';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Settings } from '../../lib/settings.ts';
import type { OpenRestore, RestoreStore } from '../../lib/store/restores.ts';
import { OBJECTS_RESTORED_SIGNAL } from '../../workflows/restore/model.ts';
import { parseCompletions } from './parse-completions.ts';
import { persist } from './persist.ts';
import { findQueue, gather, type QueueDependencies, remove } from './queue.ts';

export interface CompletionsDependencies extends QueueDependencies {
  client: Client;
  restores: Pick<RestoreStore, 'open' | 'tell'>;
  settings: Pick<Settings, 'restoresQueue'>;
}

/** At a time; SQS gives ten messages a call. */
const RECEIVERS = 4;
/** What is gathered before it is written: for so long, or so many messages. */
const GATHER = { ms: 1_000, messages: 1_000 } as const;
/** A restore is told so often on its way. */
const PARTS = 100;

/**
 * Runs until `signal` aborts.
 * @throws Error when the queue is not there or may not be read
 */
export async function consumeCompletions(dependencies: CompletionsDependencies): Promise<void> {
  const { settings, log } = dependencies;
  const queueUrl = await findQueue(dependencies, settings.restoresQueue, 'LONGHAUL_RESTORES_QUEUE');
  if (!queueUrl) return;
  log.info({ queue: settings.restoresQueue }, 'waiting for completions of restores');
  await Promise.all(Array.from({ length: RECEIVERS }, () => receive(dependencies, queueUrl)));
}

async function receive(dependencies: CompletionsDependencies, queueUrl: string): Promise<void> {
  const { signal, settings } = dependencies;
  while (!signal.aborted) {
    const messages = await gather(dependencies, queueUrl, GATHER);
    if (!messages && !signal.aborted) throw new Error(`no messages can be received from ${settings.restoresQueue}`);
    if (messages?.length) await handOver(dependencies, queueUrl, messages);
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
