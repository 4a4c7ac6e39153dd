import { GATEWAY } from '../support/gateway-world.ts';
import { startProgram } from '../support/program.ts';
import { startLog } from '../support/progress-log.ts';
import { messagesOf, runOf } from './progress/plan.ts';
import { CROWD, settle, toldByRun } from './progress/steady.ts';

const log = await startLog();
const KEY = 'k'.repeat(32);
const gateway = await startProgram(GATEWAY, { execArgv: ['--expose-gc'] });
const { port } = await gateway.call<{ port: number }>('start', { port: 0, log: log.place, key: KEY, forgetful: true });
const teller = await startProgram('test/bench/progress/programs/teller.ts', {
  execArgv: process.env.PROF ? ['--cpu-prof', '--cpu-prof-dir=/tmp/wt/prof'] : [],
});
const runs = 20;
await teller.call('start', { log: log.place, key: KEY, runs: Array.from({ length: runs }, (_, n) => runOf(n)) });
const crowd = await startProgram(CROWD);
await crowd.call(
  'connect',
  'longhaul',
  Array.from({ length: 40 }, (_, client) => ({ client, port, run: runOf(client % runs) })),
  10,
);
const rate = Number(process.env.RATE ?? 10);
let kept: number[] = [];
const begun = performance.now();
let n = 0;
for (const message of messagesOf({ clients: 40, runs, rate, seconds: 10 })) {
  while (performance.now() - begun < (1000 * n) / rate) await new Promise((r) => setTimeout(r, 2));
  n += 1;
  kept.push(...(await teller.call<number[]>('publish', [message])));
  if (n === rate * 3) {
    await crowd.call('forget');
    kept = [];
  }
}
kept.push(...(await teller.call<number[]>('flush')));
await settle(crowd, toldByRun(n, runs), 10000);
const s = kept.toSorted((a, b) => a - b);
console.log('kept p50', s[s.length >> 1], 'p95', s[Math.floor(s.length * 0.95)], 'all', await crowd.call('latencies'));
console.log('teller', teller.output.slice(-10), 'gateway', gateway.output.slice(-10));
await Promise.all([crowd.kill(), teller.kill(), gateway.kill()]);
await log.close();
process.exit(0);
