/**
 * Pacing without a real clock and without DynamoDB: time that jumps from one thing due to the next, and the table
 * `Quotas` in memory, with a latency and outages.
 *
 * @module
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Cut } from '../../lib/pacing/bucket.ts';
import type { PacerClock } from '../../lib/pacing/pacer.ts';
import type { QuotaTable } from '../../lib/pacing/quota-table.ts';

export class VirtualTime implements PacerClock {
  #now: number;
  #timers: { at: number; fire: () => void }[] = [];

  /** @param start epoch ms */
  constructor(start = 1_800_000_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.#now + ms, resolve));
  }

  at(time: number, fire: () => void): void {
    this.#timers.push({ at: Math.max(time, this.#now), fire });
    // Stable: what is due at one time fires in the order it was asked for.
    this.#timers.sort((a, b) => a.at - b.at);
  }

  /** Fires everything in order of time, until nothing is due any more. */
  async run(): Promise<void> {
    for (;;) {
      // Everything that follows from the last one by promises alone has happened then.
      await turn();
      const next = this.#timers.shift();
      if (!next) return;
      this.#now = next.at;
      next.fire();
    }
  }
}

export interface MemoryTable extends QuotaTable {
  /** Tokens leased and opened with, by `<quota>#<slice>`. */
  readonly slices: ReadonlyMap<string, { allowance: number; remaining: number }>;
  /** How often it was asked for a lease. */
  leases: number;
  /** Rejects everything. */
  broken: boolean;
}

/** @param latency ms of one request; half of it passes before the effect */
export function memoryTable(time: VirtualTime, latency: () => number): MemoryTable {
  const slices = new Map<string, { allowance: number; remaining: number }>();
  const cuts = new Map<string, Cut>();
  const request = async <T>(effect: () => T): Promise<T> => {
    const wait = latency() / 2;
    await time.sleep(wait);
    if (table.broken) throw new Error('no answer');
    const answer = effect();
    await time.sleep(wait);
    return answer;
  };
  const opened = (quota: string, slice: number, allowance: number) => {
    const name = `${quota}#${slice}`;
    const item = slices.get(name) ?? { allowance, remaining: allowance };
    slices.set(name, item);
    return item;
  };
  const table: MemoryTable = {
    slices,
    leases: 0,
    broken: false,
    lease({ quota, slice, tokens, allowance, reserve }) {
      table.leases += 1;
      return request(() => {
        const item = opened(quota, slice, allowance);
        const free = item.remaining - reserve;
        const taken = free >= tokens ? tokens : item.remaining < tokens ? Math.max(0, free) : 0;
        item.remaining -= taken;
        return { taken, ...item };
      });
    },
    open: (quota, slice, allowance) => request(() => void opened(quota, slice, allowance)),
    lastCut: (quota) => request(() => cuts.get(quota)),
    cut: (quota, from, to) =>
      request(() => {
        if (cuts.get(quota)?.slice === from?.slice) cuts.set(quota, to);
        return cuts.get(quota);
      }),
  };
  return table;
}
