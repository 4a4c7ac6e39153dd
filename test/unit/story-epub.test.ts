/** EPUBs of stories: what is in them, in which order, and when the sound goes with which word. EPUBCheck has its own file. */
import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { type EpubInput, epubOf } from '../../lib/story/epub.ts';
import { clipsOf, clock, followable } from '../../lib/story/smil.ts';
import { ENGLISH, HEBREW, moonPng } from '../support/stories.ts';
import { soundFor } from '../support/story-sound.ts';

const base: EpubInput = { storyId: 'otters/2026-01-01', changedAt: '2026-01-01T19:16:02.123Z', ...ENGLISH };
const full = async (): Promise<EpubInput> => ({
  ...base,
  picture: { bytes: moonPng(16), mediaType: 'image/png', alt: 'A moon' },
  sound: { mediaType: 'audio/mpeg', ...(await soundFor(ENGLISH.title, ENGLISH.paragraphs)) },
});
const filesOf = (input: EpubInput) => {
  const files = unzipSync(epubOf(input));
  return { names: Object.keys(files), text: (name: string) => new TextDecoder().decode(files[`EPUB/${name}`]), files };
};

describe('an EPUB', () => {
  it('says by its first bytes what it is', async () => {
    const bytes = Buffer.from(epubOf(await full()));

    // Name and content of the first entry, as they are, where the specification of OCF wants them.
    expect(bytes.subarray(0, 4)).toEqual(Buffer.from('PK\u0003\u0004'));
    expect(bytes.subarray(30, 58).toString()).toBe('mimetypeapplication/epub+zip');
  });

  it('is the same bytes for the same story, in any time zone', async () => {
    const before = process.env.TZ;
    const input = await full();
    const epubs = ['UTC', 'Pacific/Kiritimati', 'America/St_Johns'].map((zone) => {
      process.env.TZ = zone;
      return Buffer.from(epubOf(input)).toString('base64');
    });
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;

    expect(new Set(epubs).size).toBe(1);
  });

  it('has what there is, and nothing that says where it comes from', async () => {
    const { names, files } = filesOf(await full());

    expect(names.sort()).toEqual([
      'EPUB/contents.xhtml',
      'EPUB/cover.png',
      'EPUB/package.opf',
      'EPUB/story.mp3',
      'EPUB/story.smil',
      'EPUB/story.xhtml',
      'EPUB/style.css',
      'META-INF/container.xml',
      'mimetype',
    ]);
    const all = Object.values(files)
      .map((bytes) => Buffer.from(bytes).toString('latin1'))
      .join('');
    expect(all).not.toContain('otters');
    expect(filesOf(base).names).toHaveLength(6);
  });

  it('tells when it was changed, how long it sounds, and which way it is read', async () => {
    const opf = filesOf({ ...(await full()), language: HEBREW.language }).text('package.opf');

    expect(opf).toContain('<meta property="dcterms:modified">2026-01-01T19:16:02Z</meta>');
    expect(opf).toContain('<spine page-progression-direction="rtl">');
    const { seconds } = (await full()).sound?.marks ?? { seconds: Number.NaN };
    expect(opf.match(new RegExp(`>${clock(seconds * 1000)}<`, 'g'))).toHaveLength(2);
  });

  it('has a part of the sound for every word, one after the other, from its begin to its end', async () => {
    const input = await full();
    const { text } = filesOf(input);
    const ids = [...text('story.xhtml').matchAll(/<span id="(w\d+)">/g)].map(([, id]) => id);
    const clips = [
      ...text('story.smil').matchAll(/#(w\d+)"\/><audio src="story.mp3" clipBegin="([\d:.]+)" clipEnd="([\d:.]+)"/g),
    ];

    expect(clips.map(([, id]) => id)).toEqual(ids);
    expect(clips[0]?.[2]).toBe('0:00:00.000');
    expect(clips.slice(1).map(([, , begin]) => begin)).toEqual(clips.slice(0, -1).map(([, , , end]) => end));
    expect(clips.at(-1)?.[3]).toBe(clock((input.sound?.marks?.seconds ?? 0) * 1000));
  });

  it('is well-formed whatever its text is, and has all of it that XML can have', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (title, paragraph) => {
        const { text } = filesOf({ ...base, title, paragraphs: [paragraph, ']]> <b> & "'] });
        for (const name of ['package.opf', 'story.xhtml', 'contents.xhtml'])
          expect(XMLValidator.validate(text(name))).toBe(true);
        const page = new XMLParser({ ignoreAttributes: false }).parse(text('story.xhtml')) as {
          html: { body: { section: { p: { '#text': string }[] } } };
        };
        expect(page.html.body.section.p[1]?.['#text']).toBe(']]> <b> & "');
      }),
      { numRuns: 50 },
    );
  });
});

describe('the overlay', () => {
  it('writes times as SMIL does', () => {
    expect([0, 12, 61_005, 3_723_004.4].map(clock)).toEqual([
      '0:00:00.000',
      '0:00:00.012',
      '0:01:01.005',
      '1:02:03.004',
    ]);
  });

  it('has no empty part, none past the sound, and leaves nothing out', () => {
    const mark = fc.record({
      start: fc.double({ min: 0, max: 5_000, noNaN: true }),
      end: fc.constant(0),
      paragraph: fc.constant(0),
      from: fc.constant(0),
      to: fc.constant(1),
    });
    fc.assert(
      fc.property(fc.array(mark, { minLength: 1 }), (marks) => {
        const words = followable(
          marks.sort((one, other) => one.start - other.start),
          4,
        );
        const clips = clipsOf(words, 4);
        for (const { begin, end } of clips) expect(end).toBeGreaterThan(begin);
        if (clips.length > 0) expect([clips[0]?.begin, clips.at(-1)?.end]).toEqual([0, 4_000]);
      }),
    );
  });
});
