/** A launch as somebody at a browser meets it: launched, watched, cut off, cancelled, retried, approved, looked back at. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { lookOf } from '../../clients/console/src/views/tones.ts';
import type { EventPage, LaunchDetail } from '../../clients/live/api.ts';
import type { ServerMessage } from '../../clients/live/protocol.ts';
import type { ProgressEvent, Snapshot } from '../../workflows/progress/model.ts';
import { keepScreenshot, NO_BROWSER } from '../support/browser.ts';
import { type LiveConsole, openLiveConsole } from '../support/live-console.ts';
import { sheet } from '../support/live-sheet.ts';

let world: LiveConsole;
beforeAll(async () => {
  const opened = await openLiveConsole();
  if (opened) world = opened;
});
afterAll(() => world?.close());
beforeEach((context) => {
  if (!world) context.skip(NO_BROWSER);
});
afterEach(async ({ task }) => {
  if (!world) return;
  const complaints = world.complaints();
  await world.closePages(task.result?.state === 'fail' ? task.name : undefined);
  expect(complaints).toEqual({ errors: [], strangers: [] });
});

const pathOf = (launchId: string) => `/progress-events/${encodeURIComponent(`launch/${launchId}`)}`;
const snapshotOf = (launchId: string) => world.api<Snapshot>(`/progress/${encodeURIComponent(`launch/${launchId}`)}`);

async function eventsOf(launchId: string): Promise<ProgressEvent[]> {
  const { epoch } = await snapshotOf(launchId);
  const all: ProgressEvent[] = [];
  for (;;) {
    const after = all.at(-1)?.seq ?? 0;
    const { events } = await world.api<EventPage>(`${pathOf(launchId)}?epoch=${epoch}&after=${after}&limit=500`);
    if (events.length === 0) return all;
    all.push(...events);
  }
}

/** What a browser is told of one run over the wire. */
interface Told {
  /** Of each resume. */
  verdicts: string[];
  /** Sequence of the first snapshot. */
  first: number | undefined;
  /** Of every event. */
  seqs: number[];
}

function listen(page: Page, run: string): Told {
  const told: Told = { verdicts: [], first: undefined, seqs: [] };
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      const message = JSON.parse(String(payload)) as ServerMessage;
      if (message.type === 'subscribed' && message.run === run) {
        told.verdicts.push(message.verdict);
        if ('snapshot' in message && message.snapshot) told.first ??= message.snapshot.seq;
      }
      if (message.type === 'event' && message.run === run) told.seqs.push(message.event.seq);
    }),
  );
  return told;
}

const status = (page: Page) => page.locator('.run-title .status');
/** `align Succeeded`: each step with the word for its state, by name. */
const stepsShown = async (page: Page) => {
  const rows = await page.locator('.st-row [role=row]:has(.st-open)').all();
  const cells = rows.map(async (row) => [
    await row.locator('.st-open').innerText(),
    (await row.getByRole('gridcell').first().innerText()).replace(/^\W+/, ''),
  ]);
  return (await Promise.all(cells)).map((words) => words.join(' ')).toSorted();
};
const stepsKnown = ({ steps }: Snapshot) => steps.map(({ name, state }) => `${name} ${lookOf(state).label}`).toSorted();

async function tab(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Sections of the run' }).getByText(name, { exact: true }).click();
}

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
  let told = { verdicts: [], first: undefined, seqs: [] } as Told;
  const page = await world.open('/new', {}, (page) => {
    told = listen(page, 'launch/watched');
  });
  await page.getByLabel('Sheet (YAML or JSON)').fill(watched);
  await page.getByRole('button', { name: 'Check it first' }).click();
  await page.getByText('can be launched').first().waitFor();
  await page.getByRole('button', { name: 'Launch', exact: true }).click();
  await page.waitForURL('**/run/launch/watched');

  // Nobody loads the list again.
  const row = list.locator('.run-row', { hasText: 'watched' }).filter({ hasText: 'launch' });
  await row.first().waitFor();
  await expect.poll(() => status(page).innerText()).toMatch(/RUNNING/);
  await keepScreenshot(page, 'run-running');
  await keepScreenshot(list, 'list-running');
  await expect
    .poll(async () => (await snapshotOf('watched')).steps.find(({ name }) => name === 'align')?.state)
    .toBe('RUNNING');

  const before = (await snapshotOf('watched')).seq;
  world.door.closed = true;
  world.door.cut('reset');
  const offline = page.getByText(/^Offline\. What is shown is of/);
  await offline.waitFor();
  await expect.poll(() => page.locator('.live-note').innerText()).toContain('offline');
  await keepScreenshot(page, 'run-offline');
  await expect.poll(async () => (await snapshotOf('watched')).seq).toBeGreaterThan(before);
  // A browser says of every request that its network has failed; the page says nothing else.
  const during = world.complaints();
  expect(during.errors.filter((error) => !/net::ERR_|WebSocket connection to/.test(error))).toEqual([]);
  world.door.closed = false;
  await offline.waitFor({ state: 'detached' });
  await expect.poll(() => page.locator('.live-note').innerText()).toMatch(/\d+ events? caught up|nothing missed/);
  world.complaints();

  await expect.poll(() => status(page).innerText(), { timeout: 60_000 }).toMatch(/COMPLETE/);
  await expect.poll(() => row.first().innerText()).toContain('COMPLETE');
  const snapshot = await snapshotOf('watched');
  await tab(page, 'Steps');
  await expect.poll(() => stepsShown(page)).toEqual(stepsKnown(snapshot));
  expect(await page.locator('.run-percent').innerText()).toContain('100');

  const events = await eventsOf('watched');
  expect(told.verdicts[0]).toBe('fresh');
  expect(told.verdicts.length).toBeGreaterThan(1);
  const first = told.first ?? 0;
  await expect.poll(() => told.seqs.at(-1)).toBe(events.at(-1)?.seq);
  expect(told.seqs).toEqual(events.map(({ seq }) => seq).filter((seq) => seq > first));
  await tab(page, 'History');
  await page.getByRole('button', { name: 'Look back in time' }).click();
  await expect.poll(() => page.locator('.sc-note').innerText()).toContain(`/ ${events.length}`);
  await keepScreenshot(page, 'run-complete');
});
