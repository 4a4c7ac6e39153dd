import { socketIoInMemory, socketIoOverRedis } from './peers/socketio.ts';
import { memory } from './progress/memory.ts';
import { steady } from './progress/steady.ts';
import { storm } from './progress/storm.ts';
import { option, report } from './report.ts';

const load = { clients: 200, runs: 20, rate: 100, seconds: 6 };
for (const s of [socketIoInMemory, socketIoOverRedis(1)]) {
  console.log(s.name, await steady(s, load));
  console.log(s.name, await memory(s, 1000, 20));
}
for (const s of [socketIoInMemory, socketIoOverRedis(2)])
  console.log(s.name, await storm(s, { load: { ...load, clients: 50 }, disconnects: 10, kills: 2, seed: 1 }));
report({ ok: option('x') ?? 1 });
process.exit(0);
