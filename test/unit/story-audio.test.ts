/** A story is spoken in parts that play as one, with every word marked, and paid for once. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SpeechMarks } from '../../lib/story/document.ts';
import { millisecondsOf, readMp3 } from '../../lib/story/mp3.ts';
import { speechParts } from '../../lib/story/sentences.ts';
import { openStoryVoice, type StoryVoice } from '../support/story-voice.ts';
import { soundOf, toneTimes } from '../support/tone-polly.ts';

let voice: StoryVoice;
beforeAll(async () => {
  voice = await openStoryVoice();
});
afterAll(() => voice.close());
beforeEach(() => voice.begin());

const LONG = Array.from(
  { length: 9 },
  (_, verse) =>
    `${'The owl — “hoo” – saw señor Fuchs in the 7th tree, 😀 and sang of the moon. '.repeat(4)}So ended verse ${verse}.`,
);
const readMarks = async () =>
  JSON.parse((await voice.bytes(voice.story.item?.audio.marks_key ?? '')).toString('utf8')) as SpeechMarks;

describe('speakStory', () => {
  it('keeps sound and marks, tells the item where, and the record what was billed', async () => {
    const result = await voice.speak();

    expect(result).toEqual({ state: 'READY' });
    const { audio } = voice.story.item ?? {};
    expect(audio).toEqual({
      state: 'READY',
      at: '2026-11-26T18:15:00.000Z',
      key: expect.stringMatching(new RegExp(`^stories/${voice.storyId}/audio-[0-9a-f]{32}\\.mp3$`)),
      media_type: 'audio/mpeg',
      marks_key: expect.stringMatching(new RegExp(`^stories/${voice.storyId}/marks-[0-9a-f]{32}\\.json$`)),
      seconds: expect.any(Number),
    });
    const sound = readMp3(await voice.bytes(audio?.key ?? ''));
    expect(sound).toMatchObject({ sampleRate: 24_000, channels: 1 });
    expect(audio?.seconds).toBeCloseTo(millisecondsOf(sound) / 1000, 3);
    expect(voice.story.kept.usage.audio).toEqual({
      service: 'polly',
      model: 'neural',
      at: '2026-11-26T18:15:00.000Z',
      hash: expect.stringMatching(/^[0-9a-f]{32}$/),
      characters: voice.polly.billed,
    });
    const read = `${voice.story.item?.title}\n\n${voice.story.item?.paragraphs?.join('\n\n')}`;
    expect(voice.polly.billed).toBe(2 * Array.from(read).length);
  });

  it('joins parts so that they play for the sum of their times, and marks lie within the words as they sound', async () => {
    voice.begin({ paragraphs: LONG });
    await voice.speak();

    const read = [voice.story.item?.title ?? '', ...LONG];
    const parts = speechParts(
      read.map((text, index) => ({ paragraph: index - 1, text })),
      'en-GB',
    );
    expect(parts.length).toBeGreaterThan(2);
    const marks = await readMarks();
    const words = [...marks.words];
    let samples = 0;
    for (const { text } of parts) {
      const begin = millisecondsOf({ samples, sampleRate: 24_000, channels: 1, bytes: Buffer.alloc(0) });
      for (const { word, time, ms } of toneTimes(text).words) {
        const { start = 0, end = 0, paragraph = 0, from, to } = words.shift() ?? {};
        expect(read[paragraph + 1]?.slice(from, to)).toBe(word);
        expect(Math.abs(start - (begin + time))).toBeLessThanOrEqual(0.5);
        // Lit as long as it sounds, and until the next one at most.
        expect(end).toBeGreaterThanOrEqual(start + ms);
        expect(end).toBeLessThanOrEqual(words[0]?.start ?? marks.seconds * 1000);
      }
      samples += readMp3(await soundOf(text)).samples;
    }
    expect(words).toEqual([]);
    expect(readMp3(await voice.bytes(voice.story.item?.audio.key ?? '')).samples).toBe(samples);
    expect(marks).toMatchObject({ version: 1, seconds: samples / 24_000 });
    expect(voice.story.item?.audio.seconds).toBe(marks.seconds);
  });

  it('changes nothing and asks for nothing when it runs again', async () => {
    await voice.speak();
    const before = voice.standIns.kit.calls.lastSeq;

    expect(await voice.speak()).toEqual({ state: 'READY' });
    expect(voice.standIns.kit.calls.list({ afterSeq: before })).toEqual([]);
  });

  it('pays for what is missing only, when one of many calls has failed, and knows the whole bill', async () => {
    voice.begin({ paragraphs: LONG });
    voice.standIns.kit.faults.set([
      { service: 'polly', operation: 'SynthesizeSpeech', nth: 4, effect: 'error', status: 500 },
    ]);

    await expect(voice.speak()).rejects.toMatchObject({ name: 'InternalFailure' });
    expect(voice.story.kept.usage.audio?.characters).toBe(voice.polly.billed);
    expect(voice.story.item?.audio.state).toBe('PENDING');
    const paid = voice.polly.requests.map(({ form, text }) => `${form} ${text}`);
    expect(paid.length).toBeGreaterThan(3);

    await voice.speak();

    const all = voice.polly.requests.map(({ form, text }) => `${form} ${text}`);
    expect(new Set(all).size).toBe(all.length);
    expect(voice.story.kept.usage.audio?.characters).toBe(voice.polly.billed);
    expect(voice.story.item?.audio.state).toBe('READY');
  });

  it('pays nothing again when it died before it could tell the item', async () => {
    voice.story.before = (what) => {
      if (what === 'audio READY') throw new Error('DynamoDB is away');
    };
    await expect(voice.speak()).rejects.toThrow('DynamoDB is away');
    const { billed } = voice.polly;
    voice.story.before = () => {};

    expect(await voice.speak()).toEqual({ state: 'READY' });
    expect(voice.polly.billed).toBe(billed);
    expect(voice.story.kept.usage.audio?.characters).toBe(billed);
  });

  it('asks for new sound for a new text, voice or engine only', async () => {
    const keys = new Set<string>();
    for (const change of [{}, { title: 'The Owl' }, { voice: 'Joanna' }, { engine: 'standard' as const }]) {
      voice.begin(change);
      await voice.speak();
      keys.add(voice.story.item?.audio.key?.split('/').at(-1) ?? '');
    }
    expect(keys.size).toBe(4);
  });

  it('tells a voice of two languages which one, and others none', async () => {
    voice.begin({ voice: 'Kajal', language: 'hi' });
    await voice.speak();
    expect(voice.polly.requests[0]).toMatchObject({ voice: 'Kajal', language: 'hi-IN' });

    voice.begin({ voice: 'Zeina', language: 'ar', engine: 'standard' });
    await voice.speak();
    expect(voice.polly.requests[0]).not.toHaveProperty('language');
  });

  it.each([
    [
      { voice: 'Vicki' },
      'the voice Vicki speaks de-DE, not en-GB; voices of en-GB with the engine neural: Amy, Joanna, Kajal',
    ],
    [{ engine: 'long-form' as const }, 'the voice Amy has the engines neural, standard, not long-form'],
    [{ voice: 'Hal' }, 'Polly has no voice Hal in this Region'],
    [{ language: 'fi-FI' }, 'Polly has no voice of fi-FI with the engine neural in this Region'],
    [{ language: 'en_GB!' }, 'en_GB! is no language tag'],
  ])('refuses %j before it pays, and names the command that mends it', async (change, message) => {
    voice.begin(change);

    const failure = voice.speak();

    await expect(failure).rejects.toMatchObject({ type: 'StoryRejectedError', nonRetryable: true });
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow('`longhaul story families set moon --voice');
    expect(voice.polly.requests).toEqual([]);
  });

  it.each([
    'TextLengthExceededException',
    'InvalidSsmlException',
    'EngineNotSupportedException',
    'LanguageNotSupportedException',
    'ValidationException',
  ])('gives up on %s without quoting what Polly says', async (code) => {
    voice.standIns.kit.faults.set([
      { service: 'polly', operation: 'SynthesizeSpeech', effect: 'error', status: 400, code },
    ]);

    const failure = voice.speak();

    await expect(failure).rejects.toMatchObject({ type: 'StoryRejectedError', nonRetryable: true });
    await expect(failure).rejects.toThrow(
      `voice Amy, engine neural, language en-GB (${code}): change it with \`longhaul story families set moon`,
    );
  });

  it('says which calls a role must be allowed', async () => {
    voice.standIns.kit.faults.set([
      { service: 'polly', operation: 'DescribeVoices', effect: 'error', status: 403, code: 'AccessDeniedException' },
    ]);

    await expect(voice.speak()).rejects.toThrow(/allow polly:SynthesizeSpeech and polly:DescribeVoices/);
  });

  it.each([
    { effect: 'throttle' as const },
    { effect: 'reset' as const },
    { effect: 'error' as const, status: 503, code: 'ServiceFailureException' },
    { effect: 'error' as const, status: 403, code: 'ExpiredTokenException' },
  ])('is tried again after $effect $code', async (fault) => {
    voice.standIns.kit.faults.set([{ service: 'polly', operation: 'SynthesizeSpeech', ...fault }]);

    await expect(voice.speak()).rejects.not.toHaveProperty('nonRetryable', true);
    expect(await voice.speak()).toEqual({ state: 'READY' });
  });

  it('drops marks that are wrong, and speaks all the same', async () => {
    voice.polly.marks = (lines) => ['{"time":0,"type":"word","start":0,"end":2,"value":"x"}', 'rubbish', ...lines];

    await voice.speak();

    const { words } = await readMarks();
    const spoken = voice.polly.requests.find(({ form }) => form === 'mp3')?.text ?? '';
    expect(words).toHaveLength(toneTimes(spoken).words.length);
  });

  it('does not keep an answer without sound: the next try asks again', async () => {
    voice.polly.sound = () => Buffer.from('no sound');
    await expect(voice.speak()).rejects.toThrow('no sound');
    voice.polly.sound = (bytes) => bytes;

    expect(await voice.speak()).toEqual({ state: 'READY' });
  });

  it('says that there is nothing to say', async () => {
    voice.begin({ title: '…', paragraphs: ['—', ''] });
    voice.polly.sound = () => Buffer.alloc(0);

    await expect(voice.speak()).rejects.toMatchObject({ type: 'StoryTextError' });
  });

  it('stops asking when the story is cancelled, and tells what was paid for', async () => {
    voice.begin({ paragraphs: LONG.concat(LONG, LONG) });
    const environment = new MockActivityEnvironment();
    const { sound } = voice.polly;
    voice.polly.sound = (bytes) => {
      environment.cancel('CANCELLED');
      return sound(bytes);
    };

    await expect(voice.speak(environment)).rejects.toThrow();

    expect(voice.polly.requests.length).toBeLessThan(12);
    expect(voice.story.item?.audio.state).toBe('PENDING');
    expect(voice.story.kept.usage.audio).toBeDefined();
  });

  it('makes nothing of a story that is gone, has ended or has no text', async () => {
    for (const [change, type] of [
      [{ expires_at: 1 }, 'StoryGoneError'],
      [{ status: 'CANCELLED' as const }, 'StoryGoneError'],
      [{ paragraphs: undefined as never }, 'InvalidStoryInputError'],
    ] as const) {
      voice.begin(change);
      await expect(voice.speak()).rejects.toMatchObject({ type, nonRetryable: true });
    }
    voice.begin();
    voice.story.item = undefined;
    await expect(voice.speak()).rejects.toMatchObject({ type: 'StoryGoneError' });
    expect(voice.polly.requests).toEqual([]);
  });

  it('says so when the story goes while it is spoken', async () => {
    voice.polly.sound = (bytes) => {
      voice.story.item = undefined;
      return bytes;
    };
    await expect(voice.speak()).rejects.toMatchObject({ type: 'StoryGoneError' });
  });

  it('speaks a story of fifty thousand characters', async () => {
    voice.begin({
      paragraphs: Array.from({ length: 100 }, (_, index) => `${'The moon was up. '.repeat(29)}Verse ${index}.`),
    });
    voice.polly.tempo = 20;

    await voice.speak();

    const { words } = await readMarks();
    expect(words.length).toBeGreaterThan(8_500);
    expect(words.at(-1)).toMatchObject({ paragraph: 99 });
    expect(Math.max(...voice.polly.requests.map(({ text }) => text.length))).toBeLessThanOrEqual(1_000);
  });
});
