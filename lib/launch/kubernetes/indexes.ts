/**
 * Indexes of a Job as its status has them: `1,3-5,7`.
 *
 * @module
 */

/** @param text of `completedIndexes` or `failedIndexes`; absent when there are none */
export function parseIndexes(text: string | undefined): Set<number> {
  const found = new Set<number>();
  for (const part of (text ?? '').split(',').filter(Boolean)) {
    const [first = Number.NaN, last = first] = part.split('-').map(Number);
    for (let index = first; index <= last; index += 1) found.add(index);
  }
  return found;
}
