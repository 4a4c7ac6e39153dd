/**
 * The order in which S3 lists keys: by the bytes of UTF-8.
 *
 * @module
 */

/** UTF-16, by which JavaScript compares, has another order only where a key has characters beyond U+D7FF. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let place = 0; place < length; place += 1) {
    const [one, other] = [a.charCodeAt(place), b.charCodeAt(place)];
    if (one === other) continue;
    return one < 0xd800 && other < 0xd800 ? one - other : Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return a.length - b.length;
}

export function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  // Never between the halves of a character.
  return a.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}
