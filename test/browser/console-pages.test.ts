/** The console in a real browser: what a person sees and does, while the network does what it likes. */
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accessibilityFailures, browserPath, keepScreenshot, NO_BROWSER, openBrowser } from '../support/browser.ts';
import { openTab } from '../support/console-tab.ts';
import { openConsole } from '../support/console-world.ts';

let browser: Browser | undefined;
beforeAll(async () => {
  if (browserPath()) browser = await openBrowser();
});
beforeEach(({ skip }) => skip(!browser, NO_BROWSER));
afterAll(() => browser?.close());

const statusOf = (page: Page) => page.locator('.run-title .status');

describe('the list of runs', () => {
  it('is live, filtered by its address, and gone through by keys', async () => {
    await using world = await openConsole();
    await world.tell('launch/first', { status: 'COMPLETE', kind: 'end' });
    await world.tell('launch/second', { status: 'RUNNING', percent: 10 });
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(world.url);
    const row = page.locator('.run-row', { hasText: 'second' });
    await row.getByText('10 %').waitFor();

    await world.tell('launch/second', { percent: 42 });
    await row.getByText('42 %').waitFor();

    await page.getByRole('combobox', { name: 'Status' }).selectOption('COMPLETE');
    await row.waitFor({ state: 'detached' });
    expect(new URL(page.url()).search).toBe('?status=COMPLETE');
    await page.goBack();
    await row.waitFor();

    await page.keyboard.press('/');
    await page.keyboard.type('sec');
    await page.locator('.run-row', { hasText: 'first' }).waitFor({ state: 'detached' });
    await page.keyboard.press('Tab');
    await page.locator('h1').click();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/run/launch/second');
    await page.locator('h1', { hasText: 'second' }).waitFor();
    await page.keyboard.press('?');
    await page.locator('h1:focus', { hasText: 'Help' }).waitFor();
    expect(tab.problems).toEqual([]);
    expect([...tab.hosts]).toEqual([new URL(world.url).host]);
  });

  it('says what to do where there is nothing, and what is wrong where nothing answers', async () => {
    await using world = await openConsole();
    await using tab = await openTab(browser as Browser);
    await tab.page.goto(world.url);
    await tab.page.getByText('longhaul launch submit sheet.yaml').waitFor();

    world.door.closed = true;
    world.door.cut('reset');
    await tab.page.locator('.banner-warn', { hasText: 'Offline' }).waitFor({ timeout: 60_000 });
    await tab.page.getByText('longhaul launch submit sheet.yaml').waitFor();
    world.door.closed = false;
    await tab.page.locator('.banner-warn').waitFor({ state: 'detached', timeout: 60_000 });
  });
});

describe('the page of a run', () => {
  it('goes on where it was after the network was away, and says what it missed', async () => {
    await using world = await openConsole();
    await world.tell('launch/a', { status: 'RUNNING', steps: [{ name: 'align', state: 'RUNNING', percent: 5 }] });
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(`${world.url}/run/launch/a?tab=steps`);
    await page.locator('.live-note', { hasText: 'live' }).waitFor();

    world.door.closed = true;
    world.door.cut('reset');
    await page.locator('.banner-warn', { hasText: 'Offline' }).waitFor();
    expect(await statusOf(page).innerText()).toContain('RUNNING');
    for (let item = 0; item < 30; item += 1) await world.tell('launch/a', { message: `item ${item}` });
    await world.tell('launch/a', { kind: 'end', status: 'COMPLETE', steps: [{ name: 'align', state: 'SUCCEEDED' }] });
    world.door.closed = false;

    await statusOf(page).getByText('COMPLETE').waitFor({ timeout: 60_000 });
    await expect.poll(() => page.locator('.run-title').innerText()).toContain('31 events caught up');
    await page.getByText('item 29').waitFor();
    expect(await page.title()).toContain('COMPLETE');
    expect(tab.problems).toEqual([]);
  });

  it('shows the run as it was, at the moment its address carries', async () => {
    await using world = await openConsole();
    const at = Date.now() - 60_000;
    await world.tell('launch/a', { at, status: 'PREPARING' });
    await world.tell('launch/a', { at: at + 10_000, status: 'RUNNING', steps: [{ name: 'align', state: 'RUNNING' }] });
    await world.tell('launch/a', {
      at: at + 20_000,
      kind: 'end',
      status: 'FAILED',
      error: { type: 'E', message: 'no' },
    });
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(`${world.url}/run/launch/a?at=${at + 15_000}`);
    await statusOf(page).getByText('RUNNING').waitFor();

    await page.getByRole('slider').press('ArrowRight');
    await statusOf(page).getByText('FAILED').waitFor();
    await page.getByRole('slider').press('Home');
    await statusOf(page).getByText('PREPARING').waitFor();
    await page.waitForURL(`**/run/launch/a?at=${at}`);
    await page.getByRole('button', { name: 'Back to now' }).click();
    await statusOf(page).getByText('FAILED').waitFor();
    expect(new URL(page.url()).search).toBe('');
    await keepScreenshot(page, 'run-failed');
    expect(tab.problems).toEqual([]);
  });

  it('asks before it acts, and says why something cannot be done', async () => {
    await using world = await openConsole();
    await world.tell('launch/a', { status: 'RUNNING' });
    world.actions.set('launch/a', ['cancel']);
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(`${world.url}/run/launch/a`);
    await page.getByRole('button', { name: 'Cancel', exact: true }).press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(world.asked).toEqual([]);
    world.refuse = { status: 409, message: 'it has just ended', remedy: 'look again' };
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await page.getByRole('dialog').getByText('Look again.').waitFor();
    world.refuse = undefined;
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(world.asked.map(({ path }) => path)).toEqual(['/launches/a/cancel', '/launches/a/cancel']);

    world.actions.set('launch/a', ['retry']);
    await world.tell('launch/a', { kind: 'end', status: 'CANCELLED' });
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByLabel('Do everything again').check();
    await page.getByRole('button', { name: 'Begin a new attempt' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(world.asked.at(-1)).toEqual({ path: '/launches/a/retry', body: { noCache: true } });
    expect(tab.problems).toEqual([]);
  });

  it('follows a log, searches it, and lets it be saved', async () => {
    await using world = await openConsole();
    await world.tell('launch/a', { status: 'RUNNING' });
    const line = (at: number, text: string) => ({ at, step: 's', item: 'i', attempt: 1, container: 'main', text });
    world.lines.push(
      ...Array.from({ length: 3_000 }, (_, at) => line(at + 1, `line ${at}`)),
      line(4_000, 'ERROR disk'),
    );
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(`${world.url}/run/launch/a?tab=logs`);
    await page.getByText('ERROR disk').waitFor();
    world.lines.push(line(5_000, 'the very last'));
    await page.getByText('the very last').waitFor();
    expect(await page.locator('.log-line').count()).toBeLessThan(200);

    await page.getByLabel('Errors only').check();
    await page.getByText('1 line;').waitFor();
    await page.getByLabel('Search the log').fill('disk');
    await page.locator('mark', { hasText: 'disk' }).waitFor();
    expect(new URL(page.url()).search).toBe('?tab=logs&errors=true&search=disk');
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    expect(readFileSync(await (await saved).path(), 'utf8')).toBe('ERROR disk');
    expect(tab.problems).toEqual([]);
  });

  // What is measured may be spoilt by whatever else this machine does just then.
  // How long it takes is said, not asserted: a busy machine takes longer.
  it('of 10,000 steps keeps only what is in sight in the page, and says how long it took', async () => {
    await using world = await openConsole();
    const step = (place: number) => ({ name: `step-${String(place).padStart(5, '0')}`, state: 'PENDING' as const });
    for (let first = 0; first < 10_000; first += 40)
      await world.tell('launch/big', {
        ...(first === 0 && { status: 'RUNNING' }),
        steps: Array.from({ length: 40 }, (_, place) => step(first + place)),
      });
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    const begun = performance.now();
    await page.goto(`${world.url}/run/launch/big?tab=steps`);
    await page.getByText('step-00000').waitFor();
    const interactive = performance.now() - begun;
    await page.evaluate(
      `tasks = []; new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });`,
    );
    await page.locator('.st-scroll').hover();
    let place = 0;
    const telling = setInterval(() => {
      void world.tell('launch/big', { steps: [{ ...step(place), state: 'RUNNING' }] });
      place += 1;
    }, 10);
    for (let turn = 0; turn < 40; turn += 1) await page.mouse.wheel(0, 2_000);
    await expect.poll(() => page.evaluate<number>(`document.querySelector('.st-scroll').scrollTop`)).toBe(80_000);
    await page.locator('[data-index="2290"]').waitFor();
    clearInterval(telling);
    const tasks = await page.evaluate<number[]>('tasks');
    console.log(`10,000 steps: interactive in ${Math.round(interactive)} ms, longest task ${Math.max(0, ...tasks)} ms`);
    expect(await page.locator('[data-index]').count()).toBeLessThan(200);
    expect(tab.problems).toEqual([]);
  });
});

describe('every page', () => {
  const pages = ['/', '/run/launch/a', '/run/launch/a?tab=steps&step=align', '/run/launch/a?tab=graph'];
  const more = ['/run/launch/a?tab=logs', '/run/launch/a?tab=history&at=AT', '/costs', '/new', '/help', '/nowhere'];

  // In both colours and widths on a real platform: look.test.ts.
  it.each([['dark', 360]] as const)(
    'breaks no rule of WCAG AA in %s at %i pixels, and is not wider than that',
    async (colorScheme, width) => {
      await using world = await openConsole();
      await world.tell('launch/a', {
        status: 'RUNNING',
        steps: [
          { name: 'align', state: 'SUCCEEDED', startedAt: Date.now() - 9_000, endedAt: Date.now() },
          { name: 'call', state: 'RUNNING', after: ['align'], startedAt: Date.now() },
        ],
      });
      await world.tell('launch/b', { kind: 'end', status: 'FAILED', error: { type: 'StepFailedError', message: 'x' } });
      world.lines.push({ at: 1, step: 'align', item: 'i', attempt: 1, container: 'main', text: 'hello' });
      await using tab = await openTab(browser as Browser, { colorScheme, viewport: { width, height: 800 } });
      const { page } = tab;
      for (const path of [...pages, ...more]) {
        await page.goto(world.url + path.replace('AT', String(Date.now())));
        await page.locator('main h1, main h2').first().waitFor();
        await page.waitForLoadState('networkidle');
        expect(await accessibilityFailures(page), path).toEqual([]);
        const over = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        expect(over, path).toBeLessThanOrEqual(0);
        await keepScreenshot(page, `${path.replace(/\W+/g, '-')}-${width}-${colorScheme}`);
      }
      const routes = () => new Set(world.telemetry.flatMap(({ kind, route }) => (kind === 'page' ? [route] : [])));
      await expect
        .poll(() => [...routes()].toSorted())
        .toEqual(['/', '/*', '/costs', '/help', '/new', '/run/:workflowId']);
      expect(world.telemetry.filter(({ kind }) => kind === 'error')).toEqual([]);
      expect(tab.problems).toEqual([]);
    },
  );

  it('is small', () => {
    const assets = new URL('../../dist/console/assets/', import.meta.url);
    const scripts = readdirSync(assets).filter((name) => name.endsWith('.js'));
    const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, assets))).length, 0);
    console.log(`JavaScript of the console: ${Math.round(bytes / 1024)} KiB gzipped`);
    expect(bytes).toBeLessThan(200 * 1024);
  });
});
