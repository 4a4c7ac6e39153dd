/**
 * The page while it is open: the story as it changes, its sound, its words.
 *
 * @module
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { plainText } from '../../../lib/story/characters.ts';
import type { ReadableStory, SpeechMarks, WordMark } from '../../../lib/story/document.ts';
import { spokenWords } from '../../../lib/story/words.ts';
import type { PageData } from '../view/data.ts';
import { Story } from '../view/story.tsx';
import { wordsFor } from '../view/words.ts';
import { addressOf, StoryFeed } from './feed.ts';
import { forgetOld } from './place.ts';
import { loadPicture, usePicture } from './use-picture.ts';
import { useSound } from './use-sound.ts';

const NO_WORDS: readonly WordMark[] = [];

export function App({ data }: { data: PageData }): JSX.Element {
  const [story, setStory] = useState(data.story);
  const [pictureSize, setPictureSize] = useState(data.pictureSize);
  const [percent, setPercent] = useState<number | undefined>(undefined);
  const [news, setNews] = useState('');
  const [gone, setGone] = useState(false);
  const [here, setHere] = useState(false);
  const feed = useRef<StoryFeed | undefined>(undefined);
  const shown = useRef(data.story);
  const picture = usePicture(story.image.url);

  const show = async (read: ReadableStory) => {
    const before = shown.current;
    const { url } = before.audio;
    const kept = url !== undefined && read.audio.url !== undefined && url !== read.audio.url && !sound.hold();
    const next = kept ? { ...read, audio: { ...read.audio, url } } : read;
    shown.current = next;
    const isNew = next.image.url !== undefined && next.image.url !== before.image.url;
    if (isNew && before.paragraphs.length > 0) {
      const size = await loadPicture(next.image.url as string);
      // Something newer has been read meanwhile.
      if (shown.current !== next) return;
      if (size) setPictureSize(size);
      if (before.image.url === undefined) picture.hold();
    }
    setNews((said) => newsOf(before, next) || said);
    setStory(next);
  };

  useEffect(() => {
    forgetOld();
    setHere(true);
    const told = new StoryFeed(data.story, {
      story: (next) => void show(next),
      percent: setPercent,
      gone: () => setGone(true),
    });
    feed.current = told;
    told.start();
    return () => told.stop();
  }, []);

  const words = useWords(story);
  const renew = async () => feed.current?.read({ renewed: true });
  const sound = useSound(story, words, renew);

  const playing = sound.state?.playing ?? false;
  // Nobody is interrupted in the middle of a sentence.
  useEffect(() => {
    if (gone && !playing) location.reload();
  }, [gone, playing]);

  useEffect(() => {
    if (story.title !== '') document.title = plainText(story.title);
  }, [story.title]);

  useEffect(() => {
    const tapped = ({ target }: Event) => {
      const word = target instanceof Element ? target.closest<HTMLElement>('[data-word]') : null;
      if (word && getSelection()?.isCollapsed !== false) sound.playFrom(Number(word.dataset['word']));
    };
    document.addEventListener('click', tapped);
    return () => document.removeEventListener('click', tapped);
  }, [words]);

  return (
    <Story
      story={story}
      links={data.links}
      pictureSize={pictureSize}
      words={words}
      percent={percent}
      news={news}
      localTime={here}
      player={{ state: sound.state, actions: sound.actions }}
      pictureNote={picture.note}
      onPictureError={renewOnce(renew)}
    />
  );
}

let renewedAt = Number.NEGATIVE_INFINITY;
const RENEW_AGAIN_MS = 30_000;

/** Of a picture whose address has grown old; one that is broken is not asked for again and again. */
const renewOnce = (renew: () => Promise<void>) => () => {
  if (performance.now() - renewedAt < RENEW_AGAIN_MS) return;
  renewedAt = performance.now();
  void renew();
};

/** The marks, once there are any; a story without them is read without them. */
function useWords(story: ReadableStory): readonly WordMark[] {
  const [words, setWords] = useState(NO_WORDS);
  const there = story.audio.marksUrl !== undefined && story.paragraphs.length > 0;
  useEffect(() => {
    if (!there) return;
    const read = async () => {
      const answer = await fetch(addressOf('marks.json'));
      if (answer.ok) setWords(spokenWords(story, (await answer.json()) as SpeechMarks));
    };
    read().catch(() => {});
  }, [there]);
  return words;
}

/** What has come, for those who do not see it come. */
function newsOf(before: ReadableStory, now: ReadableStory): string {
  const { words } = wordsFor(now.language);
  return [
    before.paragraphs.length === 0 && now.paragraphs.length > 0 && plainText(now.title),
    before.image.url === undefined && now.image.url !== undefined && words.pictureHere,
    before.audio.url === undefined && now.audio.url !== undefined && words.soundHere,
  ]
    .filter(Boolean)
    .join('. ');
}
