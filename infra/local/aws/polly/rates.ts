/**
 * Polly's quotas of requests, by engine: so many a second with a burst, and so many at a time.
 *
 * @module
 */
import type { Clock } from '../../kit/clock.ts';
import { AwsError } from '../../kit/service.ts';
import { type Rate, TokenBucket } from '../../kit/token-bucket.ts';
import { ENGINES, type Engine } from './voices.ts';

/** As of autumn 2026; for generative voices no burst is published. */
const QUOTAS: Readonly<Record<Engine, Rate & { atOnce: number }>> = {
  standard: { perSecond: 80, burst: 100, atOnce: 80 },
  neural: { perSecond: 8, burst: 10, atOnce: 18 },
  'long-form': { perSecond: 8, burst: 10, atOnce: 26 },
  generative: { perSecond: 8, burst: 8, atOnce: 26 },
};

const throttled = () => new AwsError('ThrottlingException', 'Rate exceeded');

export class SpeechQuotas {
  readonly #buckets: ReadonlyMap<Engine, TokenBucket>;
  readonly #running = new Map<Engine, number>();

  constructor(clock: Clock) {
    this.#buckets = new Map(ENGINES.map((engine) => [engine, new TokenBucket(clock, QUOTAS[engine])]));
  }

  /** @throws AwsError ThrottlingException, and then `work` has not begun */
  async within<T>(engine: Engine, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(engine) ?? 0;
    if (running >= QUOTAS[engine].atOnce || !this.#buckets.get(engine)?.take()) throw throttled();
    this.#running.set(engine, running + 1);
    try {
      return await work();
    } finally {
      this.#running.set(engine, (this.#running.get(engine) ?? 1) - 1);
    }
  }
}
