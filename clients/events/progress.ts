/**
 * From the bus to the logs of runs: what workflows publish by EventBridge is appended here, put in order as far as it came
 * out of order, and kept from the queue while the log cannot be written. A message is deleted when its reports are in the
 * log; what is not understood goes to the dead-letter queue.
 *
 * @module
 */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Logger } from 'pino';
import type { ProgressWriter } from '../../lib/progress/log.ts';
import type { Settings } from '../../lib/settings.ts';
import type { Report, RunFacts } from '../../workflows/progress/model.ts';
import { parseProgress } from './parse-progress.ts';
import { persist } from './persist.ts';

export interface ProgressDependencies {
  sqs: SQSClient;
  progress: ProgressWriter;
  settings: Pick<Settings, 'progressQueue'>;
  log: Logger;
  signal: AbortSignal;
}

const LONG_POLL_SECONDS = 20;
/** What is gathered before it is written, since messages of one run may have overtaken one another. */
const GATHER = { ms: 100, messages: 200 } as const;
/** While the log cannot be written, messages in hand are kept from the queue this much longer at each try. */
const HOLD_SECONDS = 60;

/**
 * Runs until `signal` aborts.
 * @throws Error when the queue is not there or may not be read
 */
export async function consumeProgress(dependencies: ProgressDependencies): Promise<void> {
  const { sqs, settings, log, signal } = dependencies;
  const found = await persist(dependencies, 'find the queue of progress', () =>
    sqs.send(new GetQueueUrlCommand({ QueueName: settings.progressQueue }), { abortSignal: signal }),
  );
  if (signal.aborted) return;
  const queueUrl = found?.result.QueueUrl;
  if (!queueUrl)
    throw new Error(`the queue ${settings.progressQueue} cannot be used: create it, or set LONGHAUL_PROGRESS_QUEUE`);
  log.info({ queue: settings.progressQueue }, 'waiting for progress');
  // One receiver: several would put what is in order out of it.
  while (!signal.aborted) {
    const messages = await gather(dependencies, queueUrl);
    if (!messages && !signal.aborted) throw new Error(`no messages can be received from ${settings.progressQueue}`);
    if (messages?.length) await handOver(dependencies, queueUrl, messages);
  }
}

/** Waits for the first, then takes what comes within a moment. */
async function gather(dependencies: ProgressDependencies, queueUrl: string): Promise<Message[] | undefined> {
  const { sqs, signal } = dependencies;
  const all: Message[] = [];
  let until = 0;
  for (let wait: number = LONG_POLL_SECONDS; ; wait = 0) {
    const received = await persist(dependencies, 'receive progress', () =>
      sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: wait }), {
        abortSignal: signal,
      }),
    );
    if (!received) return all.length > 0 ? all : undefined;
    const { Messages = [] } = received.result;
    until ||= Date.now() + GATHER.ms;
    all.push(...Messages);
    if (Messages.length === 0 || Date.now() >= until || all.length >= GATHER.messages) return all;
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

async function remove(
  { sqs, log }: ProgressDependencies,
  queueUrl: string,
  messages: readonly Message[],
): Promise<void> {
  for (const batch of byTen(messages)) {
    const Entries = batch.map(({ ReceiptHandle }, place) => ({ Id: String(place), ReceiptHandle }));
    // They will come again, and vanish then.
    await sqs
      .send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }))
      .catch((error: Error) => log.warn({ error: error.name }, 'progress that was told could not be deleted'));
  }
}

const byTen = (messages: readonly Message[]): Message[][] =>
  Array.from({ length: Math.ceil(messages.length / 10) }, (_, at) => messages.slice(at * 10, at * 10 + 10));
