/** Families and stories by the command line and the gateway's API, on the whole platform. */
import { ListSubscriptionsByTopicCommand, ListTopicsCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Book, FamilyView } from '../../clients/live/stories.ts';
import { dayAfter, localDate } from '../../lib/story/local-time.ts';
import { scheduleIdOf } from '../../workflows/story/model.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';
import { until } from '../support/stand-ins.ts';

const ADDRESS = 'anna.secret@family.example';
const ZONE = 'Europe/Berlin';
const today = (): string => localDate(Date.now(), ZONE);

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await openLonghaul({}, { withoutGenomics: true });
});
afterAll(() => longhaul?.close());

const story = (...args: string[]) => longhaul.cli('story', ...args);
const topics = async () => (await longhaul.aws.sns.send(new ListTopicsCommand({}))).Topics ?? [];
async function api<T>(path: string, body?: unknown): Promise<{ status: number; json: T }> {
  const answer = await fetch(`${longhaul.platform.urls.gateway}/api/v1${path}`, {
    ...(body !== undefined && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  return { status: answer.status, json: (await answer.json()) as T };
}

describe('longhaul story families', () => {
  it('adds one with topic, cast and schedule, changes it in place, and takes it away', async () => {
    const added = await story('families', 'add', 'moon', '--time-zone', ZONE);
    expect(added.stderr).toBe('');
    expect(added.stdout).toContain('every night at 19:15, Europe/Berlin, in en-GB by Amy');
    expect((await topics()).map(({ TopicArn }) => TopicArn)).toEqual([expect.stringMatching(/:longhaul-story-moon$/)]);
    expect((await story('families', 'add', 'moon', '--time-zone', ZONE)).stderr).toContain('a family moon already');

    const handle = longhaul.temporal.client.schedule.getHandle(scheduleIdOf('moon'));
    await story('families', 'pause', 'moon');
    await story('families', 'set', 'moon', '--at', '18:45', '--catchup', '60');
    const { state, spec, policies, info } = await handle.describe();
    expect(state.paused).toBe(true);
    expect(spec.timezone).toBe(ZONE);
    expect(policies).toMatchObject({ overlap: 'ALLOW_ALL', catchupWindow: 3_600_000, pauseOnFailure: false });
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, hour: '2-digit', minute: '2-digit' });
    expect(new Set(info.nextActionTimes.map((time) => clock.format(time)))).toEqual(new Set(['18:45']));

    const until = dayAfter(today(), 30);
    await story('families', 'pause', 'moon', '--until', until);
    const nights = (await story('families', 'schedule', 'moon', '--json')).json();
    expect(nights).toMatchObject({
      state: 'active',
      until,
      next: [{ local: `${until} 18:45` }, {}, {}, {}, {}, {}, {}, {}, {}, {}],
    });
    expect((await story('families', 'resume', 'moon', '--json')).json()).not.toHaveProperty('until');

    expect((await story('families', 'remove', 'moon')).code).toBe(2);
    expect((await story('families', 'remove', 'moon', '--yes')).code).toBe(0);
    expect(await topics()).toEqual([]);
    await expect(handle.describe()).rejects.toThrow();
    expect((await story('families', '--json')).json()).toEqual({ families: [] });
    expect((await story('characters', 'moon')).stderr).toContain('there is no family moon');
  });

  it('refuses in one line what cannot be, and makes nothing of it', async () => {
    for (const [args, said, code] of [
      [['--time-zone', 'Mars/Phobos'], 'there is no time zone "Mars/Phobos"', 2],
      [['--time-zone', ZONE, '--voice', 'Nobody'], 'Polly has no voice Nobody', 2],
      [['--time-zone', ZONE, '--voice', 'Vicki'], 'does not speak en-GB', 2],
      [['--time-zone', ZONE, '--at', '25:00'], 'the time of day cannot be "25:00"', 2],
    ] as const) {
      const answer = await story('families', 'add', 'sun', ...args);
      expect(answer.stderr).toContain(said);
      expect(answer.stderr.trim().split('\n')).toHaveLength(1);
      expect(answer.code).toBe(code);
    }
    expect(await topics()).toEqual([]);
    expect((await story('families', 'set', 'sun', '--at', '18:00')).stderr).toContain('there is no family sun');
  });
});

describe('a family that is there', () => {
  beforeAll(async () => {
    const added = await story('families', 'add', 'stern', '--time-zone', ZONE, '--language', 'de-DE');
    expect(added.stderr).toBe('');
  });

  it('has a cast that is edited by commands and by the API alike', async () => {
    expect((await story('scenes', 'stern')).stdout).toContain('Spukwald');
    await story('characters', 'stern', 'add', 'Little Star', '--looks', 'a small yellow star');
    expect((await story('characters', 'stern', 'add', 'little star')).stderr).toContain('little-star already');
    const changed = await api('/families/stern/characters/little-star', { looks: 'a large yellow star' });
    expect(changed).toMatchObject({ status: 200, json: { name: 'Little Star', looks: 'a large yellow star' } });
    expect((await story('characters', 'stern')).stdout).toMatch(/little-star +Little Star +a large yellow star/);
    expect((await story('characters', 'stern', 'remove', 'Little Star')).code).toBe(0);
    const hostile = await api<{ error: { message: string } }>('/families/stern/scenes', { name: '<b>\u202e' });
    expect(hostile.status).toBe(400);
    expect(hostile.json.error.message).toContain('cannot be the name of a scene');
  });

  it('gives addresses to SNS and to nobody else', async () => {
    const subscribed = await story('families', 'subscribe', 'stern', ADDRESS);
    expect(subscribed.stderr).toBe('');
    const [topic] = await topics();
    const { Subscriptions } = await longhaul.aws.sns.send(
      new ListSubscriptionsByTopicCommand({ TopicArn: topic?.TopicArn }),
    );
    expect(Subscriptions).toMatchObject([{ Protocol: 'email', Endpoint: ADDRESS }]);
    const shown = await story('families', 'show', 'stern');
    expect(shown.stdout).toContain('a***@f***.example (has not answered yet)');
    const listed = await api('/families/stern/subscriptions');
    expect(listed.json).toEqual({ subscriptions: [{ address: 'a***@f***.example', confirmed: false }] });
    expect((await api('/families/stern/subscriptions', { address: `${ADDRESS}, b@x.org` })).status).toBe(400);
    expect((await longhaul.logs()) + subscribed.stdout + shown.stdout).not.toContain('secret');
  });

  it('gets one more story when asked, which is in the book, and can be read by its link', async () => {
    const made = await story('new', 'stern', '--watch');
    expect(made.stderr).toBe('');
    expect(made.code).toBe(0);
    const id = /story (stern\/[0-9a-f-]{36}) is begun/.exec(made.stdout)?.[1] ?? '';
    const shown = (await story('show', id, '--link', '--json')).json();
    expect(shown).toMatchObject({ storyId: id, status: 'COMPLETE', readable: true, verdicts: expect.anything() });
    const { url } = shown['link'] as { url: string };
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain(
      String(shown['title']).replaceAll('&', '&amp;').replaceAll("'", '&#39;').slice(0, 10),
    );
    const { json } = await api<Book>('/stories?family=stern');
    expect(json.stories).toMatchObject([{ storyId: id, title: shown['title'], readable: true }]);
    const runs = await api<{ runs: { workflowId: string; consumer: string }[] }>('/runs?domain=story');
    expect(runs.json.runs).toMatchObject([{ workflowId: `story/${id}`, consumer: 'stern' }]);
  });

  it('has one story a night, however it is asked for', async () => {
    const night = dayAfter(today(), -1);
    const first = await story('new', 'stern', '--night', night, '--watch');
    expect(first.code).toBe(0);
    expect((await story('new', 'stern', '--night', night)).stdout).toContain('has been made already');
    const again = await api('/stories', { family: 'stern', night });
    expect(again.json).toMatchObject({ outcome: 'existing', status: 'COMPLETE' });
    const filled = await story('families', 'backfill', 'stern', '--from', dayAfter(today(), -2), '--to', night);
    expect(filled.stdout).toContain('these 2 nights are gone through');
    const nights = async () =>
      (await api<Book>('/stories?family=stern')).json.stories
        .filter((row) => row.status === 'COMPLETE' && row.night.length === 10)
        .map((row) => row.night)
        .toSorted();
    await expect.poll(nights, { interval: 500 }).toEqual([dayAfter(today(), -2), night]);
    expect((await story('new', 'stern', '--night', dayAfter(today(), 2))).code).toBe(2);
  });

  it('may have a story cancelled: what is there of it stays, the mail is not sent, and its night goes on from there', async () => {
    const night = dayAfter(today(), -3);
    const id = `stern/${night}`;
    await story('families', 'set', 'stern', '--wait-for-all');
    await longhaul.faults([{ operation: 'createImage', effect: 'hang' }], 'openai');
    await story('new', 'stern', '--night', night);
    await until('it can be read', async () => (await story('show', id, '--json')).json()['status'] === 'READY');

    const cancelled = await story('cancel', id, '--json');
    await longhaul.faults([], 'openai');

    expect(cancelled.stderr).toBe('');
    expect(cancelled.code).toBe(0);
    expect(cancelled.json()).toMatchObject({
      storyId: id,
      status: 'CANCELLED',
      readable: true,
      parts: { image: 'FAILED', mail: 'FAILED' },
    });
    const again = await story('cancel', id);
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`story ${id} has ended already: CANCELLED`),
    });
    expect((await api(`/stories/${id}/cancel`, {})).status).toBe(409);
    expect((await story('cancel', `stern/${dayAfter(today(), -9)}`)).stderr).toContain('there is no story stern/');
    expect((await story('cancel', 'stern')).code).toBe(2);
    const { title } = (await story('show', id, '--json')).json();
    expect((await story('new', 'stern', '--night', night, '--watch')).code).toBe(0);
    const whole = (await story('show', id, '--json')).json();
    expect(whole).toMatchObject({ title, status: 'COMPLETE', attempt: 2, parts: { image: 'READY' } });
  });

  it('is switched off and on by the API, which has no way to what is not there', async () => {
    expect((await api<FamilyView['schedule']>('/families/stern/pause', {})).json).toEqual({
      state: 'paused',
      next: [],
    });
    expect((await api<FamilyView['schedule']>('/families/stern/resume', {})).json).toMatchObject({ state: 'active' });
    for (const path of ['/families/sun', '/families/sun/schedule', '/stories/stern/2020-01-01'])
      expect((await api(path)).status).toBe(404);
  });
});
