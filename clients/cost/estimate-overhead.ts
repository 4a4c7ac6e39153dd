/**
 * What launches cost beside the shares of instances that their jobs had: volumes, file systems, requests, packing and idle
 * time. By the ledgers of those an estimate has learnt from.
 *
 * @module
 */
import type { LedgerStore, LineItem } from '../../lib/store/ledger.ts';

/** The newest say enough, and each is a query. */
const LAUNCHES = 5;
/** Ledgers count as much as this many launches without any overhead. */
const PRIOR_LAUNCHES = 1;

export interface Overhead {
  /** Of the cost of jobs' own shares: 1 and up. */
  factor: number;
  /** How many ledgers it is from. */
  launches: number;
}

export async function overheadOf(
  ledger: Pick<LedgerStore, 'lines'>,
  launches: readonly string[],
  currency: string,
): Promise<Overhead> {
  const ledgers = await Promise.all(launches.slice(0, LAUNCHES).map((id) => ledger.lines(id)));
  const ratios = ledgers.flatMap((lines) => ratioOf(lines, currency) ?? []);
  const known = ratios.reduce((total, ratio) => total + ratio, 0);
  return { factor: (known + PRIOR_LAUNCHES) / (ratios.length + PRIOR_LAUNCHES), launches: ratios.length };
}

/** What was lost with failed attempts is in the rates already. */
function ratioOf(lines: readonly LineItem[], currency: string): number | undefined {
  let [own, all] = [0, 0];
  for (const { component, purpose, outcome, amount, currency: paid } of lines) {
    if (paid !== currency || (outcome !== undefined && outcome !== 'done')) continue;
    all += Number(amount);
    if (component === 'instance' && purpose === 'use') own += Number(amount);
  }
  return own > 0 ? all / own : undefined;
}
