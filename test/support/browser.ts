/**
 * A Chromium of this machine, driven by playwright-core, with screenshots kept as artefacts.
 *
 * @module
 */
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { onPath } from '../../infra/local/tools/run.ts';

/** Not in the tree; CI may keep it. */
export const ARTEFACTS = join(packageRoot(), 'artefacts', 'browser');

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** @returns undefined where there is none: the tests are skipped with {@link NO_BROWSER} */
export const browserPath = (): string | undefined =>
  process.env.LONGHAUL_CHROMIUM ?? NAMES.flatMap((name) => onPath(name) ?? [])[0];

export const NO_BROWSER = 'no Chromium on PATH (Debian: apt-get install chromium), and LONGHAUL_CHROMIUM is not set';

export async function openBrowser(): Promise<Browser> {
  const executablePath = browserPath();
  if (!executablePath) throw new Error(NO_BROWSER);
  // Root, as in most containers, has no sandbox; the tests open pages of this repository only.
  return chromium.launch({ executablePath, headless: true, args: ['--no-sandbox', '--disable-gpu'] });
}

/** What a page said that nobody expects of it. */
export interface Complaints {
  /** Script errors and console errors. */
  errors: string[];
  /** Requests to other origins than the gateway's. */
  strangers: string[];
}

/**
 * A page that tells of script errors and of requests to other origins.
 * @param prepare before anything is loaded
 */
export async function openPage(
  context: BrowserContext,
  url: string,
  prepare: (page: Page) => void = () => {},
): Promise<{ page: Page; complaints: Complaints }> {
  const page = await context.newPage();
  prepare(page);
  const complaints: Complaints = { errors: [], strangers: [] };
  page.on('pageerror', (error) => complaints.errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.errors.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && origin !== new URL(url).origin) complaints.strangers.push(request.url());
  });
  await page.goto(url);
  return { page, complaints };
}

export async function keepScreenshot(page: Page, name: string): Promise<void> {
  await mkdir(ARTEFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTEFACTS, `${name}.png`), fullPage: false });
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** WCAG 2.2 A and AA. @returns one line for each violation: rule, impact, and the first places */
export async function accessibilityFailures(page: Page): Promise<string[]> {
  // Not as a script of the page: its content security policy lets nothing in but its own.
  await page.evaluate(await readFile(AXE, 'utf8'));
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(options: unknown): Promise<{ violations: Violation[] }> } };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    return (await axe.run({ runOnly: { type: 'tag', values: tags } })).violations;
  });
  return violations.map(
    ({ id, impact, nodes }) =>
      `${id} (${impact}): ${nodes
        .slice(0, 3)
        .map(({ target }) => target.join(' '))
        .join('; ')}`,
  );
}

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[] }[];
}
