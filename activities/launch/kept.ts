/**
 * Plans, inventories and lists of items never change once written, so the last few stay in memory.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { readJson } from '../../lib/s3-objects.ts';

/** Far above what the bounds of a launch allow; a larger one is not ours. */
const LIMIT = 256 * 1024 * 1024;

export class Kept<T> {
  readonly #most: number;
  readonly #values = new Map<string, Promise<T>>();

  /** @param most how many stay in memory */
  constructor(most: number) {
    this.#most = most;
  }

  async read(s3: S3Client, address: string): Promise<T> {
    const known = this.#values.get(address) ?? readJson<T>(s3, address, LIMIT);
    this.set(address, known);
    try {
      return await known;
    } catch (error) {
      this.#values.delete(address);
      throw error;
    }
  }

  /** What was just written need not be read. */
  set(address: string, value: T | Promise<T>): void {
    this.#values.delete(address);
    this.#values.set(address, Promise.resolve(value));
    const oldest = this.#values.keys().next().value;
    if (this.#values.size > this.#most && oldest !== undefined) this.#values.delete(oldest);
  }
}
