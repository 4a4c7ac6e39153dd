/** From completions of restores to those that wait for them: hints, counted, and few signals whatever their number. */
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { type Client, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { consumeCompletions, isWorthASignal } from '../../clients/events/completions.ts';
import { parseCompletions } from '../../clients/events/parse-completions.ts';
import type { OpenRestore } from '../../lib/store/restores.ts';
import { eventBody, eventNames } from '../support/event-fixtures.ts';
import { openStandIns, type StandIns, until } from '../support/stand-ins.ts';

const ODD = { bucket: 'archive', key: 'runs/Probe 7+8 ü日🧬 100%.bam' };

describe('a message', () => {
  it.each([
    ['restore-completed.eventbridge', { objects: [ODD] }],
    ['restore-completed.direct', { objects: [ODD, { bucket: 'archive', key: 'runs/9.bam' }] }],
    ['restore-initiated.eventbridge', { objects: [] }],
    ['s3-test-event', { objects: [] }],
    ['s3-put.direct', { objects: [] }],
    ['s3-put.eventbridge', { objects: [] }],
    ['poison-restore-key-not-encoded', { poison: 'a record whose key is not URL-encoded' }],
    ['poison-record-without-s3', { poison: 'a record without s3' }],
    ['poison-not-json', { poison: 'the message is not JSON' }],
    ['poison-null', { poison: 'the message is not a JSON object' }],
    ['poison-array', { poison: 'the message is not a JSON object' }],
    ['batch-running', { poison: 'neither an S3 notification nor an event of S3' }],
    ['other-service.eventbridge', { poison: 'neither an S3 notification nor an event of S3' }],
  ])('%s', (name, completions) => {
    expect(parseCompletions(eventBody(name))).toEqual(completions);
  });

  it.each([
    ['a record without bucket or key', ['Records', 0, 's3', 'object', 'key'], 'restore-completed.direct'],
    ['an S3 event without bucket or key', ['detail', 'object', 'key'], 'restore-completed.eventbridge'],
    ['an S3 event without bucket or key', ['detail', 'bucket', 'name'], 'restore-completed.eventbridge'],
    ['an event without detail', ['detail'], 'restore-completed.eventbridge'],
  ] as const)('without what it is about is none: %s', (poison, path, name) => {
    const message = JSON.parse(eventBody(name)) as Record<string | number, unknown>;
    let holder = message;
    for (const part of path.slice(0, -1)) holder = holder[part] as typeof message;
    delete holder[path.at(-1) ?? ''];
    expect(parseCompletions(JSON.stringify(message))).toEqual({ poison });
  });

  it('never makes the parser fail, whatever it is', () => {
    const replaced = fc
      .tuple(fc.constantFrom(...eventNames()), fc.json())
      .map(([name, value]) => eventBody(name).replace(/\{[^{}]*\}|"[^"]*"(?=[,\n])/, () => value));
    fc.assert(
      fc.property(fc.oneof(replaced, fc.json(), fc.string()), (body) => {
        const parsed = parseCompletions(body);
        if ('objects' in parsed) for (const { key } of parsed.objects) expect(key).toBeTypeOf('string');
        else expect(parsed.poison).not.toBe('');
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('signals', () => {
  it('are a hundred at most on the way, and one more for each doubling beyond it', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), steps, (total, completions) => {
        let told = 0;
        let signals = 0;
        for (const more of completions) {
          if (isWorthASignal(told, told + more, total)) signals += 1;
          told += more;
        }
        expect(signals).toBeLessThanOrEqual(100 + Math.max(0, Math.log2(told / total)) + 1);
      }),
    );
  });

  it.each([1, 7, 100, 101, 12_345])('come one by one to 100 or fewer of %i, the last object among them', (total) => {
    const worth = Array.from({ length: total }, (_, told) => told).filter((told) =>
      isWorthASignal(told, told + 1, total),
    );
    expect(worth).toHaveLength(Math.min(total, 100));
    expect(worth.at(-1)).toBe(total - 1);
  });

  it('come always where nobody knows how many there are', () => {
    expect(isWorthASignal(5, 6, 0)).toBe(true);
  });
});

interface World extends StandIns {
  signals: string[];
  told: Map<string, number>;
  /** Temporal does not answer. */
  down: boolean;
  /** The registry refuses. */
  broken: boolean;
  attempts: number;
  send(...bodies: string[]): Promise<void>;
  waiting(): Promise<{ waiting: number; inHand: number }>;
}

let world: World;
let stop: AbortController;
let running: Promise<void> | undefined;

/** Consumes for restores that wait. */
async function open(restores: readonly (OpenRestore & { ended?: true })[]): Promise<void> {
  const standIns = await openStandIns();
  const { QueueUrl } = await standIns.sqs.send(new CreateQueueCommand({ QueueName: 'restores' }));
  stop = new AbortController();
  world = {
    ...standIns,
    signals: [],
    told: new Map(),
    down: false,
    broken: false,
    attempts: 0,
    async send(...bodies) {
      const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
      await standIns.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    },
    async waiting() {
      const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
      const { Attributes } = await standIns.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }),
      );
      return { waiting: Number(Attributes?.[names[0]]), inHand: Number(Attributes?.[names[1]]) };
    },
  };
  const client = {
    workflow: {
      getHandle: (workflowId: string) => ({
        async signal() {
          world.attempts += 1;
          const cause = Object.assign(new Error('14 UNAVAILABLE: connection refused'), { code: 14 });
          if (world.down) throw new ServiceError('Failed to signal Workflow', { cause });
          if (restores.find(({ workflow_id }) => workflow_id === workflowId)?.ended)
            throw new WorkflowNotFoundError('gone', workflowId, undefined);
          world.signals.push(workflowId);
        },
      }),
    },
  } as unknown as Client;
  running = consumeCompletions({
    sqs: standIns.sqs,
    client,
    restores: {
      open: async () => [...restores],
      async tell(id, completions) {
        if (world.broken) {
          world.attempts += 1;
          throw new Error('not allowed');
        }
        world.told.set(id, (world.told.get(id) ?? 0) + completions);
        return world.told.get(id);
      },
    },
    settings: { restoresQueue: 'restores' },
    log: pino({ level: 'silent' }),
    signal: stop.signal,
  });
}

const restoreOf = (id: string, prefix: string, total: number) => ({
  restore_id: id,
  workflow_id: `restore/${id}`,
  roots: [{ bucket: 'archive', prefix }],
  counts: { total, bytes: 0, requested: 0, readable: 0, readableBytes: 0, restoring: 0, failed: 0 },
});
const completed = (key: string, bucket = 'archive') =>
  JSON.stringify({
    source: 'aws.s3',
    'detail-type': 'Object Restore Completed',
    detail: { bucket: { name: bucket }, object: { key } },
  });
const drained = () =>
  until('the queue is drained', async () => {
    const { waiting, inHand } = await world.waiting();
    return waiting + inHand === 0;
  });

describe('completions', () => {
  afterEach(async () => {
    stop.abort();
    await running;
    await world.close();
  });

  it('are told to every restore whose objects lie there, and to no other', async () => {
    await open([restoreOf('one', 'runs/1/', 2), restoreOf('all', 'runs/', 3), restoreOf('other', 'else/', 1)]);
    await world.send(completed('runs/1/a'), completed('runs/1/b'), completed('runs/2/c'), completed('runs/1/a', 'not'));
    await drained();

    expect(Object.fromEntries(world.told)).toEqual({ one: 2, all: 3 });
    expect(new Set(world.signals)).toEqual(new Set(['restore/one', 'restore/all']));
  });

  it('for a restore that has just ended are done with', async () => {
    await open([{ ...restoreOf('one', 'runs/', 1), ended: true }]);
    await world.send(completed('runs/a'));
    await drained();

    expect(world.attempts).toBe(1);
    expect(world.signals).toEqual([]);
  });

  it('are kept while Temporal is down', async () => {
    await open([restoreOf('one', 'runs/', 1)]);
    world.down = true;
    await world.send(completed('runs/a'));
    await until('it was tried', () => world.attempts > 0);
    expect(await world.waiting()).toEqual({ waiting: 0, inHand: 1 });
    world.down = false;
    await drained();

    expect(world.signals.length).toBeGreaterThan(0);
  });

  it('that could not be handed over stay in the queue', async () => {
    await open([restoreOf('one', 'runs/', 1)]);
    world.broken = true;
    await world.send(completed('runs/a'));
    await until('it was tried', () => world.attempts > 0);
    stop.abort();
    await running;

    expect(await world.waiting()).toEqual({ waiting: 0, inHand: 1 });
  });

  it('that are none stay for the dead-letter queue, and hold nothing up', async () => {
    await open([restoreOf('one', 'runs/', 1)]);
    await world.send(eventBody('poison-not-json'), completed('runs/a'), eventBody('restore-initiated.eventbridge'));
    await until('the good one is told', () => world.signals.length > 0);
    await until('the rest is done with', async () => {
      const { waiting, inHand } = await world.waiting();
      return waiting + inHand === 1;
    });

    expect(world.told.get('one')).toBe(1);
  });

  it('a queue that is not there ends it with a remedy', async () => {
    await open([]);
    const { sqs } = world;
    const consumed = consumeCompletions({
      sqs,
      client: {} as Client,
      restores: { open: async () => [], tell: async () => 0 },
      settings: { restoresQueue: 'no-such-queue' },
      log: pino({ level: 'silent' }),
      signal: stop.signal,
    });
    await expect(consumed).rejects.toThrow('create it, or set LONGHAUL_RESTORES_QUEUE');
  });
});
