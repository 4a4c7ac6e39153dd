/**
 * `${{ name.field }}` templates: where they stand in a text, and how they are filled.
 *
 * @module
 */

/** One part of a template: text as it is, or a reference such as `['inputs', 'reads']`. */
export type Part = string | { reference: readonly string[] };

/** @throws Error when a `${{` is not closed or holds something else than a dotted name */
export function parseTemplate(text: string): Part[] {
  const parts: Part[] = [];
  let rest = text;
  for (;;) {
    const start = rest.indexOf('${{');
    if (start < 0) break;
    const end = rest.indexOf('}}', start);
    if (end < 0) throw new Error('a "${{" is not closed by "}}"');
    if (start > 0) parts.push(rest.slice(0, start));
    const inside = rest.slice(start + 3, end).trim();
    if (!/^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$/.test(inside)) {
      throw new Error(`"\${{ ${inside} }}" is not a name such as \${{ parameters.minQuality }}`);
    }
    parts.push({ reference: inside.split('.') });
    rest = rest.slice(end + 2);
  }
  if (rest !== '') parts.push(rest);
  return parts;
}

export const referencesOf = (parts: readonly Part[]): (readonly string[])[] =>
  parts.flatMap((part) => (typeof part === 'string' ? [] : [part.reference]));

/** Fills a template; a list is joined by spaces after each value went through `quote`. */
export function fill(
  parts: readonly Part[],
  lookUp: (reference: readonly string[]) => string | readonly string[],
  quote: (value: string) => string = (value) => value,
): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = lookUp(part.reference);
      return typeof value === 'string' ? quote(value) : value.map(quote).join(' ');
    })
    .join('');
}

/** One word for POSIX sh whatever it holds (POSIX.1-2017, XCU 2.2.2: nothing is special in single quotes). */
export function quoteForShell(value: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
