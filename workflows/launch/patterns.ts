/**
 * Patterns of paths: `*` and `?` within a name, `**` over folders.
 *
 * @module
 */

export const hasWildcard = (path: string): boolean => /[*?]/.test(path);

/** A pattern of an output or input as a regular expression over whole paths: `*` and `?` within a name, `**` over folders. */
export function patternToRegExp(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      return escapeRegExp(part);
    })
    .join('');
  // By code points, so that ? takes one letter of any script.
  return new RegExp(`^${source}$`, 'su');
}

/** A `discover` pattern, its one `*` captured; undefined when it does not have exactly one. */
export function discoverPattern(pattern: string): RegExp | undefined {
  const [head, tail, ...more] = pattern.split('*');
  if (head === undefined || tail === undefined || more.length > 0 || pattern.includes('?')) return undefined;
  return new RegExp(`^${escapeRegExp(head)}([^/]+)${escapeRegExp(tail)}$`, 's');
}

const escapeRegExp = (text: string): string => text.replace(/[.+^${}()|[\]\\*?]/g, '\\$&');

/** The part of a pattern before its first wildcard, up to a slash: what a listing starts from. */
export function literalPrefix(pattern: string): string {
  if (!hasWildcard(pattern)) return pattern;
  const head = pattern.slice(0, pattern.search(/[*?]/));
  return head.slice(0, head.lastIndexOf('/') + 1);
}
