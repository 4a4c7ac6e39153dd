/**
 * The way of progress over the bus: EventBridge, a queue and the consumer, by the real protocols, into a log in memory.
 *
 * @module
 */
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { pino } from 'pino';
import { createProgressActivities } from '../../activities/progress/index.ts';
import { consumeProgress } from '../../clients/events/progress.ts';
import { BUS_DETAIL_TYPE, BUS_SOURCE } from '../../lib/progress/bus.ts';
import { openStandIns, type StandIns, until } from './stand-ins.ts';
import { createStoredLog, type StoredLog } from './stored-log.ts';

export interface BusWorld extends StandIns {
  log: StoredLog;
  activities: ReturnType<typeof createProgressActivities>;
  /** Puts a message into the queue, past the bus. */
  send(body: string): Promise<void>;
  start(queue?: string): Promise<void>;
  /** Until nothing waits and nothing is in hand. */
  drained(): Promise<void>;
  dead(): Promise<number>;
}

export async function openBusWorld(receives = 5): Promise<BusWorld> {
  const standIns = await openStandIns();
  const { sqs, events, kit } = standIns;
  const attribute = async (
    QueueUrl: string,
    name: 'QueueArn' | 'ApproximateNumberOfMessages' | 'ApproximateNumberOfMessagesNotVisible',
  ) => {
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [name] }));
    return Attributes?.[name] ?? '';
  };
  const { QueueUrl: deadUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'progress-dead' }));
  const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'progress' }));
  const arn = await attribute(url, 'QueueArn');
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: await attribute(deadUrl, 'QueueArn'),
    maxReceiveCount: receives,
  });
  const statement = { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage' };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, Resource: arn }] });
  const Attributes = { RedrivePolicy, Policy, VisibilityTimeout: '30' };
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes }));
  const EventPattern = JSON.stringify({ source: [BUS_SOURCE], 'detail-type': [BUS_DETAIL_TYPE] });
  await events.send(new PutRuleCommand({ Name: 'progress', EventPattern }));
  await events.send(new PutTargetsCommand({ Rule: 'progress', Targets: [{ Id: 'queue', Arn: arn }] }));
  const log = createStoredLog();
  const stop = new AbortController();
  let consumer: Promise<void> | undefined;
  return {
    ...standIns,
    log,
    activities: createProgressActivities({ writer: log.store, bus: { client: events } }),
    async send(MessageBody) {
      await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
    },
    start(progressQueue = 'progress') {
      consumer = consumeProgress({
        sqs,
        progress: {
          async append(run, facts, reports) {
            const batch = { run, facts, reports };
            log.batches.push(batch);
            await log.before(batch);
            return log.store.append(run, facts, reports);
          },
        },
        settings: { progressQueue },
        log: pino({ level: 'silent' }),
        signal: stop.signal,
      });
      return consumer;
    },
    async drained() {
      await until('the queue is drained', async () => {
        // Of messages that were left, so that they come again.
        kit.clock.advance(31_000);
        const left = [
          await attribute(url, 'ApproximateNumberOfMessages'),
          await attribute(url, 'ApproximateNumberOfMessagesNotVisible'),
        ];
        return left.every((count) => count === '0');
      });
    },
    dead: async () => Number(await attribute(deadUrl, 'ApproximateNumberOfMessages')),
    async close() {
      stop.abort();
      await consumer?.catch(() => {});
      await standIns.close();
    },
  };
}
