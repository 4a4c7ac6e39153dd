/**
 * Reports on their way over EventBridge: the form of an event, and how it is read. Events may come twice and out of order.
 * The log takes nothing of a source that is older than what it has of it: of an event that was overtaken only what the newer
 * one repeats is seen.
 *
 * @module
 */
import type { Report, RunFacts } from '../../workflows/progress/model.ts';
import { bytesOf, checkFacts, checkReport, checkRun, takeReport } from './report.ts';
import { fail, list, record } from './shape.ts';

export const BUS_SOURCE = 'longhaul.progress';
export const BUS_DETAIL_TYPE = 'Progress Reported';

export interface Batch {
  /** The workflow id. */
  run: string;
  facts: RunFacts;
  reports: readonly Report[];
}

/** Of an event; PutEvents takes 256 KB of all entries together, with their other fields. */
export const DETAIL_BYTES = 230_000;
const VERSION = 1;

/**
 * The `detail` of as many events as it takes, in order.
 * @throws InvalidProgressError
 */
export function detailsOf({ run, facts, reports }: Batch): string[] {
  const fixed = { version: VERSION, run: checkRun(run), facts: checkFacts(facts) };
  const room = DETAIL_BYTES - bytesOf({ ...fixed, reports: [] });
  const groups: Report[][] = [];
  let bytes = 0;
  for (const report of reports.flatMap(takeReport)) {
    const more = bytesOf(report) + 1;
    const group = groups.at(-1);
    if (group && bytes + more <= room) {
      group.push(report);
      bytes += more;
    } else {
      groups.push([report]);
      bytes = more;
    }
  }
  return groups.map((group) => JSON.stringify({ ...fixed, reports: group }));
}

/**
 * Reads the `detail` of an event, parsed from JSON.
 * @throws InvalidProgressError
 */
export function readDetail(detail: unknown): Batch {
  const { version, run, facts, reports } = record(detail, 'detail');
  if (version !== VERSION) fail('detail.version', String(VERSION), 'bring the consumer up to date');
  return {
    run: checkRun(run),
    facts: checkFacts(facts),
    reports: list(reports, 'detail.reports').map(checkReport),
  };
}
