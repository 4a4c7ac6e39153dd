/**
 * OpenAI's prompt cache: of a prompt of 1,024 tokens or more that begins like one before, what is alike is read from the
 * cache, in steps of 128 tokens, and costs less.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { tokensOf } from '../tokens.ts';

const LEAST = 1024;
const STEP = 128;
/** Digests of beginnings; the oldest are forgotten. */
const KEPT = 10_000;

export class PromptCache {
  readonly #seen = new Set<string>();

  /** Looks the prompt up, and keeps it. @returns how many of its tokens were there */
  take(model: string, prompt: string): { tokens: number; cached: number } {
    const tokens = tokensOf(prompt);
    const hash = createHash('sha256').update(model);
    let cached = 0;
    for (let end = STEP; end <= tokens.length; end += STEP) {
      hash.update(tokens.slice(end - STEP, end).join(''));
      if (end < LEAST) continue;
      const digest = hash.copy().digest('base64');
      if (this.#seen.has(digest)) cached = end;
      this.#seen.add(digest);
    }
    for (const oldest of this.#seen) {
      if (this.#seen.size <= KEPT) break;
      this.#seen.delete(oldest);
    }
    return { tokens: tokens.length, cached };
  }
}
