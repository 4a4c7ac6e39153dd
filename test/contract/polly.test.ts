import {
  DescribeVoicesCommand,
  PollyClient,
  SynthesizeSpeechCommand,
  type SynthesizeSpeechCommandInput,
  type VoiceId,
} from '@aws-sdk/client-polly';
import CodecParser, { type CodecFrame, type MimeType, type OggPage } from 'codec-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

let target: Target;
let polly: PollyClient;

beforeAll(async () => {
  target = await openTarget();
  polly = new PollyClient(target.client);
}, 300_000);
afterAll(async () => {
  polly.destroy();
  await target.close();
});

const TEXT = 'The fox ran home. “Größe”, cried the owl, who couldn’t sleep.';
const base = { VoiceId: 'Amy', Engine: 'standard', Text: TEXT } as const;

async function speak(input: Partial<SynthesizeSpeechCommandInput> = {}) {
  const spoken = await polly.send(new SynthesizeSpeechCommand({ ...base, OutputFormat: 'mp3', ...input }));
  return { ...spoken, bytes: Buffer.from((await spoken.AudioStream?.transformToByteArray()) ?? []) };
}

interface Mark {
  time: number;
  type: string;
  start: number;
  end: number;
  value: string;
}

async function marksOf(input: Partial<SynthesizeSpeechCommandInput> = {}): Promise<Mark[]> {
  const { bytes } = await speak({ OutputFormat: 'json', SpeechMarkTypes: ['sentence', 'word'], ...input });
  const lines = bytes.toString('utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Mark);
}

function framesOf(bytes: Buffer, type: MimeType): CodecFrame[] {
  const parsed = new CodecParser(type).parseAll(bytes) as (CodecFrame | OggPage)[];
  return parsed.flatMap((one) => ('codecFrames' in one ? (one.codecFrames ?? []) : [one as CodecFrame]));
}

const secondsOf = (frames: readonly CodecFrame[]) => frames.reduce((sum, frame) => sum + frame.duration, 0) / 1000;

describe('speech', () => {
  it('is MPEG-2 layer III, one channel, at the usual rate of the engine', async () => {
    const standard = await speak();
    const neural = await speak({ Engine: 'neural' });

    expect(standard).toMatchObject({ ContentType: 'audio/mpeg', RequestCharacters: [...TEXT].length });
    const [first] = framesOf(standard.bytes, 'audio/mpeg');
    expect(first?.header).toMatchObject({ layer: 'Layer III', channels: 1, sampleRate: 22_050 });
    expect(framesOf(neural.bytes, 'audio/mpeg')[0]?.header).toMatchObject({ channels: 1, sampleRate: 24_000 });
  });

  it.each(['8000', '16000', '22050', '24000'])('is had at %s samples a second', async (SampleRate) => {
    const { bytes } = await speak({ SampleRate });
    const frames = framesOf(bytes, 'audio/mpeg');

    expect(frames[0]?.header.sampleRate).toBe(Number(SampleRate));
    expect(secondsOf(frames)).toBeGreaterThan(2);
  });

  it('is as long in every format', async () => {
    const pcm = await speak({ OutputFormat: 'pcm' });
    const mp3 = await speak();
    const ogg = await speak({ OutputFormat: 'ogg_vorbis' });

    const seconds = pcm.bytes.length / 2 / 16_000;
    expect([pcm.ContentType, ogg.ContentType]).toEqual(['audio/pcm', 'audio/ogg']);
    expect(Math.abs(secondsOf(framesOf(mp3.bytes, 'audio/mpeg')) - seconds)).toBeLessThan(0.2);
    expect(ogg.bytes.subarray(0, 4).toString()).toBe('OggS');
    expect(Math.abs(secondsOf(framesOf(ogg.bytes, 'application/ogg')) - seconds)).toBeLessThan(0.2);
  });

  it('is slower to say the more there is to say, and another voice says it another way', async () => {
    const once = await speak({ OutputFormat: 'pcm' });
    const twice = await speak({ OutputFormat: 'pcm', Text: `${TEXT} ${TEXT}` });
    const other = await speak({ OutputFormat: 'pcm', VoiceId: 'Brian' });

    expect(twice.bytes.length).toBeGreaterThan(once.bytes.length * 1.8);
    expect(other.bytes.equals(once.bytes)).toBe(false);
  });

  it('takes no tags for words, and does not bill them', async () => {
    const Text = '<speak>Fish &amp; chips</speak>';
    const words = await marksOf({ Text, TextType: 'ssml', SpeechMarkTypes: ['word'] });
    const { RequestCharacters } = await speak({ Text, TextType: 'ssml' });

    expect(words.at(0)).toMatchObject({ start: 7, end: 11, value: 'Fish' });
    expect(words.at(-1)).toMatchObject({ start: 18, end: 23, value: 'chips' });
    expect(RequestCharacters).toBe('Fish & chips'.length);
  });
});

describe('speech marks', () => {
  it('are lines of JSON in order of time, with places in bytes', async () => {
    const { ContentType } = await speak({ OutputFormat: 'json', SpeechMarkTypes: ['word'] });
    const marks = await marksOf();
    const bytes = Buffer.from(TEXT);

    expect(ContentType).toBe('application/x-json-stream');
    expect(marks.filter(({ type }) => type === 'sentence')).toHaveLength(2);
    expect(marks[0]).toMatchObject({ type: 'sentence', start: 0, end: 17, value: 'The fox ran home.' });
    expect(marks.filter(({ type }) => type === 'word').map(({ value }) => value)).toEqual(
      'The fox ran home Größe cried the owl who couldn’t sleep'.split(' '),
    );
    for (const { start, end, value } of marks) expect(bytes.subarray(start, end).toString()).toBe(value);
    expect(marks.map(({ time }) => time)).toEqual(marks.map(({ time }) => time).toSorted((a, b) => a - b));
  });

  it('are only of the types that are asked for', async () => {
    expect(new Set((await marksOf({ SpeechMarkTypes: ['sentence'] })).map(({ type }) => type))).toEqual(
      new Set(['sentence']),
    );
  });

  it('are the same every time', async () => {
    expect(await marksOf()).toEqual(await marksOf());
  });

  it('stand where the voice begins to speak after a pause', async () => {
    const Text = 'Good morning. Good evening. Good night.';
    const sentences = await marksOf({ Text, SpeechMarkTypes: ['sentence'] });
    const { bytes } = await speak({ Text, OutputFormat: 'pcm' });
    const loudness = (fromMs: number, toMs: number) => {
      const samples = Array.from({ length: Math.floor((toMs - fromMs) * 16) }, (_, index) =>
        bytes.readInt16LE((Math.floor(fromMs * 16) + index) * 2),
      );
      return Math.sqrt(samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length);
    };

    expect(sentences).toHaveLength(3);
    for (const { time } of sentences.slice(1)) {
      expect(loudness(time - 90, time - 30)).toBeLessThan(loudness(time + 20, time + 220) / 10);
    }
  });
});

describe('what Polly refuses', () => {
  it.each<[string, Partial<SynthesizeSpeechCommandInput>, string]>([
    ['more than 3,000 billed characters', { Text: 'a '.repeat(1501) }, 'TextLengthExceededException'],
    [
      'more than 6,000 characters with tags',
      { Text: `<speak>${'<p>a</p>'.repeat(800)}</speak>`, TextType: 'ssml' },
      'TextLengthExceededException',
    ],
    ['a rate that is none of its own', { SampleRate: '11025' }, 'InvalidSampleRateException'],
    ['a rate that PCM has not', { OutputFormat: 'pcm', SampleRate: '24000' }, 'InvalidSampleRateException'],
    ['an engine the voice has not', { VoiceId: 'Ruth', Engine: 'standard' }, 'ValidationException'],
    ['the standard engine where none is named', { VoiceId: 'Ruth', Engine: undefined }, 'ValidationException'],
    ['a voice nobody has', { VoiceId: 'Nobody' as VoiceId }, 'ValidationException'],
    ['marks beside audio', { SpeechMarkTypes: ['word'] }, 'MarksNotSupportedForFormatException'],
    [
      'SSML marks of plain text',
      { OutputFormat: 'json', SpeechMarkTypes: ['ssml'] },
      'SsmlMarksNotSupportedForTextTypeException',
    ],
    ['SSML that is not closed', { Text: '<speak>Hello', TextType: 'ssml' }, 'InvalidSsmlException'],
    ['SSML without its root', { Text: 'Hello', TextType: 'ssml' }, 'InvalidSsmlException'],
    ['a lexicon nobody has put', { LexiconNames: ['nobodysWords'] }, 'LexiconNotFoundException'],
  ])('is %s', async (_, input, name) => {
    await expect(speak(input)).rejects.toMatchObject({ name });
  });

  it('is said in its own words', async () => {
    await expect(speak({ VoiceId: 'Ruth' })).rejects.toMatchObject({
      message: 'This voice does not support the selected engine: standard',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(speak({ VoiceId: 'Nobody' as VoiceId })).rejects.toThrow(
      "1 validation error detected: Value 'Nobody' at 'voiceId' failed to satisfy constraint: Member must satisfy enum value set",
    );
  });
});

describe('voices', () => {
  it('are told with their engines and language', async () => {
    const { Voices = [] } = await polly.send(new DescribeVoicesCommand({}));

    expect(Voices.find(({ Id }) => Id === 'Lea')).toMatchObject({
      Gender: 'Female',
      LanguageCode: 'fr-FR',
      LanguageName: 'French',
      Name: 'Léa',
      SupportedEngines: expect.arrayContaining(['neural', 'standard']),
    });
  });

  it('are found by language and engine', async () => {
    const { Voices = [] } = await polly.send(new DescribeVoicesCommand({ LanguageCode: 'en-GB', Engine: 'neural' }));
    const ids = Voices.map(({ Id }) => Id);

    expect(ids).toEqual(expect.arrayContaining(['Amy', 'Brian', 'Emma']));
    expect(new Set(Voices.map(({ LanguageCode }) => LanguageCode))).toEqual(new Set(['en-GB']));
  });
});

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  it('speaks with every voice it tells of, by every engine of it', async () => {
    const { Voices = [] } = await polly.send(new DescribeVoicesCommand({}));
    const spoken = [];
    for (const { Id, SupportedEngines = [] } of Voices) {
      for (const Engine of SupportedEngines) {
        target.local?.kit.clock.advance(1_000);
        const { bytes } = await speak({ VoiceId: Id, Engine, Text: 'Moon.', OutputFormat: 'pcm' });
        spoken.push(bytes.length > 4_000);
      }
    }

    expect(spoken.length).toBeGreaterThan(40);
    expect(spoken).not.toContain(false);
  });

  it('throttles neural voices after a burst of ten, and standard ones much later', async () => {
    const impatient = new PollyClient({ ...target.client, maxAttempts: 1 });
    const ask = (Engine: 'neural' | 'standard') => () =>
      impatient.send(new SynthesizeSpeechCommand({ ...base, Engine, Text: 'Hush.', OutputFormat: 'pcm' }));
    target.local?.kit.clock.advance(10_000);

    const answers = await Promise.allSettled(Array.from({ length: 40 }, ask('neural')));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    const others = await Promise.allSettled(Array.from({ length: 40 }, ask('standard')));
    target.local?.kit.clock.advance(1_000);

    expect(refused.length).toBeGreaterThan(10);
    expect(refused.length).toBeLessThanOrEqual(30);
    expect(refused[0]).toMatchObject({ name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
    expect(others.map(({ status }) => status)).not.toContain('rejected');
    await expect(ask('neural')()).resolves.toHaveProperty('AudioStream');
    impatient.destroy();
  });

  it('is asked again by the SDK when an answer is lost', async () => {
    target.local?.kit.faults.set([
      { service: 'polly', operation: 'SynthesizeSpeech', effect: 'reset', when: 'after' },
      { service: 'polly', operation: 'SynthesizeSpeech', effect: 'throttle', nth: 2 },
    ]);
    const after = target.local?.kit.calls.lastSeq ?? 0;

    await expect(speak()).resolves.toHaveProperty('RequestCharacters', [...TEXT].length);

    const calls = target.local?.kit.calls.list({ service: 'polly', afterSeq: after }) ?? [];
    expect(calls.map(({ status, subject }) => `${status} ${subject}`)).toEqual([
      '0 Amy/mp3',
      '400 Amy/mp3',
      '200 Amy/mp3',
    ]);
  });

  it('speaks what is hostile, and goes on', async () => {
    const Text = '\u0000[[fI:]] <b>\u202Ebold</b> \u{1F98A}\u200D \uD800 %s $(rm -rf /) \u001B[31m ' + 'ß'.repeat(500);

    expect((await speak({ Text })).bytes.length).toBeGreaterThan(1_000);
    expect((await marksOf()).length).toBeGreaterThan(5);
  });

  it.each<[string, Partial<SynthesizeSpeechCommandInput>, string]>([
    ['tags it does not know', { Text: '<speak><prosody rate="slow">Hi</prosody></speak>', TextType: 'ssml' }, 'SSML'],
    ['visemes', { OutputFormat: 'json', SpeechMarkTypes: ['viseme'] }, 'this stand-in'],
    ['Opus', { OutputFormat: 'ogg_opus' }, 'this stand-in'],
    ['marks without saying which', { OutputFormat: 'json' }, 'SpeechMarkTypes'],
    ['a language the voice does not speak', { LanguageCode: 'de-DE' }, 'not currently supported'],
  ])('refuses %s', async (_, input, words) => {
    await expect(speak(input)).rejects.toThrow(words);
  });
});
