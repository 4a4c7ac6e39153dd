/**
 * Title and paragraphs, with a span for each word that is spoken once the marks are known. Which word is lit is no state of
 * this view: it changes several times a second, and nothing else does.
 *
 * @module
 */
import type { JSX } from 'preact';
import { legalText } from '../../../lib/story/characters.ts';
import type { WordMark } from '../../../lib/story/document.ts';
import { piecesOf, TITLE } from '../../../lib/story/words.ts';

export function Words({
  text,
  paragraph,
  words,
}: {
  text: string;
  /** Its index, or `TITLE`. */
  paragraph: number;
  words: readonly WordMark[];
}): JSX.Element {
  return (
    <>
      {piecesOf(text, paragraph, words).map((piece) =>
        piece.word === undefined ? (
          legalText(piece.text)
        ) : (
          <span class="word" data-word={piece.word}>
            {legalText(piece.text)}
          </span>
        ),
      )}
    </>
  );
}

export function Paragraphs({
  paragraphs,
  words,
}: {
  paragraphs: readonly string[];
  words: readonly WordMark[];
}): JSX.Element {
  return (
    <div class="text">
      {paragraphs.map((paragraph, place) => (
        <p key={place}>
          <Words text={paragraph} paragraph={place} words={words} />
        </p>
      ))}
    </div>
  );
}

export function Title({ title, words }: { title: string; words: readonly WordMark[] }): JSX.Element {
  return (
    <h1 dir="auto">
      <Words text={title} paragraph={TITLE} words={words} />
    </h1>
  );
}
