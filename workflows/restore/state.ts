/**
 * What a restore knows of itself while it runs, and when it looks again. A plain class without waiting in it.
 *
 * @module
 */
import {
  type Carried,
  type ObjectFailure,
  type RestoreCounts,
  type RestoreInput,
  type RestorePlan,
  type RestoreProgress,
  type RestoreResult,
  type RestoreStatus,
} from './model.ts';

/** What a sweep has seen of all objects. */
export interface Sweep {
  readable: number;
  readableBytes: number;
  restoring: number;
  failed: number;
  requested: number;
  failures: readonly ObjectFailure[];
  /** Epoch ms: the first copy to go. */
  firstExpiry?: number;
}

/** Between two sweeps that news asks for, at least; and this part of the time since the requests, ms. */
const LEAST_GAP_MS = 1_000;
const GAP_PART = 1 / 50;
/** Without news a sweep is made after this part of the time the restore takes, within bounds, s. */
const POLL_PART = 1 / 20;
const POLL = { least: 60, most: 3 * 3_600 } as const;
/** A look extends what goes within this time, ms; the looks for it come a little sooner, and not too often. */
export const EXTEND_WITHIN_MS = 12 * 3_600_000;
const EXTEND = { beforeMs: 11 * 3_600_000, everyMs: 600_000 } as const;
/** A launch is told of progress so often at most. */
const TELLINGS = 20;

export class RestoreState {
  readonly restoreId: string;
  status: RestoreStatus = 'PLANNING';
  plan: RestorePlan | undefined;
  counts: RestoreCounts = { total: 0, bytes: 0, requested: 0, readable: 0, readableBytes: 0, restoring: 0, failed: 0 };
  /** Rises with every write to the registry. */
  sequence = 0;
  requestedAt: number | undefined;
  approval: RestoreProgress['approval'];
  failures: RestoreProgress['failures'];
  error: RestoreProgress['error'];
  /** Of setting; 0: by the plan. */
  pollSeconds = 0;
  sweeps = 0;
  #firstExpiry: number | undefined;
  #sweptAt = 0;
  #firstReadable: { at: number; readable: number } | undefined;
  #rate: number | undefined;
  #told = '';
  readonly #statuses: Partial<Record<RestoreStatus, number>> = {};

  constructor({ restoreId, carried }: Pick<RestoreInput, 'restoreId' | 'carried'>) {
    this.restoreId = restoreId;
    if (!carried) return;
    const { status, plan, counts, requestedAt, sequence, statuses, sweeps, pollSeconds } = carried;
    Object.assign(this, { status, plan, counts, requestedAt, sequence, sweeps, pollSeconds });
    Object.assign(this.#statuses, statuses);
  }

  move(to: RestoreStatus, now: number): void {
    this.status = to;
    this.#statuses[to] ??= now;
  }

  /** @returns whether it has seen anything new */
  swept(sweep: Sweep, now: number): boolean {
    const { counts } = this;
    const before = `${counts.readable}/${counts.failed}`;
    counts.readable = sweep.readable;
    counts.readableBytes = sweep.readableBytes;
    counts.restoring = sweep.restoring;
    counts.failed = sweep.failed;
    counts.requested += sweep.requested;
    this.sweeps += 1;
    this.#sweptAt = now;
    this.#firstExpiry = sweep.firstExpiry;
    if (sweep.readable > 0 && !this.#firstReadable) this.#firstReadable = { at: now, readable: sweep.readable };
    else if (this.#firstReadable && now > this.#firstReadable.at)
      this.#rate = ((sweep.readable - this.#firstReadable.readable) * 1000) / (now - this.#firstReadable.at);
    return before !== `${counts.readable}/${counts.failed}`;
  }

  /** Every object has been seen to be readable, or to have failed for good. */
  get settled(): boolean {
    return this.counts.readable + this.counts.failed >= this.counts.total;
  }

  /** How long to wait for news before the next sweep, ms. */
  nextPollMs(now: number): number {
    const { requestedAt = now, plan } = this;
    if (this.pollSeconds > 0) return this.pollSeconds * 1000;
    const seconds = Math.min(POLL.most, Math.max(POLL.least, (plan?.seconds ?? 0) * POLL_PART));
    // What was asked for cannot be there any sooner; what others have asked for may.
    const soonest = requestedAt + (plan?.soonestSeconds ?? 0) * 1000;
    const own = this.counts.restoring > 0 && plan && plan.objects >= this.counts.restoring;
    return Math.max(seconds * 1000, own ? soonest - now : 0);
  }

  /** News may come often; how long it has to wait, ms. */
  gapMs(now: number): number {
    const gap = Math.max(LEAST_GAP_MS, (now - (this.requestedAt ?? now)) * GAP_PART);
    return Math.max(0, this.#sweptAt + gap - now);
  }

  /** When somebody has to look after the copies, ms from now; undefined when none of them goes. */
  extendInMs(now: number): number | undefined {
    // One that has gone all the same is being restored again.
    if (this.counts.restoring > 0) return this.nextPollMs(now);
    return this.#firstExpiry && Math.max(EXTEND.everyMs, this.#firstExpiry - EXTEND.beforeMs - now);
  }

  progress(): RestoreProgress {
    const { plan, requestedAt, approval, failures, error } = this;
    const open = this.status === 'REQUESTING' || this.status === 'RESTORING';
    return {
      restoreId: this.restoreId,
      status: this.status,
      counts: { ...this.counts },
      statuses: { ...this.#statuses },
      ...(plan && { plan }),
      ...(approval && { approval }),
      ...(this.#rate !== undefined && open && { ratePerSecond: this.#rate }),
      ...(open && requestedAt !== undefined && plan && { readyBy: requestedAt + plan.seconds * 1000 }),
      ...(failures && { failures }),
      ...(error && { error }),
    };
  }

  /** Whether this is worth telling a launch: another status, or a good part more. */
  worthTelling(): boolean {
    const { total, readable, failed } = this.counts;
    const part = total === 0 ? 0 : Math.floor((TELLINGS * (readable + failed)) / total);
    const now = `${this.status}/${part}`;
    if (now === this.#told) return false;
    this.#told = now;
    return true;
  }

  result(): RestoreResult {
    const { counts, plan, requestedAt } = this;
    const readyAt = this.#statuses.READY ?? this.#statuses.COMPLETE;
    const seconds = readyAt === undefined || requestedAt === undefined ? 0 : (readyAt - requestedAt) / 1000;
    return {
      restoreId: this.restoreId,
      status: this.status,
      objects: plan?.objects ?? 0,
      bytes: plan?.bytes ?? 0,
      ...(plan?.usd !== undefined && { usd: plan.usd }),
      tiers: plan?.tiers ?? {},
      seconds: counts.total === 0 ? 0 : Math.round(seconds * 10) / 10,
    };
  }

  carry(of: Pick<Carried, 'beganAt' | 'place' | 'keepsLog'>): Carried {
    const { status, plan, counts, requestedAt, sequence, sweeps, pollSeconds } = this;
    if (!plan || requestedAt === undefined) throw new Error('nothing to carry before the requests');
    const carried = { status, plan, counts, requestedAt, sequence, sweeps, pollSeconds };
    return { ...carried, statuses: { ...this.#statuses }, ...of };
  }
}
