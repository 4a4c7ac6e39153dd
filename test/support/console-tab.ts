/**
 * Real Chromium for tests of the console: Debian's, or the one `LONGHAUL_CHROMIUM` names.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const FOUND = [process.env.LONGHAUL_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== undefined && existsSync(path),
);

/** @throws Error where there is no Chromium: these tests are nothing without one */
export function openBrowser(): Promise<Browser> {
  if (FOUND === undefined)
    throw new Error('there is no chromium: "apt-get install -y chromium", or name one in LONGHAUL_CHROMIUM');
  return chromium.launch({ executablePath: FOUND, args: ['--no-sandbox', '--disable-gpu'] });
}

export interface Tab extends AsyncDisposable {
  page: Page;
  /** Errors of scripts and what the console of the browser calls an error, but for requests that failed. */
  problems: string[];
  /** Hosts that were asked for anything. */
  hosts: Set<string>;
}

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

/** On a busy machine everything takes its time. */
const TIMEOUT_MS = 20_000;

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What breaks WCAG 2.2 AA, as far as axe can tell: `rule: element`. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async (rules) => {
    const { axe } = globalThis as unknown as {
      axe: { run(options: object): Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> };
    };
    const found = await axe.run({ runOnly: rules });
    return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  }, RULES);
}

/** Kept for whoever wants to look: in `LONGHAUL_SCREENSHOTS`, or a folder of the system's temporary one. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.LONGHAUL_SCREENSHOTS ?? join(tmpdir(), 'longhaul-screenshots');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
