/**
 * The mail about a story: plain text, as SNS takes it. SNS adds how to end the subscription.
 *
 * @module
 */
import { plainText } from './characters.ts';
import { mailWordsFor } from './mail-words.ts';

export interface MailText {
  subject: string;
  message: string;
}

/** SNS: ASCII, begins with a letter, digit or punctuation, no line breaks and control characters, under 100 characters. */
const SUBJECT_LENGTH = 99;
/** What no title has in one line is not a title. */
const TITLE_LENGTH = 200;

/**
 * @param story.language BCP 47
 * @param story.expiresAt epoch seconds
 * @param story.timeZone IANA name
 * @throws RangeError for a time zone there is not
 */
export function mailText(story: {
  title: string;
  language: string;
  link: string;
  expiresAt: number;
  timeZone: string;
}): MailText {
  const { locale, words } = mailWordsFor(story.language);
  const title = shorten(plainText(story.title), TITLE_LENGTH);
  const until = new Intl.DateTimeFormat(locale, {
    dateStyle: 'full',
    timeStyle: 'short',
    timeZone: story.timeZone,
  }).format(story.expiresAt * 1000);
  return {
    subject: subjectOf(title, story.language),
    message: [
      title,
      '',
      words.there,
      '',
      story.link,
      '',
      `${words.until(until, story.timeZone)} ${words.whoever}`,
      '',
    ].join('\n'),
  };
}

/** With the title, where it can be written in ASCII. */
export function subjectOf(title: string, language: string): string {
  const { words } = mailWordsFor(language);
  const plain = toAscii(title);
  return plain === undefined ? words.ready : shorten(`${words.tonight}: ${plain}`, SUBJECT_LENGTH, '...');
}

/** Those that are no letter with an accent. */
const LETTERS: Readonly<Record<string, string>> = {
  Æ: 'AE',
  Ð: 'D',
  Ø: 'O',
  Þ: 'Th',
  ß: 'ss',
  æ: 'ae',
  ð: 'd',
  ø: 'o',
  þ: 'th',
  đ: 'd',
  ı: 'i',
  Ł: 'L',
  ł: 'l',
  Œ: 'OE',
  œ: 'oe',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
  '–': '-',
  '—': '-',
  '…': '...',
};

/** @returns undefined where letters of another script are in it */
function toAscii(text: string): string | undefined {
  const plain = text
    .replace(/\P{ASCII}/gu, (letter) => LETTERS[letter] ?? letter)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    // Emoji and the like are no loss.
    .replace(/[^\p{ASCII}\p{L}\p{N}]/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim();
  return /^[\x20-\x7E]+$/.test(plain) ? plain : undefined;
}

/** Behind a word, where there is one. */
function shorten(text: string, limit: number, sign = '…'): string {
  if (text.length <= limit) return text;
  const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text);
  let cut = '';
  for (const { segment } of graphemes) {
    if (cut.length + segment.length + sign.length > limit) break;
    cut += segment;
  }
  const words = cut.replace(/\s+\S*$/u, '');
  return `${words.length > limit / 2 ? words : cut}${sign}`;
}
