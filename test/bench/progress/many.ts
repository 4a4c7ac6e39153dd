/**
 * As many connections as one gateway is to hold on a small machine, all of them subscribed and all of them told something.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type MemoryUse, startProgram } from '../../support/program.ts';
import type { Tally } from '../../support/seen.ts';
import { runOfClient } from './plan.ts';
import { AT_A_TIME, CROWD, type Latencies, settle, tell, toldByRun } from './steady.ts';
import type { System } from './system.ts';

export interface Many extends Tally, Latencies {
  connections: number;
  runs: number;
  /** Messages a second over all runs, and what becomes of them: one for each client that watches. */
  rate: number;
  deliveriesPerSecond: number;
  /** Until all were connected and subscribed. */
  connectSeconds: number;
  residentMiB: number;
}

/** Each run has a hundred watchers. */
const WATCHERS = 100;
const RATE = 10;

export async function manyConnections(system: System, connections: number, seconds: number): Promise<Many> {
  const load = { clients: connections, runs: Math.ceil(connections / WATCHERS), rate: RATE, seconds };
  const running = await system.start({ patient: true, runs: load.runs });
  const crowd = await startProgram(CROWD);
  try {
    const members = Array.from({ length: connections }, (_, client) => ({
      client,
      port: running.ports[client % running.ports.length],
      run: runOfClient(client, load),
    }));
    const begun = performance.now();
    await crowd.call('connect', system.client, members, AT_A_TIME);
    const connectSeconds = (performance.now() - begun) / 1000;
    await delay(1_000);
    await crowd.call('forget');
    await tell(running, load);
    const told = toldByRun(load.rate * seconds, load.runs);
    await settle(crowd, told, 15_000);
    return {
      ...(await crowd.call<Tally>('tally', told)),
      ...(await crowd.call<Latencies>('latencies')),
      connections: await running.server.call<number>('connections'),
      runs: load.runs,
      rate: RATE,
      deliveriesPerSecond: (RATE * connections) / load.runs,
      connectSeconds: Math.round(10 * connectSeconds) / 10,
      residentMiB: Math.round((await running.server.call<MemoryUse>('memory')).resident / 2 ** 20),
    };
  } finally {
    await crowd.kill();
    await running.close();
  }
}
