/**
 * One restore of ten million objects, from start to end: history, calls and memory; see docs/performance.md. The archive is
 * made up and time is skipped, or, with --real, everything is in the S3 stand-in and asked for at the quota's rate.
 *
 *   npm run bench -- restore-scale [--objects 10000000] [--tier Bulk] [--json]
 *   npm run bench -- restore-scale --real [--objects 1000000] [--hour-ms 1800] [--json]
 *
 * @module
 */
import type { Tier } from '../../workflows/restore/model.ts';
import { restoreMany } from '../support/restore-scale.ts';
import { openTimeSkipping } from '../support/time-skipping.ts';
import { option, report } from './report.ts';
import { restoreReal } from './restore/real.ts';

const MIB = 2 ** 20;
const tier = (option('tier') ?? 'Bulk') as Tier;

if (option('real') === undefined) report(await synthetic(Number(option('objects') ?? 10_000_000)));
else report(await restoreReal(Number(option('objects') ?? 1_000_000), Number(option('hour-ms') ?? 1_800)));
process.exit(0);

async function synthetic(objects: number): Promise<Record<string, unknown>> {
  const env = await openTimeSkipping();
  const peak = { rss: 0, heap: 0 };
  const timer = setInterval(() => {
    const { rss, heapUsed } = process.memoryUsage();
    peak.rss = Math.max(peak.rss, rss);
    peak.heap = Math.max(peak.heap, heapUsed);
  }, 50);
  try {
    const begun = performance.now();
    const { result, counts, ...run } = await restoreMany(env, { objects, wishes: { tier }, pagesBetweenHeaps: 1_000 });
    const seconds = (performance.now() - begun) / 1000;
    if (result.status !== 'COMPLETE' || run.asked !== objects)
      throw new Error(`${result.status}: ${run.asked} of ${objects} objects were asked for`);
    return {
      objects,
      seconds: Math.round(seconds),
      peakRssMiB: Math.round(peak.rss / MIB),
      heapPeakMiB: Math.round(peak.heap / MIB),
      liveMiB: run.liveMiB,
      historyEvents: run.historyEvents,
      runs: run.runs,
      sweeps: run.sweeps,
      listCalls: counts.list,
      headCalls: counts.head,
      restoreCalls: counts.restore,
      putCalls: counts.put,
      getCalls: counts.get,
      askedTwice: run.askedTwice,
      largestObjectMiB: Math.round((10 * run.largestObject) / MIB) / 10,
      restoredAfterHours: Math.round(result.seconds / 360) / 10,
    };
  } finally {
    clearInterval(timer);
    await env.teardown();
  }
}
