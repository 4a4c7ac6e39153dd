/** Launches that meet trouble: what is tried again, what is not run twice, and what the registry says of it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import type { Sheet, SheetStep } from '../../workflows/launch/sheet/sheet.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await openLonghaul();
});
afterAll(() => longhaul?.close());

/** Uploads a sheet under its launch id and waits for its end. */
async function launch(launchId: string, steps: Record<string, Partial<SheetStep>>, rest: Partial<Sheet> = {}) {
  await longhaul.put(`sheets/lab-a/${launchId}.yaml`, sheet(launchId, steps, rest));
  return longhaul.follow(launchId);
}

const rowOf = async (launchId: string, step: string, attempt = 1) => {
  const row = (await longhaul.steps.ofLaunch(launchId, attempt)).find((candidate) => candidate.step === step);
  if (!row) throw new Error(`no row of ${step}`);
  return row;
};
/** How often an item has been begun, by its start records. */
const starts = async (launchId: string, step: string, item: string): Promise<number> => {
  const Prefix = `launches/${launchId}/starts/${step}/${item}/`;
  return (await longhaul.aws.s3.send(new ListObjectsV2Command({ Bucket: 'longhaul', Prefix }))).KeyCount ?? 0;
};
/** Fails until it is run for the nth time: counts its own runs on this machine. */
const failsUntil = (nth: number, counter: string, code = 3) =>
  `echo x >> ${counter}\n[ $(wc -l < ${counter}) -ge ${nth} ] || exit ${code}\n`;

describe('an item that fails', () => {
  it('is run again as often as the step says, and only that item', async () => {
    const counter = join(longhaul.directory, 'flaky');
    const { status } = await launch(
      'flaky-1',
      {
        work: {
          scatter: ['sample'],
          retries: 2,
          command: `if [ \${{ sample }} = b ]; then\n${failsUntil(3, counter)}fi\necho \${{ sample }} > out`,
          outputs: { out: 'out' },
        },
      },
      { scatter: { sample: ['a', 'b', 'c'] } },
    );
    expect(status).toBe('COMPLETE');
    const row = await rowOf('flaky-1', 'work');
    expect(row).toMatchObject({ generation: 3, items: { succeeded: 3, failed: 0 }, failed_jobs: { EXIT_CODE: 2 } });
    expect(row.jobs.map(({ generation, items }) => [generation, items])).toEqual([
      [1, 3],
      [2, 1],
      [3, 1],
    ]);
    expect(await Promise.all(['a', 'b', 'c'].map((item) => starts('flaky-1', 'work', item)))).toEqual([1, 3, 1]);
    expect(await longhaul.launches.get('flaky-1')).toMatchObject({ failed_jobs: 2, error_types: { EXIT_CODE: 2 } });
  });

  it('of its memory gets more of it', async () => {
    const { status } = await launch('hungry-1', {
      work: {
        command: `python3 -c "x = bytearray(150 * 1024 * 1024); import time; time.sleep(1)"\necho \${{ resources.memoryMiB }} > out`,
        outputs: { out: 'out' },
        resources: { vcpus: 1, memoryMiB: 64 },
      },
    });
    expect(status).toBe('COMPLETE');
    const row = await rowOf('hungry-1', 'work');
    expect(row.jobs.map(({ memory_mib }) => memory_mib)).toEqual([64, 128, 256]);
    expect(row.failed_jobs).toEqual({ OUT_OF_MEMORY: 2 });
    const [output] = await launchOutputs(longhaul.aws.s3, 'longhaul', 'hungry-1');
    expect(await longhaul.read(output?.address ?? '')).toBe('256\n');
  });

  it('lets the others finish when the sheet says so', async () => {
    const { status, steps } = await launch(
      'finish-1',
      {
        bad: { command: 'exit 4' },
        needsBad: { command: 'true', after: ['bad'] },
        slow: { command: 'sleep 3; echo done > out', outputs: { out: 'out' } },
        needsSlow: {
          command: 'cat ${{ inputs.out }} > out',
          inputs: { out: { from: 'slow.out' } },
          outputs: { out: 'out' },
        },
      },
      { onFailure: 'finish' },
    );
    expect(status).toBe('FAILED');
    expect(Object.fromEntries(steps.map(({ name, state }) => [name, state]))).toEqual({
      bad: 'FAILED',
      slow: 'SUCCEEDED',
      needsSlow: 'SUCCEEDED',
    });
  });
});

describe('a launch that failed', () => {
  it('runs, when it is retried, only what is not done, with the corrected sheet', async () => {
    const steps = (command: string) => ({
      first: { command: 'date +%N > out', outputs: { out: 'out' } },
      second: { command, inputs: { out: { from: 'first.out' } }, outputs: { out: 'out' } },
    });
    expect(await launch('again-1', steps('exit 5'))).toMatchObject({ status: 'FAILED' });
    const [before] = await launchOutputs(longhaul.aws.s3, 'longhaul', 'again-1');
    const file = join(longhaul.directory, 'corrected.yaml');
    await writeFile(file, sheet('again-1', steps('cat ${{ inputs.out }} > out')));

    const answer = await longhaul.cli('launch', 'retry', 'again-1', '--sheet', file, '--watch', '--json');

    expect(answer).toMatchObject({ code: 0 });
    expect(answer.json()).toMatchObject({ status: 'COMPLETE', attempt: 2 });
    expect(await rowOf('again-1', 'first', 2)).toMatchObject({ state: 'SUCCEEDED', jobs: [], items: { cached: 1 } });
    expect(await starts('again-1', 'first', 'all')).toBe(1);
    const after = await launchOutputs(longhaul.aws.s3, 'longhaul', 'again-1');
    const text = (step: string) => longhaul.read(after.find((output) => output.step === step)?.address ?? '');
    expect(await text('second')).toBe(await longhaul.read(before?.address ?? ''));
    expect(await longhaul.launches.get('again-1')).toMatchObject({ attempt: 2, status: 'COMPLETE' });
    expect((await longhaul.launches.get('again-1'))?.error_type).toBeUndefined();
    const twice = await longhaul.cli('launch', 'retry', 'again-1');
    expect(twice).toMatchObject({ code: 1, stderr: expect.stringContaining('is COMPLETE') });
  });

  it('takes nothing for done that was done by another command', async () => {
    const steps = (command: string, end: string) => ({
      first: { command, outputs: { out: 'out' } },
      second: { command: end, inputs: { out: { from: 'first.out' } }, outputs: { out: 'out' } },
    });
    await launch('changed-1', steps('echo old > out', 'exit 5'));
    const file = join(longhaul.directory, 'changed.yaml');
    await writeFile(file, sheet('changed-1', steps('echo new > out', 'cat ${{ inputs.out }} > out')));
    expect(await longhaul.cli('launch', 'retry', 'changed-1', '--sheet', file, '--watch', '--json')).toMatchObject({
      code: 0,
    });
    const outputs = await launchOutputs(longhaul.aws.s3, 'longhaul', 'changed-1');
    const last = outputs.filter(({ step }) => step === 'second');
    expect(await Promise.all(last.map(({ address }) => longhaul.read(address)))).toEqual(['new\n']);
  });

  it('is not retried while it is open', async () => {
    await longhaul.put('sheets/lab-a/open-1.yaml', sheet('open-1', { a: { command: 'sleep 60' } }));
    await expect.poll(async () => (await longhaul.launches.get('open-1'))?.status).toBe('RUNNING');
    expect(await longhaul.cli('launch', 'retry', 'open-1')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('only a launch that is FAILED or CANCELLED can be retried'),
    });
    await longhaul.cli('launch', 'cancel', 'open-1');
  });

  it('is retried when its status is set to RETRY in the table, with what was edited there', async () => {
    const read = { work: { command: 'cat ${{ inputs.x }} > out', inputs: { x: 'x.txt' }, outputs: { out: 'out' } } };
    await longhaul.put('data/wrong/other.txt', 'nothing');
    await longhaul.put('data/right/x.txt', 'right\n');
    await launch('table-1', read, { dataPath: 's3://longhaul/data/wrong/' });
    expect(await longhaul.launches.get('table-1')).toMatchObject({ status: 'FAILED' });
    await edit('table-1', { status: 'RETRY', data_path: 's3://longhaul/data/right/' });
    await expect.poll(async () => (await longhaul.launches.get('table-1'))?.status).toBe('COMPLETE');
    const [output] = await launchOutputs(longhaul.aws.s3, 'longhaul', 'table-1');
    expect(await longhaul.read(output?.address ?? '')).toBe('right\n');

    // What is COMPLETE stays so, and the table says why.
    await edit('table-1', { status: 'RETRY' });
    await expect.poll(async () => (await longhaul.launches.get('table-1'))?.status).toBe('COMPLETE');
    expect((await longhaul.launches.get('table-1'))?.retry_refused).toContain('is COMPLETE');
  });
});

/** As a person does it in the console. */
async function edit(launchId: string, values: Record<string, string>): Promise<void> {
  const { UpdateItemCommand } = await import('@aws-sdk/client-dynamodb');
  const names = Object.keys(values);
  await longhaul.aws.dynamodb.send(
    new UpdateItemCommand({
      TableName: 'Launches',
      Key: { launch_id: { S: launchId } },
      UpdateExpression: `SET ${names.map((_, index) => `#${index} = :${index}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#${index}`, name])),
      ExpressionAttributeValues: Object.fromEntries(
        names.map((name, index) => [`:${index}`, { S: values[name] ?? '' }]),
      ),
    }),
  );
}

describe('what has been done before', () => {
  const chain = (data: string): [Record<string, Partial<SheetStep>>, Partial<Sheet>] => [
    {
      count: {
        scatter: ['sample'],
        command: 'wc -c < ${{ inputs.x }} > n',
        inputs: { x: '${{ sample }}.txt' },
        outputs: { n: 'n' },
      },
      sum: {
        command: 'cat ${{ inputs.n }} > all',
        inputs: { n: { from: 'count.n', gather: true } },
        outputs: { all: 'all' },
      },
    },
    { dataPath: `s3://longhaul/data/${data}/`, scatter: { sample: ['p', 'q'] } },
  ];

  it('by any launch of the same consumer is not run again; a changed input is, and what depends on it', async () => {
    for (const name of ['p', 'q']) await longhaul.put(`data/cache/${name}.txt`, name);
    expect(await launch('cache-1', ...chain('cache'))).toMatchObject({ status: 'COMPLETE' });
    const again = await launch('cache-2', ...chain('cache'));
    expect(again.steps.map(({ name, items }) => [name, items.succeeded, items.cached])).toEqual([
      ['count', 2, 2],
      ['sum', 1, 1],
    ]);
    await longhaul.put('data/cache/q.txt', 'longer');
    const changed = await launch('cache-3', ...chain('cache'));
    expect(changed.steps.map(({ name, items }) => [name, items.succeeded, items.cached ?? 0])).toEqual([
      ['count', 2, 1],
      ['sum', 1, 0],
    ]);
    const shown = (await longhaul.cli('launch', 'show', 'cache-2')).stdout;
    expect(shown).toContain('cached');
    expect(shown).toContain('cache-1');
  });

  it('is run all the same without the cache, by another consumer, or when its outputs are gone', async () => {
    await longhaul.put('data/border/p.txt', 'p');
    await longhaul.put('data/border/q.txt', 'q');
    const [steps, rest] = chain('border');
    await launch('border-1', steps, rest);
    expect((await launch('border-2', steps, { ...rest, cache: false })).steps[0]?.items.cached).toBeUndefined();
    await longhaul.put('sheets/lab-b/border-3.yaml', sheet('border-3', steps, { ...rest, consumer: 'lab-b' }));
    expect((await longhaul.follow('border-3')).steps[0]?.items.cached).toBeUndefined();
    // All outputs of p are emptied: no hit is left for it, wherever it was done.
    for (const id of ['border-1', 'border-2']) {
      for (const { item, address } of await launchOutputs(longhaul.aws.s3, 'longhaul', id)) {
        const Key = address.slice('s3://longhaul/'.length);
        if (item === 'p') await longhaul.aws.s3.send(new PutObjectCommand({ Bucket: 'longhaul', Key, Body: '' }));
      }
    }
    const last = await launch('border-4', steps, rest);
    expect(last).toMatchObject({ status: 'COMPLETE' });
    expect(last.steps[0]?.items.cached).toBe(1);
    const file = join(longhaul.directory, 'border-5.yaml');
    await writeFile(file, sheet('border-5', steps, rest));
    await longhaul.cli('launch', 'submit', file, '--no-cache', '--watch');
    expect((await rowOf('border-5', 'count')).items.cached).toBeUndefined();
  });
});
