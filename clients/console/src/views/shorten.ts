/**
 * Names that have to fit.
 *
 * @module
 */

/**
 * Names of steps differ at their ends as often as at their beginnings: both are kept.
 * @param length characters, the ellipsis included
 */
export function shorten(name: string, length: number): string {
  if (name.length <= length) return name;
  const end = Math.floor((length - 1) * 0.45);
  return `${name.slice(0, length - 1 - end)}…${name.slice(name.length - end)}`;
}
