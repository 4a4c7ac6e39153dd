/** Archived inputs as their user meets them: launches that wait, restores by hand, requests by upload. */
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import { RestoreStore } from '../../lib/store/restores.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

/** A Bulk restore of 5 to 12 hours takes half a second, one of Deep Archive two or three. */
const SECONDS = 1 / 60_000;

let longhaul: Longhaul;
let restores: RestoreStore;
beforeAll(async () => {
  longhaul = await openLonghaul();
  restores = new RestoreStore(longhaul.aws.dynamodb, tableNames(longhaul.settings.tablePrefix));
});
beforeEach(() => longhaul.action('POST restore-time', { scale: SECONDS }));
afterAll(() => longhaul?.close());

async function archive(keys: readonly string[], StorageClass: 'GLACIER' | 'DEEP_ARCHIVE' = 'GLACIER'): Promise<void> {
  for (const Key of keys)
    await longhaul.aws.s3.send(
      new PutObjectCommand({ Bucket: 'longhaul', Key, Body: `reads of ${Key}\n`, StorageClass }),
    );
}

const requestsOf = async (part: string) =>
  (await longhaul.calls({ service: 's3', operation: 'RestoreObject' })).filter(({ subject }) => subject.includes(part));

const counting = (launchId: string, more: Record<string, unknown> = {}) =>
  sheet(
    launchId,
    {
      count: {
        scatter: ['sample'],
        command: 'wc -c < ${{ inputs.reads }} > ${{ outputs.n }}',
        inputs: { reads: 'cold/${{ sample }}.txt' },
        outputs: { n: '${{ sample }}.n' },
      },
    },
    { scatter: { sample: { discover: 'cold/*.txt' } }, ...more },
  );

describe('a launch with archived inputs', () => {
  it('waits for them before anything is submitted, says so, and goes on as the same launch', async () => {
    await archive(['data/cold/a.txt', 'data/cold/b.txt']);
    await longhaul.put('sheets/lab-a/cold.yaml', counting('cold'));

    const last = await longhaul.follow('cold');

    expect(last.error).toBeUndefined();
    expect(last.status).toBe('COMPLETE');
    const { WAITING = 0, READY = 0, RUNNING = 0 } = last.statuses;
    expect(WAITING).toBeGreaterThan(0);
    expect(READY).toBeGreaterThan(WAITING);
    expect(RUNNING).toBeGreaterThanOrEqual(READY);
    expect(await launchOutputs(longhaul.aws.s3, 'longhaul', 'cold')).toHaveLength(2);
    expect(await restores.get('cold')).toMatchObject({
      launch_id: 'cold',
      consumer: 'lab-a',
      plan: { tiers: { GLACIER: 'Bulk' }, objects: 2, days: 3 },
      counts: { total: 2, readable: 2, failed: 0 },
    });
    const shown = await longhaul.cli('restore', 'show', 'cold');
    expect(shown.stdout).toContain('2/2 objects can be read');
  });

  it('restores nothing for items whose results are known, and only what a new one needs', async () => {
    // As life-cycle rules do it: the objects are the same, and so are their versions.
    await longhaul.action('POST archive', { bucket: 'longhaul', prefix: 'data/cold/', storageClass: 'DEEP_ARCHIVE' });
    const before = (await requestsOf('data/cold/')).length;
    await longhaul.put('sheets/lab-a/known.yaml', counting('known'));
    const known = await longhaul.follow('known');
    expect(known.status).toBe('COMPLETE');
    expect(known.statuses.WAITING).toBeUndefined();
    expect(await requestsOf('data/cold/')).toHaveLength(before);

    await archive(['data/cold/c.txt']);
    await longhaul.put('sheets/lab-a/partly.yaml', counting('partly'));
    const partly = await longhaul.follow('partly');
    expect(partly.status).toBe('COMPLETE');
    expect(partly.steps[0]?.items).toMatchObject({ total: 3, succeeded: 3, cached: 2 });
    expect((await requestsOf('data/cold/')).slice(before).map(({ subject }) => subject)).toEqual([
      'longhaul/data/cold/c.txt',
    ]);
  });

  it('waits above its limit until it is approved, and explains itself meanwhile', async () => {
    await archive(['data/cold/dear.txt'], 'DEEP_ARCHIVE');
    await longhaul.put('sheets/lab-a/dear.yaml', counting('dear', { restore: { limitUsd: 0, deadline: '24h' } }));
    await expect.poll(async () => (await longhaul.launches.get('dear'))?.waiting_for).toBe('approval');

    expect(await requestsOf('dear.txt')).toEqual([]);
    const explained = await longhaul.cli('launch', 'explain', 'dear', '--json');
    expect(explained.json()).toMatchObject({
      cause: 'WAITING_FOR_APPROVAL',
      remedy: expect.stringContaining('longhaul approve launch/dear'),
    });
    const approved = await longhaul.cli('approve', 'launch/dear', '--json');
    expect(approved.json()).toEqual({ workflowId: 'launch/dear', decision: 'approved', status: 'WAITING' });
    const twice = await longhaul.cli('approve', 'launch/dear');
    expect(twice.code).toBe(1);
    // A busy machine may have come to the end meanwhile.
    expect(twice.stderr).toMatch(/does not wait for an approval|there is no open workflow/);
    const last = await longhaul.follow('dear');
    expect(last.status).toBe('COMPLETE');
    expect((await restores.get('dear'))?.plan?.tiers).toEqual({ DEEP_ARCHIVE: 'Standard' });
  });

  it('a cancelled one asks for nothing more and leaves no restore behind', async () => {
    await longhaul.action('POST restore-time', { scale: 1 });
    await archive(['data/cold/long.txt'], 'DEEP_ARCHIVE');
    await longhaul.put('sheets/lab-a/long.yaml', counting('long'));
    await expect.poll(async () => (await restores.get('long'))?.status).toBe('RESTORING');

    const cancelled = await longhaul.cli('launch', 'cancel', 'long', '--json');

    expect(cancelled.json()).toMatchObject({ status: 'CANCELLED' });
    await expect.poll(async () => (await restores.get('long'))?.status).toBe('CANCELLED');
    expect((await restores.get('long'))?.open).toBeUndefined();
  });
});

it('a launch whose restore is terminated from outside fails by name, and its retry goes on with what was asked for', async () => {
  await longhaul.action('POST restore-time', { scale: 1 });
  await archive(['data/cold/ended.txt']);
  await longhaul.put('sheets/lab-a/ended.yaml', counting('ended'));
  await expect.poll(async () => (await restores.get('ended'))?.status).toBe('RESTORING');
  await longhaul.temporal.client.workflow.getHandle('restore/ended').terminate();

  expect((await longhaul.follow('ended')).error?.type).toBe('RestoreCancelledError');
  const retried = await longhaul.cli('launch', 'retry', 'ended', '--json');
  expect(retried.json()).toMatchObject({ attempt: 2 });
  await expect.poll(async () => (await restores.get('ended'))?.status).toBe('RESTORING');
  // What the first attempt has asked for is not asked for again.
  expect((await requestsOf('ended.txt')).filter(({ status }) => status === 202)).toHaveLength(1);
  expect((await longhaul.cli('launch', 'cancel', 'ended')).code).toBe(0);
});

describe('longhaul restore', () => {
  it('plans without asking for anything: classes, tiers, prices, times, and what makes a deadline', async () => {
    await archive(['tape/1', 'tape/2']);
    await archive(['tape/3'], 'DEEP_ARCHIVE');
    await longhaul.put('tape/4', 'not archived');

    const planned = (await longhaul.cli('restore', 'plan', 's3://longhaul/tape/', '--json')).json();
    expect(planned).toMatchObject({
      readable: { objects: 1 },
      plan: { tiers: { GLACIER: 'Bulk', DEEP_ARCHIVE: 'Bulk' }, objects: 3, seconds: 48 * 3600 + 1 },
    });
    const quick = await longhaul.cli('restore', 'plan', 's3://longhaul/tape/*', '--deadline', '13h', '--days', '7');
    expect(quick.stdout).toMatch(/→\s+Standard\s+up to 12 h/);
    expect(quick.stdout).toMatch(/plan {2}Bulk from GLACIER, Standard from DEEP_ARCHIVE: \$0\.\d{4}, up to 12 h/);
    const never = await longhaul.cli('restore', 'plan', 's3://longhaul/tape/', '--deadline', '1h');
    expect(never.code).toBe(1);
    expect(never.stdout).toContain('the fastest of DEEP_ARCHIVE, Standard, takes up to 12 h, and the deadline is 1 h');
    expect(await requestsOf('tape/')).toEqual([]);
  });

  it('restores what is named, once, and shows it to its end', async () => {
    const started = await longhaul.cli('restore', 'start', 's3://longhaul/tape/', '--id', 'tape', '--watch', '--json');
    expect(started.json()).toMatchObject({ status: 'COMPLETE', counts: { total: 3, readable: 3 } });
    const head = await longhaul.aws.s3.send(new HeadObjectCommand({ Bucket: 'longhaul', Key: 'tape/3' }));
    expect(head.Restore).toContain('ongoing-request="false"');

    const again = await longhaul.cli(
      'restore',
      'start',
      's3://longhaul/tape/',
      '--id',
      'tape-again',
      '--watch',
      '--json',
    );
    expect(again.json()).toMatchObject({ status: 'COMPLETE', plan: { objects: 0 } });
    expect((await requestsOf('tape/')).filter(({ status }) => status === 202)).toHaveLength(3);
  });

  it('by a request that is uploaded, under the id it names and for the consumer of its folder', async () => {
    await archive(['tape/5']);
    await longhaul.put(
      'restore-requests/lab-b/five.json',
      JSON.stringify({ launchId: 'external-5', urls: ['s3://longhaul/tape/5'], days: 2 }),
    );
    await expect.poll(async () => (await restores.get('external-5'))?.status).toBe('COMPLETE');
    expect(await restores.get('external-5')).toMatchObject({ consumer: 'lab-b', plan: { days: 2, objects: 1 } });
  });

  it('a list that cannot be read ends as a restore that says where and why', async () => {
    const list = await longhaul.put('restore-requests/lab-b/list.txt', 's3://longhaul/tape/1\n# fine\nno address\n');
    const id = () => longhaul.cli('restore', 'start', '--file', list, '--id', 'listed', '--watch', '--json');
    expect((await id()).json()).toMatchObject({
      status: 'FAILED',
      error: { type: 'InvalidRestoreError', message: expect.stringContaining(`${list}, line 3`) },
    });
  });

  it('above the limit is approved once', async () => {
    await longhaul.action('POST restore-time', { scale: 1 });
    await archive(['twice/a.txt'], 'DEEP_ARCHIVE');
    const wishes = ['--deadline', '24h', '--limit', '0'];
    const started = await longhaul.cli('restore', 'start', 's3://longhaul/twice/', '--id', 'twice', ...wishes);
    expect(started).toMatchObject({ code: 0, stderr: '' });
    await expect.poll(async () => (await restores.get('twice'))?.status).toBe('APPROVAL');
    const approved = await longhaul.cli('approve', 'restore/twice', '--json');
    expect(approved.json()).toMatchObject({ workflowId: 'restore/twice', decision: 'approved' });
    const again = await longhaul.cli('approve', 'restore/twice');
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('does not wait for an approval');
    expect((await longhaul.cli('restore', 'cancel', 'twice')).code).toBe(0);
  });

  it.each([
    [['restore', 'start'], 2, 'name what to restore'],
    [['restore', 'plan', 'archive/x'], 1, 'expected s3://bucket/key'],
    [['restore', 'plan', 's3://longhaul/tape/', '--deadline', 'soon'], 2, 'expected a time such as 90m'],
    [['restore', 'show', 'nobody'], 1, 'there is no restore nobody'],
    [['restore', 'cancel', 'tape'], 1, 'has ended already: COMPLETE'],
    [['approve', 'launch/nobody'], 1, 'there is no open workflow launch/nobody'],
  ])('%j is refused with a reason', async (args, code, words) => {
    const refused = await longhaul.cli(...args);
    expect(refused.code).toBe(code);
    expect(refused.stderr).toContain(words);
  });
});
