/**
 * What consumers of a queue share that take many messages at once: finding the queue, gathering messages, deleting them.
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
import type { Logger } from 'pino';
import { persist } from './persist.ts';

export interface QueueDependencies {
  sqs: SQSClient;
  log: Logger;
  signal: AbortSignal;
}

const LONG_POLL_SECONDS = 20;

/**
 * @param variable by which it is set
 * @returns its address; undefined when `signal` has aborted
 * @throws Error when it is not there or may not be read
 */
export async function findQueue(
  dependencies: QueueDependencies,
  queue: string,
  variable: string,
): Promise<string | undefined> {
  const { sqs, signal } = dependencies;
  const found = await persist(dependencies, `find the queue ${queue}`, () =>
    sqs.send(new GetQueueUrlCommand({ QueueName: queue }), { abortSignal: signal }),
  );
  if (signal.aborted) return undefined;
  const url = found?.result.QueueUrl;
  if (!url) throw new Error(`the queue ${queue} cannot be used: create it, or set ${variable}`);
  return url;
}

/**
 * Waits for the first message, then takes what comes within `ms`, up to `messages`.
 * @returns undefined when none can be received
 */
export async function gather(
  dependencies: QueueDependencies,
  queueUrl: string,
  most: { ms: number; messages: number },
): Promise<Message[] | undefined> {
  const { sqs, signal } = dependencies;
  const all: Message[] = [];
  let until = 0;
  for (let wait: number = LONG_POLL_SECONDS; ; wait = 0) {
    const received = await persist(dependencies, 'receive messages', () =>
      sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: wait }), {
        abortSignal: signal,
      }),
    );
    if (!received) return all.length > 0 ? all : undefined;
    const { Messages = [] } = received.result;
    until ||= Date.now() + most.ms;
    all.push(...Messages);
    if (Messages.length === 0 || Date.now() >= until || all.length >= most.messages) return all;
  }
}

/** What cannot be deleted comes again, and changes nothing then. */
export async function remove(
  { sqs, log }: QueueDependencies,
  queueUrl: string,
  messages: readonly Message[],
): Promise<void> {
  await Promise.all(
    byTen(messages).map(async (batch) => {
      const Entries = batch.map(({ ReceiptHandle }, place) => ({ Id: String(place), ReceiptHandle }));
      try {
        await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
      } catch (error) {
        log.warn({ error: (error as Error).name }, 'messages that were handled could not be deleted');
      }
    }),
  );
}

/** As many as one call may have. */
export const byTen = (messages: readonly Message[]): Message[][] =>
  Array.from({ length: Math.ceil(messages.length / 10) }, (_, at) => messages.slice(at * 10, at * 10 + 10));
