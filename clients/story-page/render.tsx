/**
 * The pages as documents: complete without a script, which then goes on with what they have.
 *
 * @module
 */
import type { VNode } from 'preact';
import { render } from 'preact-render-to-string';
import { plainText } from '../../lib/story/characters.ts';
import { directionOf, languageOf } from '../../lib/story/language.ts';
import { DATA_ID, type PageData } from './view/data.ts';
import { Book, type BookLine, Notice, type NoticeName } from './view/others.tsx';
import { Story } from './view/story.tsx';
import { wordsFor } from './view/words.ts';

export type { PageData } from './view/data.ts';
export type { NoticeName } from './view/others.tsx';

/** Names of the built files, and where they are as seen from the page. */
export interface Assets {
  script: string;
  style: string;
  icon: string;
  base: string;
}

export function storyDocument(data: PageData, assets: Assets): string {
  const { story } = data;
  const { words } = wordsFor(story.language);
  return documentOf({
    title: plainText(story.title) || words.tonight,
    language: languageOf(story.language),
    direction: directionOf(story.language),
    assets,
    body: `<div id="page">${render(<Story {...data} />)}</div>
<script type="application/json" id="${DATA_ID}">${jsonInHtml(data)}</script>
<script type="module" src="${assets.base}${assets.script}"></script>`,
  });
}

/** @param language of the page's own words */
export function noticeDocument(name: NoticeName, language: string, assets: Assets, book?: string): string {
  const spoken = wordsFor(language);
  return simple(spoken.words[name], spoken.language, assets, <Notice name={name} book={book} spoken={spoken} />);
}

export function bookDocument(lines: readonly BookLine[], language: string, assets: Assets, older?: string): string {
  const spoken = wordsFor(language);
  return simple(spoken.words.book, spoken.language, assets, <Book lines={lines} older={older} spoken={spoken} />);
}

const simple = (title: string, language: string, assets: Assets, content: VNode): string =>
  documentOf({ title, language, direction: 'ltr', assets, body: `<div id="page">${render(content)}</div>` });

/** Nothing in it can end the element it stands in. */
const jsonInHtml = (data: unknown): string =>
  JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

interface Parts {
  title: string;
  language: string;
  direction: 'ltr' | 'rtl';
  assets: Assets;
  body: string;
}

function documentOf({ title, language, direction, assets: { base, style, icon }, body }: Parts): string {
  const head = render(
    <head>
      <meta charset="utf-8" />
      <title>{title}</title>
      <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
      <meta name="robots" content="noindex, nofollow" />
      <meta name="color-scheme" content="light dark" />
      <meta name="theme-color" content="#fbf4e6" media="(prefers-color-scheme: light)" />
      <meta name="theme-color" content="#15110d" media="(prefers-color-scheme: dark)" />
      <link rel="icon" type="image/svg+xml" href={`${base}${icon}`} />
      <link rel="stylesheet" href={`${base}${style}`} />
    </head>,
  );
  return `<!doctype html>
<html lang="${language}" dir="${direction}">
${head}
<body>
${body}
</body>
</html>
`;
}
