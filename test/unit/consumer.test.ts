/**
 * From the events queue to workflows: nothing lost, nothing done twice, nothing held up by what is no event.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { PutBucketNotificationConfigurationCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import type { RestoreItem } from '../../lib/store/restores.ts';
import type { LaunchStatus } from '../../workflows/launch/model.ts';
import { BUCKET, type ConsumerWorld, openConsumerWorld, VISIBILITY_SECONDS } from '../support/consumer-world.ts';
import { eventBody } from '../support/event-fixtures.ts';
import { until } from '../support/stand-ins.ts';

const KEY = 'sheets/lab-a/cohort-7.json';
const SHEET = '{"launchId": "cohort-7"}';
const PUT = eventBody('s3-put-unversioned.direct');
const RUNNING = eventBody('batch-running');

let world: ConsumerWorld;
async function open(options: { maxReceiveCount?: number } = {}): Promise<ConsumerWorld> {
  world = await openConsumerWorld(options.maxReceiveCount ?? 3);
  return world;
}
afterEach(() => world.close());

const startedIds = () => world.starts.map(({ options }) => options.workflowId);

describe('a sheet', () => {
  it('put into the bucket starts its launch, by the notification S3 itself sends', async () => {
    await open();
    const configuration = {
      QueueConfigurations: [{ QueueArn: world.queueArn, Events: ['s3:ObjectCreated:*' as const] }],
    };
    await world.s3.send(
      new PutBucketNotificationConfigurationCommand({ Bucket: BUCKET, NotificationConfiguration: configuration }),
    );
    world.start();
    await world.putSheet('sheets/lab-a/Probe 7+8 ü.yaml', 'launchId: probe\n');
    await until('the launch is started', () => world.starts.length > 0);
    await world.drained();
    expect(startedIds()).toEqual(['launch/probe']);
    const address = 's3://longhaul/sheets/lab-a/Probe 7+8 ü.yaml';
    expect(world.starts[0]?.options.args).toEqual([{ launchId: 'probe', configurationFile: address }]);
  });

  it('announced three times is the same workflow each time', async () => {
    await open();
    await world.putSheet(KEY, SHEET);
    await world.send(PUT, PUT, PUT);
    world.start();
    await world.drained();
    expect(new Set(startedIds())).toEqual(new Set(['launch/cohort-7']));
    for (const { options } of world.starts) expect(options.workflowIdConflictPolicy).toBe('USE_EXISTING');
  });

  it('announced again long after its launch ended starts nothing', async () => {
    await open();
    await world.putSheet(KEY, SHEET);
    world.registry.set('cohort-7', {
      status: 'COMPLETE',
      sheet_digest: createHash('sha256').update(SHEET).digest('hex'),
    });
    await world.send(PUT);
    world.start();
    await world.drained();
    expect(world.attempts).toBe(0);
    expect((await world.counts()).dead).toBe(0);
  });

  it('taken away again starts nothing and is done with', async () => {
    await open();
    await world.send(PUT);
    world.start();
    await world.drained();
    expect(world.attempts).toBe(0);
    expect((await world.counts()).dead).toBe(0);
  });

  it('stays in the queue until its workflow has been started', async () => {
    await open();
    await world.putSheet(KEY, SHEET);
    let release = () => {};
    world.temporal.hold = new Promise((resolve) => {
      release = resolve;
    });
    await world.send(PUT);
    world.start();
    await until('the start is under way', () => world.attempts > 0);
    expect(await world.counts()).toEqual({ waiting: 0, inHand: 1, dead: 0 });
    release();
    await world.drained();
    expect(startedIds()).toEqual(['launch/cohort-7']);
  });
});

describe('a request to restore', () => {
  const REQUEST = 'restore-requests/lab-a/cold.json';
  const announced = PUT.replaceAll(encodeURIComponent(KEY).replaceAll('%2F', '/'), REQUEST);

  async function upload(request: object): Promise<void> {
    await open();
    await world.putSheet(REQUEST, JSON.stringify({ urls: ['s3://archive/x/'], ...request }));
    await world.send(announced);
  }

  it('that is uploaded starts the restore of the launch it names, for the consumer of its folder', async () => {
    await upload({ launchId: 'cohort-7' });
    world.start();
    await world.drained();
    expect(startedIds()).toEqual(['restore/cohort-7']);
    const [start] = world.starts;
    expect(start?.type).toBe('restore');
    expect(start?.options.args).toEqual([
      expect.objectContaining({
        restoreId: 'cohort-7',
        consumer: 'lab-a',
        configurationFile: `s3://${BUCKET}/${REQUEST}`,
      }),
    ]);
  });

  it('cannot take the id of a launch of another consumer', async () => {
    await upload({ launchId: 'cohort-7' });
    world.registry.set('cohort-7', { consumer: 'lab-b' });
    world.start();
    await world.drained();
    expect(startedIds()).toEqual([expect.stringMatching(/^restore\/restore-[0-9a-f]{20}$/)]);
  });

  it('that has been followed before is not followed again, however late its message comes', async () => {
    await upload({ restoreId: 'cold' });
    const request = `s3://${BUCKET}/${REQUEST}`;
    world.restores.set('cold', { restore_id: 'cold', status: 'COMPLETE', request } as RestoreItem);
    world.start();
    await world.drained();
    expect(world.attempts).toBe(0);
  });

  it('that cannot be read starts a restore that says so', async () => {
    await upload({ urls: 'everything' });
    world.start();
    await world.drained();
    expect(startedIds()).toEqual([expect.stringMatching(/^restore\/restore-[0-9a-f]{20}$/)]);
  });
});

describe('news of jobs', () => {
  it('of one launch travel in one signal', async () => {
    await open();
    const other = RUNNING.replaceAll('launch/cohort-7|', 'launch/cohort-8|');
    await world.send(eventBody('batch-submitted'), RUNNING, other, eventBody('batch-succeeded'));
    world.start();
    await world.drained();
    expect(world.signals).toHaveLength(2);
    const changes = world.signals.find(({ workflowId }) => workflowId === 'launch/cohort-7')?.changes ?? [];
    expect(changes.map(({ status }) => status).sort()).toEqual(['RUNNING', 'SUBMITTED', 'SUCCEEDED']);
  });

  it('of a launch that has ended are done with', async () => {
    await open();
    world.endedWorkflows.add('launch/cohort-7');
    await world.send(RUNNING);
    world.start();
    await world.drained();
    expect(world.attempts).toBe(1);
    expect((await world.counts()).dead).toBe(0);
  });
});

describe('a retry asked for in the table', () => {
  const failed = {
    launch_id: 'cohort-7',
    status: 'RETRY' as LaunchStatus,
    statuses: { PREPARING: '2026-03-02T08:00:00.000Z', FAILED: '2026-03-02T08:10:00.000Z' },
    attempt: 1,
    configuration_file: 's3://longhaul/sheets/lab-a/cohort-7.yaml',
    data_path: 's3://longhaul/data/right/',
    ran_with: {
      configuration_file: 's3://longhaul/sheets/lab-a/cohort-7.yaml',
      data_path: 's3://longhaul/data/wrong/',
    },
  };
  const ask = eventBody('table-retry');

  it('starts the next attempt, with what was edited', async () => {
    await open();
    world.registry.set('cohort-7', failed);
    await world.send(ask);
    world.start();
    await world.drained();
    expect(startedIds()).toEqual(['launch/cohort-7']);
    const { configuration_file: configurationFile, data_path: dataPath } = failed;
    expect(world.starts[0]?.options).toMatchObject({
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      args: [{ launchId: 'cohort-7', configurationFile, dataPath, retry: { attempt: 2 } }],
    });
    expect(world.refusals).toEqual([]);
  });

  it.each<[string, () => void]>([
    [
      'launch cohort-7 is COMPLETE: give the sheet another launchId to run it again',
      () => world.registry.set('cohort-7', { ...failed, statuses: { COMPLETE: '2026-03-02T08:10:00.000Z' } }),
    ],
    ['launch cohort-7 is still open: wait for its end, or cancel it', () => world.openWorkflows.add('launch/cohort-7')],
  ])('and refused is written back, with the status it had: %s', async (reason, prepare) => {
    await open();
    world.registry.set('cohort-7', failed);
    prepare();
    await world.send(ask);
    world.start();
    await world.drained();
    expect(world.starts).toEqual([]);
    expect(world.refusals).toEqual([{ launchId: 'cohort-7', before: 'FAILED', reason }]);
    expect((await world.counts()).dead).toBe(0);
  });

  it('of a launch that is not there is done with', async () => {
    await open();
    await world.send(ask);
    world.start();
    await world.drained();
    expect(world.starts).toEqual([]);
    expect((await world.counts()).dead).toBe(0);
  });

  it('is followed once, though its message comes again after the next attempt has failed too', async () => {
    await open();
    world.registry.set('cohort-7', { ...failed, status: 'FAILED', attempt: 2 });
    await world.send(ask);
    world.start();
    await world.drained();
    expect(world.attempts).toBe(0);
    expect(world.refusals).toEqual([]);
  });

  it('that was asked for before, or is none, starts nothing', async () => {
    await open();
    world.registry.set('cohort-7', failed);
    await world.send(...['table-retry-there-before', 'table-retry-new-item', 'table-other-status'].map(eventBody));
    world.start();
    await world.drained();
    expect(world.attempts).toBe(0);
    expect(world.refusals).toEqual([]);
  });

  it('waits for Temporal to come back', async () => {
    await open({ maxReceiveCount: 1 });
    world.registry.set('cohort-7', failed);
    world.temporal.down = true;
    await world.send(ask);
    world.start();
    await until('it was tried', () => world.attempts > 0);
    world.temporal.down = false;
    await world.drained();
    expect(startedIds()).toEqual(['launch/cohort-7']);
    expect(world.refusals).toEqual([]);
  });
});

describe('a launch that has ended without a cost', () => {
  it('is priced, whether it has succeeded or not, and once more for each time it is told of', async () => {
    await open();
    await world.send(...['table-ended', 'table-cancelled', 'table-priced'].map(eventBody));
    world.start();
    await world.drained();
    expect(world.starts.map(({ type, options }) => [type, options.workflowId])).toEqual([
      ['cost', 'cost/cohort-7'],
      ['cost', 'cost/cohort-7'],
    ]);
    expect(world.starts[0]?.options).toMatchObject({ args: [{ launchId: 'cohort-7' }], signal: 'launchEnded' });
  });

  it('waits for Temporal to come back', async () => {
    await open({ maxReceiveCount: 1 });
    world.temporal.down = true;
    await world.send(eventBody('table-ended'));
    world.start();
    await until('it was tried', () => world.attempts > 0);
    world.temporal.down = false;
    await world.drained();
    expect(startedIds()).toEqual(['cost/cohort-7']);
    expect((await world.counts()).dead).toBe(0);
  });
});

describe('what is not for us', () => {
  it('is deleted without a word to Temporal', async () => {
    await open();
    await world.send(
      ...['s3-test-event', 's3-other-bucket.direct', 's3-not-a-sheet.direct', 's3-removed-object.eventbridge'].map(
        eventBody,
      ),
      ...['batch-array-child', 'batch-foreign-job', 'other-service.eventbridge'].map(eventBody),
    );
    world.start();
    await world.drained();
    expect(world.attempts).toBe(0);
    expect((await world.counts()).dead).toBe(0);
  });

  it('and not understood goes to the dead-letter queue as it came, and holds nothing else up', async () => {
    await open({ maxReceiveCount: 2 });
    await world.putSheet(KEY, SHEET);
    const poison = ['poison-not-json', 'poison-array', 'poison-record-without-key', 'poison-batch-unknown-status'].map(
      eventBody,
    );
    await world.send(...poison, PUT, RUNNING);
    world.start();
    await until('the good ones are done', () => world.starts.length === 1 && world.signals.length === 1);
    await until('the poison is dead', async () => {
      const { waiting, inHand, dead } = await world.counts();
      if (waiting === 0 && inHand > 0) world.kit.clock.advance((VISIBILITY_SECONDS + 1) * 1000);
      return dead === poison.length && waiting + inHand === 0;
    });
    expect((await world.deadBodies()).sort()).toEqual([...poison].sort());
    expect(world.starts).toHaveLength(1);
  });
});

describe('while Temporal is down', () => {
  it('messages are held, and handled once it is back, though each may be received only once', async () => {
    await open({ maxReceiveCount: 1 });
    await world.putSheet(KEY, SHEET);
    world.temporal.down = true;
    await world.send(PUT, RUNNING);
    world.start();
    // Longer than the queue hides a message, several times over.
    for (let round = 1; round <= 3; round += 1) {
      const before = world.kit.calls.lastSeq;
      // Either of the two, failing, holds both.
      const holds = () => world.kit.calls.list({ operation: 'ChangeMessageVisibility', afterSeq: before }).length;
      await until('both were tried and held again', () => holds() >= 4);
      world.kit.clock.advance((VISIBILITY_SECONDS + 10) * 1000);
      expect(await world.counts()).toEqual({ waiting: 0, inHand: 2, dead: 0 });
    }
    world.temporal.down = false;
    await world.drained();
    expect(startedIds()).toEqual(['launch/cohort-7']);
    expect(world.signals).toHaveLength(1);
    expect((await world.counts()).dead).toBe(0);
  });

  it('a consumer that is stopped leaves them to the next', async () => {
    await open({ maxReceiveCount: 3 });
    await world.putSheet(KEY, SHEET);
    world.temporal.down = true;
    await world.send(PUT);
    world.start();
    await until('it was tried', () => world.attempts > 0);
    world.stop();
    await world.stopped();
    expect((await world.counts()).inHand).toBe(1);
    world.temporal.down = false;
    world.start();
    world.kit.clock.advance(61_000);
    await world.drained();
    expect(startedIds()).toEqual(['launch/cohort-7']);
  });
});

describe('while AWS is in trouble', () => {
  it('a receive that fails is tried again', async () => {
    await open();
    await world.putSheet(KEY, SHEET);
    world.kit.faults.set([{ service: 'sqs', operation: 'ReceiveMessage', times: 4, effect: 'error' }]);
    await world.send(PUT);
    world.start();
    await world.drained();
    expect(startedIds()).toEqual(['launch/cohort-7']);
  });

  it('a sheet that cannot be read just now is read later', async () => {
    await open({ maxReceiveCount: 1 });
    await world.putSheet(KEY, SHEET);
    world.kit.faults.set([{ service: 's3', operation: 'GetObject', times: 4, effect: 'throttle' }]);
    await world.send(PUT);
    world.start();
    await world.drained();
    expect(startedIds()).toEqual(['launch/cohort-7']);
    expect((await world.counts()).dead).toBe(0);
  });

  it('a deletion that fails lets the message come again, and that changes nothing', async () => {
    await open();
    await world.putSheet(KEY, SHEET);
    world.kit.faults.set([{ service: 'sqs', operation: 'DeleteMessage', times: 3, effect: 'error' }]);
    await world.send(PUT);
    world.start();
    await until('it was started', () => world.starts.length === 1);
    await until('it came again', async () => {
      world.kit.clock.advance((VISIBILITY_SECONDS + 1) * 1000);
      return world.starts.length === 2;
    });
    await world.drained();
    expect(new Set(startedIds()).size).toBe(1);
  });

  it('a queue that is not there ends the consumer with a remedy', async () => {
    await open();
    await expect(world.consume('no-such-queue')).rejects.toThrow(
      'the queue no-such-queue cannot be used: create it, or set LONGHAUL_EVENTS_QUEUE',
    );
  });
});
