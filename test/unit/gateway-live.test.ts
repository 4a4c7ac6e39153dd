/**
 * Watching over a WebSocket: verdicts, cursors, secrets, several connections, clients that are slow or mistaken, the end of a
 * gateway.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { RequestError } from '../../clients/gateway/requests.ts';
import { CLOSE_CODES, LIMITS } from '../../clients/live/protocol.ts';
import { FACTS, type GatewayRig, openGateway, type RigOptions, report, tell } from '../support/gateway.ts';

const RUN = 'launch/run-1';
let rig: GatewayRig;

afterEach(() => rig.close());

const open = async (options?: RigOptions) => {
  rig = await openGateway(options);
  return rig;
};
const userId = () => randomBytes(16).toString('base64url');

describe('a subscription', () => {
  it('begins with a picture and goes on with events', async () => {
    const { log, connect } = await open();
    await tell(log, RUN, 2, { status: 'RUNNING' });
    const client = connect();
    expect(await client.next('welcome')).toMatchObject({
      userId: 'local',
      session: 'new',
      role: 'approver',
      consumers: '*',
    });
    client.say({ type: 'subscribe', run: RUN });
    expect(await client.next('subscribed')).toMatchObject({
      run: RUN,
      verdict: 'fresh',
      snapshot: { seq: 2, status: 'RUNNING' },
    });
    await tell(log, RUN, 3);
    await client.until(() => client.events(RUN).length === 3);
    expect(client.events(RUN).map(({ seq }) => seq)).toEqual([3, 4, 5]);
  });

  it.each([
    ['current', { epoch: 'epoch-1', seq: 9 }, { verdict: 'current' }],
    [
      'replayed',
      { epoch: 'epoch-1', seq: 6 },
      { verdict: 'replayed', count: 3, position: { epoch: 'epoch-1', seq: 6 } },
    ],
    ['gap', { epoch: 'epoch-1', seq: 1 }, { verdict: 'gap', from: 2, to: 4, snapshot: { seq: 9 } }],
    ['purged', { epoch: 'another', seq: 6 }, { verdict: 'purged', snapshot: { seq: 9 } }],
  ] as const)('is told: %s', async (_verdict, position, expected) => {
    const { log, connect } = await open();
    await tell(log, RUN, 9);
    log.keep(RUN, 5);
    const client = connect();
    client.say({ type: 'subscribe', run: RUN, position });
    expect(await client.next('subscribed')).toMatchObject(expected);
  });

  it('replays from the beginning, a long log too', async () => {
    const { log, connect } = await open();
    await tell(log, RUN, 1_700, { kind: 'data', data: 'x'.repeat(300) });
    const client = connect();
    client.say({ type: 'subscribe', run: RUN, from: 'start' });
    expect(await client.next('subscribed')).toMatchObject({ verdict: 'replayed', count: 1_700 });
    await client.until(() => client.events(RUN).length === 1_700);
    expect(client.events(RUN).every(({ seq }, index) => seq === index + 1)).toBe(true);
  });

  it('of what is not there is refused after a moment', async () => {
    const { connect } = await open();
    const client = connect();
    client.say({ type: 'subscribe', run: 'launch/none' });
    expect(await client.next('error')).toMatchObject({ code: 'not-found', run: 'launch/none' });
  });

  it('ends, and another one may begin', async () => {
    const { log, connect, gateway } = await open();
    await tell(log, RUN, 1);
    const client = connect();
    client.say({ type: 'subscribe', run: RUN });
    await client.next('subscribed');
    client.say({ type: 'unsubscribe', run: RUN });
    client.say({ type: 'ping' });
    await client.next('pong');
    await tell(log, RUN, 2);
    client.say({ type: 'subscribe', run: RUN, from: 'now' });
    expect(await client.next('subscribed')).toMatchObject({ verdict: 'fresh', snapshot: { seq: 3 } });
    expect(client.events(RUN)).toEqual([]);
    expect(gateway.hub.runs).toBe(1);
  });
});

describe('a user', () => {
  it('is given a secret once, and comes back with it to where it was', async () => {
    const { log, connect, sessions } = await open();
    await tell(log, RUN, 5);
    const id = userId();
    const first = connect([id]);
    const { secret = '', ...welcome } = await first.next('welcome');
    expect(welcome).toMatchObject({ userId: id, session: 'new' });
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(first.socket.protocol).toBe(id);
    first.say({ type: 'subscribe', run: RUN, from: 'start' });
    await first.until(() => first.events(RUN).length === 5);
    first.say({ type: 'ack', run: RUN, position: { epoch: 'epoch-1', seq: 3 } });
    first.socket.close();
    await first.closed;
    const second = connect([id, secret]);
    const again = await second.next('welcome');
    expect(again).toMatchObject({ session: 'resumed' });
    expect(again.secret).toBeUndefined();
    expect(second.socket.protocol).toBe(id);
    second.say({ type: 'subscribe', run: RUN });
    expect(await second.next('subscribed')).toMatchObject({ verdict: 'replayed', position: { seq: 3 }, count: 2 });
    await second.until(() => second.events(RUN).length === 2);
    expect(sessions.writes).toBe(1);
  });

  it('with a guessed id gets nothing', async () => {
    const { connect } = await open();
    const id = userId();
    await connect([id]).next('welcome');
    const wrong = randomBytes(32).toString('base64url');
    for (const offered of [[id], [id, wrong], [id, 'short']]) {
      const { status, body = '' } = await connect(offered).closed;
      expect(status).toBe(401);
      expect(JSON.parse(body)).toMatchObject({ error: { code: 'unauthorized' } });
      expect(body).not.toContain(wrong);
    }
  });

  it('is one, where two come first at once', async () => {
    const { connect } = await open();
    const id = userId();
    const both = [connect([id]), connect([id])];
    const came = await Promise.allSettled(both.map((client) => client.next('welcome')));
    expect(came.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('who was away for too long is told so once, and begins anew', async () => {
    let now = Date.now();
    const { log, connect } = await open({ now: () => now });
    await tell(log, RUN, 2);
    const id = userId();
    const first = connect([id]);
    const { secret = '' } = await first.next('welcome');
    first.say({ type: 'subscribe', run: RUN });
    await first.next('subscribed');
    first.say({ type: 'ack', run: RUN, position: { epoch: 'epoch-1', seq: 2 } });
    first.socket.close();
    await first.closed;
    await expect.poll(() => [...rig.connections.rows.values()].map(({ active }) => active)).toEqual([false]);
    now += 5 * 60_000 + 1;
    const second = connect([id, secret]);
    const welcome = await second.next('welcome');
    expect(welcome).toMatchObject({ session: 'purged', secret: expect.any(String) as string });
    expect(welcome.secret).not.toBe(secret);
    second.say({ type: 'subscribe', run: RUN });
    expect(await second.next('subscribed')).toMatchObject({ verdict: 'fresh' });
    expect(await connect([id, welcome.secret ?? '']).next('welcome')).toMatchObject({ session: 'resumed' });
  });

  it('may have several connections, which share a cursor that only goes on', async () => {
    const { log, connect, sessions, connections } = await open();
    await tell(log, RUN, 5);
    const id = userId();
    const first = connect([id]);
    const { secret = '' } = await first.next('welcome');
    const second = connect([id, secret]);
    for (const client of [first, second]) {
      client.say({ type: 'subscribe', run: RUN, from: 'start' });
      await client.until(() => client.events(RUN).length === 5);
    }
    first.say({ type: 'ack', run: RUN, position: { epoch: 'epoch-1', seq: 5 } });
    first.say({ type: 'ping' });
    await first.next('pong');
    second.say({ type: 'ack', run: RUN, position: { epoch: 'epoch-1', seq: 2 } });
    // Neither what was never sent nor what is of another log has been seen.
    second.say({ type: 'ack', run: RUN, position: { epoch: 'epoch-1', seq: 99 } });
    second.say({ type: 'ack', run: RUN, position: { epoch: 'other', seq: 5 } });
    second.socket.close();
    await expect
      .poll(() => [...sessions.cursors.values()].map((runs) => runs.get(RUN)))
      .toEqual([{ epoch: 'epoch-1', seq: 5 }]);
    expect([...connections.rows.values()].map(({ userId }) => userId)).toEqual([id, id]);
  });
});

describe('a client that reads slowly', () => {
  it('gets progress merged and all the rest, and hurts nobody', async () => {
    const { log, connect } = await open();
    await tell(log, RUN, 1);
    const [slow, quick] = [connect(), connect()];
    for (const client of [slow, quick]) {
      client.say({ type: 'subscribe', run: RUN });
      await client.next('subscribed');
    }
    slow.socket.pause();
    const message = 'x'.repeat(20_000);
    for (let round = 0; round < 60; round += 1) {
      await tell(log, RUN, 20, { kind: 'progress', message });
      await tell(log, RUN, 1, { kind: 'cost' });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await tell(log, RUN, 1, { kind: 'end' });
    await quick.until(() => quick.events(RUN).at(-1)?.kind === 'end');
    expect(quick.events(RUN)).toHaveLength(60 * 21 + 1);
    slow.socket.resume();
    await slow.until(() => slow.events(RUN).at(-1)?.kind === 'end');
    const seen = slow.events(RUN);
    expect(seen.length).toBeLessThan(60 * 21);
    expect(seen.some(({ merged = 1 }) => merged > 1)).toBe(true);
    expect(seen.reduce((sum, { merged = 1 }) => sum + merged, 0)).toBe(60 * 21 + 1);
    expect(seen.filter(({ kind }) => kind === 'cost')).toHaveLength(60);
    let last = 1;
    for (const { seq, merged = 1 } of seen) {
      expect(seq - merged).toBe(last);
      last = seq;
    }
  });

  it('that takes nothing at all is sent away, and loses nothing', async () => {
    const { log, connect } = await open();
    await tell(log, RUN, 1);
    const slow = connect();
    slow.say({ type: 'subscribe', run: RUN });
    const { snapshot } = (await slow.next('subscribed')) as { snapshot: { seq: number } };
    slow.socket.pause();
    for (let nth = 0; nth < 400; nth += 1) {
      await tell(log, RUN, 1, { kind: 'data', data: 'x'.repeat(30_000) });
      if (nth % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    slow.socket.resume();
    expect(await slow.closed).toMatchObject({ code: CLOSE_CODES.tooSlow });
    const seq = slow.events(RUN).at(-1)?.seq ?? snapshot.seq;
    const again = connect();
    again.say({ type: 'subscribe', run: RUN, position: { epoch: 'epoch-1', seq } });
    await again.until(() => again.events(RUN).at(-1)?.seq === 401);
    const all = [...slow.events(RUN), ...again.events(RUN)].map((event) => event.seq);
    expect(all).toEqual(Array.from({ length: 400 }, (_, index) => index + 2));
  });
});

describe('whatever a client says', () => {
  it.each([
    ['no JSON', '{'],
    ['no object', '[1]'],
    ['no type', '{"type":"boo"}'],
    ['no run', '{"type":"subscribe","run":7}'],
    ['an endless name', JSON.stringify({ type: 'subscribe', run: 'x'.repeat(5_000) })],
    ['no position', '{"type":"ack","run":"r","position":{"epoch":"e","seq":-1}}'],
    ['a prototype', '{"type":"subscribe","run":"r","from":"__proto__"}'],
  ])('is answered when it is %s', async (_what, text) => {
    const { connect } = await open();
    const client = connect();
    await client.next('welcome');
    client.socket.send(text);
    expect(await client.next('error')).toMatchObject({ code: 'bad-message' });
    for (let nth = 0; nth < 4; nth += 1) client.socket.send(text);
    expect(await client.closed).toMatchObject({ code: CLOSE_CODES.badMessage });
  });

  it('of 64 MB is refused by its header', async () => {
    const { connect, gateway } = await open();
    const client = connect();
    await client.next('welcome');
    const before = process.memoryUsage().arrayBuffers;
    client.socket.send('x'.repeat(64 * 1024 * 1024));
    expect(await client.closed).toMatchObject({ code: 1009 });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 1024 * 1024);
    expect(gateway.hub.runs).toBe(0);
  });

  it('10,000 times a second is dropped, told, and ended; others go on', async () => {
    const { log, connect } = await open();
    await tell(log, RUN, 1);
    const [flood, other] = [connect(), connect()];
    other.say({ type: 'subscribe', run: RUN });
    await other.next('subscribed');
    await flood.next('welcome');
    for (let nth = 0; nth < 10_000; nth += 1) flood.say({ type: 'subscribe', run: `launch/${nth}` });
    expect(await flood.next('error')).toMatchObject({ code: 'too-many-messages' });
    expect(await flood.closed).toMatchObject({ code: CLOSE_CODES.tooMany });
    await tell(log, RUN, 1);
    await other.until(() => other.events(RUN).length === 1);
  });

  it('watches no more runs than it may', async () => {
    let now = Date.now();
    const { log, connect } = await open({ now: () => now });
    for (let nth = 0; nth <= LIMITS.subscriptions; nth += 1) await tell(log, `launch/${nth}`, 1);
    const client = connect();
    await client.next('welcome');
    for (let nth = 0; nth <= LIMITS.subscriptions; nth += 1) {
      client.say({ type: 'subscribe', run: `launch/${nth}` });
      if (nth % 40 === 39) {
        await client.until(() => client.messages.filter(({ type }) => type === 'subscribed').length === nth + 1);
        now += 1_000;
      }
    }
    expect(await client.next('error')).toMatchObject({
      code: 'too-many-subscriptions',
      run: `launch/${LIMITS.subscriptions}`,
    });
  });

  it('in binary is refused', async () => {
    const { connect } = await open();
    const client = connect();
    await client.next('welcome');
    client.socket.send(Buffer.from([1, 2, 3]));
    expect(await client.closed).toMatchObject({ code: CLOSE_CODES.badMessage });
  });
});

describe('a request', () => {
  const requests = [
    {
      what: 'order.send',
      async handle(_context: unknown, input: unknown) {
        if (input === 'bad') throw new RequestError('bad-message', 'an order needs items', 'send some');
        if (input === 'broken') throw new Error('a secret detail');
        return { run: 'order/1', output: { input } };
      },
      left: async () => void lefts.push('left'),
    },
  ];
  let lefts: string[] = [];

  it('gets its reply, or what is wrong with it', async () => {
    lefts = [];
    const { connect } = await open({ requests, client: {} as never });
    const client = connect();
    client.say({ type: 'request', id: 'a', what: 'order.send', input: 7 });
    expect(await client.next('reply')).toEqual({ type: 'reply', id: 'a', run: 'order/1', output: { input: 7 } });
    client.say({ type: 'request', id: 'b', what: 'order.send', input: 'bad' });
    expect(await client.next('error')).toMatchObject({ id: 'b', code: 'bad-message', remedy: 'send some' });
    client.say({ type: 'request', id: 'c', what: 'order.send', input: 'broken' });
    const failed = await client.next('error');
    expect(failed).toMatchObject({ id: 'c', code: 'unavailable' });
    expect(JSON.stringify(failed)).not.toContain('secret');
    client.say({ type: 'request', id: 'd', what: 'nothing' });
    expect(await client.next('error')).toMatchObject({ id: 'd', code: 'bad-message' });
  });

  it('is over when the last connection of its user goes, not before', async () => {
    lefts = [];
    const { connect, connections } = await open({ requests, client: {} as never });
    const id = userId();
    const first = connect([id]);
    const { secret = '' } = await first.next('welcome');
    const second = connect([id, secret]);
    await second.next('welcome');
    const active = () => [...connections.rows.values()].filter((row) => row.active).length;
    first.socket.close();
    await expect.poll(active).toBe(1);
    expect(lefts).toEqual([]);
    second.socket.close();
    await expect.poll(() => lefts).toEqual(['left']);
  });
});

describe('a gateway', () => {
  it('that ends sends its clients to another one, with their cursors written', async () => {
    const { log, connect, gateway, sessions } = await open();
    await tell(log, RUN, 1);
    const client = connect();
    client.say({ type: 'subscribe', run: RUN });
    await client.next('subscribed');
    client.say({ type: 'ack', run: RUN, position: { epoch: 'epoch-1', seq: 1 } });
    client.say({ type: 'ping' });
    await client.next('pong');
    await gateway.close();
    expect(await client.closed).toMatchObject({ code: CLOSE_CODES.goingAway });
    expect(sessions.cursors.get('local')?.get(RUN)).toEqual({ epoch: 'epoch-1', seq: 1 });
  });

  it('delivers each event once and in order to many who come and go', async () => {
    const { log, connect } = await open();
    await tell(log, RUN, 1);
    const telling = { on: true };
    const told = (async () => {
      for (let nth = 0; telling.on; nth += 1) {
        await log.append(RUN, FACTS, [report({ kind: 'data', data: nth })]);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await log.append(RUN, FACTS, [report({ kind: 'end' })]);
    })();
    const seen = await Promise.all(
      Array.from({ length: 20 }, async () => {
        let seq = 1;
        const got: number[] = [];
        for (let life = 0; life < 10 || telling.on; life += 1) {
          const client = connect();
          client.say({ type: 'subscribe', run: RUN, position: { epoch: 'epoch-1', seq } });
          const many = life >= 9 ? Number.POSITIVE_INFINITY : Math.floor(Math.random() * 12);
          if (life === 9) telling.on = false;
          await client.until(() => client.events(RUN).length >= many || client.events(RUN).at(-1)?.kind === 'end');
          // Cut off: what is on its way is lost.
          client.socket.terminate();
          const events = client.events(RUN);
          got.push(...events.map((event) => event.seq));
          seq = events.at(-1)?.seq ?? seq;
          if (events.at(-1)?.kind === 'end') break;
        }
        return got;
      }),
    );
    await told;
    const head = await log.head(RUN);
    const all = Array.from({ length: (head?.seq ?? 0) - 1 }, (_, index) => index + 2);
    for (const got of seen) expect(got).toEqual(all);
  });
});
