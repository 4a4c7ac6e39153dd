/**
 * A worker whose activities report their progress: through the reporter, the appender and the log, gateways are nudged.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type ActivityProgress, progressOf } from '../../../../activities/progress/source.ts';
import { createAppender } from '../../../../lib/progress/appender.ts';
import { createNudger } from '../../../../lib/progress/nudge.ts';
import { gatewayTable } from '../../../../lib/store/gateways.ts';
import { tableNames } from '../../../../lib/store/tables.ts';
import { answer, machineMs } from '../../../support/program.ts';
import { dynamoDbAt, type LogPlace, openStore } from '../../../support/progress-log.ts';
import { runOf } from '../plan.ts';

const ITEMS = 1_000;
let reporters: { report: ActivityProgress; told: number }[] = [];
let flush: (patienceMs?: number) => Promise<number>;

function reportOf(n: number) {
  const done = n % ITEMS;
  const items = { total: ITEMS, running: 8, succeeded: done, failed: 0 };
  return {
    steps: [{ name: 'mapReads', state: 'RUNNING' as const, attempt: 1, items, message: `${done} of ${ITEMS} samples` }],
    data: { n, at: machineMs() },
  };
}

answer({
  async start({ log, key, runs }: { log: LogPlace; key: string; runs: number }) {
    const warn = (message: string) => console.error(message);
    const gateways = gatewayTable(dynamoDbAt(log.endpoint), tableNames(log.prefix));
    const nudge = createNudger({ gateways, key, warn });
    const appender = createAppender({ writer: openStore(log), nudge, warn });
    flush = (patienceMs) => appender.flush(patienceMs);
    reporters = Array.from({ length: runs }, (_, nth) => {
      const info = {
        activityType: 'bench',
        workflowExecution: { workflowId: runOf(nth), runId: 'bench' },
        currentAttemptScheduledTimestampMs: Date.now(),
      };
      return { report: progressOf(info, { appender, facts: { domain: 'bench' }, key: 'mapReads' }), told: 0 };
    });
    for (const reporter of reporters) reporter.report.report({ status: 'RUNNING' }, 'status');
    await flush(30_000);
    await nudge.idle();
  },
  /** @returns what has been told of each run, by its name */
  async report(rate: number, seconds: number) {
    const begun = performance.now();
    for (let nth = 0; nth < rate * seconds; nth += 1) {
      const wait = begun + (1000 * nth) / rate - performance.now();
      if (wait > 1) await delay(wait);
      const reporter = reporters[nth % reporters.length];
      if (reporter) reporter.report.report(reportOf(++reporter.told));
    }
    const left = await flush(60_000);
    if (left > 0) throw new Error(`${left} reports are not in the log after a minute`);
    return Object.fromEntries(reporters.map(({ told }, nth) => [runOf(nth), told]));
  },
});
