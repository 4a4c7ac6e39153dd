/** EPUBs of stories are valid by EPUBCheck, whatever they have and whatever their text tries. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { EpubCheck } from '../../infra/local/tools/epubcheck.ts';
import { silent, tools } from '../../infra/local/tools/index.ts';
import { type EpubInput, epubOf } from '../../lib/story/epub.ts';
import {
  ARABIC,
  ENGLISH,
  GERMAN,
  HEBREW,
  HOSTILE,
  MOON_SVG,
  moonPng,
  PIXEL_WEBP,
  type Written,
} from '../support/stories.ts';
import { soundFor } from '../support/story-sound.ts';

let check: EpubCheck;
beforeAll(async () => {
  check = await tools.epubcheck(silent);
}, 300_000);

const textOf = (written: Written): EpubInput => ({
  storyId: 'family/2026-11-26',
  changedAt: '2026-11-26T19:16:00.000Z',
  ...written,
});
const picture = (bytes: Uint8Array, mediaType: string) => ({ bytes, mediaType, alt: 'A "moon" over <a hill>' });
const spoken = async ({ title, paragraphs }: Written) => ({
  mediaType: 'audio/mpeg',
  ...(await soundFor(title, paragraphs)),
});

/** Everything it finds, but for tips and figures. */
async function findings(input: EpubInput) {
  const found = await check(epubOf(input));
  return found.filter(({ severity }) => severity !== 'INFO' && severity !== 'USAGE');
}

describe('EPUBCheck', () => {
  it.each([
    ['picture, sound and marks', true, true],
    ['no sound', true, false],
    ['no picture', false, true],
    ['text alone', false, false],
  ])('finds nothing in a story with %s', async (_, withPicture, withSound) => {
    const input = {
      ...textOf(ENGLISH),
      ...(withPicture && { picture: picture(moonPng(64), 'image/png') }),
      ...(withSound && { sound: await spoken(ENGLISH) }),
    };

    expect(await findings(input)).toEqual([]);
  });

  it('finds nothing where there is a sound without marks', async () => {
    const { marks: _, ...sound } = await spoken(ENGLISH);

    expect(await findings({ ...textOf(ENGLISH), sound })).toEqual([]);
  });

  it.each([
    ['German', GERMAN],
    ['Arabic', ARABIC],
    ['Hebrew', HEBREW],
    ['a text of tags, controls, turned text and emoji', HOSTILE],
  ])('finds nothing in %s', async (_, written) => {
    const input = {
      ...textOf(written),
      picture: picture(Buffer.from(MOON_SVG), 'image/svg+xml'),
      sound: await spoken(written),
    };

    expect(await findings(input)).toEqual([]);
  });

  it('finds nothing with a WebP picture, no title, an odd language, and marks that are wrong', async () => {
    const sound = await spoken(ENGLISH);
    const [first] = sound.marks.words;
    if (!first) throw new Error('there are no marks');
    const wrong = [
      { ...first, start: -5 },
      { ...first, from: 5, to: 5_000 },
      { ...first, paragraph: 99 },
      { ...first, start: Number.NaN },
      { ...first, start: 9e9, end: 9e9, paragraph: 4 },
    ];
    const marks = { ...sound.marks, words: [...sound.marks.words, ...sound.marks.words, ...wrong] };
    const input = {
      ...textOf(ENGLISH),
      title: ' \u202e ',
      language: 'no such language!',
      picture: picture(PIXEL_WEBP, 'image/webp'),
      sound: { ...sound, marks },
    };

    expect(await findings(input)).toEqual([]);
  });

  it('would find what is wrong', async () => {
    const broken = { ...textOf(ENGLISH), picture: picture(Buffer.from('no picture'), 'image/png') };

    expect(await findings(broken)).not.toEqual([]);
  });
});
