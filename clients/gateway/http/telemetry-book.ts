/**
 * What consoles report of themselves, counted: bounded in everything a client chooses, since anybody with a token can send it.
 *
 * @module
 */
import type { Telemetry, TelemetryView } from '../../live/api.ts';

const SAMPLES = 512;
const ROUTES = 100;
const ERRORS = 50;
const MESSAGE = 500;
/** Whatever has no place any more is counted as this. */
const OTHERS = 'other';
/** Reports a user may send at once, and how many more a second. */
const BURST = 200;
const PER_SECOND = 5;
const USERS = 1_000;

interface Requests {
  count: number;
  failed: number;
  /** The last, in a ring. */
  ms: number[];
}

export class TelemetryBook {
  readonly #pages = new Map<string, number>();
  readonly #requests = new Map<string, Requests>();
  readonly #errors: TelemetryView['errors'] = [];
  readonly #allowances = new Map<string, { left: number; at: number }>();
  #refused = 0;

  /** @returns whether this user may send so many now; seconds to wait otherwise */
  admit(userId: string, reports: number, now: number): { ok: true } | { ok: false; waitSeconds: number } {
    const known = this.#allowances.get(userId) ?? { left: BURST, at: now };
    const left = Math.min(BURST, known.left + (Math.max(0, now - known.at) / 1000) * PER_SECOND);
    const ok = left >= reports;
    // The one that was asked for last stands at the end, the longest silent goes first.
    this.#allowances.delete(userId);
    this.#allowances.set(userId, { left: ok ? left - reports : left, at: now });
    for (const oldest of this.#allowances.keys()) {
      if (this.#allowances.size <= USERS) break;
      this.#allowances.delete(oldest);
    }
    if (ok) return { ok };
    this.#refused += reports;
    return { ok, waitSeconds: Math.ceil((reports - left) / PER_SECOND) };
  }

  add({ kind, route: named, ms = 0, status = 0, message = '' }: Telemetry, now: number): void {
    if (kind === 'page') {
      const route = placeIn(this.#pages, named);
      this.#pages.set(route, (this.#pages.get(route) ?? 0) + 1);
      return;
    }
    if (kind === 'error') {
      this.#errors.push({ at: now, route: named, message: message.slice(0, MESSAGE) });
      if (this.#errors.length > ERRORS) this.#errors.shift();
      return;
    }
    const route = placeIn(this.#requests, named);
    const requests = this.#requests.get(route) ?? { count: 0, failed: 0, ms: [] };
    requests.ms[requests.count % SAMPLES] = ms;
    requests.count += 1;
    if (status === 0 || status >= 400) requests.failed += 1;
    this.#requests.set(route, requests);
  }

  view(): TelemetryView {
    return {
      pages: Object.fromEntries(this.#pages),
      requests: Object.fromEntries(
        [...this.#requests].map(([route, { count, failed, ms }]) => {
          const sorted = ms.toSorted((a, b) => a - b);
          return [route, { count, failed, p50Ms: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95) }];
        }),
      ),
      errors: [...this.#errors],
      refused: this.#refused,
    };
  }
}

const placeIn = (known: ReadonlyMap<string, unknown>, route: string): string =>
  known.has(route) || known.size < ROUTES ? route : OTHERS;

/** The smallest that at least this share is not above. */
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
