/**
 * Characters a story may have that its readers must not: those that XML does not allow, and those that turn the text
 * around them.
 *
 * @module
 */

/** Not of XML 1.0's `Char`: controls, halves of surrogate pairs, non-characters. */
const ILLEGAL = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;
/** Marks, embeddings, overrides and isolates of the bidirectional algorithm. */
const BIDI = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

export const legalText = (text: string): string => text.replace(ILLEGAL, '');

/** For places that cannot isolate it: titles of windows and books, on one line. */
export const plainText = (text: string): string => legalText(text).replace(BIDI, '').replace(/\s+/g, ' ').trim();

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** For text and attributes of XML. */
export const escapeXml = (text: string): string =>
  legalText(text).replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
