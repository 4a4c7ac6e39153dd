/**
 * The ledger's lines of every launch that has cost something in a time: by the index of days, then launch by launch.
 *
 * @module
 */
import { mapLimited } from '../concurrency.ts';
import { compare } from '../digest.ts';
import type { DayItem, LedgerStore, ReadCount } from '../store/ledger.ts';
import type { FocusEntry } from './focus.ts';
import { dayItems, type ReportQuery } from './report.ts';

const READING = 8;

/**
 * In order of launch ids, so that the same ledger makes the same file.
 * @param progress is told how many launches have been read, and how many there are
 */
export async function* launchLines(
  ledger: Pick<LedgerStore, 'day' | 'daysOf' | 'linesOfDays'>,
  query: Omit<ReportQuery, 'by'>,
  progress?: (done: number, all: number) => void,
): AsyncGenerator<FocusEntry> {
  const read: ReadCount = { pages: 0, items: 0 };
  const launches = new Map<string, DayItem>();
  for await (const items of dayItems(ledger, query, read)) for (const item of items) launches.set(item.launch_id, item);
  const ordered = [...launches.values()].toSorted((a, b) => compare(a.launch_id, b.launch_id));
  for (let first = 0; first < ordered.length; first += READING) {
    progress?.(first, ordered.length);
    yield* await mapLimited(ordered.slice(first, first + READING), READING, async (item) => ({
      launch: {
        launchId: item.launch_id,
        consumer: item.consumer,
        workflowType: item.workflow_type,
        computeService: item.compute_service,
      },
      lines: await ledger.linesOfDays(item.launch_id, query.from, query.to),
    }));
  }
}
