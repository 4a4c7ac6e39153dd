/** Launches as somebody at a browser meets them: launched, watched, cut off, cancelled, retried, approved, refused. */
import { existsSync } from 'node:fs';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { keepScreenshot } from '../support/browser.ts';
import { type LiveConsole, liveConsole } from '../support/live-console.ts';
import { sheet } from '../support/live-sheet.ts';
import {
  eventsOf,
  listen,
  openTab,
  snapshotOf,
  statusOf,
  stepsKnown,
  stepsShown,
  type Told,
} from '../support/run-page.ts';

let world: LiveConsole;
liveConsole((opened) => {
  world = opened;
});

const WATCHED = 'launch/watched';
const watched = sheet(
  'watched',
  {
    prepare: { command: 'echo preparing; sleep 1' },
    align: {
      scatter: ['sample'],
      after: ['prepare'],
      command: 'echo aligning ${{ sample }}; sleep 1.5; echo ${{ sample }} > ${{ outputs.out }}',
      outputs: { out: '${{ sample }}.txt' },
    },
    merge: { after: ['align'], command: 'sleep 1; echo merged' },
    report: { after: ['merge'], command: 'sleep 1; echo reported' },
  },
  { scatter: { sample: ['a', 'b', 'c', 'd'] } },
);

it('is launched from its page, and watched to its end over a network that goes away', async () => {
  const list = await world.open('/');
  await list.getByText('Nothing has run yet').waitFor();
  const told: Told = { verdicts: [], first: undefined, seqs: [] };
  const page = await world.open('/new', {}, (page) => listen(page, WATCHED, told));
  await page.getByLabel('Sheet (YAML or JSON)').fill(watched);
  await page.getByRole('button', { name: 'Check it first' }).click();
  await page.getByText('can be launched').first().waitFor();
  await page.getByRole('button', { name: 'Launch', exact: true }).click();
  await page.waitForURL('**/run/launch/watched');

  // Nobody loads the list again.
  const row = list.locator('.run-row:has([href="/run/launch/watched"])');
  await row.waitFor();
  await expect.poll(() => statusOf(page)).toContain('RUNNING');
  await expect.poll(() => row.innerText()).toContain('RUNNING');
  const alignIs = async () => (await snapshotOf(world, WATCHED)).steps.find(({ name }) => name === 'align')?.state;
  await expect.poll(alignIs).toBe('RUNNING');
  await keepScreenshot(page, 'run-running');
  await keepScreenshot(list, 'list-running');

  const { seq } = await snapshotOf(world, WATCHED);
  world.door.closed = true;
  world.door.cut('reset');
  const offline = page.getByText(/^Offline\. What is shown is of/);
  await offline.waitFor();
  await expect.poll(() => page.locator('.live-note').innerText()).toContain('offline');
  await keepScreenshot(page, 'run-offline');
  await expect.poll(async () => (await snapshotOf(world, WATCHED)).seq).toBeGreaterThan(seq);
  world.door.closed = false;
  await offline.waitFor({ state: 'detached' });
  await expect.poll(() => page.locator('.live-note').innerText()).toMatch(/\d+ events? caught up|nothing missed/);
  // A browser says of every request that its network has failed; the pages say nothing else.
  const { errors } = world.complaints();
  expect(errors.filter((error) => !/net::ERR_|WebSocket connection to/.test(error))).toEqual([]);

  await expect.poll(() => statusOf(page)).toContain('COMPLETE');
  await expect.poll(() => row.innerText()).toContain('COMPLETE');
  await openTab(page, 'Steps');
  const snapshot = await snapshotOf(world, WATCHED);
  await expect.poll(() => stepsShown(page)).toEqual(stepsKnown(snapshot));
  expect(await page.locator('.run-percent').innerText()).toContain('100');

  const events = await eventsOf(world, WATCHED);
  await expect.poll(() => told.seqs.at(-1)).toBe(events.at(-1)?.seq);
  const [first, ...resumes] = told.verdicts;
  expect(first).toBe('fresh');
  expect(new Set(resumes)).toEqual(new Set(['replayed']));
  expect(told.seqs).toEqual(events.map(({ seq }) => seq).filter((seq) => seq > (told.first ?? 0)));
});

it('is cancelled after a question, and retried as its second attempt, to the end', async () => {
  const { longhaul } = world;
  const marker = `${longhaul.directory}/second`;
  const command = `if mkdir ${marker}; then echo first time; sleep 600; fi\necho second time`;
  await longhaul.put(
    'sheets/lab-a/again.yaml',
    sheet('again', { before: { command: 'echo before' }, work: { command, after: ['before'] } }),
  );
  await expect.poll(async () => (await longhaul.launches.get('again'))?.status).toBe('RUNNING');
  // A job that is ended before it has begun would find nothing done.
  await expect.poll(() => existsSync(marker)).toBe(true);
  const page = await world.open('/run/launch/again?tab=steps');
  await expect.poll(() => stepsShown(page)).toEqual(['before Succeeded', 'work Running']);

  const cancel = page.getByRole('button', { name: 'Cancel', exact: true });
  await cancel.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await keepScreenshot(page, 'dialog-cancel');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await page.locator(':focus').innerText()).toBe('Cancel');
  await cancel.click();
  await page.getByRole('button', { name: 'Cancel the run' }).click();
  await expect.poll(() => statusOf(page)).toContain('CANCELLED');
  await expect.poll(() => stepsShown(page)).toEqual(['before Succeeded', 'work Cancelled']);

  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByRole('button', { name: 'Begin a new attempt' }).click();
  await expect.poll(() => page.locator('.run-facts').first().innerText()).toContain('attempt 2');
  await expect.poll(() => statusOf(page)).toContain('COMPLETE');
  await expect.poll(() => stepsShown(page)).toEqual(['before Succeeded', 'work Succeeded']);
  await page.locator('.st-open', { hasText: 'work' }).click();
  const attempts = page.locator('.st-detail h4');
  await expect
    .poll(() => attempts.allInnerTexts())
    .toEqual([expect.stringMatching(/^Attempt 2\W+Succeeded/), expect.stringMatching(/^Attempt 1\W+Cancelled/)]);
  await keepScreenshot(page, 'run-attempts');

  await openTab(page, 'Logs');
  await page.getByText('first time').waitFor();
  await page.getByText('second time').waitFor();
  expect(await page.locator('.actions').count()).toBe(0);
  await openTab(page, 'History');
  const rows = await page.getByRole('region', { name: 'Statuses' }).locator('tbody tr').allInnerTexts();
  const reached = rows.map((row) => row.split(/\s+/).slice(0, 2).join(' '));
  expect(reached).toEqual(expect.arrayContaining(['CANCELLED 1', 'RUNNING 2', 'COMPLETE 2']));
});

describe('a launch with archived inputs above its limit', () => {
  const cold = async (launchId: string) => {
    const { longhaul } = world;
    await longhaul.action('POST restore-time', { scale: 1 / 60_000 });
    for (const part of ['1', '2'])
      await longhaul.aws.s3.send(
        new PutObjectCommand({
          Bucket: 'longhaul',
          Key: `data/${launchId}/${part}.txt`,
          Body: `reads ${part}\n`,
          StorageClass: 'DEEP_ARCHIVE',
        }),
      );
    await longhaul.put(
      `sheets/lab-a/${launchId}.yaml`,
      sheet(
        launchId,
        {
          count: {
            scatter: ['sample'],
            command: 'wc -c < ${{ inputs.reads }} > ${{ outputs.n }}',
            inputs: { reads: `${launchId}/\${{ sample }}.txt` },
            outputs: { n: '${{ sample }}.n' },
          },
        },
        {
          scatter: { sample: { discover: `${launchId}/*.txt` } },
          restore: { limitUsd: 0, deadline: '24h' },
        },
      ),
    );
    await expect.poll(async () => (await longhaul.launches.get(launchId))?.waiting_for).toBe('approval');
  };
  const asksOf = async (part: string) =>
    (await world.longhaul.calls({ service: 's3', operation: 'RestoreObject' })).filter(({ subject }) =>
      subject.includes(`data/${part}/`),
    );

  it('waits for an approval, shows the price, and goes on once it is approved', async () => {
    await cold('dear');
    const page = await world.open('/run/launch/dear?tab=restore');
    await expect.poll(() => statusOf(page)).toMatch(/WAITING\s+waiting for approval/);
    await page.getByText('0 of 2 objects').waitFor();
    await page.getByText(/^0\.\d+ USD; above 0\.00 USD it needs an approval$/).waitFor();
    expect(await asksOf('dear')).toEqual([]);
    await page.getByRole('button', { name: 'Approve' }).click();
    expect(await page.getByRole('dialog').innerText()).toMatch(/About 0\.\d+ USD, above the limit of 0\.00 USD/);
    await keepScreenshot(page, 'dialog-approve');
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await page.getByText('2 of 2 objects').waitFor({ timeout: 60_000 });
    await expect.poll(() => statusOf(page)).toContain('COMPLETE');
    expect(await asksOf('dear')).toHaveLength(2);
    await page.getByRole('link', { name: 'Its own page' }).click();
    await page.waitForURL('**/run/restore/dear');
    await page.getByText('2 of 2 objects').waitFor();
    await keepScreenshot(page, 'run-restore');
  });

  it('fails when that is refused, and asks for nothing', async () => {
    await cold('too-dear');
    const page = await world.open('/run/launch/too-dear');
    await page.getByRole('button', { name: 'Refuse' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Refuse' }).click();
    await expect.poll(() => statusOf(page)).toContain('FAILED');
    await page.getByText('ApprovalRefusedError').first().waitFor();
    expect(await asksOf('too-dear')).toEqual([]);
  });
});
