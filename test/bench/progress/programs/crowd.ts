/**
 * Many clients in one process, which count what they see and how late.
 *
 * @module
 */
import { answer, machineMs } from '../../../support/program.ts';
import { addTally, noTally, Seen } from '../../../support/seen.ts';
import { openSocketIoClient } from '../../peers/socketio-client.ts';
import { percentile } from '../../report.ts';
import type { BenchClient, OpenClient } from '../client.ts';
import { openLonghaulClient, openScreenClient } from '../longhaul-client.ts';

export interface Member {
  client: number;
  port: number;
  run: string;
}

const KINDS: Record<string, OpenClient> = {
  socketio: openSocketIoClient,
  longhaul: openLonghaulClient,
  screen: openScreenClient,
};

interface Watcher {
  member: Member;
  seen: Seen;
  handle: BenchClient;
}

let watchers: Watcher[] = [];
let latencies: number[] = [];
/** By client: how often it has come to life. */
const lives: number[] = [];
let recovered = 0;

answer({
  /** Resolves once all are connected and subscribed; so many at a time begin. */
  async connect(kind: string, members: readonly Member[], atATime: number) {
    const open = KINDS[kind];
    if (!open) throw new Error(`no client of kind ${kind}`);
    const queue = [...members];
    const next = async () => {
      for (let member = queue.shift(); member; member = queue.shift()) {
        const { client, port, run } = member;
        const seen = new Seen();
        let handle: BenchClient | undefined;
        await new Promise<void>((resolve) => {
          handle = open({
            client,
            port,
            run,
            onMessage(n, toldAt, stands) {
              if (seen.take(n, stands)) latencies.push(machineMs() - toldAt);
            },
            onLive(nothingLost) {
              lives[client] = (lives[client] ?? 0) + 1;
              if (nothingLost) recovered += 1;
              resolve();
            },
          });
        });
        if (handle) watchers.push({ member, seen, handle });
      }
    };
    await Promise.all(Array.from({ length: atATime }, next));
  },
  /** How many messages are still to come, of so many that were told of each run. */
  missing(told: Readonly<Record<string, number>>) {
    return watchers.reduce((sum, { member, seen }) => sum + Math.max(0, (told[member.run] ?? 0) - seen.last), 0);
  },
  tally(told: Readonly<Record<string, number>>) {
    return watchers.reduce((sum, { member, seen }) => addTally(sum, seen.tally(told[member.run] ?? 0)), noTally());
  },
  latencies: () => ({
    count: latencies.length,
    p50Ms: percentile(latencies, 0.5),
    p95Ms: percentile(latencies, 0.95),
    p99Ms: percentile(latencies, 0.99),
    maxMs: percentile(latencies, 1),
  }),
  lives: () => lives,
  recovered: () => recovered,
  forget() {
    latencies = [];
  },
  cpu: () => process.cpuUsage(),
  close() {
    for (const { handle } of watchers) handle.close();
    watchers = [];
    latencies = [];
    lives.length = 0;
    recovered = 0;
  },
});
