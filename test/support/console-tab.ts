/**
 * A tab of the browser that keeps what went wrong in it.
 *
 * @module
 */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

export interface Tab extends AsyncDisposable {
  page: Page;
  /** Errors of scripts and what the console of the browser calls an error, but for requests that failed. */
  problems: string[];
  /** Hosts that were asked for anything. */
  hosts: Set<string>;
}

/** On a busy machine everything takes its time. */
const TIMEOUT_MS = 60_000;

export async function openTab(browser: Browser, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  const problems: string[] = [];
  const hosts = new Set<string>();
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text()))
      problems.push(message.text());
  });
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  return { page, problems, hosts, [Symbol.asyncDispose]: () => context.close() };
}
