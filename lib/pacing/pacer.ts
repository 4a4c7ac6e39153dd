/**
 * The pacer: one call waits here for one token. Tokens come in leases from the table `Quotas`, so that every process of
 * an account keeps to one rate together. See docs/pacing.md.
 *
 * @module
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Tables } from '../store/tables.ts';
import {
  allowanceOf,
  type Cut,
  cutFor,
  leaseSize,
  localAllowanceOf,
  rateAt,
  reserveOf,
  restOfSlice,
  restWhenReserveIs,
  SLICE_MS,
  sliceAt,
} from './bucket.ts';
import { type QuotaTable, quotaTable } from './quota-table.ts';
import type { PacedQuota } from './quotas.ts';

/** Who waits for tokens comes up to this much after they are there, ms: not everybody at once. */
const JITTER_MS = 50;
/** How long a table that could not be used is left alone, ms. */
const OUTAGE_MS = 5000;
/** Quotas in memory at most, beside those with calls that wait. */
const MOST_LANES = 100;
/** Somebody else may write a cut at the same time; after that many the rate is low enough. */
const CUT_TRIES = 3;

export interface Pacer {
  /**
   * Waits until one call may be made; first come, first served. A table that cannot be reached delays it, and never
   * makes it fail.
   * @returns the slice whose token it is
   * @throws AbortError as the SDK throws it
   */
  take(quota: PacedQuota, signal?: AbortSignal): Promise<number>;
  /** A call with a token of `slice` was throttled. Resolves when the others can know; never rejects. */
  throttled(quota: PacedQuota, slice: number): Promise<void>;
}

export interface PacerClock {
  /** Epoch ms. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export interface PacerOptions {
  clock?: PacerClock;
  /** 0 to below 1, as Math.random. */
  random?(): number;
  /** Told once for each outage of the table. */
  warn?(message: string): void;
}

export const createPacer = ({
  dynamodb,
  tables,
  ...options
}: PacerOptions & { dynamodb: DynamoDBClient; tables: Pick<Tables, 'quotas'> }): Pacer =>
  pacerOver(quotaTable(dynamodb, tables), options);

export function pacerOver(table: QuotaTable, options: PacerOptions = {}): Pacer {
  const shared: Shared = {
    table,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    outage: new Outage(options.warn ?? ((message) => console.warn(message))),
  };
  const lanes = new Map<string, Lane>();
  const laneOf = ({ key, ceiling }: PacedQuota) => {
    let lane = lanes.get(key);
    if (!lane) {
      if (lanes.size >= MOST_LANES) for (const [name, { idle }] of lanes) if (idle) lanes.delete(name);
      lane = new Lane(shared, key, ceiling);
      lanes.set(key, lane);
    }
    return lane;
  };
  return {
    take: (quota, signal) => laneOf(quota).take(signal),
    throttled: (quota, slice) => laneOf(quota).throttled(slice),
  };
}

const endOf = (slice: number): number => (slice + 1) * SLICE_MS;

const systemClock: PacerClock = {
  now: Date.now,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Whether the table can be used, for all quotas of a process. */
class Outage {
  readonly #warn: (message: string) => void;
  #until: number | undefined;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  lastsAt(now: number): boolean {
    return this.#until !== undefined && now < this.#until;
  }

  begin(now: number, error: unknown): void {
    if (this.#until === undefined) {
      const { name, code } = error as Error & { code?: unknown };
      const why = name === 'AbortError' ? 'no answer in time' : typeof code === 'string' ? code : name;
      this.#warn(`the table Quotas cannot be used (${why}): this process paces its calls alone, see docs/pacing.md`);
    }
    this.#until = now + OUTAGE_MS;
  }

  end(): void {
    this.#until = undefined;
  }
}

interface Shared {
  table: QuotaTable;
  clock: PacerClock;
  random(): number;
  outage: Outage;
}

interface Waiter {
  grant(slice: number): void;
}

/** One quota in one process. */
class Lane {
  readonly #shared: Shared;
  readonly #key: string;
  readonly #ceiling: number;
  /** In the order they came. */
  readonly #waiting = new Set<Waiter>();
  #running = false;
  /** The slice this process is in; the next five are of it, see #turn. */
  #slice = 0;
  #tokens = 0;
  #used = 0;
  /** What the slice was opened with, once that is known. */
  #allowance: number | undefined;
  /** Nothing can be leased before this time, epoch ms. */
  #until = 0;
  #asked = false;
  #usedBefore = 0;
  /** The last cut this process knows of, and how many it has made itself. */
  #cut: Cut | undefined;
  #ownCuts = 0;

  constructor(shared: Shared, key: string, ceiling: number) {
    this.#shared = shared;
    this.#key = key;
    this.#ceiling = ceiling;
  }

  get idle(): boolean {
    return !this.#running;
  }

  take(signal?: AbortSignal): Promise<number> {
    if (signal?.aborted) return Promise.reject(abortError(signal));
    const slice = this.#turn();
    if (this.#waiting.size === 0 && this.#tokens > 0) {
      this.#use();
      return Promise.resolve(slice);
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        grant: (granted) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(granted);
        },
      };
      const onAbort = () => {
        this.#waiting.delete(waiter);
        reject(abortError(signal));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
      if (!this.#running) void this.#run();
    });
  }

  async throttled(slice: number): Promise<void> {
    let from = this.#cut;
    for (let nth = 0; nth < CUT_TRIES; nth += 1) {
      const to = cutFor(from, slice, this.#ceiling);
      if (!to) return;
      // Believed at once, whatever becomes of the write.
      this.#cut = to;
      this.#ownCuts += 1;
      const holds = await this.#shared.table.cut(this.#key, from, to).catch(() => to);
      if (holds === to) break;
      from = holds;
      this.#cut = holds;
    }
    // Who does not know of the cut yet would open the next slice at the old rate.
    const next = sliceAt(this.#shared.clock.now()) + 1;
    await this.#shared.table.open(this.#key, next, this.#allowanceOf(next)).catch(() => {});
  }

  /** Hands out tokens until nobody waits. Never rejects. */
  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.size > 0) {
      const slice = this.#turn();
      for (const waiter of this.#waiting) {
        if (this.#tokens === 0) break;
        this.#waiting.delete(waiter);
        this.#use();
        waiter.grant(slice);
      }
      if (this.#waiting.size === 0) break;
      const now = this.#shared.clock.now();
      if (now < this.#until) await this.#shared.clock.sleep(this.#until - now + this.#shared.random() * JITTER_MS);
      else await this.#lease(slice);
    }
    this.#running = false;
  }

  async #lease(slice: number): Promise<void> {
    const { clock, outage, table } = this.#shared;
    const now = clock.now();
    const rest = restOfSlice(now);
    if (outage.lastsAt(now)) return this.#leaseLocally(slice);
    const allowance = this.#allowance ?? this.#allowanceOf(slice);
    const tokens = leaseSize({
      waiting: this.#waiting.size,
      used: this.#used,
      before: this.#usedBefore,
      rest,
      allowance,
    });
    try {
      const request = { quota: this.#key, slice, tokens, allowance, reserve: reserveOf(allowance, rest) };
      const leasing = table.lease(request);
      this.#askForCuts();
      const lease = await leasing;
      outage.end();
      // An answer that comes after its slice is over brings nothing.
      if (this.#turn() !== slice) return;
      this.#tokens += lease.taken;
      this.#allowance = lease.allowance;
      if (lease.remaining === 0) this.#until = endOf(slice);
      else if (lease.taken === 0) {
        const reserve = Math.max(0, lease.remaining - tokens);
        this.#until = endOf(slice) - restWhenReserveIs(reserve, lease.allowance) * SLICE_MS;
      }
    } catch (error) {
      outage.begin(clock.now(), error);
    }
  }

  #leaseLocally(slice: number): void {
    this.#tokens += localAllowanceOf(rateAt(this.#cut, slice, this.#ceiling));
    this.#until = endOf(slice);
  }

  /** Once a slice, beside the lease: what others have cut counts from the next slice on. */
  #askForCuts(): void {
    if (this.#asked) return;
    this.#asked = true;
    const ownCuts = this.#ownCuts;
    this.#shared.table.lastCut(this.#key).then(
      (cut) => {
        // Asked before this process made a cut of its own: the answer is old.
        if (ownCuts === this.#ownCuts) this.#cut = cut;
      },
      // The lease meets the same trouble.
      () => {},
    );
  }

  #allowanceOf(slice: number): number {
    return allowanceOf(rateAt(this.#cut, slice, this.#ceiling));
  }

  #use(): void {
    this.#tokens -= 1;
    this.#used += 1;
  }

  /** Leaves what belonged to an earlier slice. */
  #turn(): number {
    const slice = sliceAt(this.#shared.clock.now());
    if (slice !== this.#slice) {
      this.#usedBefore = slice === this.#slice + 1 ? this.#used : 0;
      this.#slice = slice;
      this.#tokens = 0;
      this.#used = 0;
      this.#allowance = undefined;
      // Also when the clock was set back: nobody waits for the time it had shown.
      this.#until = 0;
      this.#asked = false;
    }
    return slice;
  }
}

/** As the SDK's HTTP handler makes it. */
function abortError(signal: AbortSignal | undefined): Error {
  const error = new Error('Request aborted', { cause: signal?.reason });
  error.name = 'AbortError';
  return error;
}
