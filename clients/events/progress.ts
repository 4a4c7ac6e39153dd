/**
 * From the bus to the logs of runs: what workflows publish by EventBridge is appended here, put in order as far as it came
 * out of order, and kept from the queue while the log cannot be written. A message is deleted when its reports are in the
 * log; what is not understood goes to the dead-letter queue.
 *
 * @module
 */
import { ChangeMessageVisibilityBatchCommand, type Message } from '@aws-sdk/client-sqs';
import type { ProgressWriter } from '../../lib/progress/log.ts';
import type { Settings } from '../../lib/settings.ts';
import type { Report, RunFacts } from '../../workflows/progress/model.ts';
import { parseProgress } from './parse-progress.ts';
import { persist } from './persist.ts';
import { byTen, findQueue, gather, type QueueDependencies, remove } from './queue.ts';

export interface ProgressDependencies extends QueueDependencies {
  progress: ProgressWriter;
  settings: Pick<Settings, 'progressQueue'>;
}

/** What is gathered before it is written, since messages of one run may have overtaken one another. */
const GATHER = { ms: 100, messages: 200 } as const;
/** While the log cannot be written, messages in hand are kept from the queue this much longer at each try. */
const HOLD_SECONDS = 60;

/**
 * Runs until `signal` aborts.
 * @throws Error when the queue is not there or may not be read
 */
export async function consumeProgress(dependencies: ProgressDependencies): Promise<void> {
  const { settings, log, signal } = dependencies;
  const queueUrl = await findQueue(dependencies, settings.progressQueue, 'LONGHAUL_PROGRESS_QUEUE');
  if (!queueUrl) return;
  log.info({ queue: settings.progressQueue }, 'waiting for progress');
  // One receiver: several would put what is in order out of it.
  while (!signal.aborted) {
    const messages = await gather(dependencies, queueUrl, GATHER);
    if (!messages && !signal.aborted) throw new Error(`no messages can be received from ${settings.progressQueue}`);
    if (messages?.length) await handOver(dependencies, queueUrl, messages);
  }
}

interface Told {
  message: Message;
  facts: RunFacts;
  reports: readonly Report[];
}

async function handOver(
  dependencies: ProgressDependencies,
  queueUrl: string,
  messages: readonly Message[],
): Promise<void> {
  const { log } = dependencies;
  const runs = new Map<string, Told[]>();
  for (const message of messages) {
    const parsed = parseProgress(message.Body ?? '');
    if ('poison' in parsed) {
      log.warn({ messageId: message.MessageId, reason: parsed.poison }, 'left for the dead-letter queue');
      continue;
    }
    const { run, facts, reports } = parsed;
    runs.set(run, [...(runs.get(run) ?? []), { message, facts, reports }]);
  }
  await Promise.all(
    [...runs].map(async ([run, all]) => {
      if ((await append(dependencies, queueUrl, run, all)) || all.length === 1) return;
      // One of them cannot be taken: the others can.
      for (const one of all) await append(dependencies, queueUrl, run, [one]);
    }),
  );
}

/**
 * Tried for as long as something is down.
 * @returns whether it is done with; what the log refuses for good is left for the dead-letter queue
 */
async function append(
  dependencies: ProgressDependencies,
  queueUrl: string,
  run: string,
  told: readonly Told[],
): Promise<boolean> {
  const { progress, log } = dependencies;
  const facts: RunFacts = Object.assign({}, ...told.map((one) => one.facts));
  const inOrder = told
    .flatMap(({ reports }) => reports)
    .sort((a, b) => a.source.attempt - b.source.attempt || a.localSeq - b.localSeq);
  const messages = told.map(({ message }) => message);
  const done = await persist(
    dependencies,
    'append progress',
    () => progress.append(run, facts, inOrder),
    () => hold(dependencies, queueUrl, messages),
  );
  if (!done) return false;
  const { refused } = done.result;
  if (refused > 0) log.debug({ run, refused }, 'told before, or too late');
  await remove(dependencies, queueUrl, messages);
  return true;
}

async function hold({ sqs, log }: ProgressDependencies, queueUrl: string, messages: readonly Message[]): Promise<void> {
  for (const batch of byTen(messages)) {
    const Entries = batch.map(({ ReceiptHandle }, place) => ({
      Id: String(place),
      ReceiptHandle,
      VisibilityTimeout: HOLD_SECONDS,
    }));
    await sqs
      .send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }))
      .catch((error: Error) => log.warn({ error: error.name }, 'messages could not be held: they come again'));
  }
}
