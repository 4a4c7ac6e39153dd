/**
 * Filter patterns for plain text: terms that must all occur, quoted phrases, `?a ?b` of which one must occur, `-term`
 * that must not. Case counts. Pure.
 *
 * @module
 */

export type LineTest = (message: string) => boolean;

/** What this stand-in does not understand (JSON and space-delimited patterns, regular expressions), or is malformed. */
export class FilterPatternError extends Error {
  override readonly name = 'FilterPatternError';
}

/**
 * @param pattern empty matches every line
 * @throws FilterPatternError
 */
export function parseFilterPattern(pattern: string): LineTest {
  const text = pattern.trim();
  if (/^[{[%]/.test(text)) throw new FilterPatternError('only plain terms and phrases are understood');
  const all: string[] = [];
  const any: string[] = [];
  const none: string[] = [];
  const terms = /([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"?-][^\s"]*))(?=\s|$)/y;
  let position = 0;
  while (position < text.length) {
    while (/\s/.test(text.charAt(position))) position += 1;
    terms.lastIndex = position;
    const found = terms.exec(text);
    if (!found) throw new FilterPatternError(`invalid character(s) in term '${text.slice(position)}'`);
    const [whole, sign, phrase, word] = found;
    const wanted = phrase === undefined ? (word ?? '') : phrase.replace(/\\(.)/g, '$1');
    (sign === '?' ? any : sign === '-' ? none : all).push(wanted);
    position += whole.length;
  }
  // Beside plain terms the service ignores the optional ones.
  const optional = all.length > 0 ? [] : any;
  return (message) =>
    all.every((term) => message.includes(term)) &&
    (optional.length === 0 || optional.some((term) => message.includes(term))) &&
    none.every((term) => !message.includes(term));
}
