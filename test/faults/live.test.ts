/**
 * Watching through a network that breaks, gateways that die, clients that sleep and tokens that run out: each event is seen
 * once and in order, whatever happens. What happens is drawn by a seed, which is printed; LONGHAUL_FAULTS_SEED=<n> draws
 * other moments, LONGHAUL_FAULTS=full is the size of the issue: 200 clients, 100 disconnects each.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connectLive, type LiveOptions, type WebSocketType } from '../../clients/live/client.ts';
import type { ProgressEvent } from '../../workflows/progress/model.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';
import { longhaulInMemory, longhaulOnLog } from '../bench/progress/longhaul.ts';
import { storm } from '../bench/progress/storm.ts';
import { createChaosProxy } from '../support/chaos-proxy.ts';
import { type GatewayWorld, openGatewayWorld } from '../support/gateway-world.ts';
import { Seen } from '../support/seen.ts';
import { AUDIENCE, createSigners, ISSUER, type Signers } from '../support/signers.ts';

const FULL = process.env.LONGHAUL_FAULTS === 'full';
const SEED = Number(process.env.LONGHAUL_FAULTS_SEED ?? 1);
const [CLIENTS, DISCONNECTS, KILLS] = FULL ? [200, 100, 6] : [20, 10, 2];
const LOAD = { clients: CLIENTS, runs: 10, rate: 20, seconds: 1 };
const STORM_MS = FULL ? 1_800_000 : 170_000;

describe('a storm', () => {
  it.each([
    ['two gateways over one log, of which one after the other is killed', longhaulOnLog(2), KILLS],
    ['one gateway', longhaulInMemory, 0],
  ])(
    'of disconnects: %s',
    async (_, system, kills) => {
      const result = await storm(system, { load: LOAD, disconnects: DISCONNECTS, kills, seed: SEED });
      console.log(JSON.stringify(result));
      expect(result).toMatchObject({
        lost: 0,
        duplicated: 0,
        outOfOrder: 0,
        disconnects: CLIENTS * DISCONNECTS,
        kills,
      });
      expect(result.delivered).toBe((result.messages * CLIENTS) / LOAD.runs);
      for (const how of ['reset', 'end', 'silence']) expect(result.cuts[how]).toBeGreaterThan(0);
    },
    STORM_MS,
  );
});

describe('one client', () => {
  let signers: Signers;
  let world: GatewayWorld;
  let runs = 0;

  beforeAll(async () => {
    signers = await createSigners();
    const auth = { jwks: signers.jwksFile, issuer: ISSUER, audience: AUDIENCE };
    world = await openGatewayWorld({ auth, heartbeatMs: 1_000 });
  });
  afterAll(async () => {
    await world?.close();
    await signers?.close();
  });

  const tokenFor = (seconds: number) =>
    signers.sign({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: 'watcher',
      role: 'viewer',
      consumers: ['lab'],
      exp: Math.floor(Date.now() / 1000) + seconds,
    });

  /** A watcher of a run of its own, and the picture it has of it. */
  async function watch(options: Partial<LiveOptions> & { url: string }) {
    runs += 1;
    const run = `launch/live-${runs}`;
    const tell = (said: Parameters<GatewayWorld['tell']>[2]) => world.tell(run, { consumer: 'lab' }, said);
    await tell({ kind: 'status', status: 'RUNNING' });
    const seen = new Seen();
    const events: ProgressEvent[] = [];
    const live = connectLive({
      WebSocket: WebSocket as unknown as WebSocketType,
      reconnect: { firstMs: 50, mostMs: 300 },
      token: () => tokenFor(600),
      ...options,
    });
    live.watch(run, {
      from: 'start',
      onEvent(event) {
        seen.take(event.seq, event.merged);
        events.push(event);
      },
    });
    await expect.poll(() => seen.last).toBe(1);
    return { run, tell, seen, events, live };
  }

  it('that reads nothing for a while is told of everything but progress, and of progress what it came to', async () => {
    const proxy = createChaosProxy([world.port], SEED);
    const door = await proxy.door();
    const { run, tell, seen, events, live } = await watch({ url: `http://127.0.0.1:${door.port}` });
    const wake = door.sleep();
    const text = 'x'.repeat(8_192);
    // More than the buffers on its way hold, and an error and a cost in the middle of it.
    for (let nth = 1; nth <= 1_500; nth += 1) {
      if (nth === 700) await tell({ kind: 'error', error: { type: 'Trouble', message: 'in the middle' } });
      if (nth === 800) await tell({ kind: 'cost', cost: { total: '1.5', currency: 'USD' } });
      await tell({ kind: 'progress', percent: nth / 15, steps: [{ name: 'align', state: 'RUNNING', message: text }] });
    }
    await tell({ kind: 'end', status: 'COMPLETE' });
    const last = 1_504;
    wake();
    await expect.poll(() => seen.last).toBe(last);
    const tally = seen.tally(last);
    console.log(`slept through ${last} events: ${JSON.stringify(tally)}, told as ${events.length}`);
    expect(tally).toMatchObject({ delivered: last, lost: 0, duplicated: 0, outOfOrder: 0 });
    expect(tally.merged).toBeGreaterThan(0);
    expect(events.filter(({ kind }) => kind !== 'progress').map(({ kind }) => kind)).toEqual([
      'status',
      'error',
      'cost',
      'end',
    ]);
    // The picture it has is the one everybody has.
    const mine = RunPicture.empty(run, { domain: 'launch', consumer: 'lab' }, 'any', 0);
    let before = 0;
    for (const event of events) {
      expect(event.seq - (event.merged ?? 1)).toBe(before);
      before = event.seq;
      mine.apply(event);
    }
    expect(mine.snapshot()).toMatchObject({ status: 'COMPLETE', percent: 100, cost: { total: '1.5' } });
    live.close();
    await proxy.close();
  });

  it('whose token runs out again and again goes on without a break', async () => {
    const asked: number[] = [];
    const states: string[] = [];
    const token = () => {
      asked.push(Date.now());
      return tokenFor(3);
    };
    const { tell, seen, live } = await watch({ url: world.url, token, onState: (state) => states.push(state) });
    const end = Date.now() + 12_000;
    let told = 1;
    for (; Date.now() < end; told += 1) {
      await tell({ kind: 'data', data: { told } });
      await delay(20);
    }
    await expect.poll(() => seen.last).toBe(told);
    console.log(`${asked.length} tokens, ${told} events: ${JSON.stringify(seen.tally(told))}; ${states.join(', ')}`);
    expect(seen.tally(told)).toMatchObject({ delivered: told, lost: 0, duplicated: 0, outOfOrder: 0 });
    expect(asked.length).toBeGreaterThan(3);
    expect(states.filter((state) => state === 'open')).toHaveLength(1);
    live.close();
  });

  it('whose tokens cannot be renewed in time loses its place to nobody', async () => {
    let sick = false;
    const token = async () => {
      if (sick) throw new Error('the issuer is down');
      return tokenFor(2);
    };
    const { tell, seen, live } = await watch({ url: world.url, token });
    sick = true;
    let told = 1;
    await expect
      .poll(
        async () => {
          await tell({ kind: 'data', data: { told: ++told } });
          return live.state;
        },
        { interval: 50 },
      )
      .not.toBe('open');
    for (let nth = 0; nth < 20; nth += 1) await tell({ kind: 'data', data: { told: ++told } });
    sick = false;
    await expect.poll(() => seen.last).toBe(told);
    expect(seen.tally(told)).toMatchObject({ delivered: told, lost: 0, duplicated: 0, outOfOrder: 0 });
    live.close();
  });

  it('behind a network that swallows everything notices, and is told what it missed', async () => {
    const proxy = createChaosProxy([world.port], SEED);
    const door = await proxy.door({ halve: 0.3, delayMs: [0, 5] });
    const { tell, seen, live } = await watch({ url: `http://127.0.0.1:${door.port}` });
    expect(door.cut('silence')).toBe(1);
    const begun = performance.now();
    let told = 1;
    for (; told < 200; told += 1) await tell({ kind: 'data', data: { told } });
    await expect.poll(() => seen.last).toBe(told);
    console.log(
      `silence was noticed, and ${told} events made up for, within ${Math.round(performance.now() - begun)} ms`,
    );
    expect(seen.tally(told)).toMatchObject({ delivered: told, lost: 0, duplicated: 0, outOfOrder: 0 });
    live.close();
    await proxy.close();
  });
});
