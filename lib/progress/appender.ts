/**
 * How a process tells logs what happens: at once, then at most every 100 ms a run, merged meanwhile; one append a run at a
 * time, repeated while the table cannot be used. Reporting itself never waits and never throws.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Report, RunFacts } from '../../workflows/progress/model.ts';
import type { ProgressWriter } from './log.ts';
import { mergeableIn, mergeReports } from './merge.ts';
import type { Nudger } from './nudge.ts';
import { bytesOf, checkFacts, checkRun, InvalidProgressError, readReport, takeReport } from './report.ts';

export interface Appender {
  report(run: string, facts: RunFacts, report: Report): void;
  /**
   * Waits until all that has been reported is in the logs.
   * @returns how many reports are not, when the patience (ms) is over
   */
  flush(patienceMs?: number): Promise<number>;
}

export interface AppenderOptions {
  writer: ProgressWriter;
  nudge?: Pick<Nudger, 'nudge'>;
  /** Told of what is lost, and of the beginning of an outage. */
  warn(message: string): void;
  /** Between two appends of a run, ms. */
  everyMs?: number;
  /** JSON of reports that wait; beyond it the oldest are let go, progress first. */
  mostBytes?: number;
}

const EVERY_MS = 100;
const MOST_BYTES = 64 * 1024 * 1024;
/** Reports of one append; the store makes of them as many transactions as it takes. */
const BATCH = 200;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const PATIENCE_MS = 5_000;

interface Waiting {
  report: Report;
  bytes: number;
}

interface Run {
  facts: RunFacts;
  waiting: Waiting[];
  flying: number;
  bytes: number;
  going: Promise<void>;
}

export function createAppender(options: AppenderOptions): Appender {
  const { writer, nudge, warn, everyMs = EVERY_MS, mostBytes = MOST_BYTES } = options;
  const runs = new Map<string, Run>();
  let bytes = 0;
  let failing = false;
  // Aborted and made anew by a flush: nobody waits for the end of a pause then.
  let pauses = new AbortController();
  let flushing = 0;

  const pause = async (ms: number): Promise<void> => {
    if (flushing > 0 && ms <= everyMs) return;
    await delay(ms, undefined, { signal: pauses.signal }).catch(() => {});
  };

  function add(run: Run, report: Report): void {
    const reports = run.waiting.map((waiting) => waiting.report);
    const index = mergeableIn(reports, report);
    const [earlier] = index < 0 ? [] : run.waiting.splice(index, 1);
    const merged = earlier ? mergeReports(earlier.report, reports.slice(index + 1), report) : report;
    const size = bytesOf(merged);
    run.waiting.push({ report: merged, bytes: size });
    count(run, size - (earlier?.bytes ?? 0));
    keepBound();
  }

  function keepBound(): void {
    for (;;) if (bytes <= mostBytes || !shed()) return;
  }

  function count(run: Run, more: number): void {
    run.bytes += more;
    bytes += more;
  }

  /** Lets go of one report of the run that has most. */
  function shed(): boolean {
    const [name, run] = [...runs].reduce((most, one) => (one[1].bytes > most[1].bytes ? one : most));
    const progress = run.waiting.findIndex(({ report }) => report.kind === 'progress');
    const [gone] = run.waiting.splice(Math.max(0, progress), 1);
    if (!gone) return false;
    count(run, -gone.bytes);
    warn(`progress of ${name} is lost (${gone.report.kind}): too much waits for the table of logs`);
    return true;
  }

  async function go(name: string, run: Run): Promise<void> {
    // What is reported in the same moment goes together.
    await Promise.resolve();
    while (run.waiting.length > 0) {
      const batch = run.waiting.splice(0, BATCH);
      run.flying = batch.length;
      await append(
        name,
        run,
        batch.map(({ report }) => report),
      );
      run.flying = 0;
      count(run, -batch.reduce((sum, waiting) => sum + waiting.bytes, 0));
      await pause(everyMs);
    }
    runs.delete(name);
  }

  async function append(name: string, run: Run, batch: readonly Report[]): Promise<void> {
    const reports = batch.flatMap((report) => attempt(name, () => takeReport(report)) ?? []);
    for (let tries = 0; ; tries += 1) {
      try {
        const { epoch, events, refused } = await writer.append(name, run.facts, reports);
        failing = false;
        // What went through though the answer was lost is refused now: gateways look for it.
        if (events.length > 0 || (tries > 0 && refused > 0)) nudge?.nudge({ run: name, epoch, events });
        return;
      } catch (error) {
        if (error instanceof InvalidProgressError) {
          warn(`progress of ${name} is lost: ${error.message}`);
          return;
        }
        if (!failing) warn(`progress of ${name} cannot be appended for now: ${String(error)}`);
        failing = true;
      }
      await pause(
        Math.max(everyMs + 1, (0.5 + Math.random() / 2) * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries)),
      );
    }
  }

  /** What cannot be taken is lost: whoever reports has better things to do. */
  function attempt<T>(name: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      warn(`progress of ${name} is lost: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  return {
    report(name, facts, report) {
      const checked = attempt(name, () => ({
        name: checkRun(name),
        facts: checkFacts(facts),
        report: readReport(report),
      }));
      if (!checked) return;
      const known = runs.get(name);
      const run: Run = known ?? { facts: checked.facts, waiting: [], flying: 0, bytes: 0, going: Promise.resolve() };
      add(run, checked.report);
      if (known) return;
      runs.set(name, run);
      run.going = go(name, run);
    },

    async flush(patienceMs = PATIENCE_MS) {
      flushing += 1;
      const hurried = pauses;
      pauses = new AbortController();
      hurried.abort();
      const over = new AbortController();
      const all = [...runs.values()];
      await Promise.race([
        Promise.all(all.map(({ going }) => going)),
        delay(patienceMs, undefined, { signal: over.signal }).catch(() => {}),
      ]);
      over.abort();
      flushing -= 1;
      return all.reduce((sum, run) => sum + run.flying + run.waiting.length, 0);
    },
  };
}
