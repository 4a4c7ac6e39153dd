/**
 * Rate limits by model: requests and tokens of a minute that refill steadily, told in `x-ratelimit-*` with every answer.
 *
 * @module
 */
import type { Clock } from '../kit/clock.ts';
import { rateLimited } from './errors.ts';

const MINUTE_MS = 60_000;

export class RateLimits {
  readonly #clock: Clock;
  readonly #perMinute: { requests: number; tokens: number };
  readonly #models = new Map<string, { requests: Allowance; tokens: Allowance }>();

  constructor(clock: Clock, perMinute: { requests: number; tokens: number }) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  get requestsPerMinute(): number {
    return this.#perMinute.requests;
  }

  /**
   * Counts one request.
   * @param tokens of what was sent
   * @returns the headers that say what is left
   * @throws AwsError 429, rate_limit_exceeded; its headers say when to come again
   */
  take(model: string, tokens: number): Record<string, string> {
    const { requests, tokens: perMinute } = this.#of(model);
    const now = this.#clock.now();
    for (const [by, allowance, amount] of [
      ['requests', requests, 1],
      ['tokens', perMinute, Math.min(tokens, perMinute.limit)],
    ] as const) {
      const waitMs = allowance.take(now, amount);
      if (waitMs > 0) throw rateLimited(model, by, allowance.limit, waitMs);
    }
    return {
      'x-ratelimit-limit-requests': String(requests.limit),
      'x-ratelimit-limit-tokens': String(perMinute.limit),
      'x-ratelimit-remaining-requests': String(requests.remaining()),
      'x-ratelimit-remaining-tokens': String(perMinute.remaining()),
      'x-ratelimit-reset-requests': duration(requests.resetMs()),
      'x-ratelimit-reset-tokens': duration(perMinute.resetMs()),
    };
  }

  #of(model: string): { requests: Allowance; tokens: Allowance } {
    const known = this.#models.get(model);
    if (known) return known;
    const { requests, tokens } = this.#perMinute;
    const now = this.#clock.now();
    const made = { requests: new Allowance(requests, now), tokens: new Allowance(tokens, now) };
    this.#models.set(model, made);
    return made;
  }
}

class Allowance {
  readonly limit: number;
  #left: number;
  #at: number;

  constructor(limit: number, now: number) {
    this.limit = limit;
    this.#left = limit;
    this.#at = now;
  }

  /** @returns 0 where it was taken; else the milliseconds until it could be */
  take(now: number, amount: number): number {
    this.#left = Math.min(this.limit, this.#left + ((now - this.#at) / MINUTE_MS) * this.limit);
    this.#at = now;
    if (this.#left < amount) return Math.ceil(((amount - this.#left) / this.limit) * MINUTE_MS);
    this.#left -= amount;
    return 0;
  }

  remaining(): number {
    return Math.floor(this.#left);
  }

  /** Until it is full again. */
  resetMs(): number {
    return Math.ceil(((this.limit - this.#left) / this.limit) * MINUTE_MS);
  }
}

/** As OpenAI writes them: `6ms`, `1.2s`, `1m30.5s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const minutes = Math.floor(ms / MINUTE_MS);
  return `${minutes > 0 ? `${minutes}m` : ''}${Number(((ms % MINUTE_MS) / 1000).toFixed(3))}s`;
}
