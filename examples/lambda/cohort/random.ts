/**
 * Random numbers that come again with the same seed: sfc32 (Chris Doty-Humphrey, PractRand), four 32-bit words.
 *
 * @module
 */

export interface Random {
  /** 0 to 2^32 - 1. */
  uint32(): number;
  /** 0 to `limit` - 1. */
  below(limit: number): number;
  /** Standard normal. */
  normal(): number;
}

/**
 * @param stream names a sequence of its own under the same seed, so that one more sample does not change the others
 */
export function createRandom(seed: number, stream: string): Random {
  let a = hash(`${seed}`);
  let b = hash(stream);
  let c = hash(`${stream}/${seed}`);
  let counter = 1;
  const uint32 = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  // The first numbers still show how alike two seeds are.
  for (let round = 0; round < 15; round += 1) uint32();
  const below = (limit: number): number => Math.floor((uint32() / 2 ** 32) * limit);
  /** Box and Muller (1958); + 1 keeps the logarithm away from 0. */
  const normal = (): number =>
    Math.sqrt(-2 * Math.log((uint32() + 1) / (2 ** 32 + 1))) * Math.cos((2 * Math.PI * uint32()) / 2 ** 32);
  return { uint32, below, normal };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}
