/**
 * From an activity to the screen: activities report, and whoever watches is told by the callback of the live client. What a
 * page makes of it comes after that.
 *
 * @module
 */
import { startProgram } from '../../support/program.ts';
import { startLog } from '../../support/progress-log.ts';
import type { Tally } from '../../support/seen.ts';
import { KEY, startGateway } from './longhaul.ts';
import { runOf } from './plan.ts';
import { AT_A_TIME, CROWD, type Latencies, settle } from './steady.ts';

export interface Screen extends Tally, Latencies {
  runs: number;
  /** Reports a second, over all runs. */
  rate: number;
}

const ACTIVITIES = 'test/bench/progress/programs/activities.ts';

/** Whoever looks at the runs, and says afterwards how late it was told of what. */
export type Watcher = (
  port: number,
  runs: readonly string[],
) => Promise<{
  seen(told: Readonly<Record<string, number>>): Promise<Tally & Latencies>;
  forget(): Promise<void>;
  close(): Promise<void>;
}>;

/** The live client, one connection a run. */
const byClient: Watcher = async (port, runs) => {
  const crowd = await startProgram(CROWD);
  await crowd.call(
    'connect',
    'screen',
    runs.map((run, client) => ({ client, port, run })),
    AT_A_TIME,
  );
  return {
    async seen(told) {
      await settle(crowd, told, 15_000);
      return { ...(await crowd.call<Tally>('tally', told)), ...(await crowd.call<Latencies>('latencies')) };
    },
    forget: () => crowd.call('forget'),
    close: () => crowd.kill(),
  };
};

export async function screen(
  load: { runs: number; rate: number; seconds: number },
  watcher = byClient,
): Promise<Screen> {
  const { runs, rate, seconds } = load;
  const log = await startLog();
  const gateway = await startGateway({ port: 0, log: log.place, key: KEY }, true);
  const activities = await startProgram(ACTIVITIES);
  try {
    await activities.call('start', { log: log.place, key: KEY, runs });
    const watching = await watcher(
      gateway.port,
      Array.from({ length: runs }, (_, nth) => runOf(nth)),
    );
    try {
      // The database's virtual machine takes seconds until it is at its speed.
      await activities.call('report', rate, 5);
      await watching.forget();
      const told = await activities.call<Record<string, number>>('report', rate, seconds);
      return { runs, rate, ...(await watching.seen(told)) };
    } finally {
      await watching.close();
    }
  } finally {
    await activities.kill();
    await gateway.program.kill();
    await log.close();
  }
}
