/**
 * What the account was billed, a row for a day and whatever it was for, with its journal. Rows are put in by
 * `POST billing-rows`, and told once their day is over, as Cost Explorer learns of costs once a day.
 *
 * @module
 */
import { join } from 'node:path';
import type { Kit } from '../../kit/front-door.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import { DAY_MS, isDate } from './dates.ts';

export interface BillingRow {
  /** `2026-11-26`. */
  date: string;
  /** As Cost Explorer calls it: `Amazon Elastic Compute Cloud - Compute`, `EC2 - Other`, … */
  service: string;
  usageType: string;
  region: string;
  tags: Readonly<Record<string, string>>;
  /** In units of 10^-10 of the currency, so that sums are exact. */
  amount: string;
  currency: string;
  quantity: string;
}

type Json = Record<string, unknown>;

const DECIMALS = 10;

export class BillingRows {
  readonly #kit: Kit;
  readonly #rows: BillingRow[] = [];
  readonly #journal: Journal<BillingRow>;

  constructor(options: { kit: Kit; directory: string; region: string }) {
    this.#kit = options.kit;
    this.#journal = openJournal<BillingRow>({
      file: join(options.directory, 'rows.jsonl'),
      replay: (row) => this.#rows.push(row),
      snapshot: () => this.#rows,
    });
    this.#kit.actions.set('POST billing-rows', (input) => {
      const rows: unknown = Array.isArray(input) ? input : input.rows;
      if (!Array.isArray(rows)) throw new Error('a list of rows is wanted');
      // All are read before any is put in.
      const read = (rows as Json[]).map((row) => readRow(row, options.region));
      for (const row of read) {
        this.#journal.append(row);
        this.#rows.push(row);
      }
      return { rows: read.length };
    });
  }

  /** Those that Cost Explorer knows by now. */
  known(): BillingRow[] {
    const until = this.#kit.clock.now() - DAY_MS;
    return this.#rows.filter(({ date }) => Date.parse(date) <= until);
  }

  close(): void {
    this.#journal.close();
  }
}

function readRow(row: Json, ownRegion: string): BillingRow {
  const { date, service, usageType = '', region = ownRegion, tags = {}, currency = 'USD' } = row;
  if (typeof date !== 'string' || !isDate(date)) throw new Error(`no date: ${String(date)}`);
  if (typeof service !== 'string' || service === '') throw new Error('a row must have a service');
  return {
    date,
    service,
    usageType: String(usageType),
    region: String(region),
    tags: tags as Record<string, string>,
    amount: scaled(row.amount),
    currency: String(currency),
    quantity: scaled(row.usageQuantity ?? '0'),
  };
}

function scaled(value: unknown): string {
  const [, sign = '', whole = '', part = ''] = /^(-?)(\d+)(?:\.(\d{1,10}))?$/.exec(String(value)) ?? [];
  if (whole === '') throw new Error(`no amount of up to ten decimal places: ${String(value)}`);
  return `${sign}${whole}${part.padEnd(DECIMALS, '0')}`;
}

/** The sum as Cost Explorer writes it: without zeros at its end. */
export function sumOf(values: readonly string[]): string {
  const sum = values.reduce((total, value) => total + BigInt(value), 0n);
  const digits = (sum < 0n ? -sum : sum).toString().padStart(DECIMALS + 1, '0');
  const part = digits.slice(-DECIMALS).replace(/0+$/, '');
  return `${sum < 0n ? '-' : ''}${digits.slice(0, -DECIMALS)}${part === '' ? '' : `.${part}`}`;
}
