/** The console over a whole Longhaul, for whoever looks: back in time, by keyboard, by filters, at 10,000 steps; the samples. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { awaitCost } from '../../clients/cost/follow.ts';
import type { CostView } from '../../clients/live/api.ts';
import { openProgress } from '../../lib/progress/open.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { accessibilityFailures, keepScreenshot } from '../support/browser.ts';
import { tasksOf } from '../support/browser-trace.ts';
import { type LiveConsole, liveConsole } from '../support/live-console.ts';
import { sheet } from '../support/live-sheet.ts';
import { foldAll } from '../support/progress-reports.ts';
import { eventsOf, statusOf, stepsKnown, stepsShown } from '../support/run-page.ts';

const shown = sheet(
  'shown',
  {
    count: {
      scatter: ['sample'],
      command: 'echo counting ${{ sample }}; wc -c < ${{ inputs.reads }} > ${{ outputs.n }}',
      inputs: { reads: 'reads/${{ sample }}.txt' },
      outputs: { n: '${{ sample }}.n' },
    },
    report: { command: 'echo all counted', after: ['count'] },
  },
  { scatter: { sample: ['a', 'b', 'c'] } },
);
const broken = sheet(
  'broken',
  {
    sort: {
      scatter: ['sample'],
      command: 'echo sorting ${{ sample }}; if [ ${{ sample }} = b ]; then echo "ERROR disk full" >&2; exit 3; fi',
    },
    after: { command: 'true', after: ['sort'] },
  },
  { scatter: { sample: ['a', 'b'] } },
);

let world: LiveConsole;
liveConsole(async (opened) => {
  world = opened;
  const { longhaul } = world;
  for (const sample of ['a', 'b', 'c']) await longhaul.put(`data/reads/${sample}.txt`, `reads of ${sample}\n`);
  await longhaul.put('sheets/lab-a/shown.yaml', shown);
  await longhaul.put('sheets/lab-a/broken.yaml', broken);
  await Promise.all(['shown', 'broken'].map((id) => longhaul.follow(id)));
  await awaitCost(longhaul.launches, 'shown', 120_000);
});

/** Of the address. */
const momentOf = (page: Page) => Number(new URL(page.url()).searchParams.get('at'));

it('shows a run as it was at any moment, by keys and by hand, and to whoever gets the address', async () => {
  const events = await eventsOf(world, 'launch/shown');
  const at = (moment: number) => foldAll(events.filter((event) => event.at <= moment));
  const page = await world.open('/run/launch/shown?tab=steps');
  const shownAndThen = async () => {
    const then = at(momentOf(page));
    const shown = then.steps.length > 0 ? (await stepsShown(page)).join() : '';
    return (await statusOf(page)).includes(then.status ?? '') && shown === stepsKnown(then).join();
  };
  await page.getByRole('button', { name: 'Look back in time' }).click();
  const slider = page.getByRole('slider');
  await slider.press('Home');
  await expect.poll(() => statusOf(page)).toContain('PREPARING');
  const seen = new Set<number>();
  for (let turn = 0; turn < 4; turn += 1) {
    const before = momentOf(page);
    await slider.press('ArrowRight');
    await slider.press('ArrowRight');
    // Both keys have been heard, and the address has followed: the page shows what was at the moment it says.
    await expect.poll(async () => momentOf(page) !== before && (await shownAndThen())).toBe(true);
    seen.add(momentOf(page));
  }
  expect(seen.size).toBe(4);

  const byKeys = momentOf(page);
  const box = await slider.boundingBox();
  if (!box) throw new Error('there is no slider');
  await page.mouse.move(box.x + box.width * 0.9, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  // The address follows a hand a little later.
  await expect.poll(async () => momentOf(page) !== byKeys && (await shownAndThen())).toBe(true);
  const address = new URL(page.url());
  const then = at(momentOf(page));
  expect(then.status).not.toBe('COMPLETE');
  await keepScreenshot(page, 'scrubber');

  const other = await world.open(address.pathname + address.search);
  await expect.poll(() => stepsShown(other)).toEqual(stepsKnown(then));
  expect(await statusOf(other)).toContain(then.status ?? '');
  await other.getByRole('button', { name: 'Back to now' }).click();
  await expect.poll(() => statusOf(other)).toContain('COMPLETE');
  expect(new URL(other.url()).search).toBe('?tab=steps');
});

describe('by keyboard alone', () => {
  /** What has the focus, and whether that can be seen. */
  const focus = (page: Page) =>
    page.evaluate<{ name: string; seen: boolean }>(`(() => {
      const one = document.activeElement;
      // The outline of a link over a whole row is the row's.
      const marked = [one, one.parentElement, one.parentElement?.parentElement].filter(Boolean).some((element) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
        return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || (element === one && boxShadow !== 'none');
      });
      const box = one.getBoundingClientRect();
      const inside = box.width > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
      return { name: one.tagName + ' ' + (one.ariaLabel || one.textContent || '').trim().slice(0, 40), seen: marked && inside };
    })()`);

  it('goes from the list to a run, through its sections, into its log, and back; the focus is always seen', async () => {
    const page = await world.open('/');
    await page.locator('.run-link').first().waitFor();
    await page.keyboard.press('Tab');
    expect(await focus(page)).toMatchObject({ name: 'A Skip to the content', seen: true });
    await page.keyboard.press('Enter');
    await page.keyboard.press('j');
    const link = page.locator('[href="/run/launch/shown"]:focus');
    for (let turn = 0; turn < 20 && (await link.count()) === 0; turn += 1) await page.keyboard.press('j');
    expect((await focus(page)).seen).toBe(true);
    await page.keyboard.press('Enter');
    await expect.poll(() => statusOf(page)).toContain('COMPLETE');

    const unseen: string[] = [];
    const names: string[] = [];
    for (let turn = 0; turn < 60; turn += 1) {
      await page.keyboard.press('Tab');
      const { name, seen } = await focus(page);
      if (name.startsWith('BODY')) break;
      names.push(name);
      if (!seen) unseen.push(name);
    }
    expect(unseen).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(['A Timeline', 'A History']));

    for (const tab of ['graph', 'steps', 'logs']) {
      await page.keyboard.press(']');
      await expect.poll(() => new URL(page.url()).searchParams.get('tab')).toBe(tab);
    }
    await page.getByText('counting a').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('counting b');
    await page.locator('mark', { hasText: 'counting b' }).waitFor();
    await page.getByText('counting a').waitFor({ state: 'detached' });
    // Out of the field: in it this is a letter.
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Help' }).waitFor();
    await page.keyboard.press('g');
    await page.locator('.run-link').first().waitFor();
    expect(new URL(page.url()).pathname).toBe('/');
  });
});

describe('what can be found', () => {
  it('by filters, which stay in the address', async () => {
    const page = await world.open('/');
    await page.getByRole('combobox', { name: 'Status' }).selectOption('FAILED');
    await page.getByRole('combobox', { name: 'Domain' }).selectOption('launch');
    const names = (of: Page) => of.locator('.run-link').allInnerTexts();
    await expect.poll(() => names(page)).toEqual(['broken']);
    const { pathname, search } = new URL(page.url());
    expect(search).toBe('?status=FAILED&domain=launch');
    await page.reload();
    await expect.poll(() => names(page)).toEqual(['broken']);
    const other = await world.open(pathname + search);
    await expect.poll(() => names(other)).toEqual(['broken']);
    expect(await other.getByRole('combobox', { name: 'Status' }).inputValue()).toBe('FAILED');
  });

  it('why a launch has failed: the step, the cause and the remedy, and from there its log', async () => {
    const page = await world.open('/run/launch/broken');
    await page.getByText('StepFailedError').first().waitFor();
    await page.getByRole('link', { name: 'Explain' }).first().click();
    await page.getByText('EXIT_CODE').first().waitFor();
    const words = await page.locator('.section').innerText();
    expect(words).toContain('Step sort: 1 of 2 items failed');
    expect(words).toContain('longhaul launch retry broken');
    await keepScreenshot(page, 'run-explain');
    await page.getByRole('link', { name: /^Log of sort/ }).click();
    await page.getByText('ERROR disk full').waitFor();
    await page.getByLabel('Errors only').check();
    await expect.poll(() => new URL(page.url()).searchParams.get('errors')).toBe('true');
    await page.getByText('ERROR disk full').waitFor();
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const text = await readFile(await (await saved).path(), 'utf8');
    expect(text).toContain('ERROR disk full');
    expect((await saved).suggestedFilename()).toBe('broken.log');
  });

  it('what a launch has cost: by step, which adds up; its pricing, and Temporal', async () => {
    const page = await world.open('/run/launch/shown?tab=cost');
    await page.locator('.cost-total').waitFor();
    const { cost, currencies } = await world.api<CostView>('/launches/shown/cost');
    const total = Number(cost['total_cost']);
    const steps = currencies.flatMap(({ steps }) => steps.map((step) => Number(step.cost)));
    expect(steps.reduce((sum, one) => sum + one, 0)).toBeCloseTo(total, 9);
    const figure = (text: string) => Number(/[\d.]+/.exec(text)?.[0]);
    expect(figure(await page.locator('.cost-total').innerText())).toBeCloseTo(total, 4);
    await keepScreenshot(page, 'run-cost');
    const temporal = page.getByRole('link', { name: /Temporal Web UI/ });
    expect(await temporal.getAttribute('href')).toContain('launch%2Fshown');
    expect(await temporal.getAttribute('target')).toBe('_blank');
    await page.locator('.run-facts a[href="/run/cost/shown"]').click();
    await page.locator('.run-facts a[href="/run/launch/shown"]').click();
    await expect.poll(() => statusOf(page)).toContain('COMPLETE');
  });
});

describe('every page of a launch that has really run', () => {
  const TABS = ['timeline', 'graph', 'steps', 'logs', 'inputs', 'outputs', 'cost', 'explain', 'history'];
  const PAGES = [
    '/',
    '/costs',
    '/new',
    '/help',
    '/run/launch/broken',
    ...TABS.map((tab) => `/run/launch/shown?tab=${tab}`),
  ];

  it('breaks no rule of WCAG 2.2 AA, in light and dark, and is no wider than a phone', async () => {
    const page = await world.open('/');
    await page.locator('.top').getByText('Live').waitFor();
    const found: string[] = [];
    for (const path of PAGES) {
      await page.goto(world.url + path);
      await page.locator('main h1').waitFor();
      await expect.poll(() => page.locator('.skeleton').count()).toBe(0);
      for (const colorScheme of ['light', 'dark'] as const)
        for (const width of [1280, 360]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 900 });
          const of = `${path} ${colorScheme} ${width}`;
          for (const failure of await accessibilityFailures(page)) found.push(`${of}: ${failure}`);
          const over = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
          if (over > 0) found.push(`${of}: ${over} pixels too wide`);
          await keepScreenshot(page, `real${of.replace(/\W+/g, '-')}`);
        }
    }
    expect(found).toEqual([]);
  });
});

describe('a run of 10,000 steps', () => {
  const STEPS = 10_000;
  const BATCH = 40;
  const name = (place: number) => `map-${String(place).padStart(5, '0')}`;

  beforeAll(async () => {
    if (!world) return;
    const { aws, settings } = world.longhaul;
    const warn = (message: string) => console.warn(message);
    const log = openProgress(aws.dynamodb, tableNames(settings.tablePrefix), { gatewayKey: settings.gatewayKey, warn });
    const begun = Date.now() - STEPS * 100;
    const source = { name: 'workflow', attempt: 1 };
    for (let first = 0; first < STEPS; first += BATCH)
      await log.append('load/big', { domain: 'load', consumer: 'lab-a' }, [
        {
          kind: first === 0 ? 'status' : 'progress',
          source,
          localSeq: first + 1,
          at: begun + first * 100,
          ...(first === 0 && { status: 'RUNNING' }),
          steps: Array.from({ length: BATCH }, (_, nth) => ({
            name: name(first + nth),
            state: first + nth < 9_000 ? ('SUCCEEDED' as const) : ('RUNNING' as const),
            submittedAt: begun + (first + nth) * 90,
            startedAt: begun + (first + nth) * 95,
            ...(first + nth < 9_000 && { endedAt: begun + (first + nth) * 95 + 60_000 }),
            ...(first + nth > 0 && { after: [name(Math.floor((first + nth) / 4))] }),
          })),
        },
      ]);
  });

  it('can be used soon, and scrolls in short tasks with few elements in the page', async () => {
    const page = await world.open('/help');
    await page.locator('.top').getByText('Live').waitFor();
    const asked = performance.now();
    await world.api('/runs/load%2Fbig');
    const apiMs = performance.now() - asked;
    const begun = performance.now();
    let interactiveMs = 0;
    const load = await tasksOf(page, async () => {
      await page.goto(`${world.url}/run/load/big?tab=steps`);
      await page.getByText('10,000 steps').first().waitFor();
      await page.locator('.st-open').first().click();
      await page.locator('.st-detail').waitFor();
      interactiveMs = performance.now() - begun;
    });
    const scroll = async (selector: string) => {
      await page.locator(selector).hover();
      return tasksOf(page, async () => {
        for (let turn = 0; turn < 40; turn += 1) await page.mouse.wheel(0, 2_000);
        await expect.poll(() => page.locator(selector).evaluate((box) => box.scrollTop)).toBeGreaterThan(60_000);
      });
    };
    const steps = await scroll('.st-scroll');
    await page.goto(`${world.url}/run/load/big?tab=timeline`);
    await page.locator('.tl-row').first().waitFor();
    const timeline = await scroll('.tl-scroll');
    const elements = await page.evaluate<number>('document.querySelectorAll("*").length');
    const longest = { load: load[0] ?? 0, steps: steps[0] ?? 0, timeline: timeline[0] ?? 0 };
    console.log(JSON.stringify({ steps: STEPS, apiMs, interactiveMs, longestTaskCpuMs: longest, elements }));
    await keepScreenshot(page, 'run-10000');
    // Benches say how fast; this, that it does not grow with the steps.
    expect(elements).toBeLessThan(2_500);
    expect(longest.load).toBeLessThan(1_000);
    expect(Math.max(longest.steps, longest.timeline)).toBeLessThan(500);
  });
});

describe('the pages of the samples', () => {
  it('order: one is sent, watched to its end, and one that fails says why', async () => {
    const page = await world.open('/samples/order/');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByText('connected', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Send Order' }).click();
    await expect.poll(() => page.locator('#status').innerText()).toBe('COMPLETE');
    expect(
      await page
        .locator('#percent')
        .inputValue()
        .catch(() => page.locator('#percent').getAttribute('value')),
    ).toBe('100');
    expect(
      new Set(
        await page.locator('#steps li').evaluateAll((items) => items.map((item) => item.getAttribute('data-state'))),
      ),
    ).toEqual(new Set(['SUCCEEDED']));
    expect(await accessibilityFailures(page)).toEqual([]);
    await keepScreenshot(page, 'sample-order');

    await page.getByLabel('Order id').fill('browser-declined');
    await page.getByLabel('Payment is').selectOption('declined');
    await page.getByRole('button', { name: 'Send Order' }).click();
    await expect.poll(() => page.locator('#status').innerText()).toBe('FAILED');
    expect(await page.locator('#error').innerText()).not.toBe('');
  });

  it('teleprinter: goes on where its reader was, and from the beginning for somebody else', async () => {
    const article = await readFile(new URL('../../examples/teleprinter/article.txt', import.meta.url), 'utf8');
    const page = await world.open('/samples/teleprinter/');
    const paper = async () => (await page.locator('#paper').textContent()) ?? '';
    const readOn = async (characters: number) => {
      await page.getByRole('button', { name: 'Connect', exact: true }).click();
      await page.getByText('connected', { exact: true }).waitFor();
      const before = (await paper()).length;
      await page.getByRole('button', { name: 'Tele-read' }).click();
      await expect.poll(async () => (await paper()).length).toBeGreaterThan(before + characters);
      await page.getByRole('button', { name: 'Disconnect' }).click();
      const now = await paper();
      expect(article.startsWith(now)).toBe(true);
      return now;
    };
    const first = await readOn(10);
    const second = await readOn(10);
    expect(second.startsWith(first)).toBe(true);
    await page.reload();
    expect((await readOn(5)).startsWith(second)).toBe(true);
    expect(await accessibilityFailures(page)).toEqual([]);
    await keepScreenshot(page, 'sample-teleprinter');
    const user = await page.locator('#user').innerText();
    await page.getByRole('button', { name: 'Reset identity' }).click();
    expect(await paper()).toBe('');
    expect(await page.locator('#user').innerText()).not.toBe(user);
    const anew = await readOn(5);
    expect(anew.length).toBeLessThan(second.length);
  });
});
