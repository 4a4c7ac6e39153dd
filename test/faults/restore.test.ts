/**
 * Restores while things go wrong around them: every changing call lost or its worker killed there, news lost and forged,
 * storms of throttling, every process killed. Each comes to its end, S3 is asked once for each object, and nothing is
 * said to be readable that is not. Hours of Glacier take seconds here.
 */
import { ListJobsCommand } from '@aws-sdk/client-batch';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateBucketCommand,
  HeadObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  RestoreObjectCommand,
} from '@aws-sdk/client-s3';
import { ListJobsCommand as ListJobsOfAccount } from '@aws-sdk/client-s3-control';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import { startRestore } from '../../clients/restore/start.ts';
import { LOCAL_PLACE } from '../../infra/local/aws/ports.ts';
import type { FaultRule } from '../../infra/local/kit/faults.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { type LaunchProgress, workflowIdOf as launchIdOf } from '../../workflows/launch/model.ts';
import {
  PROGRESS_QUERY,
  type RestoreInput,
  type RestoreProgress,
  type RestoreResult,
  workflowIdOf,
} from '../../workflows/restore/model.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';
import { until } from '../support/stand-ins.ts';

/** Bulk on Glacier takes 5 to 12 hours: 0.9 to 2.2 s. */
const QUICK = 1 / 20_000;
const BUCKET = 'longhaul';
const ACCOUNT = LOCAL_PLACE.accountId;
/** From so many objects on S3 Batch Operations asks for them. */
const MANY = 400;
/** Not the rule whose events are lost. */
const RULE = 'begun';
const SEED = Number(process.env.LONGHAUL_FAULTS_SEED ?? 20_261_126);

let longhaul: Longhaul;
let census: Census;
beforeAll(async () => {
  longhaul = await openLonghaul({
    LONGHAUL_RESTORE_POLL_SECONDS: '1',
    LONGHAUL_RESTORE_BATCH_ROLE: `arn:aws:iam::${ACCOUNT}:role/restores`,
    LONGHAUL_RESTORE_BATCH_OBJECTS: String(MANY),
  });
  census = await openCensus(longhaul.aws);
});
afterEach(() => longhaul.faults([]));
afterAll(() => longhaul?.close());

const timeScale = (scale: number) => longhaul.action('POST restore-time', { scale });

/** A bucket of its own, that tells of restores, with so many archived objects. */
async function archive(bucket: string, objects: number): Promise<string[]> {
  const { s3 } = longhaul.aws;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: bucket,
      NotificationConfiguration: { EventBridgeConfiguration: {} },
    }),
  );
  const keys = Array.from({ length: objects }, (_, nth) => `runs/${nth % 8}/${nth}.bam`);
  await putArchived(bucket, keys);
  return keys;
}

const putArchived = (Bucket: string, keys: readonly string[]) =>
  mapLimited(keys, 32, (Key) =>
    longhaul.aws.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key, StorageClass: 'GLACIER' })),
  );

const start = (restoreId: string, sources: readonly string[]) =>
  startRestore(longhaul.temporal.client, { restoreId, sources });
const handleOf = (restoreId: string) =>
  longhaul.temporal.client.workflow.getHandle<(input: RestoreInput) => Promise<RestoreResult>>(workflowIdOf(restoreId));
const progressOf = (restoreId: string) => handleOf(restoreId).query<RestoreProgress>(PROGRESS_QUERY);

async function unreadable(bucket: string, keys: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  await mapLimited(keys, 32, async (Key) => {
    const { Restore } = await longhaul.aws.s3.send(new HeadObjectCommand({ Bucket: bucket, Key }));
    if (!Restore?.includes('ongoing-request="false"')) found.push(Key);
  });
  return found;
}

/** S3's own word, by its events, on how often it has begun to restore each object; whatever callers have heard. */
interface Census {
  begun(prefix: string): Promise<Record<string, number>>;
}

async function openCensus({ sqs }: Longhaul['aws']): Promise<Census> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'begun' }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  const Arn = Attributes?.QueueArn ?? '';
  const Principal = { Service: 'events.amazonaws.com' };
  const Statement = [{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: Arn, Principal }];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy, VisibilityTimeout: '43200' } }));
  const rules = new EventBridgeClient({});
  const EventPattern = JSON.stringify({ source: ['aws.s3'], 'detail-type': ['Object Restore Initiated'] });
  await rules.send(new PutRuleCommand({ Name: RULE, EventPattern }));
  await rules.send(new PutTargetsCommand({ Rule: RULE, Targets: [{ Id: 'begun', Arn }] }));
  rules.destroy();
  const counts = new Map<string, number>();
  const drain = async () => {
    for (;;) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return;
      for (const { Body = '' } of Messages) {
        const { detail } = JSON.parse(Body) as { detail: { bucket: { name: string }; object: { key: string } } };
        const name = `${detail.bucket.name}/${detail.object.key}`;
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    }
  };
  return {
    async begun(prefix) {
      await Promise.all(Array.from({ length: 8 }, drain));
      return Object.fromEntries([...counts].filter(([name]) => name.startsWith(prefix)));
    },
  };
}

/**
 * Each was begun once.
 * @returns how often S3 was asked for them
 */
async function expectOnce(bucket: string, keys: readonly string[], prefix = ''): Promise<number> {
  const of = `${bucket}/${prefix}`;
  expect(await census.begun(of)).toEqual(Object.fromEntries(keys.map((key) => [`${bucket}/${key}`, 1])));
  const calls = await longhaul.calls({ service: 's3', operation: 'RestoreObject' });
  return calls.filter(({ subject }) => subject.startsWith(of)).length;
}

const hits = async () => ((await longhaul.action('GET faults')) as { hits: number[] }).hits;
const process_ = (name: string) => longhaul.platform.status().find((one) => one.name === name);
function kill(name: string): void {
  process.kill(-(process_(name)?.pid ?? 0), 'SIGKILL');
}

describe('every call that changes something', () => {
  /** By which activity, and how it is known in the call log; buckets and restores have the same name. */
  interface Mutation extends Pick<FaultRule, 'service' | 'operation' | 'nth'> {
    by: string;
    subject: (restoreId: string) => string;
    /** S3 refuses one of the objects for good. */
    refuses?: true;
  }
  const state = (id: string) => `${BUCKET}/restores/${id}/`;
  const MUTATIONS: readonly Mutation[] = [
    { by: 'surveyRestore: listing', service: 's3', operation: 'ListObjectsV2', subject: (id) => id },
    { by: 'surveyRestore: shard', service: 's3', operation: 'PutObject', subject: (id) => state(id), nth: 1 },
    { by: 'surveyRestore: index', service: 's3', operation: 'PutObject', subject: (id) => state(id), nth: 2 },
    {
      by: 'recordRestore: requesting',
      service: 'dynamodb',
      operation: 'UpdateItem',
      subject: (id) => `Restores/${id}`,
    },
    { by: 'requestRestores: the first', service: 's3', operation: 'RestoreObject', subject: (id) => `${id}/`, nth: 1 },
    { by: 'requestRestores: amid', service: 's3', operation: 'RestoreObject', subject: (id) => `${id}/`, nth: 20 },
    { by: 'requestRestores: ids', service: 's3', operation: 'PutObject', subject: (id) => state(id), nth: 3 },
    {
      by: 'requestRestores: failures',
      service: 's3',
      operation: 'PutObject',
      subject: (id) => state(id),
      nth: 4,
      refuses: true,
    },
    {
      by: 'recordRestore: restoring',
      service: 'dynamodb',
      operation: 'UpdateItem',
      subject: (id) => `Restores/${id}`,
      nth: 2,
    },
  ];
  const OBJECTS = 30;
  const REFUSED = 'runs/0/0.bam';

  interface Cell {
    mutation: Mutation;
    when: 'before' | 'after';
    id: string;
    keys: string[];
  }

  async function prepare(kind: string, wanted: (mutation: Mutation) => boolean = () => true): Promise<Cell[]> {
    const cells = MUTATIONS.filter(wanted).flatMap((mutation, nth) =>
      (['before', 'after'] as const).map((when) => ({ mutation, when, id: `${kind}-${nth}-${when}`, keys: [] })),
    );
    await timeScale(QUICK);
    return Promise.all(cells.map(async (cell) => ({ ...cell, keys: await archive(cell.id, OBJECTS) })));
  }

  /** The faults of the cells, in their order, and then what is refused. */
  const rulesOf = (cells: readonly Cell[], effect: FaultRule['effect']): FaultRule[] => [
    ...cells.map(({ mutation: { by: _by, refuses: _refuses, ...call }, when, id }) => ({
      ...call,
      subject: call.subject(id),
      effect,
      when,
    })),
    ...cells.flatMap(({ mutation, id }): FaultRule[] =>
      mutation.refuses
        ? [
            {
              service: 's3',
              operation: 'RestoreObject',
              subject: `${id}/${REFUSED}`,
              effect: 'error',
              status: 403,
              code: 'AccessDenied',
              share: 1,
            },
          ]
        : [],
    ),
  ];

  /** @returns calls of RestoreObject beyond one an object */
  async function expectWhole({ id, keys, mutation }: Cell): Promise<number> {
    const name = `${id}: ${mutation.by}`;
    if (mutation.refuses) return expectAllBut(REFUSED, { id, keys });
    expect(await handleOf(id).result(), name).toMatchObject({ status: 'COMPLETE', objects: keys.length });
    expect(await unreadable(id, keys), name).toEqual([]);
    return (await expectOnce(id, keys)) - keys.length;
  }

  async function expectAllBut(refused: string, { id, keys }: Pick<Cell, 'id' | 'keys'>): Promise<number> {
    const address = `s3://${id}/${refused}`;
    const others = keys.filter((key) => key !== refused);
    await expect(handleOf(id).result(), id).rejects.toMatchObject({
      cause: { type: 'ObjectsNotRestorableError', message: expect.stringContaining(`1 of ${keys.length} objects`) },
    });
    const { failures, status } = await progressOf(id);
    expect(status).toBe('FAILED');
    const lines = (await longhaul.read(failures?.all ?? '')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([expect.objectContaining({ address })]);
    expect(await unreadable(id, keys)).toEqual([refused]);
    // The refused one may be asked for again by a try that does not know of the refusal.
    const calls = await expectOnce(id, others);
    return Math.max(0, calls - keys.length - 1);
  }

  it('may be lost, before its effect and after it', async () => {
    const cells = await prepare('lost');
    await longhaul.faults(rulesOf(cells, 'reset'));
    for (const { id } of cells) await start(id, [`s3://${id}/`]);

    for (const cell of cells) {
      const again = await expectWhole(cell);
      // Only what was lost of it.
      expect(again, cell.id).toBe(cell.mutation.operation === 'RestoreObject' ? 1 : 0);
    }
    expect((await hits()).slice(0, cells.length)).toEqual(cells.map(() => 1));
  });

  it('may be the last its worker does, before its effect and after it', async () => {
    // One of its requests will do: so all cells take two kills.
    const cells = await prepare('killed', ({ by }) => by !== 'requestRestores: the first');
    await longhaul.faults(rulesOf(cells, 'hang'));
    const restarts = process_('worker')?.restarts ?? 0;
    let kills = 0;
    // As many at a time as the worker has room for: each stands at its call, and all die of one kill.
    for (let from = 0; from < cells.length; from += 8) {
      const group = cells.slice(from, from + 8);
      for (const { id } of group) await start(id, [`s3://${id}/`]);
      await until(
        'all stand at their call',
        async () => {
          const struck = await hits();
          return group.every((_, nth) => struck[from + nth] === 1) && process_('worker')?.state === 'running';
        },
        100_000,
      );
      kill('worker');
      kills += 1;
    }

    for (const cell of cells) {
      const again = await expectWhole(cell);
      // What had its effect is seen by a look before anything is asked for again.
      expect(again, cell.id).toBeLessThanOrEqual(cell.mutation.operation === 'RestoreObject' ? 1 : 0);
    }
    expect((process_('worker')?.restarts ?? 0) - restarts).toBe(kills);
  }, 300_000);
});

describe('a restore', () => {
  it('is complete when every object can be read, and only then, whatever becomes of the news', async () => {
    const bucket = 'news';
    const late = 'runs/late.bam';
    const keys = await archive(bucket, 300);
    await putArchived(bucket, [late]);
    // Somebody else has asked for one of them, and it comes half a minute after all others: Standard takes 3 to 5 hours.
    await timeScale(1 / 400);
    const RestoreRequest = { Days: 3, GlacierJobParameters: { Tier: 'Standard' as const } };
    await longhaul.aws.s3.send(new RestoreObjectCommand({ Bucket: bucket, Key: late, RestoreRequest }));
    await timeScale(QUICK);
    const storm = { service: 'events', subject: 'longhaul-restores' };
    await longhaul.faults([
      { ...storm, operation: 'Deliver', effect: 'reset', share: 0.3, seed: SEED },
      { ...storm, operation: 'Deliver', effect: 'double', share: 0.43, seed: SEED + 1 },
      { ...storm, operation: 'Arrive', effect: 'delay', share: 1, delayMs: 1_500, jitter: true, seed: SEED + 2 },
    ]);

    await start('news', [`s3://${bucket}/runs/`]);
    await until('it waits', async () => (await progressOf('news')).status === 'RESTORING');
    await forgeNews(bucket, [...keys, late]);
    const seen: [number, boolean][] = [];
    await until(
      'the end',
      async () => {
        const { status, counts } = await progressOf('news');
        const there = (await unreadable(bucket, [late])).length === 0;
        seen.push([counts.readable, there]);
        return status === 'COMPLETE' || status === 'FAILED';
      },
      120_000,
    );

    expect(await unreadable(bucket, [...keys, late])).toEqual([]);
    expect(await handleOf('news').result()).toMatchObject({ status: 'COMPLETE' });
    // The last was not taken for readable before it was, and the others did not have to wait for it.
    expect(seen.filter(([readable, there]) => readable > keys.length && !there)).toEqual([]);
    expect(seen.filter(([readable, there]) => readable === keys.length && !there)).not.toEqual([]);
    await expectOnce(bucket, [...keys, late]);
    for (const count of await hits()) expect(count).toBeGreaterThan(30);
  }, 300_000);

  it('has one job of S3 Batch Operations, though its worker is killed before it has heard of it', async () => {
    const bucket = 'many';
    await timeScale(QUICK);
    const keys = await archive(bucket, MANY);
    await longhaul.faults([{ service: 's3control', operation: 'CreateJob', effect: 'hang', when: 'after' }]);
    await start('many', [`s3://${bucket}/runs/`]);
    await until('the job is there', async () => (await hits())[0] === 1, 30_000);
    kill('worker');

    expect(await handleOf('many').result()).toMatchObject({ status: 'COMPLETE', objects: MANY });
    expect(await unreadable(bucket, keys)).toEqual([]);
    // The jobs' tasks are no calls.
    expect(await expectOnce(bucket, keys)).toBe(0);
    const { Jobs = [] } = await longhaul.aws.s3control.send(new ListJobsOfAccount({ AccountId: ACCOUNT }));
    expect(Jobs.map(({ Status, ProgressSummary }) => [Status, ProgressSummary?.NumberOfTasksSucceeded])).toEqual([
      ['Complete', MANY],
    ]);
  });

  it('comes through a storm of throttling and of listings that break off', async () => {
    const bucket = 'storm';
    await timeScale(QUICK);
    const keys = await archive(bucket, 300);
    const listing = { service: 's3', operation: 'ListObjectsV2', subject: bucket };
    const request = { service: 's3', operation: 'RestoreObject', subject: `${bucket}/` };
    await longhaul.faults([
      { ...listing, effect: 'error', status: 500, code: 'InternalError', share: 0.2, seed: SEED },
      { ...listing, effect: 'throttle', share: 0.2, seed: SEED + 1 },
      { ...listing, effect: 'reset', share: 0.2, seed: SEED + 2 },
      { ...request, effect: 'throttle', share: 0.5, seed: SEED + 3 },
      { ...request, effect: 'error', when: 'after', status: 500, code: 'InternalError', share: 0.2, seed: SEED + 4 },
    ]);

    await start(
      'storm',
      Array.from({ length: 8 }, (_, nth) => `s3://${bucket}/runs/${nth}/`),
    );
    // A storm has an end: half of 300 is met while they are asked for the first time.
    await until('it has raged', async () => ((await hits())[3] ?? 0) >= 150, 60_000);
    const struck = await hits();
    await longhaul.faults([]);
    expect(await handleOf('storm').result()).toMatchObject({ status: 'COMPLETE', objects: keys.length });

    expect(await unreadable(bucket, keys)).toEqual([]);
    await expectOnce(bucket, keys);
    for (const count of struck) expect(count).toBeGreaterThan(0);
  });
});

/** Says that objects are restored, twice, in another order than they could have been. */
async function forgeNews(bucket: string, keys: readonly string[]): Promise<void> {
  const { sqs } = longhaul.aws;
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: longhaul.settings.restoresQueue }));
  const news = [...keys, ...keys.toReversed()].map((key) =>
    JSON.stringify({
      source: 'aws.s3',
      'detail-type': 'Object Restore Completed',
      detail: { bucket: { name: bucket }, object: { key } },
    }),
  );
  for (let from = 0; from < news.length; from += 10) {
    const Entries = news.slice(from, from + 10).map((MessageBody, nth) => ({ Id: String(nth), MessageBody }));
    await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  }
}

describe('launches that wait for archived inputs', () => {
  /** One job that reads them all: with an input that is archived still it would fail, and is not tried again. */
  const joins = (launchId: string, dataPath: string) =>
    sheet(
      launchId,
      {
        join: {
          command: 'cat ${{ inputs.parts }} > whole',
          inputs: { parts: '*.txt' },
          outputs: { whole: 'whole' },
          retries: 0,
        },
      },
      { dataPath, cache: false, restore: { tier: 'Standard' } },
    );
  const names = ['a.txt', 'b.txt', 'c.txt', 'd.txt'];
  const waiting = (launchId: string) =>
    until(
      `${launchId} waits`,
      async () => {
        const restoring = await longhaul.temporal.client.workflow
          .getHandle(workflowIdOf(launchId))
          .query<RestoreProgress>(PROGRESS_QUERY)
          .catch(() => undefined);
        return restoring?.status === 'RESTORING';
      },
      30_000,
    );
  const jobsOf = async (launchId: string) => {
    const filters = [{ name: 'JOB_NAME', values: [`lh-${launchId}-*`] }];
    return (await longhaul.aws.batch.send(new ListJobsCommand({ jobQueue: 'longhaul', filters }))).jobSummaryList ?? [];
  };

  async function expectJoined(launchId: string, prefix: string): Promise<LaunchProgress> {
    const progress = await longhaul.follow(launchId);
    expect(progress, launchId).toMatchObject({ status: 'COMPLETE' });
    const [whole] = await launchOutputs(longhaul.aws.s3, BUCKET, launchId);
    expect(await longhaul.read(whole?.address ?? '')).toBe(names.map((name) => prefix + name).join(''));
    expect(await jobsOf(launchId)).toHaveLength(1);
    return progress;
  }

  it('go on as the same launch after every process was killed, Temporal too', async () => {
    const prefix = 'data/killed/';
    const keys = names.map((name) => prefix + name);
    await putArchived(BUCKET, keys);
    // 9 to 15 seconds.
    await timeScale(1 / 1_200);
    const before = ['worker', 'events', 'temporal'].map((name) => [name, process_(name)?.restarts ?? 0] as const);
    await longhaul.put('sheets/lab-a/killed.yaml', joins('killed', `s3://${BUCKET}/${prefix}`));
    await waiting('killed');
    for (const [name] of before) kill(name);

    const progress = await expectJoined('killed', prefix);

    expect(progress.attempt).toBe(1);
    const statuses = Object.keys((await longhaul.launches.get('killed'))?.statuses ?? {});
    expect(statuses.toSorted()).toEqual(['COMPLETE', 'PREPARING', 'READY', 'RUNNING', 'WAITING']);
    for (const [name, restarts] of before) expect(process_(name)?.restarts, name).toBeGreaterThan(restarts);
    await expectOnce(BUCKET, keys, prefix);
  });

  it('share what they both need, and the end of one does the other no harm', async () => {
    const prefix = 'data/shared/';
    const keys = names.map((name) => prefix + name);
    await putArchived(BUCKET, keys);
    // 4 to 7 seconds.
    await timeScale(1 / 2_500);
    for (const id of ['shared-a', 'shared-b'])
      await longhaul.put(`sheets/lab-a/${id}.yaml`, joins(id, `s3://${BUCKET}/${prefix}`));
    await Promise.all([waiting('shared-a'), waiting('shared-b')]);
    await longhaul.temporal.client.workflow.getHandle(launchIdOf('shared-a')).cancel();

    expect(await longhaul.follow('shared-a')).toMatchObject({ status: 'CANCELLED' });
    expect((await unreadable(BUCKET, keys)).length).toBeGreaterThan(0);
    await expectJoined('shared-b', prefix);
    expect(await jobsOf('shared-a')).toEqual([]);
    await expectOnce(BUCKET, keys, prefix);
  });
});
