/**
 * Messages to clients that are cut off again and again, by resets, ends and silences, while servers are killed: what each
 * client has seen in the end.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type ChaosProxy, createChaosProxy, type Door } from '../../support/chaos-proxy.ts';
import { startProgram } from '../../support/program.ts';
import type { Tally } from '../../support/seen.ts';
import { type Load, type Mishap, mishapsOf, runOfClient } from './plan.ts';
import { AT_A_TIME, CROWD, settle, tell, toldByRun } from './steady.ts';
import type { Running, System } from './system.ts';

export interface Storm extends Tally {
  seed: number;
  disconnects: number;
  /** By how the connection was cut. */
  cuts: Record<string, number>;
  /** Servers killed and started again. */
  kills: number;
  messages: number;
  /** Connections that came to life, and those of them of which the system says that nothing was lost. */
  connections: number;
  recovered: number;
  seconds: number;
}

export interface StormOptions {
  load: Load;
  /** Of each client. */
  disconnects: number;
  kills: number;
  seed: number;
}

export async function storm(system: System, { load, disconnects, kills, seed }: StormOptions): Promise<Storm> {
  const running = await system.start({ patient: false, runs: load.runs });
  const crowd = await startProgram(CROWD);
  const proxy = createChaosProxy(running.ports, seed);
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  try {
    const doors = await Promise.all(Array.from({ length: load.clients }, () => proxy.door({ halve: 0.02 })));
    const members = doors.map(({ port }, client) => ({ client, port, run: runOfClient(client, load) }));
    await crowd.call('connect', system.client, members, AT_A_TIME);
    const cuts: Record<string, number> = {};
    const over = new AbortController();
    const raging = () => !over.signal.aborted;
    let done = 0;
    const total = load.clients * disconnects;
    let lives: number[] = [];
    const asking = (async () => {
      for (; raging(); await delay(20)) lives = await crowd.call<number[]>('lives');
    })();
    const hurting = doors.map(async (door, client) => {
      let lived = 0;
      for (const mishap of mishapsOf(client, disconnects, seed)) {
        await hurt(door, mishap, () => (lives[client] ?? 0) > lived);
        lived = lives[client] ?? 0;
        cuts[mishap.how] = (cuts[mishap.how] ?? 0) + 1;
        done += 1;
      }
    });
    const killing = killServers(running, kills, () => done / total);
    const telling = tellWhile(running, load, raging);
    await Promise.all([...hurting, killing.over]);
    over.abort();
    await asking;
    const messages = await telling;
    const told = toldByRun(messages, load.runs);
    await settle(crowd, told, 15_000);
    lives = await crowd.call<number[]>('lives');
    const recovered = await crowd.call<number>('recovered');
    const tally = await crowd.call<Tally>('tally', told);
    return {
      ...tally,
      seed,
      disconnects: done,
      cuts,
      kills: killing.done(),
      messages,
      connections: lives.reduce((sum, count) => sum + count, 0),
      recovered,
      seconds: Math.round(seconds()),
    };
  } finally {
    await crowd.kill();
    await closeAll(proxy, running);
  }
}

/** One disconnect: a connection that is there is cut, so it counts. */
async function hurt(door: Door, { after, early, how }: Mishap, isLive: () => boolean): Promise<void> {
  do {
    await door.whenLive();
    if (!early) await until(isLive);
    await delay(after);
  } while (door.cut(how) === 0);
}

async function until(test: () => boolean): Promise<void> {
  while (!test()) await delay(10);
}

/** Tells messages, a second's worth at a time, for as long as it storms. */
async function tellWhile(running: Running, load: Load, raging: () => boolean): Promise<number> {
  let messages = 0;
  while (raging()) {
    await tell(running, { ...load, seconds: 1 }, messages);
    messages += load.rate;
  }
  return messages;
}

/** Kills servers in turns, at even shares of the disconnects. */
function killServers(
  running: Running,
  kills: number,
  share: () => number,
): { over: Promise<void>; done: () => number } {
  let done = 0;
  const over = (async () => {
    for (; running.restart && done < kills; done += 1) {
      while (share() < (done + 1) / (kills + 1)) await delay(50);
      await running.restart(done % running.ports.length);
    }
  })();
  return { over, done: () => done };
}

async function closeAll(proxy: ChaosProxy, running: Running): Promise<void> {
  await proxy.close();
  await running.close();
}
