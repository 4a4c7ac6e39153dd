/**
 * Names and texts of Python, for files that are made for Snakemake.
 *
 * @module
 */

const RESERVED = new Set(
  // Keywords of Python 3.
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(
    ' ',
  ),
);
/** What Snakemake's lists of named files have as methods of their own, and its directives. */
const TAKEN = new Set(
  'append clear copy count extend index insert pop remove reverse sort items keys values get size size_mb input output params log threads resources wildcards rule checkpoint shell run config all config expand attempt'.split(
    ' ',
  ),
);

const plain = (text: string): string => text.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_');

/** A name that can stand for an input, an output or a wildcard: another one for each name of letters, digits and _. */
export function pythonName(text: string): string {
  const name = plain(text);
  return RESERVED.has(name) || TAKEN.has(name) || name.endsWith('_') ? `${name}_` : name;
}

/** A name of a rule: only Python's keywords and the target are taken. */
export function ruleName(text: string): string {
  const name = plain(text);
  return RESERVED.has(name) || name === 'all' ? `${name}_` : name;
}

/** A text in double quotes: JSON's escapes are Python's too, but for those outside the basic plane, which stay. */
export const pythonText = (text: string): string => JSON.stringify(text);

/** Lines as one text over several lines where they can stand as they are, else escaped. */
export function pythonTextBlock(lines: readonly string[], indent: number): string {
  const pad = ' '.repeat(indent);
  const text = lines.join('\n');
  // A here-document or a quoted text of several lines would be changed by indenting it.
  const movable = !/<<|"""|\r/.test(text) && !hasOpenQuote(lines);
  if (!movable)
    return lines.map((line, nth) => `${pad}${pythonText(nth < lines.length - 1 ? `${line}\n` : line)}`).join('\n');
  const escaped = lines.map((line) => (line === '' ? '' : `${pad}${line.replaceAll('\\', '\\\\')}`));
  return `${pad}"""\n${escaped.join('\n')}\n${pad}"""`;
}

/** Whether a quote is still open at the end of a line: what follows would be inside a text. */
function hasOpenQuote(lines: readonly string[]): boolean {
  let quote = '';
  for (const line of lines) {
    for (let place = 0; place < line.length; place += 1) {
      const char = line[place] ?? '';
      if (char === '\\' && quote !== "'") place += 1;
      else if (quote === '' && (char === "'" || char === '"')) quote = char;
      else if (char === quote) quote = '';
    }
    if (quote !== '') return true;
  }
  return false;
}
