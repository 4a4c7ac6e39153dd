/** Bedtime stories in the console: families, nights, books and casts, by hand and by keyboard, in the dark, on a phone. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BookRow, FamilyView } from '../../clients/live/stories.ts';
import { accessibilityFailures, browserPath, keepScreenshot, NO_BROWSER, openBrowser } from '../support/browser.ts';
import { openTab } from '../support/console-tab.ts';
import { type ConsoleWorld, openConsole } from '../support/console-world.ts';
import { familyView } from '../support/family-view.ts';

let browser: Browser | undefined;
beforeAll(async () => {
  if (browserPath()) browser = await openBrowser();
});
beforeEach(({ skip }) => skip(!browser, NO_BROWSER));
afterAll(() => browser?.close());

const DAY_MS = 86_400_000;
const family = (name: string, more: Partial<FamilyView> = {}): FamilyView => ({
  ...familyView(name, { state: 'active', next: [new Date(Date.now() + DAY_MS).toISOString()] }),
  ...more,
});
const row = (night: string, more: Partial<BookRow> = {}): BookRow => ({
  storyId: `moon/${night}`,
  night,
  workflowId: `story/moon/${night}`,
  createdAt: `${night.length === 10 ? night : '2026-11-20'}T18:15:00.000Z`,
  status: 'COMPLETE',
  title: 'The Moon <b>and</b> the Fox',
  words: 231,
  parts: { image: 'STOCK', audio: 'READY', mail: 'NONE', event: 'READY' },
  cost: '0.0431',
  flagged: false,
  readable: true,
  ...more,
});

async function withStories(session: Parameters<typeof openConsole>[0] = {}): Promise<ConsoleWorld> {
  const world = await openConsole(session);
  const { stories } = world;
  stories.families.push(family('moon'), family('stern', { schedule: { state: 'missing', next: [] } }));
  stories.book.push(
    row('2026-11-26'),
    row('2026-11-25', {
      readable: false,
      parts: { image: 'FAILED', audio: 'FAILED', mail: 'UNCERTAIN', event: 'READY' },
    }),
    row('2026-11-24', { status: 'FAILED', readable: false, flagged: true }),
  );
  stories.cards.characters.push(
    { card: 'parker', name: 'Parker', looks: 'a red fox' },
    { card: 'jackson', name: 'Jackson' },
  );
  stories.cards.scenes.push({ card: 'haunted-woods', name: 'haunted woods', looks: 'crooked trees' });
  stories.subscriptions.push({ address: 'a***@f***.example', confirmed: true });
  return world;
}

describe('the page of stories', () => {
  it('switches nights off and on by keyboard, and makes one more after asking', async () => {
    await using world = await withStories();
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(world.url);
    await page.locator('.top').getByText('Live').waitFor();
    await page.keyboard.press('s');
    await page.waitForURL('**/stories');
    const nights = page.getByRole('switch', { name: 'Every night for moon' });
    await nights.waitFor();
    expect(await nights.getAttribute('aria-checked')).toBe('true');
    await nights.press('Space');
    await expect.poll(() => nights.getAttribute('aria-checked')).toBe('false');
    await page.locator('.panel', { hasText: 'moon' }).getByText('paused').waitFor();
    await nights.press('Enter');
    await expect.poll(() => nights.getAttribute('aria-checked')).toBe('true');
    expect(await page.getByRole('switch', { name: 'Every night for stern' }).getAttribute('aria-checked')).toBe(
      'false',
    );

    await page.getByRole('button', { name: 'Make one now for moon' }).click();
    await page.getByRole('dialog').getByText('0.50 USD').waitFor();
    world.refuse = { status: 409, message: 'the month is spent', remedy: 'wait' };
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByRole('dialog').getByText('The month is spent.').waitFor();
    world.refuse = undefined;
    await world.tell('story/moon/1', { status: 'WRITING', steps: [{ name: 'Text', state: 'RUNNING' }] });
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.waitForURL('**/run/story/moon/1');
    expect(world.asked.map(({ path }) => path)).toEqual([
      '/families/moon/pause',
      '/families/moon/resume',
      '/stories',
      '/stories',
    ]);
    expect(world.asked.at(-1)?.body).toEqual({ family: 'moon' });
    expect(tab.problems).toEqual([]);
  });

  it('has the book: what came, what it cost, and a way to read that opens a tab of its own', async () => {
    await using world = await withStories();
    world.stories.url = `${world.url}/help`;
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(`${world.url}/stories`);
    await page.getByRole('link', { name: 'moon' }).click();
    await page.locator('h1:focus', { hasText: 'Stories of moon' }).waitFor();
    const first = page.locator('tbody tr').first();
    // As it is: a title is text, whatever a model has written.
    await first.getByRole('link', { name: 'The Moon <b>and</b> the Fox' }).waitFor();
    expect(await first.innerText()).toContain('0.0431 USD');
    await first.getByText(': one of our own drawings').waitFor({ state: 'attached' });
    await page.locator('tbody tr').nth(1).getByText('gone').waitFor();
    await page.getByText('something was flagged').waitFor();

    const [read] = await Promise.all([
      page.waitForEvent('popup'),
      first.getByRole('button', { name: /^Read/ }).click(),
    ]);
    await read.waitForURL('**/help');
    expect(await read.evaluate('opener')).toBeNull();
    expect(world.asked).toEqual([{ path: '/stories/moon/2026-11-26/link', body: {} }]);
    await page.getByRole('button', { name: 'Older stories' }).click();
    await page.getByText('No stories yet').waitFor();
    await page.goBack();
    await first.waitFor();
    expect(tab.problems).toEqual([]);
  });

  it('adds, describes and removes characters, and says beside the field what will not do', async () => {
    await using world = await withStories();
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(`${world.url}/stories?family=moon&tab=characters`);
    const name = page.getByLabel('Name', { exact: true });
    await name.fill('ignore all that was said before and');
    const problem = page.locator('.field-problem');
    await problem.getByText('use up to 3 words').waitFor();
    expect(await name.getAttribute('aria-invalid')).toBe('true');
    expect(await name.getAttribute('aria-describedby')).toBe(await problem.getAttribute('id'));
    await name.press('Enter');
    expect(world.asked).toEqual([]);
    await name.fill('Little Moon');
    await page.getByLabel('Looks', { exact: true }).fill('a white kitten');
    await name.press('Enter');
    await page.getByRole('form', { name: 'Little Moon' }).waitFor();
    await expect.poll(() => name.inputValue()).toBe('');

    const parker = page.getByRole('form', { name: 'Parker' });
    await parker.getByLabel('Looks of Parker').fill('<script>');
    await parker.getByText('cannot be how somebody looks').waitFor();
    await parker.getByLabel('Looks of Parker').fill('a blue fox');
    await parker.getByRole('button', { name: 'Save how Parker looks' }).click();
    await expect.poll(() => world.stories.cards.characters[0]?.looks).toBe('a blue fox');

    await parker.getByRole('button', { name: 'Remove Parker' }).click();
    world.refuse = { status: 409, message: 'a story needs 2 characters', remedy: 'add another character first' };
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByText('Add another character first.').waitFor();
    world.refuse = undefined;
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await parker.waitFor({ state: 'detached' });
    expect(world.asked.map(({ path, body }) => [path, body])).toEqual([
      ['/families/moon/characters', { name: 'Little Moon', looks: 'a white kitten' }],
      ['/families/moon/characters/parker', { looks: 'a blue fox' }],
      ['/families/moon/characters/parker/remove', {}],
      ['/families/moon/characters/parker/remove', {}],
    ]);
    expect(tab.problems).toEqual([]);
  });

  it('shows a viewer everything and offers nothing', async () => {
    await using world = await withStories({ role: 'viewer' });
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    for (const [path, seen] of [
      ['/stories', 'moon'],
      ['/stories?family=moon', 'readable'],
      ['/stories?family=moon&tab=characters', 'a red fox'],
      ['/stories?family=moon&tab=settings', 'at least 200 words'],
    ] as const) {
      await page.goto(world.url + path);
      await page.locator('main').getByText(seen, { exact: true }).first().waitFor();
      expect(await page.locator('main :is(button:not(.more), input, select, summary, [role=switch])').count()).toBe(0);
    }
    expect(tab.problems).toEqual([]);
  });

  it('of a family that is not there says so', async () => {
    await using world = await withStories();
    await using tab = await openTab(browser as Browser);
    await tab.page.goto(`${world.url}/stories?family=sun`);
    await tab.page.getByText('There is no family sun.').waitFor();
    await tab.page.getByRole('link', { name: 'moon' }).waitFor();
  });
});

describe('families', () => {
  it('are added by keyboard: with what is usual, and what will not do is said beside its field', async () => {
    await using world = await withStories();
    world.stories.families = [];
    await using tab = await openTab(browser as Browser, { timezoneId: 'Europe/Lisbon' });
    const { page } = tab;
    await page.goto(`${world.url}/stories`);
    const form = page.getByRole('form', { name: 'Add a family' });
    expect(await form.getByLabel('Time zone').inputValue()).toBe('Europe/Lisbon');
    expect(await form.locator('datalist option', { hasText: 'Europe/Berlin' }).count()).toBe(1);
    expect(await form.getByLabel('Time of day').inputValue()).toBe('19:15');
    const name = form.getByLabel('Name');
    await name.press('Enter');
    await page.getByText('This cannot be the name of a family').waitFor();
    await page.locator('[aria-invalid=true]:focus').waitFor();
    await name.fill('sun');
    await form.getByText('Length, limits and the like').press('Enter');
    await form.getByLabel('Minimum words').fill('9000');
    await form.getByText('The least number of words cannot be 9000: give a whole number from 50 to 800.').waitFor();
    // Folded away again it is shown all the same.
    await form.getByText('Length, limits and the like').press('Enter');
    await name.press('Enter');
    await form.locator('[aria-invalid=true]:focus').fill('150');
    await form.getByLabel('Month limit, USD').fill('12');
    await form.getByLabel('The mail waits for picture and voice').press('Space');
    await form.getByLabel('Time zone').fill('Europe/Berlin');
    world.refuse = { status: 400, message: 'Polly has no voice Nobody', remedy: 'choose one of Amy, Emma' };
    await form.getByLabel('Voice', { exact: true }).fill('Nobody');
    await form.getByLabel('Voice', { exact: true }).press('Enter');
    await form.getByText('Choose one of Amy, Emma.').waitFor();
    world.refuse = undefined;
    world.stories.warnings = ['on 2027-03-28 there is no 02:30 in Europe/Berlin'];
    await form.getByLabel('Voice', { exact: true }).fill('');
    await form.getByLabel('Voice', { exact: true }).press('Enter');
    await page.getByText('sun is added').first().waitFor();
    await form.getByText('On 2027-03-28 there is no 02:30').waitFor();
    await page.locator('.families').getByRole('link', { name: 'sun' }).waitFor();
    expect(world.asked.at(-1)).toEqual({
      path: '/families',
      body: {
        family: 'sun',
        timeZone: 'Europe/Berlin',
        at: '19:15',
        language: 'en-GB',
        engine: 'neural',
        minWords: 150,
        waitForAll: true,
        storyLimitUsd: '0.50',
        monthLimitUsd: '12',
        catchupMinutes: 180,
      },
    });
    expect(world.asked).toHaveLength(2);
    await form.getByRole('link', { name: 'its settings' }).click();
    await page.locator('h1:focus', { hasText: 'Stories of sun' }).waitFor();
    expect(await page.getByLabel('Minimum words').inputValue()).toBe('150');
    expect(tab.problems).toEqual([]);
  });

  it('are added by those for all consumers only', async () => {
    await using world = await withStories({ role: 'operator', consumers: ['moon', 'stern'] });
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(`${world.url}/stories`);
    await page.getByRole('switch', { name: 'Every night for moon' }).waitFor();
    expect(await page.getByText('Add a family').count()).toBe(0);
    await page.goto(`${world.url}/stories?family=moon&tab=settings`);
    await page.getByRole('form', { name: 'Settings of moon' }).waitFor();
  });

  it('are changed by what was typed alone, whatever others change meanwhile', async () => {
    await using world = await withStories();
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(`${world.url}/stories?family=moon`);
    await page.getByRole('link', { name: 'Settings' }).click();
    const form = page.getByRole('form', { name: 'Settings of moon' });
    await page.getByText('1.23 USD of 10.00 USD taken').waitFor();
    const save = form.getByRole('button', { name: 'Save the settings' });
    expect(await save.isDisabled()).toBe(true);
    await form.getByLabel('Time of day').fill('18:45');
    await form.getByLabel('Story limit, USD').fill('much');
    await form.getByText('the limit of a story cannot be "much"', { exact: false }).waitFor();
    await save.click();
    await form.locator('[aria-invalid=true]:focus').fill('20');
    world.refuse = { status: 400, message: 'a story may cost 20 USD, a whole month 10 only', remedy: 'make it more' };
    await save.click();
    await form.getByText('Make it more.').waitFor();
    world.refuse = undefined;
    await form.getByLabel('Story limit, USD').fill('0.50');
    const [moon] = world.stories.families;
    if (moon) world.stories.families[0] = { ...moon, language: 'en-US', voice: 'Joanna' };
    await page.getByRole('switch', { name: 'Every night for moon' }).click();
    await expect.poll(() => form.getByLabel('Language').inputValue()).toBe('en-US');
    await save.click();
    await expect.poll(() => save.isDisabled()).toBe(true);
    await page.locator('.run-facts').getByText('18:45, Europe/Berlin').waitFor();
    expect(await form.getByLabel('Time of day').inputValue()).toBe('18:45');
    expect(world.asked.at(-1)).toEqual({ path: '/families/moon', body: { at: '18:45' } });
    await form.getByLabel('Voice', { exact: true }).fill('Emma');
    await form.getByRole('button', { name: 'As they were' }).click();
    expect(await form.getByLabel('Voice', { exact: true }).inputValue()).toBe('Joanna');
    expect(tab.problems).toEqual([]);
  });

  it('get subscribers, whose addresses are in no address, title or report', async () => {
    await using world = await withStories();
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    await page.goto(`${world.url}/stories?family=moon&tab=settings`);
    await page.getByText('a***@f***.example').waitFor();
    const field = page.getByLabel('E-mail address');
    await field.fill('nobody');
    world.refuse = { status: 400, message: 'this is no e-mail address', remedy: 'give one such as name@example.org' };
    await field.press('Enter');
    await page.getByText('Give one such as name@example.org.').waitFor();
    world.refuse = undefined;
    await field.fill('berta.secret@family.example');
    await field.press('Enter');
    await page.getByText('has not answered yet').waitFor();
    await page.getByText('b***@f***.example').waitFor();
    expect(await field.inputValue()).toBe('');
    expect(world.asked.at(-1)).toEqual({
      path: '/families/moon/subscriptions',
      body: { address: 'berta.secret@family.example' },
    });
    const seen = [...addresses, page.url(), await page.title(), await page.content(), JSON.stringify(world.telemetry)];
    expect(seen.join(' ')).not.toContain('secret');
    expect(tab.problems).toEqual([]);
  });

  it('are removed once it has been said what goes and what stays', async () => {
    await using world = await withStories();
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(`${world.url}/stories?family=moon&tab=settings`);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Remove the family' }).click();
    await dialog.getByText('everybody who has subscribed').waitFor();
    await dialog.getByText('titles stay in the book').waitFor();
    await dialog.getByRole('button', { name: 'Not now' }).click();
    expect(world.asked).toEqual([]);
    await page.getByRole('button', { name: 'Remove the family' }).click();
    world.refuse = { status: 503, message: 'SNS did not remove the topic', remedy: 'ask again' };
    await dialog.getByRole('button', { name: 'Remove it' }).click();
    await dialog.getByText('Ask again.').waitFor();
    world.refuse = undefined;
    await dialog.getByRole('button', { name: 'Remove it' }).click();
    await page.waitForURL((url) => url.search === '');
    await page.getByRole('link', { name: 'moon' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'stern' }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(world.asked.map(({ path }) => path)).toEqual(['/families/moon/remove', '/families/moon/remove']);
    expect(tab.problems).toEqual([]);
  });
});

describe('the run of a story', () => {
  it('shows its steps and statuses, is cancelled and tried again by its family and night', async () => {
    await using world = await withStories();
    const steps = ['Text', 'Picture', 'Voice', 'Mail', 'Event'].map((name, place) => ({
      name,
      state: place === 0 ? ('SUCCEEDED' as const) : ('RUNNING' as const),
      ...(place > 0 && { after: ['Text'] }),
    }));
    await world.tell('story/moon/2026-11-26', { status: 'READY', steps });
    await using tab = await openTab(browser as Browser);
    const { page } = tab;
    await page.goto(`${world.url}/run/story/moon/2026-11-26?tab=steps`);
    await page.locator('.run-title .status', { hasText: 'READY' }).waitFor();
    for (const { name } of steps) await page.locator('.section').getByText(name, { exact: true }).waitFor();
    expect(await page.locator('.tabs a').allInnerTexts()).toEqual(['Timeline', 'Graph', 'Steps', 'History']);

    world.actions.set('story/moon/2026-11-26', ['cancel']);
    await page.reload();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('dialog').getByText('a mail that was sent stays sent').waitFor();
    world.refuse = { status: 409, message: 'it has ended already', remedy: 'look at it' };
    await page.getByRole('button', { name: 'Cancel the story' }).click();
    await page.getByRole('dialog').getByText('It has ended already.').waitFor();
    world.refuse = undefined;
    await page.getByRole('button', { name: 'Cancel the story' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(world.asked.splice(0)).toEqual([1, 2].map(() => ({ path: '/stories/moon/2026-11-26/cancel', body: {} })));

    world.actions.set('story/moon/2026-11-26', ['retry']);
    await world.tell('story/moon/2026-11-26', {
      kind: 'end',
      status: 'FAILED',
      error: { type: 'StoryTextError', message: 'x' },
    });
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('button', { name: 'Begin a new attempt' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(world.asked).toEqual([{ path: '/stories', body: { family: 'moon', night: '2026-11-26' } }]);
    expect(tab.problems).toEqual([]);
  });
});

describe('every page of stories', () => {
  it.each([
    ['dark', 360],
    ['light', 1280],
  ] as const)(
    'breaks no rule of WCAG AA in %s at %i pixels, and is not wider than that',
    async (colorScheme, width) => {
      await using world = await withStories();
      await using tab = await openTab(browser as Browser, { colorScheme, viewport: { width, height: 800 } });
      const { page } = tab;
      for (const path of [
        '',
        '?family=moon',
        '?family=moon&tab=characters',
        '?family=moon&tab=scenes',
        '?family=moon&tab=settings',
      ]) {
        await page.goto(`${world.url}/stories${path}`);
        await page.locator('main h1').waitFor();
        await page.waitForLoadState('networkidle');
        expect(await accessibilityFailures(page), path).toEqual([]);
        const over = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        expect(over, path).toBeLessThanOrEqual(0);
        await keepScreenshot(page, `stories${path.replace(/\W+/g, '-')}-${width}-${colorScheme}`);
      }
      // Everything unfolded, with what is wrong beside the fields.
      await page.goto(`${world.url}/stories`);
      await page.getByText('Add a family').click();
      await page.getByText('Length, limits and the like').click();
      await page.getByLabel('Minimum words').fill('9');
      await page.getByRole('button', { name: 'Add the family' }).click();
      await page.locator('[aria-invalid=true]:focus').waitFor();
      expect(await accessibilityFailures(page)).toEqual([]);
      expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      await keepScreenshot(page, `stories-add-${width}-${colorScheme}`);
      expect(world.telemetry.filter(({ kind }) => kind === 'error')).toEqual([]);
      expect(tab.problems).toEqual([]);
    },
  );
});
