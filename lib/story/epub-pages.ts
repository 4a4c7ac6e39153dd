/**
 * The documents inside an EPUB of a story: its text with a span for each word that is spoken, its contents, its looks.
 *
 * @module
 */
import { escapeXml, plainText } from './characters.ts';
import type { WordMark } from './document.ts';
import { piecesOf, TITLE } from './words.ts';

export interface EpubText {
  title: string;
  paragraphs: readonly string[];
  language: string;
  direction: 'ltr' | 'rtl';
  words: readonly WordMark[];
  picture?: { file: string; alt: string };
  /** File of a sound nobody can read along with. */
  sound?: string;
}

export const wordId = (word: number): string => `w${word + 1}`;
export const paragraphId = (paragraph: number): string => (paragraph === TITLE ? 'title' : `p${paragraph + 1}`);
/** What reading systems give the word that is spoken. */
export const ACTIVE_CLASS = '-epub-media-overlay-active';

export const STYLE = `body { margin: 5%; line-height: 1.6; font-family: serif; }
h1 { text-align: center; line-height: 1.25; }
figure { margin: 1em 0; text-align: center; }
img { max-width: 100%; max-height: 90vh; }
p { margin: 0 0 1em; white-space: pre-line; }
.${ACTIVE_CLASS} { background-color: #ffd97a; color: #2b1d0e; }
`;

export function storyPage(story: EpubText): string {
  const { title, paragraphs, picture, sound } = story;
  const figure = picture
    ? `<figure id="picture"><img src="${picture.file}" alt="${escapeXml(plainText(picture.alt))}"/></figure>\n`
    : '';
  const player = sound === undefined ? '' : `<p><audio src="${sound}" controls="controls"></audio></p>\n`;
  const text = paragraphs.map(
    (paragraph, place) => `<p id="${paragraphId(place)}">${spans(paragraph, place, story.words)}</p>`,
  );
  return document(
    story,
    `<section epub:type="bodymatter" role="doc-chapter" aria-labelledby="title">
<h1 id="title">${spans(title, TITLE, story.words)}</h1>
${figure}${player}${text.join('\n')}
</section>`,
  );
}

export function contentsPage(story: EpubText): string {
  const title = escapeXml(plainText(story.title));
  return document(
    story,
    `<nav epub:type="toc" role="doc-toc" id="toc" aria-label="${title}">
<ol><li><a href="story.xhtml">${title}</a></li></ol>
</nav>`,
  );
}

function spans(text: string, paragraph: number, words: readonly WordMark[]): string {
  return piecesOf(text, paragraph, words)
    .map((piece) => {
      const inner = escapeXml(piece.text);
      return piece.word === undefined ? inner : `<span id="${wordId(piece.word)}">${inner}</span>`;
    })
    .join('');
}

const document = ({ title, language, direction }: EpubText, body: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="${language}" xml:lang="${language}" dir="${direction}">
<head>
<title>${escapeXml(plainText(title))}</title>
<link rel="stylesheet" type="text/css" href="style.css"/>
</head>
<body>
${body}
</body>
</html>
`;
