/**
 * The keys of a bucket in S3's order, UTF-8 bytes, cheap to add to and to walk even with a million of them: sorted
 * blocks, so that an insertion moves a few hundred entries and not all.
 *
 * @module
 */

const BLOCK = 512;

/** Compares by code points, which is the order of the UTF-8 bytes; `<` on strings would be that of UTF-16. */
export function compareUtf8(one: string, other: string): number {
  const shared = Math.min(one.length, other.length);
  for (let index = 0; index < shared; index += 1) {
    let left = one.charCodeAt(index);
    let right = other.charCodeAt(index);
    if (left === right) continue;
    // Surrogates stand for code points above all others, but their code units lie below 0xE000.
    if (left >= 0xd800 && right >= 0xd800) {
      if (left < 0xe000) left += 0x10000;
      if (right < 0xe000) right += 0x10000;
    }
    return left - right;
  }
  return one.length - other.length;
}

export class SortedKeys {
  #blocks: string[][] = [];

  add(key: string): void {
    if (this.#blocks.length === 0) {
      this.#blocks.push([key]);
      return;
    }
    const at = Math.min(this.#blockOf(key), this.#blocks.length - 1);
    const block = this.#blocks[at] as string[];
    const place = firstAtLeast(block, key);
    if (block[place] === key) return;
    block.splice(place, 0, key);
    if (block.length <= BLOCK * 2) return;
    // Keys mostly come in order: a full last block is left full.
    const cut = at === this.#blocks.length - 1 ? BLOCK * 2 - 1 : BLOCK;
    this.#blocks.splice(at + 1, 0, block.splice(cut));
  }

  delete(key: string): void {
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (!block) return;
    const place = firstAtLeast(block, key);
    if (block[place] !== key) return;
    block.splice(place, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /**
   * Walks the keys from the first that is at least `start`. The caller may jump: what it gives to `next` is where
   * the walk goes on, so that everything below a common prefix is passed over at once. Keys must not change meanwhile.
   */
  *from(start: string): Generator<string, void, string | undefined> {
    let at = this.#blockOf(start);
    let place = firstAtLeast(this.#blocks[at] ?? [], start);
    while (at < this.#blocks.length) {
      const block = this.#blocks[at] as string[];
      if (place >= block.length) {
        at += 1;
        place = 0;
        continue;
      }
      const jump = yield block[place] as string;
      if (jump === undefined) place += 1;
      else {
        at = this.#blockOf(jump);
        place = firstAtLeast(this.#blocks[at] ?? [], jump);
      }
    }
  }

  /** The first block whose last key is at least `key`. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const block = this.#blocks[middle] as string[];
      if (compareUtf8(block[block.length - 1] as string, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function firstAtLeast(block: readonly string[], key: string): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareUtf8(block[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
