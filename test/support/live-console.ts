/**
 * The console of a whole Longhaul in a real browser, with a network between the two that can be cut.
 *
 * @module
 */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { browserPath, type Complaints, keepScreenshot, NO_BROWSER, openBrowser, openPage } from './browser.ts';
import { type ChaosProxy, createChaosProxy, type Door } from './chaos-proxy.ts';
import { type Longhaul, openLonghaul } from './longhaul.ts';

export interface LiveConsole {
  longhaul: Longhaul;
  browser: Browser;
  /** Between browser and gateway. */
  door: Door;
  /** Of the console, by way of the door. */
  url: string;
  /** Opens a page of the console in a browser profile of its own. */
  open(path: string, options?: BrowserContextOptions, prepare?: (page: Page) => void): Promise<Page>;
  /** Asks the gateway, not by way of the door: `/runs`. */
  api<T>(path: string): Promise<T>;
  /** What all pages have said since the last time. */
  complaints(): Complaints;
  /** Closes all pages; of a test that has failed a screenshot of each is kept. */
  closePages(failed?: string): Promise<void>;
  close(): Promise<void>;
}

/** @returns undefined where there is no browser */
async function openLiveConsole(environment: Record<string, string> = {}): Promise<LiveConsole | undefined> {
  if (browserPath() === undefined) return undefined;
  const longhaul = await openLonghaul(environment);
  const gateway = longhaul.platform.urls.gateway;
  if (!gateway) throw new Error('this platform has no gateway');
  const proxy: ChaosProxy = createChaosProxy([Number(new URL(gateway).port)], 1);
  const door = await proxy.door();
  const url = `http://127.0.0.1:${door.port}`;
  const browser = await openBrowser();
  let said: Complaints[] = [];
  return {
    longhaul,
    browser,
    door,
    url,
    async open(path, options = {}, prepare) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
      const { page, complaints } = await openPage(context, url + path, prepare);
      said.push(complaints);
      return page;
    },
    async api<T>(path: string) {
      const answer = await fetch(`${gateway}/api/v1${path}`);
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    complaints() {
      const errors = said.flatMap((one) => one.errors.splice(0));
      const strangers = said.flatMap((one) => one.strangers.splice(0));
      return { errors, strangers };
    },
    async closePages(failed) {
      const name = failed?.replace(/\W+/g, '-').slice(0, 60);
      for (const [nth, context] of browser.contexts().entries()) {
        if (name !== undefined)
          for (const page of context.pages()) await keepScreenshot(page, `failed-${name}-${nth}`).catch(() => {});
        await context.close();
      }
      said = [];
    },
    async close() {
      await browser.close();
      await proxy.close();
      await longhaul.close();
    },
  };
}

/**
 * One for all tests of a file, which are skipped where there is no browser; after each nobody may have complained.
 * @param ready is given it once, before the first test
 */
export function liveConsole(ready: (world: LiveConsole) => Promise<void> | void): void {
  let world: LiveConsole | undefined;
  beforeAll(async () => {
    world = await openLiveConsole();
    if (world) await ready(world);
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
}
