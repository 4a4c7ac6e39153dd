/**
 * The pages beside the story's own: what has gone, what is not there, and the book of past titles.
 *
 * @module
 */
import type { JSX } from 'preact';
import { plainText } from '../../../lib/story/characters.ts';
import type { BookEntry } from '../../../lib/story/document.ts';
import { Moon } from './drawings.tsx';
import type { Spoken } from './words.ts';

export const NOTICES = ['gone', 'unknown', 'notYet', 'busy'] as const;
export type NoticeName = (typeof NOTICES)[number];

export function Notice({
  name,
  book,
  spoken: { words },
}: {
  name: NoticeName;
  /** Address of the book, for those who may see it. */
  book?: string | undefined;
  spoken: Spoken;
}): JSX.Element {
  return (
    <main>
      <section class="state">
        <Moon asleep />
        <h1>{words[name]}</h1>
        <p>{words[`${name}More`]}</p>
        {book !== undefined && (
          <p class="links">
            <a href={book}>{words.book}</a>
          </p>
        )}
      </section>
    </main>
  );
}

/** What is told of a past story; not what it has cost. */
export type BookLine = Pick<BookEntry, 'storyId' | 'night' | 'createdAt' | 'title' | 'flagged' | 'readable'> & {
  /** Address of the story, while it can be read, for those who may. */
  href?: string | undefined;
};

export function Book({
  lines,
  older,
  spoken: { words, locale },
}: {
  lines: readonly BookLine[];
  /** Address of the next page. */
  older?: string | undefined;
  spoken: Spoken;
}): JSX.Element {
  return (
    <main class="book">
      <Moon />
      <h1>{words.book}</h1>
      <p class="lead">{lines.length === 0 ? words.bookEmpty : words.bookMore}</p>
      <ol>
        {lines.map((line) => (
          <li key={line.storyId}>
            <time dateTime={dayOf(line)}>{dateText(dayOf(line), locale)}</time>
            <p class="title">
              <LineTitle line={line} words={words} />
            </p>
            {line.title !== undefined && <p class="verdict">{line.flagged ? words.flagged : words.checked}</p>}
          </li>
        ))}
      </ol>
      {older !== undefined && (
        <p class="links">
          <a href={older}>{words.older}</a>
        </p>
      )}
    </main>
  );
}

function LineTitle({
  line: { title, readable, href },
  words,
}: {
  line: BookLine;
  words: Spoken['words'];
}): JSX.Element {
  if (title === undefined) return <span class="untitled">{readable ? words.beingWritten : words.untitled}</span>;
  const text = <bdi>{plainText(title)}</bdi>;
  return href === undefined ? text : <a href={href}>{text}</a>;
}

/** A story that was asked for by hand has no night of its own. */
const dayOf = ({ night, createdAt }: BookLine): string =>
  /^\d{4}-\d\d-\d\d$/.test(night) ? night : createdAt.slice(0, 10);

const dateText = (day: string, locale: string): string =>
  new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`));
