/**
 * What a connection that is subscribed and has nothing to hear costs the server.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type MemoryUse, type Program, startProgram } from '../../support/program.ts';
import { runOfClient } from './plan.ts';
import { AT_A_TIME, CROWD } from './steady.ts';
import type { System } from './system.ts';

export interface Memory {
  /** Resident bytes of the server, for each connection. What the process had to spare before makes it less. */
  perConnection: number;
  /** Of the JavaScript heap and what it holds outside: hardly depends on what was before. */
  heldPerConnection: number;
  connections: number;
  residentMiB: number;
}

/** Resident memory after a collection, before and after so many clients have come. */
export async function memory(system: System, connections: number, runs: number): Promise<Memory> {
  const running = await system.start({ patient: true, runs });
  const crowd = await startProgram(CROWD);
  const [port] = running.ports;
  const comeFrom = async (from: number, to: number) => {
    const members = Array.from({ length: to - from }, (_, nth) => ({
      client: from + nth,
      port,
      run: runOfClient(from + nth, { runs }),
    }));
    await crowd.call('connect', system.client, members, AT_A_TIME);
  };
  try {
    // The first ones load code and grow the heap for all that follow.
    const first = Math.round(connections / 10);
    await comeFrom(0, first);
    const before = await settled(running);
    await comeFrom(first, first + connections);
    const after = await settled(running);
    return {
      perConnection: Math.round((after.resident - before.resident) / connections),
      heldPerConnection: Math.round((after.held - before.held) / connections),
      connections,
      residentMiB: Math.round(after.resident / 2 ** 20),
    };
  } finally {
    await crowd.kill();
    await running.close();
  }
}

async function settled(running: { server: Pick<Program, 'call'> }): Promise<MemoryUse> {
  // Whatever a new connection leaves to later has been done.
  await delay(1_000);
  return running.server.call<MemoryUse>('memory');
}
