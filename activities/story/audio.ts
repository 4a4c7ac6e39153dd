/**
 * The story read aloud, with marks of when each word is spoken.
 *
 * @module
 */
import { ApplicationFailure, cancellationSignal, log } from '@temporalio/activity';
import { accessDenied, outcomeOf } from '../../lib/aws-errors.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { digestOf } from '../../lib/digest.ts';
import type { StoryItem } from '../../lib/story/document.ts';
import { placeMarks } from '../../lib/story/marks.ts';
import { joinMp3, millisecondsOf, readMp3 } from '../../lib/story/mp3.ts';
import { type SpeechPart, speechParts } from '../../lib/story/sentences.ts';
import { openSpeech, SPEECH_FORMS, type Speech, type SpeechAnswer, type SpeechForm } from '../../lib/story/speech.ts';
import { openStageCache } from '../../lib/story/stage-cache.ts';
import { findNarrator, UnfitVoiceError } from '../../lib/story/voices.ts';
import { type OfStory, type PartResult, placeOf } from '../../workflows/story/model.ts';
import type { StoryDependencies } from './dependencies.ts';
import { refuse } from './failures.ts';
import { goneMeanwhile, timeOf, type WrittenStory, writtenStory } from './item.ts';

/** Calls beside each other. Polly takes 18 of neural voices; other stories of the same moment want some, too. */
const WIDTH = 8;
/** Which rules made the sound of its parts: other rules, another object. */
const VERSION = 1;

export function createAudioActivities(dependencies: StoryDependencies) {
  const { stories, polly, s3, settings } = dependencies;
  const cache = openStageCache(s3, settings.bucket);

  return {
    /**
     * Each part's sound and marks are kept as they come: a try pays only for what is missing.
     * @throws ApplicationFailure StoryGoneError, InvalidStoryInputError, StoryTextError, StoryRejectedError
     */
    async speakStory({ storyId }: OfStory): Promise<PartResult> {
      const story = await writtenStory(dependencies, storyId);
      if (story.audio.state === 'READY') return { state: 'READY' };
      const abortSignal = cancellationSignal();
      const narrator = await refusing(story, () => findNarrator(polly, story, abortSignal));
      const parts = speechParts(passagesOf(story), story.language);
      const place = placeOf(storyId);
      const speech = openSpeech(polly, cache, { narrator, place, abortSignal });
      const hash = digestOf({
        version: VERSION,
        ...narrator,
        forms: SPEECH_FORMS,
        parts: parts.map(({ text }) => text),
      });
      const spoken = await refusing(story, () => speakAll(dependencies, story, { hash, parts, speech }));

      const sounds = spoken.map(({ sound }) => readMp3(sound.bytes));
      const whole = joinMp3(sounds);
      if (whole.samples === 0)
        throw refuse('StoryTextError', `story ${storyId} has nothing in it that a voice can say`);
      const { marks, dropped } = placeMarks(
        sounds.map((sound, index) => ({
          part: parts[index] as SpeechPart,
          marks: (spoken[index] as Spoken).marks.bytes.toString('utf8'),
          milliseconds: millisecondsOf(sound),
        })),
      );
      if (dropped > 0) log.warn('speech marks do not fit the text', { storyId, dropped, kept: marks.words.length });

      const [key, marksKey] = [`${place}audio-${hash}.mp3`, `${place}marks-${hash}.json`];
      await Promise.all([
        cache.keep(key, whole.bytes, 'audio/mpeg'),
        cache.keep(marksKey, Buffer.from(JSON.stringify(marks)), 'application/json'),
      ]);
      const kept = await stories.keepPart(
        storyId,
        'audio',
        { state: 'READY', key, media_type: 'audio/mpeg', marks_key: marksKey, seconds: marks.seconds },
        timeOf(dependencies),
      );
      if (!kept) throw goneMeanwhile(storyId);
      return { state: 'READY' };
    },
  };
}

const passagesOf = ({ title, paragraphs }: WrittenStory) => [
  { paragraph: -1, text: title },
  ...paragraphs.map((text, paragraph) => ({ paragraph, text })),
];

type Spoken = Record<SpeechForm, SpeechAnswer>;

/**
 * Whatever becomes of it, the record then has what all tries together were billed for.
 * @throws what the first call threw that failed, when none is under way any more
 */
async function speakAll(
  dependencies: StoryDependencies,
  story: StoryItem,
  { hash, parts, speech }: { hash: string; parts: readonly SpeechPart[]; speech: Speech },
): Promise<Spoken[]> {
  const calls = parts.flatMap(({ text }) => (['sound', 'marks'] as const).map((form) => ({ text, form })));
  // All that was paid for before is found first, so that the sum has it also when the next call fails.
  const answers = await mapLimited(calls, WIDTH, ({ text, form }) => speech.find(text, form));
  let failure: { error: unknown } | undefined;
  await mapLimited(calls, WIDTH, async ({ text, form }, index) => {
    if (failure || answers[index]) return;
    try {
      answers[index] = await speech.speak(text, form);
    } catch (error) {
      failure ??= { error };
    }
  });
  await dependencies.stories.keepUsage(story.family, story.night, 'audio', {
    service: 'polly',
    model: story.engine,
    at: timeOf(dependencies),
    hash,
    characters: answers.reduce((sum, answer) => sum + (answer?.characters ?? 0), 0),
  });
  if (failure) throw (failure as { error: unknown }).error;
  return parts.map((_, index) => ({
    sound: answers[2 * index] as SpeechAnswer,
    marks: answers[2 * index + 1] as SpeechAnswer,
  }));
}

/** Only names of Polly's errors are told: what it says may quote the text. */
async function refusing<T>({ family, voice, engine, language }: StoryItem, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const set = `change it with \`longhaul story families set ${family} --voice <voice> --engine <engine> --language <language>\``;
    const asked = `voice ${voice}, engine ${engine}, language ${language}`;
    if (error instanceof UnfitVoiceError) throw refuse('StoryRejectedError', `${error.message}: ${set}`);
    if (error instanceof ApplicationFailure || outcomeOf(error) !== 'refused') throw error;
    throw refuse(
      'StoryRejectedError',
      accessDenied(error)
        ? 'the role of the workers may not speak: allow polly:SynthesizeSpeech and polly:DescribeVoices'
        : `Polly refuses to speak with ${asked} (${(error as Error).name}): ${set}`,
    );
  }
}
