/** Stories over HTTP: who gets in, what is told to those who do not, what is signed, what is kept by nobody. */
import { Writable } from 'node:stream';
import { unzipSync } from 'fflate';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTokens } from '../../clients/gateway/auth/tokens.ts';
import { STREAMS_PER_STORY } from '../../clients/gateway/stories/events.ts';
import type { ReadableStory, SpeechMarks } from '../../lib/story/document.ts';
import { storyLink } from '../../lib/story/link.ts';
import { ENGLISH, HOSTILE, MOON_SVG } from '../support/stories.ts';
import { beginningOf, FAMILY, LINK_KEY, openStoryWorld, type StoryWorld } from '../support/story-world.ts';
import { createIssuer } from '../support/tokens.ts';

const DAYS = 86_400_000;

let world: StoryWorld;
beforeEach(async () => {
  world = await openStoryWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

/** `name` below the page: `story.json`. */
const below = (link: string, name: string): string => {
  const url = new URL(link);
  url.pathname += `/${name}`;
  return url.href;
};
const get = async (url: string, init: RequestInit = {}) => {
  const answer = await fetch(url, init);
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};
const NAMES = ['story.json', 'marks.json', 'events', 'story.epub', 'book'];

describe('a page', () => {
  it('has the whole story without a script: title, text, picture and sound', async () => {
    const link = await world.link(await world.whole());

    const { status, headers, text } = await get(link);

    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(text).toContain('<html lang="en-GB" dir="ltr">');
    expect(text).toContain(`>${ENGLISH.title}</h1>`);
    for (const paragraph of ENGLISH.paragraphs) expect(text).toContain(paragraph);
    expect(text).toMatch(/<img src="[^"]+" alt="A yellow moon over a dark hill"/);
    expect(text).toMatch(/<audio src="[^"]+" preload="metadata" controls/);
  });

  it('is kept by nobody, tells no other site where it is, and takes nothing but from here and the bucket', async () => {
    const { headers } = await get(await world.link(await world.whole()));

    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'private, no-store',
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex, nofollow',
    });
    const policy = headers.get('content-security-policy')?.split(';');
    expect(policy).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      `img-src 'self' ${world.origin}`,
      `media-src ${world.origin}`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
  });

  it('shows text as text, whatever it is', async () => {
    const { text } = await get(await world.link(await world.whole(HOSTILE)));

    expect(text.match(/<script[^>]*>/g)).toEqual([
      '<script type="application/json" id="story-data">',
      expect.stringMatching(/^<script type="module" src="[./]*story-assets\/main-\w+\.js">$/),
    ]);
    expect(text).not.toMatch(/<(img|svg|b)[^>]*on(error|load)/);
    expect(text).toContain('&lt;img src=x onerror=');
    expect(/<title>(.*?)<\/title>/.exec(text)?.[1]).not.toMatch(/[\u202a-\u202e<]/);
    const [, json = ''] = /id="story-data">(.*?)<\/script>/s.exec(text) ?? [];
    expect((JSON.parse(json) as { story: ReadableStory }).story.paragraphs).toEqual(HOSTILE.paragraphs);
  });

  it('is in the direction of its language', async () => {
    const storyId = await world.begin({ language: 'ar' });
    await world.text(storyId);

    expect((await get(await world.link(storyId))).text).toContain('<html lang="ar" dir="rtl">');
  });

  it('says what is going on while there is no story, and where there will be none', async () => {
    const storyId = await world.begin();
    const link = await world.link(storyId);
    expect((await get(link)).text).toContain('Your story is being written');

    await world.end(storyId, 'FAILED');
    expect((await get(link)).text).toContain('No story came tonight');
  });
});

describe('whoever has no valid link', () => {
  it('is told the same of a story that is there and of one that never was', async () => {
    const storyId = await world.whole();
    const good = new URL(await world.link(storyId));
    const other = await storyLink(LINK_KEY, world.url, `${FAMILY}/1999-01-01`, 4e9);
    const forged = await storyLink('another-key-with-enough-characters-in-it-', world.url, storyId, 4e9);
    const wrong = [
      `${good.origin}${good.pathname}?t=nonsense`,
      `${good.origin}${good.pathname}?t=`,
      `${good.origin}${good.pathname}${new URL(other).search}`,
      `${good.origin}${good.pathname}${good.search}&t=again`,
      forged,
      `${good.origin}/stories/${FAMILY}/1999-01-01${good.search}`,
      `${good.origin}/stories/${FAMILY}/1999-01-01?t=nonsense`,
      `${good.origin}/stories/..%2f..%2f/x?t=nonsense`,
      `${good.origin}/stories/${'a'.repeat(900)}/2026-01-01${good.search}`,
    ];

    const pages = await Promise.all(wrong.map((url) => get(url)));

    expect(pages.map(({ status }) => status)).toEqual(wrong.map(() => 404));
    expect(new Set(pages.map(({ text }) => text)).size).toBe(1);
    expect(pages[0]?.text).toContain('There is no story here');
    expect(pages[0]?.text).not.toContain('book');
  });

  it('gets nothing of what belongs to it either, by GET or HEAD', async () => {
    const link = new URL(await world.link(await world.whole()));
    link.search = '?t=nonsense';

    for (const name of NAMES)
      for (const method of ['GET', 'HEAD']) expect((await get(below(link.href, name), { method })).status).toBe(404);
  });

  it('gets nothing with a good link where no key is set', async () => {
    await using closed = await openStoryWorld({ linkKey: '' });
    const storyId = await closed.whole();
    const link = await storyLink(LINK_KEY, closed.url, storyId, 4e9);

    expect((await get(link)).status).toBe(404);
  });
});

describe('a story that has gone', () => {
  it('is gone two days later, though the table has it still; those of the link see the book', async () => {
    const storyId = await world.whole();
    const link = await world.link(storyId, Math.floor(Date.now() / 1000) + 3 * 86_400);
    world.pass(2 * DAYS + 1_000);

    const page = await get(link);

    expect(page.status).toBe(410);
    expect(page.text).toContain('This story has gone to sleep');
    expect(page.text).toMatch(/href="[^"]+\/book\?t=/);
    for (const name of NAMES.filter((one) => one !== 'book'))
      for (const method of ['GET', 'HEAD']) expect((await get(below(link, name), { method })).status).toBe(410);
    expect((await get(below(link, 'book'))).status).toBe(200);
  });

  it('is gone for a link that has ended, with nothing of the book', async () => {
    const storyId = await world.whole();
    const link = await world.link(storyId, Math.floor(Date.now() / 1000) - 10);

    const page = await get(link);

    expect(page.status).toBe(410);
    expect(page.text).not.toContain('book');
    for (const name of NAMES) expect((await get(below(link, name))).status).toBe(410);
  });

  it('is gone when it has been deleted, not unknown', async () => {
    const { item, record } = beginningOf(Date.now());
    const { stories } = world;
    await stories.begin(item, record, 1e9);
    const link = await world.link(item.story_id, 4e9);
    (stories as unknown as { remove(id: string): void }).remove(item.story_id);

    expect((await get(link)).status).toBe(410);
  });

  it('says so in the language of who asks', async () => {
    const link = await world.link(await world.whole(), 1);

    const { text } = await get(link, { headers: { 'accept-language': 'de-DE,de;q=0.9,en;q=0.5' } });

    expect(text).toContain('<html lang="de" dir="ltr">');
    expect(text).toContain('Diese Geschichte ist schlafen gegangen');
  });
});

describe('users of the gateway', () => {
  it('read without a link where the gateway is open', async () => {
    const storyId = await world.whole();

    expect((await get(`${world.url}/stories/${storyId}`)).status).toBe(200);
    expect((await get(`${world.url}/stories/${storyId}/story.json`)).status).toBe(200);
  });

  it('read the stories of their own consumers where tokens are needed, and no others', async () => {
    const issuer = await createIssuer();
    await using guarded = await openStoryWorld({
      settings: issuer.settings,
      tokens: await createTokens(issuer.settings.tokens),
    });
    const storyId = await guarded.whole();
    const as = async (consumers: string[] | undefined) => ({
      headers: { ...(consumers && { authorization: `Bearer ${await issuer.sign({ consumers })}` }) },
    });
    const url = `${guarded.url}/stories/${storyId}`;

    expect((await get(url, await as([FAMILY]))).status).toBe(200);
    expect((await get(url, await as(['others']))).status).toBe(404);
    expect((await get(url, await as(undefined))).status).toBe(404);
    expect((await get(url, { headers: { authorization: 'Bearer nonsense' } })).status).toBe(404);
    expect((await get(await guarded.link(storyId))).status).toBe(200);
    await issuer.close();
  });
});

describe('story.json', () => {
  it('has addresses signed as it is read, which play in parts and say what they are', async () => {
    const link = await world.link(await world.whole());

    const { text, headers } = await get(below(link, 'story.json'));
    const { image, audio } = JSON.parse(text) as ReadableStory;

    expect(headers.get('cache-control')).toBe('private, no-store');
    const sound = await fetch(audio.url ?? '', { headers: { range: 'bytes=0-99' } });
    expect(sound.status).toBe(206);
    expect((await sound.arrayBuffer()).byteLength).toBe(100);
    expect(Object.fromEntries(sound.headers)).toMatchObject({
      'content-type': 'audio/mpeg',
      'content-disposition': 'inline; filename="story.mp3"',
    });
    expect(Number(new URL(audio.url ?? '').searchParams.get('X-Amz-Expires'))).toBe(3_600);
    expect((await fetch(image.url ?? '')).headers.get('content-type')).toBe('image/png');
  });

  it('makes a drawing that is opened by itself a download', async () => {
    const storyId = await world.begin();
    await world.text(storyId);
    await world.picture(storyId, { bytes: Buffer.from(MOON_SVG), mediaType: 'image/svg+xml', alt: 'A moon' });
    const { text } = await get(below(await world.link(storyId), 'story.json'));

    const answer = await fetch((JSON.parse(text) as ReadableStory).image.url ?? '');

    expect(answer.headers.get('content-type')).toBe('image/svg+xml');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment/);
  });

  it('is the same version until readers would get something else', async () => {
    const storyId = await world.begin();
    const url = below(await world.link(storyId), 'story.json');
    const first = (await get(url)).headers.get('etag') ?? '';

    const again = await get(url, { headers: { 'if-none-match': `"x", W/${first}` } });
    expect(again).toMatchObject({ status: 304, text: '' });
    await world.text(storyId);
    expect((await get(url, { headers: { 'if-none-match': first } })).status).toBe(200);
  });

  it('has nothing of what is not there, and nothing that is not for readers', async () => {
    const storyId = await world.begin();
    await world.text(storyId);
    const item = await world.stories.get(storyId);
    await world.stories.keepPart(
      storyId,
      'image',
      { state: 'FAILED', reason: 'the model is gone' },
      item?.created_at ?? '',
    );

    const { text } = await get(below(await world.link(storyId), 'story.json'));

    expect(JSON.parse(text)).toMatchObject({ image: { state: 'FAILED' }, audio: { state: 'PENDING' } });
    for (const hidden of ['model is gone', 'draw', 'Amy', 'run-1', 'workflow', 'stories/'])
      expect(text).not.toContain(hidden);
  });

  it('has the marks at an address of its own', async () => {
    const link = await world.link(await world.whole());
    const { text } = await get(below(link, 'story.json'));
    const { audio } = JSON.parse(text) as ReadableStory;

    const marks = await get(world.url + audio.marksUrl);

    expect(marks.status).toBe(200);
    expect((JSON.parse(marks.text) as SpeechMarks).words.length).toBeGreaterThan(100);
  });
});

describe('events', () => {
  async function open(link: string) {
    const stop = new AbortController();
    const answer = await fetch(below(link, 'events'), { signal: stop.signal });
    let text = '';
    const reading = (async () => {
      for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>)
        text += new TextDecoder().decode(chunk);
    })().catch(() => {});
    return {
      answer,
      changes: () =>
        [...text.matchAll(/^event: changed\ndata: (.*)$/gm)].map(([, data = '']) => JSON.parse(data) as unknown),
      text: () => text,
      ended: reading,
      stop: () => stop.abort(),
    };
  }

  it('tell of each change, and of how far the writing is', async () => {
    const storyId = await world.begin();
    await world.tell(storyId, { percent: 10 });
    const stream = await open(await world.link(storyId));
    await expect.poll(stream.changes).toEqual([{ percent: 10 }]);

    await world.tell(storyId, { percent: 40 });
    await expect.poll(stream.changes).toEqual([{ percent: 10 }, { percent: 40 }]);
    expect(stream.answer.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.answer.headers.get('cache-control')).toBe('private, no-store');
    stream.stop();
  });

  it('say that nobody tells, where there is no log or it is of somebody else', async () => {
    const [silent, foreign] = [await world.begin(), await world.begin()];
    await world.rig.log.append(`story/${foreign}`, { domain: 'story', consumer: 'others' }, [
      { kind: 'status', source: { name: 'workflow', attempt: 1 }, localSeq: 1, at: 1 },
    ]);

    for (const storyId of [silent, foreign]) {
      const stream = await open(await world.link(storyId));
      await stream.ended;
      expect(stream.text()).toContain('event: untold');
      expect(stream.changes()).toEqual([]);
    }
  });

  it('are for so many of a story at once, read by one reader, and free again when they go', async () => {
    const storyId = await world.begin();
    await world.tell(storyId);
    const link = await world.link(storyId);
    const streams = await Promise.all(Array.from({ length: STREAMS_PER_STORY }, () => open(link)));
    await Promise.all(streams.map(({ changes }) => expect.poll(changes).toHaveLength(1)));

    const refused = await get(below(link, 'events'));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(world.rig.gateway.hub.runs).toBe(1);
    expect((await open(await world.link(await world.begin()))).answer.status).toBe(200);

    streams[0]?.stop();
    await expect.poll(async () => (await get(below(link, 'events'), { method: 'HEAD' })).status).toBe(200);
    for (const stream of streams) stream.stop();
  });

  it('beat, and end with the story', async () => {
    await using quick = await openStoryWorld({ heartbeatMs: 20 });
    const storyId = await quick.begin();
    await quick.tell(storyId);
    const stream = await open(await quick.link(storyId));
    await expect.poll(stream.text).toContain('\n:\n\n');

    quick.pass(2 * DAYS + 1_000);
    await stream.ended;
  });
});

describe('the e-book', () => {
  it('has what there is, under a name that says which night', async () => {
    const storyId = await world.whole();
    const answer = await fetch(below(await world.link(storyId), 'story.epub'));

    expect(answer.headers.get('content-type')).toBe('application/epub+zip');
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="bedtime-story-${storyId.split('/')[1]}.epub"`,
    );
    const files = Object.keys(unzipSync(new Uint8Array(await answer.arrayBuffer())));
    expect(files).toEqual(expect.arrayContaining(['mimetype', 'EPUB/story.mp3', 'EPUB/story.smil', 'EPUB/cover.png']));
  });

  it('is not there before the text is', async () => {
    const { status, text } = await get(below(await world.link(await world.begin()), 'story.epub'));

    expect(status).toBe(404);
    expect(text).toContain('Not there yet');
  });
});

describe('the book', () => {
  it('has titles, days and verdicts of the family, by pages; nothing of others', async () => {
    const nights = Array.from({ length: 35 }, (_, nth) => new Date(Date.UTC(2025, 0, nth + 1)).toISOString());
    for (const created_at of nights) {
      const { item, record } = beginningOf(0, {
        created_at,
        night: created_at.slice(0, 10),
        title: `Of ${created_at.slice(0, 10)}`,
      });
      await world.stories.begin(item, { ...record, status: 'COMPLETE', cost: '0.0425' }, 1e9);
    }
    await world.stories.keepVerdict(FAMILY, '2025-02-04', 'text-1', {
      model: 'moderation',
      flagged: true,
      categories: ['violence'],
      hash: 'x',
      at: 'x',
    });
    const { item, record } = beginningOf(Date.now(), { family: 'others', title: 'Of others' });
    await world.stories.begin(item, record, 1e9);
    const storyId = await world.whole();

    const first = await get(below(await world.link(storyId), 'book'));
    const [, older = ''] = /href="(book\?[^"]+before=[^"]+)"/.exec(first.text) ?? [];
    const second = await get(new URL(older.replaceAll('&amp;', '&'), below(await world.link(storyId), 'book')).href);

    expect(first.status).toBe(200);
    expect(first.text.match(/<li>/g)).toHaveLength(30);
    expect(second.text.match(/<li>/g)).toHaveLength(6);
    expect(first.text).toContain('Tuesday, 4 February 2025');
    expect(first.text.match(/turned down/g)).toHaveLength(1);
    for (const hidden of ['Of others', '0.0425', 'violence']) expect(first.text + second.text).not.toContain(hidden);
  });

  it('leads to the story of its link alone, and users to all that can be read', async () => {
    const record = { title: 'T' };
    const [mine, other] = [await world.whole(ENGLISH, record), await world.whole(ENGLISH, record)];
    const links = (text: string) =>
      [...text.matchAll(/href="\.\.\/([^"?]+)/g)].map(([, night]) => `${FAMILY}/${night}`);

    const byLink = await get(below(await world.link(mine), 'book'));
    const byUser = await get(`${world.url}/stories/${mine}/book`);

    expect(links(byLink.text).filter((one) => one.includes('/20'))).toEqual([mine]);
    expect(links(byUser.text)).toEqual(expect.arrayContaining([mine, other]));
  });
});

describe('a token', () => {
  it('is never written into the log, whatever fails', async () => {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString());
        done();
      },
    });
    await using logged = await openStoryWorld({ log: pino({ level: 'trace' }, stream) });
    const storyId = await logged.whole();
    const link = await logged.link(storyId);
    const { store } = { store: logged.stories as { get: unknown } };
    await get(link);
    store.get = () => Promise.reject(new Error('the table is away'));

    const page = await get(link);

    expect(page.status).toBe(500);
    expect(lines.join('')).toContain('a request failed');
    expect(lines.join('')).not.toContain(new URL(link).searchParams.get('t'));
    expect(lines.join('')).not.toContain('/stories/otters');
    expect(page.text).not.toContain(new URL(link).searchParams.get('t'));
  });
});
