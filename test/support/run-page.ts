/**
 * The page of a run, as tests read it, and what it should say by the API.
 *
 * @module
 */
import type { Page } from 'playwright-core';
import { lookOf } from '../../clients/console/src/views/tones.ts';
import type { EventPage } from '../../clients/live/api.ts';
import type { ServerMessage } from '../../clients/live/protocol.ts';
import type { ProgressEvent, Snapshot } from '../../workflows/progress/model.ts';
import type { LiveConsole } from './live-console.ts';

type Api = Pick<LiveConsole, 'api'>;

export const snapshotOf = (world: Api, run: string) => world.api<Snapshot>(`/progress/${encodeURIComponent(run)}`);

/** All that the log of a run has. */
export async function eventsOf(world: Api, run: string): Promise<ProgressEvent[]> {
  const { epoch } = await snapshotOf(world, run);
  const all: ProgressEvent[] = [];
  for (;;) {
    const query = `epoch=${epoch}&after=${all.at(-1)?.seq ?? 0}&limit=500`;
    const { events } = await world.api<EventPage>(`/progress-events/${encodeURIComponent(run)}?${query}`);
    if (events.length === 0) return all;
    all.push(...events);
  }
}

/** What a browser is told of one run over the wire. */
export interface Told {
  /** Of each resume. */
  verdicts: string[];
  /** Sequence of the first snapshot. */
  first: number | undefined;
  /** Of every event. */
  seqs: number[];
}

/** @param page nothing is loaded yet */
export function listen(page: Page, run: string, told: Told): void {
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
}

export const statusOf = (page: Page): Promise<string> => page.locator('.run-title .status').innerText();

export async function openTab(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Sections of the run' }).getByText(name, { exact: true }).click();
}

/** On the tab of steps: `align Succeeded`, each step with the word for its state, by name. */
export async function stepsShown(page: Page): Promise<string[]> {
  const rows = await page.locator('.st-row [role=row]:has(.st-open)').all();
  const words = rows.map(async (row) => [
    await row.locator('.st-open').innerText(),
    (await row.getByRole('gridcell').first().innerText()).replace(/^\W+/, ''),
  ]);
  return (await Promise.all(words)).map((pair) => pair.join(' ')).toSorted();
}

/** What {@link stepsShown} should be. */
export const stepsKnown = ({ steps }: Pick<Snapshot, 'steps'>): string[] =>
  steps.map(({ name, state }) => `${name} ${lookOf(state).label}`).toSorted();
