/**
 * Live progress beside Socket.IO 4, in one run: the same messages and clients, the same mishaps; see docs/performance.md.
 *
 *   npm run bench -- progress [--json]              everything, about a quarter of an hour
 *   npm run bench -- progress --short               a minute or two, to see that it runs
 *   npm run bench -- progress --only steady,memory  parts: steady, storm, memory, many, screen
 *
 * Options: --rounds, --clients, --runs, --rate (messages a second), --seconds, --disconnects (of each client), --kills,
 * --systems longhaul,socketio-redis (only these; there are also longhaul-memory, longhaul-forgetful, socketio),
 * --connections (of part many), --idle (connections of part memory), --seed, --without-redis.
 *
 * @module
 */
import { silent, ToolError, tools } from '../../infra/local/tools/index.ts';
import type { Tally } from '../support/seen.ts';
import { socketIoInMemory, socketIoOverRedis } from './peers/socketio.ts';
import { median, ratio, summarySteady } from './progress/figures.ts';
import { longhaulInMemory, longhaulOnLog } from './progress/longhaul.ts';
import { manyConnections } from './progress/many.ts';
import { memory } from './progress/memory.ts';
import type { Load } from './progress/plan.ts';
import { screen } from './progress/screen.ts';
import { steady } from './progress/steady.ts';
import { type Storm, storm } from './progress/storm.ts';
import type { System } from './progress/system.ts';
import { option, report } from './report.ts';

const short = option('short') !== undefined;
const number = (name: string, full: number, brief = full) => Number(option(name) ?? (short ? brief : full));
const rounds = number('rounds', 3, 1);
const seed = number('seed', 1);
const load: Load = {
  clients: number('clients', 200, 50),
  runs: number('runs', 50, 10),
  rate: number('rate', 100),
  seconds: number('seconds', 15, 4),
};
const only = option('only')?.split(',');
const wanted = (part: string) => !only || only.includes(part);
const say = (what: string, figures: unknown) => console.error(`${what}: ${JSON.stringify(figures)}`);

const redis = option('without-redis') === undefined ? await whyNoRedis() : 'left out by --without-redis';
if (redis !== undefined) console.error(`without Socket.IO over Redis streams: ${redis}`);
/** Like and like side by side. */
const systems = option('systems')?.split(',');
const asked = (list: System[]) => list.filter(({ name }) => !systems || systems.includes(name));
const inMemory = asked([longhaulInMemory, socketIoInMemory]);
const kept = asked([longhaulOnLog(1), longhaulOnLog(1, true), ...(redis === undefined ? [socketIoOverRedis(1)] : [])]);
const keptTwice = asked([longhaulOnLog(2), ...(redis === undefined ? [socketIoOverRedis(2)] : [])]);

const result: Record<string, unknown> = { seed, rounds, ...load };
const steadies = wanted('steady') ? await inTurns([...inMemory, ...kept], (system) => steady(system, load)) : {};
if (wanted('steady')) {
  result['steady'] = Object.fromEntries(Object.entries(steadies).map(([name, runs]) => [name, summarySteady(runs)]));
}
const storms = wanted('storm') ? await storming() : {};
if (wanted('storm')) result['storm'] = storms;
const memories = wanted('memory')
  ? await inTurns([...inMemory, ...kept], (system) => memory(system, number('idle', 2_000, 300), load.runs))
  : {};
const perConnection = Object.fromEntries(
  Object.entries(memories).map(([name, runs]) => [name, median(runs.map((run) => run.perConnection))]),
);
const heldPerConnection = Object.fromEntries(
  Object.entries(memories).map(([name, runs]) => [name, median(runs.map((run) => run.heldPerConnection))]),
);
if (wanted('memory')) Object.assign(result, { memoryPerConnection: perConnection, heldPerConnection });
const many = wanted('many')
  ? await manyConnections(
      systems?.includes('longhaul-memory') ? longhaulInMemory : longhaulOnLog(1),
      number('connections', 5_000, 500),
      number('seconds', 15, 4),
    )
  : undefined;
if (many) result['many'] = many;
if (wanted('screen'))
  result['screen'] = await screen({ runs: number('runs', 50, 10), rate: load.rate, seconds: load.seconds });

const ours = 'longhaul';
const peer = redis === undefined ? 'socketio-redis' : 'socketio';
const told = { ours: steadies[ours], peer: steadies[peer] };
report({
  ...result,
  ratios: {
    memory: pair('longhaul-memory', 'socketio'),
    ...(redis === undefined && {
      kept: pair('longhaul', 'socketio-redis'),
      keptLog: pair('longhaul-forgetful', 'socketio-redis'),
    }),
  },
  delivered: sum(ours, 'delivered'),
  lost: sum(ours, 'lost'),
  duplicated: sum(ours, 'duplicated'),
  outOfOrder: sum(ours, 'outOfOrder'),
  p50Ms: told.ours && median(told.ours.map(({ p50Ms }) => p50Ms)),
  p95Ms: told.ours && median(told.ours.map(({ p95Ms }) => p95Ms)),
  connections: many?.connections,
  peer: {
    name: peer,
    lost: sum(peer, 'lost'),
    p50Ms: told.peer && median(told.peer.map(({ p50Ms }) => p50Ms)),
    p95Ms: told.peer && median(told.peer.map(({ p95Ms }) => p95Ms)),
  },
});
process.exit(0);

/** Of all parts that count what was seen. */
function sum(name: string, what: 'delivered' | 'lost' | 'duplicated' | 'outOfOrder'): number {
  const tallies: Tally[] = [...(steadies[name] ?? []), ...(storms[name] ? [storms[name]] : [])];
  if (name === ours && many) tallies.push(many);
  return tallies.reduce((all, tally) => all + tally[what], 0);
}

function pair(one: string, other: string): Record<string, unknown> {
  const figure = (name: string, what: 'p50Ms' | 'p95Ms') =>
    steadies[name] && median(steadies[name].map((run) => run[what]));
  return {
    p50: ratio(figure(one, 'p50Ms'), figure(other, 'p50Ms')),
    p95: ratio(figure(one, 'p95Ms'), figure(other, 'p95Ms')),
    memoryPerConnection: ratio(perConnection[one], perConnection[other]),
    heldPerConnection: ratio(heldPerConnection[one], heldPerConnection[other]),
  };
}

/** Every system once a round, each round beginning with another one. */
async function inTurns<Figures>(
  systems: readonly System[],
  measure: (system: System) => Promise<Figures>,
): Promise<Record<string, Figures[]>> {
  const figures: Record<string, Figures[]> = Object.fromEntries(systems.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const turn = round % systems.length;
    for (const system of [...systems.slice(turn), ...systems.slice(0, turn)]) {
      const measured = await measure(system);
      figures[system.name]?.push(measured);
      say(`${system.name}, round ${round + 1}`, measured);
    }
  }
  return figures;
}

async function storming(): Promise<Record<string, Storm>> {
  const options = { load, disconnects: number('disconnects', 100, 5), kills: number('kills', 4, 2), seed };
  const storms: Record<string, Storm> = {};
  for (const system of [...inMemory, ...keptTwice]) {
    storms[system.name] = await storm(system, options);
    say(`${system.name}, storm`, storms[system.name]);
  }
  return storms;
}

async function whyNoRedis(): Promise<string | undefined> {
  try {
    await tools.redisServer(silent);
    return undefined;
  } catch (error) {
    if (error instanceof ToolError) return error.message;
    throw error;
  }
}
