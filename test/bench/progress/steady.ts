/**
 * Messages at a steady rate to clients that nothing befalls: how late each client gets each, and what that costs the server.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startProgram } from '../../support/program.ts';
import type { Tally } from '../../support/seen.ts';
import { percentile } from '../report.ts';
import { type Load, messagesOf, runOf, runOfClient, toldOf } from './plan.ts';
import { cpuSeconds } from './processor.ts';
import type { Running, System } from './system.ts';

export interface Latencies {
  count: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface Steady extends Tally, Latencies {
  /** Of keeping a message, where it is kept before it is told; within the latencies. */
  keptP50Ms?: number;
  keptP95Ms?: number;
  /** Processor time of the server that clients connect to, of one core. */
  serverCpuPercent: number;
  crowdCpuPercent: number;
}

export const CROWD = 'test/bench/progress/programs/crowd.ts';
/** Connections that are being opened at the same time. */
export const AT_A_TIME = 50;

/** What has been told of each run, after so many messages. */
export const toldByRun = (messages: number, runs: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: runs }, (_, nth) => [runOf(nth), toldOf(nth, messages, runs)]));

/**
 * Tells messages at the load's rate, in batches of what has become due.
 * @returns how long each took to be kept, ms
 */
export async function tell(running: Running, load: Load, from = 0, goOn = () => true): Promise<number[]> {
  const begun = performance.now();
  const kept: number[] = [];
  const telling: Promise<void>[] = [];
  let told = 0;
  let failed: unknown;
  const messages = messagesOf(load, from);
  for (let next = messages.next(); !next.done && goOn(); ) {
    const due = Math.floor(((performance.now() - begun) * load.rate) / 1000) + 1;
    const batch = [];
    for (; told < due && !next.done; next = messages.next(), told += 1) batch.push(next.value);
    if (batch.length > 0) {
      telling.push(
        running.publish(batch).then(
          (times) => void kept.push(...times),
          (error: unknown) => {
            failed ??= error;
          },
        ),
      );
    }
    await delay(2);
  }
  await Promise.all(telling);
  if (failed) throw failed as Error;
  kept.push(...((await running.flush?.()) ?? []));
  return kept;
}

export async function steady(system: System, load: Load): Promise<Steady> {
  const running = await system.start({ patient: true, runs: load.runs });
  const crowd = await startProgram(CROWD);
  try {
    const { ports } = running;
    const members = Array.from({ length: load.clients }, (_, client) => ({
      client,
      port: ports[client % ports.length],
      run: runOfClient(client, load),
    }));
    await crowd.call('connect', system.client, members, AT_A_TIME);
    // The first messages warm everything up, and are not reckoned with.
    const warm = { ...load, seconds: 2 };
    const warmed = Math.round(warm.rate * warm.seconds);
    await tell(running, warm);
    await settle(crowd, toldByRun(warmed, load.runs), 10_000);
    await crowd.call('forget');
    const [serverBefore, crowdBefore] = await Promise.all([cpuSeconds(running.server.pid), cpuSeconds(crowd.pid)]);
    const begun = performance.now();
    const kept = await tell(running, load, warmed);
    const told = toldByRun(warmed + Math.round(load.rate * load.seconds), load.runs);
    const seconds = (performance.now() - begun) / 1000;
    const [serverAfter, crowdAfter] = await Promise.all([cpuSeconds(running.server.pid), cpuSeconds(crowd.pid)]);
    await settle(crowd, told, 10_000);
    return {
      ...(await crowd.call<Latencies>('latencies')),
      ...(await crowd.call<Tally>('tally', told)),
      ...(kept.length > 0 && { keptP50Ms: percentile(kept, 0.5), keptP95Ms: percentile(kept, 0.95) }),
      serverCpuPercent: Math.round((100 * (serverAfter - serverBefore)) / seconds),
      crowdCpuPercent: Math.round((100 * (crowdAfter - crowdBefore)) / seconds),
    };
  } finally {
    await crowd.kill();
    await running.close();
  }
}

/** Waits until nothing is missing any more, or has not come for a while. */
export async function settle(
  crowd: { call<Answer>(method: string, ...args: unknown[]): Promise<Answer> },
  told: Readonly<Record<string, number>>,
  patienceMs: number,
): Promise<number> {
  let missing = Number.POSITIVE_INFINITY;
  let since = performance.now();
  for (;;) {
    const now = await crowd.call<number>('missing', told);
    if (now < missing) since = performance.now();
    missing = now;
    if (missing === 0 || performance.now() - since > patienceMs) return missing;
    await delay(50);
  }
}
