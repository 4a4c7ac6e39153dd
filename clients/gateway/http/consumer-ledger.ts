/**
 * The ledger as somebody who may see some consumers' launches sees it: as if there were no others.
 *
 * @module
 */
import { mapLimited } from '../../../lib/concurrency.ts';
import type { LedgerStore } from '../../../lib/store/ledger.ts';

export type SeenLedger = Pick<LedgerStore, 'day' | 'daysOf' | 'history' | 'lines' | 'linesOfDays'>;

const READING = 8;
const WIDER = 5;

/** Launches are found by days, consumers and history; lines are asked for of launches that were found so. */
export function ofConsumers(ledger: SeenLedger, consumers: readonly string[] | '*'): SeenLedger {
  if (consumers === '*') return ledger;
  return {
    day: async (day, read) =>
      (await mapLimited(consumers, READING, (consumer) => ledger.daysOf(consumer, day, day, read))).flat(),
    daysOf: async (consumer, from, to, read) =>
      consumers.includes(consumer) ? ledger.daysOf(consumer, from, to, read) : [],
    // Those of others lie between; of work that many do, some of one's own is among the newest.
    history: async (work, limit) =>
      (await ledger.history(work, limit * WIDER))
        .filter(({ consumer_name: whose }) => consumers.includes(whose))
        .slice(0, limit),
    lines: (launchId) => ledger.lines(launchId),
    linesOfDays: (launchId, from, to) => ledger.linesOfDays(launchId, from, to),
  };
}
