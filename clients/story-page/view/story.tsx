/**
 * A story as it stands: what is missing is simply not there.
 *
 * @module
 */
import type { JSX } from 'preact';
import { plainText } from '../../../lib/story/characters.ts';
import type { ReadableStory, WordMark } from '../../../lib/story/document.ts';
import { directionOf, languageOf } from '../../../lib/story/language.ts';
import { Moon } from './drawings.tsx';
import { Player, type PlayerProps } from './player.tsx';
import { Paragraphs, Title } from './text.tsx';
import { type Spoken, wordsFor } from './words.ts';

export interface Links {
  epub: string;
  book: string;
}

/** How far the writing is, 0 to 100, where somebody has said. */
export type Percent = number | undefined;

export interface StoryProps {
  story: ReadableStory;
  links: Links;
  /** In pixels, of pictures: what room one takes before it is there. */
  pictureSize?: { width: number; height: number } | undefined;
  words?: readonly WordMark[];
  percent?: Percent;
  player?: Pick<PlayerProps, 'state' | 'actions'>;
  /** Times are in the reader's own time zone, which the server does not know. */
  localTime?: boolean;
  /** Told to those who listen to the page. */
  news?: string;
  /** The picture came while its reader was further down. */
  pictureNote?: { show(): void } | undefined;
  onPictureError?: () => void;
}

const NO_WORDS: readonly WordMark[] = [];

export function Story(props: StoryProps): JSX.Element {
  const { story, links, news = '', player, localTime = false } = props;
  const spoken = wordsFor(story.language);
  const readable = story.paragraphs.length > 0;
  return (
    <>
      <main>
        {readable ? <Told {...props} spoken={spoken} /> : <Untold {...props} spoken={spoken} />}
        <footer lang={spoken.language} dir="ltr">
          {readable && (
            <p>
              {spoken.words.until} <Moment of={story.expiresAt} locale={spoken.locale} local={localTime} />
            </p>
          )}
          <p class="links">
            {readable && (
              <a href={links.epub} download>
                {spoken.words.download}
              </a>
            )}
            <a href={links.book}>{spoken.words.book}</a>
          </p>
        </footer>
      </main>
      {readable && story.audio.url !== undefined && <Player url={story.audio.url} spoken={spoken} {...player} />}
      <p class="hidden" role="status" lang={spoken.language}>
        {news}
      </p>
    </>
  );
}

function Told(props: StoryProps & { spoken: Spoken }): JSX.Element {
  const { story, pictureSize, words = NO_WORDS, pictureNote, onPictureError, spoken } = props;
  const { image } = story;
  return (
    <article
      lang={languageOf(story.language)}
      dir={directionOf(story.language)}
      {...(words.length > 0 && { class: 'spoken' })}
    >
      <Moon />
      <Title title={story.title} words={words} />
      {image.url !== undefined && (
        <figure>
          <img
            src={image.url}
            alt={plainText(image.alt ?? '')}
            {...pictureSize}
            {...(onPictureError && { onError: onPictureError })}
          />
        </figure>
      )}
      <Paragraphs paragraphs={story.paragraphs} words={words} />
      {words.length > 0 && (
        <p class="hint" lang={spoken.language} dir="ltr">
          {spoken.words.tapAWord}
        </p>
      )}
      {pictureNote && (
        <button type="button" class="note" lang={spoken.language} dir="ltr" onClick={pictureNote.show}>
          ↑ {spoken.words.pictureHere}
        </button>
      )}
    </article>
  );
}

function Untold({ story, percent, spoken: { language, words } }: StoryProps & { spoken: Spoken }): JSX.Element {
  const writing = story.status === 'WRITING' || story.status === 'READY';
  return (
    <section class="state" lang={language} dir="ltr">
      <Moon asleep={!writing} />
      <h1>{writing ? words.writing : words.failed}</h1>
      <p>{writing ? words.writingMore : words.failedMore}</p>
      {writing && (
        <progress
          aria-label={words.progress}
          max={100}
          {...(percent !== undefined && { value: Math.min(100, Math.max(0, percent)) })}
        />
      )}
    </section>
  );
}

function Moment({ of, locale, local }: { of: string; locale: string; local: boolean }): JSX.Element {
  const form = { weekday: 'long', hour: '2-digit', minute: '2-digit' } as const;
  const zone = local ? {} : ({ timeZone: 'UTC', timeZoneName: 'short' } as const);
  return <time dateTime={of}>{new Intl.DateTimeFormat(locale, { ...form, ...zone }).format(new Date(of))}</time>;
}
