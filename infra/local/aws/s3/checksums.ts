/**
 * The checksums S3 knows. CRC32 comes from zlib and the SHAs from crypto; CRC32C and CRC64NVME have tables here.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export const headerOf = (algorithm: Algorithm) => `x-amz-checksum-${algorithm.toLowerCase()}`;
export const memberOf = (algorithm: Algorithm) => `Checksum${algorithm}`;

/** Bytes of the digest. */
export const LENGTHS: Readonly<Record<Algorithm, number>> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };

export interface Hasher {
  update(bytes: Buffer): void;
  digest(): Buffer;
}

export function createHasher(algorithm: Algorithm | 'MD5'): Hasher {
  if (algorithm === 'MD5' || algorithm === 'SHA1' || algorithm === 'SHA256') {
    const hash = createHash(algorithm.toLowerCase());
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
  }
  if (algorithm === 'CRC64NVME') return crc64Hasher();
  let state = 0;
  const step = algorithm === 'CRC32' ? (bytes: Buffer) => crc32(bytes, state) : (bytes: Buffer) => crc32c(bytes, state);
  return {
    update: (bytes) => {
      state = step(bytes);
    },
    digest() {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE(state >>> 0);
      return digest;
    },
  };
}

/** Castagnoli polynomial, reflected. */
const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

function crc32c(bytes: Buffer, start: number): number {
  let value = ~start;
  for (let index = 0; index < bytes.length; index += 1) {
    value = (value >>> 8) ^ (CRC32C_TABLE[(value ^ (bytes[index] as number)) & 255] as number);
  }
  return ~value >>> 0;
}

/** NVMe polynomial, reflected; kept as two halves, since BigInt arithmetic per byte is too slow. */
const CRC64_POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const CRC64_LOW = new Uint32Array(256);
const CRC64_HIGH = new Uint32Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ CRC64_POLYNOMIAL : value >> 1n;
  CRC64_LOW[byte] = Number(value & 0xffffffffn);
  CRC64_HIGH[byte] = Number(value >> 32n);
}

function crc64Hasher(): Hasher {
  let low = 0xffffffff;
  let high = 0xffffffff;
  return {
    update(bytes) {
      for (let index = 0; index < bytes.length; index += 1) {
        const entry = (low ^ (bytes[index] as number)) & 255;
        low = (((low >>> 8) | (high << 24)) ^ (CRC64_LOW[entry] as number)) >>> 0;
        high = ((high >>> 8) ^ (CRC64_HIGH[entry] as number)) >>> 0;
      }
    },
    digest() {
      const digest = Buffer.alloc(8);
      digest.writeUInt32BE(~high >>> 0, 0);
      digest.writeUInt32BE(~low >>> 0, 4);
      return digest;
    },
  };
}
