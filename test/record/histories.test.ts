/** Not a lane: `npm run record-histories` runs this to record the histories of test/replay anew. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import worker from '@temporalio/worker/package.json' with { type: 'json' };
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { awaitCost } from '../../clients/cost/follow.ts';
import { LOCAL_PLACE } from '../../infra/local/aws/ports.ts';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { silent, tools } from '../../infra/local/tools/index.ts';
import { ProgressStore } from '../../lib/store/progress.ts';
import { progressTable } from '../../lib/store/progress-table.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { workflowIdOf as costIdOf } from '../../workflows/cost/model.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { workflowIdOf } from '../../workflows/launch/model.ts';
import { workflowIdOf as orderIdOf } from '../../workflows/order/model.ts';
import { workflowIdOf as pollerIdOf } from '../../workflows/poller/model.ts';
import { ROUTES } from '../../workflows/progress/model.ts';
import { workflowIdOf as restoreIdOf } from '../../workflows/restore/model.ts';
import { SCHEDULE_ID } from '../../workflows/sessions/model.ts';
import { type NightResult, scheduleIdOf, workflowIdOf as storyIdFor } from '../../workflows/story/model.ts';
import { PAUSE_SIGNAL, READ_UPDATE, workflowIdOf as teleprinterIdOf } from '../../workflows/teleprinter/model.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

const FOLDER = join(packageRoot(), 'test/replay/histories');
let longhaul: Longhaul;

beforeAll(async () => {
  await mkdir(FOLDER, { recursive: true });
  const rates = join(await mkdtemp(join(tmpdir(), 'longhaul-rates-')), 'rates.yaml');
  await writeFile(rates, 'budgets:\n  lab-poor: "0"\n');
  longhaul = await openLonghaul({ LONGHAUL_COST_RATES: rates }, { engines: ['snakemake'] });
});
afterAll(() => longhaul?.close());

/** Keeps a history without what tells of the machine it was recorded on. */
async function keep(name: string, workflowId: string): Promise<void> {
  const { path } = await tools.temporal(silent);
  const address = longhaul.platform.urls.temporal;
  const shown = await longhaul.run(
    path,
    'workflow',
    'show',
    '-w',
    workflowId,
    '--output',
    'json',
    '--address',
    address,
  );
  const json: unknown = JSON.parse(shown.stdout);
  const clean = JSON.stringify(
    json,
    (key, value: unknown) => {
      if (key === 'identity') return 'worker';
      if (typeof value === 'string' && /^\d+@[^-]+-[0-9a-f]{32}$/.test(value)) return 'sticky-queue';
      if (key === 'stackTrace') return '';
      return value;
    },
    1,
  );
  expect(clean).not.toContain(packageRoot());
  await writeFile(join(FOLDER, `${name}.sdk-${worker.version}.json`), `${clean}\n`);
}

const launch = (id: string, text: string) => longhaul.put(`sheets/lab-a/${id}.yaml`, text);

it('launch: COMPLETE, with a scatter, a gather and two branches', async () => {
  await launch(
    'complete',
    sheet(
      'complete',
      {
        part: { scatter: ['sample'], command: 'echo ${{ sample }} > part', outputs: { part: 'part' } },
        beside: { command: 'true' },
        whole: {
          command: 'cat ${{ inputs.parts }} > whole',
          inputs: { parts: { from: 'part.part', gather: true } },
          outputs: { whole: 'whole' },
          after: ['beside'],
        },
      },
      { scatter: { sample: ['a', 'b'] } },
    ),
  );
  expect((await longhaul.follow('complete')).status).toBe('COMPLETE');
  await keep('launch.complete', workflowIdOf('complete'));
});

it('launch: FAILED by a step while another runs', async () => {
  await launch('failed', sheet('failed', { breaks: { command: 'sleep 1\nexit 3' }, runs: { command: 'sleep 60' } }));
  expect((await longhaul.follow('failed')).status).toBe('FAILED');
  await keep('launch.step-failed', workflowIdOf('failed'));
});

it('launch: FAILED by its sheet', async () => {
  await launch('bad', sheet('bad', { a: { command: 'true', inputs: { x: 'nothing.txt' } } }));
  expect((await longhaul.follow('bad')).status).toBe('FAILED');
  await keep('launch.bad-sheet', workflowIdOf('bad'));
});

it('launch: COMPLETE, with an item tried again and a failed one beside it that is retried as another attempt', async () => {
  const once = `mkdir ${longhaul.directory}/once 2>/dev/null && exit 4`;
  const twice = `mkdir ${longhaul.directory}/twice 2>/dev/null && exit 5`;
  await launch(
    'again',
    sheet(
      'again',
      {
        mended: { command: `${once}\ntrue`, retries: 1 },
        breaks: { command: `${twice}\ntrue` },
        after: { command: 'echo done > out', outputs: { out: 'out' }, after: ['mended'] },
      },
      { onFailure: 'finish' },
    ),
  );
  expect((await longhaul.follow('again')).status).toBe('FAILED');
  await keep('launch.generations', workflowIdOf('again'));
  const retried = await longhaul.cli('launch', 'retry', 'again', '--watch', '--json');
  expect(retried.json()).toMatchObject({ status: 'COMPLETE', attempt: 2 });
  await keep('launch.retried', workflowIdOf('again'));
});

it('launch: COMPLETE, a head job whose log is followed', async () => {
  await launch(
    'head',
    stringify({
      apiVersion: 'longhaul/v1',
      launchId: 'head',
      workflowType: 'snakemake',
      consumer: 'lab-a',
      dataPath: 's3://longhaul/data/',
      head: { image: 'longhaul/snakemake:9', resources: { vcpus: 1, memoryMiB: 512 } },
      steps: { a: { image: 't:1', command: 'sleep 2; echo a > ${{ outputs.o }}', outputs: { o: 'o' } } },
    }),
  );
  expect((await longhaul.follow('head')).status).toBe('COMPLETE');
  await keep('launch.head', workflowIdOf('head'));
});

it('launch: CANCELLED while a job runs', async () => {
  await launch('cancelled', sheet('cancelled', { sleeps: { command: 'sleep 60' } }));
  await expect.poll(async () => (await longhaul.steps.ofLaunch('cancelled', 1))[0]?.state).toBe('RUNNING');
  await longhaul.temporal.client.workflow.getHandle(workflowIdOf('cancelled')).cancel();
  expect((await longhaul.follow('cancelled')).status).toBe('CANCELLED');
  await keep('launch.cancelled', workflowIdOf('cancelled'));
});

const archive = (key: string) =>
  longhaul.aws.s3.send(new PutObjectCommand({ Bucket: 'longhaul', Key: key, Body: 'ACGT', StorageClass: 'GLACIER' }));
const restoreOf = (id: string) => longhaul.temporal.client.workflow.getHandle(restoreIdOf(id));

it('launch and restore: COMPLETE, after its archived inputs and an approval', async () => {
  await longhaul.action('POST restore-time', { scale: 1 / 36_000 });
  await archive('data/reads.fq');
  await launch(
    'archived',
    sheet(
      'archived',
      { count: { command: 'wc -c < ${{ inputs.reads }} > n', inputs: { reads: 'reads.fq' }, outputs: { n: 'n' } } },
      { restore: { limitUsd: 0, days: 1 } },
    ),
  );
  await expect.poll(async () => (await longhaul.launches.get('archived'))?.waiting_for).toBe('approval');
  expect((await longhaul.cli('approve', 'launch/archived')).code).toBe(0);
  expect((await longhaul.follow('archived')).status).toBe('COMPLETE');
  await restoreOf('archived').result();
  await keep('launch.archived', workflowIdOf('archived'));
  await keep('restore.launch', restoreIdOf('archived'));
});

it('restore: FAILED, with an object that is not there beside others', async () => {
  await archive('cold/1');
  await longhaul.cli('restore', 'start', 's3://longhaul/cold/1', 's3://longhaul/cold/gone', '--id', 'gone', '--watch');
  await keep('restore.failed', restoreIdOf('gone'));
});

it('restore: CANCELLED while it waits', async () => {
  await longhaul.action('POST restore-time', { scale: 1 });
  await archive('cold/2');
  await longhaul.cli('restore', 'start', 's3://longhaul/cold/2', '--id', 'long');
  await expect
    .poll(async () => (await longhaul.cli('restore', 'show', 'long', '--json')).json().status)
    .toBe('RESTORING');
  expect((await longhaul.cli('restore', 'cancel', 'long')).code).toBe(0);
  await keep('restore.cancelled', restoreIdOf('long'));
});

const costOf = (launchId: string) => awaitCost(longhaul.launches, launchId, 30_000);

it('cost: of a launch that ran nothing, and of one whose instances still run and that is retried meanwhile', async () => {
  await launch('costs-nothing', sheet('costs-nothing', { a: { command: 'true', inputs: { x: 'nothing.txt' } } }));
  await longhaul.follow('costs-nothing');
  await costOf('costs-nothing');
  await longhaul.temporal.client.workflow.getHandle(costIdOf('costs-nothing')).result();
  await keep('cost.nothing', costIdOf('costs-nothing'));
  const gate = join(longhaul.directory, 'gate');
  await launch('costs', sheet('costs', { a: { command: `[ -e ${gate} ]` } }));
  await longhaul.follow('costs');
  await costOf('costs');
  await writeFile(gate, '');
  await longhaul.cli('launch', 'retry', 'costs', '--watch');
  await costOf('costs');
  await keep('cost.settling', costIdOf('costs'));
});

it('launch: COMPLETE, after its consumer had no budget left and somebody approved', async () => {
  const text = (id: string) => sheet(id, { a: { command: `echo ${id}` } }, { consumer: 'lab-poor' });
  const start = (id: string) => longhaul.put(`sheets/lab-poor/${id}.yaml`, text(id));
  await start('poor-first');
  await longhaul.follow('poor-first');
  await costOf('poor-first');
  await start('poor');
  await expect.poll(async () => (await longhaul.launches.get('poor'))?.waiting_for).toBe('budget');
  expect((await longhaul.cli('approve', 'launch/poor')).code).toBe(0);
  expect((await longhaul.follow('poor')).status).toBe('COMPLETE');
  await keep('launch.budget', workflowIdOf('poor'));
});

it('launch, restore and cost that tell their logs', async () => {
  await longhaul.action('POST restore-time', { scale: 1 / 36_000 });
  await archive('data/told.fq');
  const count = { command: 'wc -c < ${{ inputs.reads }} > n', inputs: { reads: 'told.fq' }, outputs: { n: 'n' } };
  await launch(
    'told',
    sheet('told', { count, whole: { command: 'true', after: ['count'] } }, { restore: { days: 1 } }),
  );
  expect((await longhaul.follow('told')).status).toBe('COMPLETE');
  await restoreOf('told').result();
  await costOf('told');
  await keep('launch.told', workflowIdOf('told'));
  await keep('restore.told', restoreIdOf('told'));
  await keep('cost.told', costIdOf('told'));
});

it('batchPoller: until nothing is open', async () => {
  const id = pollerIdOf({ account: LOCAL_PLACE.accountId, region: LOCAL_PLACE.region });
  await longhaul.temporal.client.workflow.getHandle(id).result();
  await keep('batch-poller.complete', id);
});

const progress = () =>
  new ProgressStore(progressTable(longhaul.aws.dynamodb, tableNames(longhaul.settings.tablePrefix)));
const begin = (type: string, workflowId: string, ...args: object[]) =>
  longhaul.temporal.client.workflow.start(type, { workflowId, taskQueue: WORKFLOW_TASK_QUEUE, args });

it('order: COMPLETE by each route, and FAILED', async () => {
  for (const route of ROUTES) {
    const order = { orderId: `by-${route}`, owner: 'buyer', attempt: 1, route, stepMs: 50 };
    await (await begin('order', orderIdOf(order.orderId), order)).result();
    await keep(`order.${route}`, orderIdOf(order.orderId));
  }
  const poor = { orderId: 'poor', owner: 'buyer', attempt: 1, payment: 'declined', stepMs: 50 };
  await expect((await begin('order', orderIdOf('poor'), poor)).result()).rejects.toThrow();
  await keep('order.declined', orderIdOf('poor'));
});

it('teleprinter: paused, read on, COMPLETE', async () => {
  const run = teleprinterIdOf('reader');
  const handle = await begin('teleprinter', run, { userId: 'reader', characterMs: 1 });
  await handle.executeUpdate(READ_UPDATE, { args: [{}] });
  await handle.signal(PAUSE_SIGNAL);
  await expect.poll(async () => (await progress().snapshot(run))?.status).toBe('PAUSED');
  const head = await progress().head(run);
  await handle.executeUpdate(READ_UPDATE, { args: [{ cursor: { epoch: head?.epoch, seq: head?.seq } }] });
  await expect.poll(async () => (await progress().snapshot(run))?.status, { timeout: 60_000 }).toBe('COMPLETE');
  await keep('teleprinter.complete', run);
});

it('sessions: forgets nobody', async () => {
  const id = `${SCHEDULE_ID}-recorded`;
  await (await begin('sessionsPurge', id)).result();
  await keep('sessions-purge.complete', id);
});

const addFamily = (name: string, ...more: string[]) =>
  longhaul.cli('story', 'families', 'add', name, '--time-zone', 'UTC', ...more);

it('story: COMPLETE, begun by the schedule', async () => {
  expect((await addFamily('moon')).code).toBe(0);
  await longhaul.temporal.client.schedule.getHandle(scheduleIdOf('moon')).trigger();
  const nights = async () => {
    const list = [];
    for await (const night of longhaul.temporal.client.workflow.list({ query: 'WorkflowType = "storyNight"' }))
      list.push(night.workflowId);
    return list;
  };
  await expect.poll(nights).toHaveLength(1);
  const [night = ''] = await nights();
  const { storyId } = (await longhaul.temporal.client.workflow.getHandle(night).result()) as NightResult;
  expect(await longhaul.temporal.client.workflow.getHandle(storyIdFor(storyId)).result()).toMatchObject({
    outcome: 'made',
  });
  await keep('story-night.started', night);
  await keep('story.complete', storyIdFor(storyId));
});

it('story: COMPLETE with a repaired text, one of our own drawings and without a voice, the mail last', async () => {
  expect((await addFamily('owl', '--wait-for-all')).code).toBe(0);
  await longhaul.action(
    'POST openai-behaviour',
    {
      queue: [
        { operation: 'createChatCompletion', does: 'short' },
        { operation: 'createImage', does: 'moderation_blocked', times: 2 },
      ],
    },
    'openai',
  );
  await longhaul.faults([
    {
      service: 'polly',
      operation: 'SynthesizeSpeech',
      nth: 1,
      times: 1_000,
      effect: 'error',
      code: 'AccessDeniedException',
      status: 403,
    },
  ]);
  const { storyId } = (await longhaul.cli('story', 'new', 'owl', '--json')).json();
  const made = await longhaul.temporal.client.workflow.getHandle(storyIdFor(String(storyId))).result();
  expect(made).toMatchObject({ parts: { image: 'STOCK', audio: 'FAILED', mail: 'NONE', event: 'READY' } });
  await longhaul.faults([]);
  await keep('story.parts-failed', storyIdFor(String(storyId)));
});

it('story: FAILED, since neither draft has an end', async () => {
  await longhaul.action(
    'POST openai-behaviour',
    { queue: [{ operation: 'createChatCompletion', does: 'truncate', times: 2 }] },
    'openai',
  );
  const { storyId } = (await longhaul.cli('story', 'new', 'owl', '--json')).json();
  const ended = longhaul.temporal.client.workflow.getHandle(storyIdFor(String(storyId))).result();
  await expect(ended).rejects.toMatchObject({ cause: { type: 'StoryTextError' } });
  await keep('story.failed', storyIdFor(String(storyId)));
});
