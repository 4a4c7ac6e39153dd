/**
 * What comes over the wire to do harm: frames of any size and number, bytes that are no text, connections that crawl. Each is
 * answered, others go on getting their events, and the gateway does not grow.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLOSE_CODES, LIMITS } from '../../clients/live/protocol.ts';
import { percentile } from '../bench/report.ts';
import { type GatewayWorld, openGatewayWorld } from '../support/gateway-world.ts';
import { type Neighbour, openNeighbour } from '../support/neighbour.ts';
import { frame, OPCODES, openRaw, openTcp, type Raw, upgradeRequest } from '../support/raw-websocket.ts';

const MIB = 2 ** 20;
/** RFC 6455, 7.4.1. */
const PROTOCOL_ERROR = 1002;
const NO_UTF8 = 1007;
const TOO_BIG = 1009;
/** Of resident memory, whatever is sent: in the end, and at any time. */
const GROWTH_MIB = 48;
const PEAK_MIB = 200;
/** A neighbour does not notice much: the bound for what comes to a screen. */
const NEIGHBOUR_P95_MS = 250;

let world: GatewayWorld;
let neighbour: Neighbour;
/** Resident bytes after a collection. */
let before: number;
const latencies: number[] = [];

beforeAll(async () => {
  world = await openGatewayWorld();
  await world.tell('launch/wire', {});
  neighbour = await openNeighbour({ url: world.url }, 'launch/neighbour', (data) =>
    world.tell('launch/neighbour', {}, { kind: 'data', data }),
  );
  await neighbour.fared();
  before = await world.memory();
});

afterEach(async ({ task }) => {
  const { told, latencies: late, ...tally } = await neighbour.fared();
  latencies.push(...late);
  const resident = await world.resident();
  console.log(
    `${task.name}: neighbour ${told} events, at most ${percentile(late, 1)} ms late; gateway ${Math.round(resident / MIB)} MiB`,
  );
  expect(tally).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 });
  // With what is not collected yet.
  expect((resident - before) / MIB).toBeLessThan(PEAK_MIB);
});

afterAll(async () => {
  await neighbour?.close();
  const grown = ((await world?.memory()) - before) / MIB;
  const p95 = percentile(latencies, 0.95);
  console.log(`neighbour: ${latencies.length} events, p95 ${p95} ms; gateway grew by ${grown.toFixed(1)} MiB`);
  await world?.close();
  expect(p95).toBeLessThan(NEIGHBOUR_P95_MS);
  expect(grown).toBeLessThan(GROWTH_MIB);
});

const say = (message: unknown) => frame(JSON.stringify(message));

/** Sends until it is told to stop, or everything has been sent. @returns bytes that were taken */
async function pour(raw: Raw, pieces: Iterable<Buffer>): Promise<number> {
  let bytes = 0;
  let pending = 0;
  for (const piece of pieces) {
    if (raw.isOver) break;
    bytes += piece.length;
    pending += piece.length;
    if (pending < 65_536) raw.socket.write(piece);
    else {
      pending = 0;
      await Promise.race([raw.send(piece), raw.ended]);
      // What the other side says is heard between.
      await setImmediate();
    }
  }
  return bytes;
}

function* repeat(piece: Buffer, times: number): Generator<Buffer> {
  for (let nth = 0; nth < times; nth += 1) yield piece;
}

const closesWith = (...codes: number[]) => ({ code: expect.toSatisfy((code: number) => codes.includes(code)) });

describe('too much', () => {
  it('a frame of 64 MB is refused by its header', async () => {
    const raw = await openRaw(world.port);
    await raw.send(frame(Buffer.alloc(1_024), { claims: 64 * MIB }));
    expect(await raw.ended).toMatchObject(closesWith(TOO_BIG, CLOSE_CODES.messageTooLarge));
  });

  it('64 MB in one frame are not read to their end', async () => {
    const raws = await Promise.all(Array.from({ length: 8 }, () => openRaw(world.port)));
    const sent = await Promise.all(
      raws.map(async (raw) => {
        await raw.send(frame('', { claims: 64 * MIB }));
        return pour(raw, repeat(Buffer.alloc(65_536, 'x'), 1_024));
      }),
    );
    for (const raw of raws) expect(await raw.ended).toMatchObject(closesWith(TOO_BIG, CLOSE_CODES.messageTooLarge));
    expect(Math.max(...sent)).toBeLessThan(32 * MIB);
  });

  it('64 MB in fragments that are small enough each are one message too large', async () => {
    const raw = await openRaw(world.port);
    await raw.send(frame(Buffer.alloc(1_024, 'x'), { more: true }));
    const piece = frame(Buffer.alloc(1_024, 'x'), { opcode: OPCODES.more, more: true });
    const sent = await pour(raw, repeat(piece, 65_536));
    expect(await raw.ended).toMatchObject(closesWith(TOO_BIG, CLOSE_CODES.messageTooLarge));
    expect(sent).toBeLessThan(32 * MIB);
  });

  it('a flood of fragments of one byte, and of none, is stopped', async () => {
    for (const size of [1, 0]) {
      const raw = await openRaw(world.port);
      await raw.send(frame('x', { more: true }));
      const flood = Buffer.concat(
        Array.from({ length: 1_000 }, () => frame('x'.repeat(size), { opcode: OPCODES.more, more: true })),
      );
      await pour(raw, repeat(flood, 1_000));
      expect(await raw.ended).toMatchObject(
        closesWith(TOO_BIG, CLOSE_CODES.messageTooLarge, CLOSE_CODES.tooMany, 1008),
      );
    }
  });

  it('10,000 subscriptions on one connection are too many', async () => {
    const raw = await openRaw(world.port);
    await pour(
      raw,
      (function* () {
        for (let nth = 0; nth < 10_000; nth += 1) yield say({ type: 'subscribe', run: `launch/none-${nth}` });
      })(),
    );
    expect(await raw.ended).toMatchObject(closesWith(CLOSE_CODES.tooMany));
    expect(raw.messages.some((text) => text.includes('"too-many-messages"'))).toBe(true);
  });

  it('subscriptions at a pace that is allowed end at their number', async () => {
    const raw = await openRaw(world.port);
    for (let nth = 0; nth <= LIMITS.subscriptions && !raw.isOver; nth += 1) {
      await world.tell(`launch/many-${nth}`, {});
      await raw.send(say({ type: 'subscribe', run: `launch/many-${nth}`, from: 'now' }));
      await delay(1000 / (LIMITS.messagesPerSecond * 0.9));
    }
    await raw.heard('"error"', '"too-many-subscriptions"');
    raw.socket.destroy();
  });

  it('the same run many times is one subscription', async () => {
    const raw = await openRaw(world.port);
    for (let nth = 0; nth < 20; nth += 1) await raw.send(say({ type: 'subscribe', run: 'launch/wire', from: 'start' }));
    const answered = async (pings: number) => {
      await raw.send(say({ type: 'ping' }));
      await expect.poll(() => raw.messages.filter((text) => text.includes('"pong"'))).toHaveLength(pings);
    };
    // Each takes the place of the one before it, and tells from the start what it finds.
    await answered(1);
    await world.tell('launch/wire', {}, { kind: 'data', data: { mark: 'once' } });
    await raw.heard('"once"');
    await answered(2);
    expect(raw.messages.filter((text) => text.includes('"once"'))).toHaveLength(1);
    raw.socket.destroy();
  });

  it.each([
    ['pings of the protocol', frame('x'.repeat(100), { opcode: OPCODES.ping })],
    ['messages', say({ type: 'ping' })],
    [
      'acknowledgements of what was never told',
      say({ type: 'ack', run: 'launch/wire', position: { epoch: 'x', seq: 9 } }),
    ],
    ['requests nobody answers', say({ type: 'request', id: 'x', what: 'nothing' })],
  ])('a flood of %s, whose answers are not read, is stopped or borne', async (_, piece) => {
    const raw = await openRaw(world.port);
    raw.socket.pause();
    const flood = Buffer.concat(Array.from({ length: 500 }, () => piece));
    await Promise.race([pour(raw, repeat(flood, 400)), delay(10_000)]);
    raw.socket.destroy();
  });

  it('200 clients that subscribe and never read hold nobody up', async () => {
    const raws = await Promise.all(Array.from({ length: 200 }, () => openRaw(world.port)));
    for (const raw of raws) {
      await raw.send(say({ type: 'subscribe', run: 'launch/wire', from: 'start' }));
      raw.socket.pause();
    }
    const data = { text: 'x'.repeat(32_768) };
    // More than the kernel and the gateway together keep for one of them.
    for (let nth = 0; nth < 300; nth += 1) await world.tell('launch/wire', {}, { kind: 'progress', data });
    for (const raw of raws) raw.socket.destroy();
  });
});

describe('what is no message', () => {
  it.each([
    ['JSON that is not', '{"type":"subscribe",'],
    ['nothing', ''],
    ['a number', '17'],
    ['null', 'null'],
    ['a list', '[{"type":"ping"}]'],
    ['an unknown type', '{"type":"drop-tables"}'],
    ['a type that is a list', '{"type":["ping"]}'],
    ['a run that is an object', '{"type":"subscribe","run":{"$ne":null}}'],
    ['a run that is empty', '{"type":"subscribe","run":""}'],
    ['a run with a zero byte', '{"type":"subscribe","run":"launch/\\u0000"}'],
    ['a run of 60 KB', JSON.stringify({ type: 'subscribe', run: 'x'.repeat(60_000) })],
    ['a sequence below zero', '{"type":"subscribe","run":"launch/wire","position":{"epoch":"x","seq":-1}}'],
    [
      'a sequence that is no whole number',
      '{"type":"subscribe","run":"launch/wire","position":{"epoch":"x","seq":0.5}}',
    ],
    ['a sequence beyond all', '{"type":"subscribe","run":"launch/wire","position":{"epoch":"x","seq":1e400}}'],
    ['a sequence that is text', '{"type":"ack","run":"launch/wire","position":{"epoch":"x","seq":"1"}}'],
    ['an origin that is none', '{"type":"subscribe","run":"launch/wire","from":"everywhere"}'],
    ['a prototype', '{"type":"__proto__","__proto__":{"type":"ping"}}'],
    ['a constructor', '{"type":"constructor"}'],
    [
      'brackets 30,000 deep',
      `{"type":"request","id":"1","what":"x","input":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    ],
    ['half a surrogate', '{"type":"subscribe","run":"\\ud800"}'],
  ])('%s is told so', async (_, text) => {
    const raw = await openRaw(world.port);
    await raw.send(frame(text));
    const error = JSON.parse(await raw.heard('"error"')) as Record<string, unknown>;
    expect(error).toMatchObject({
      code: expect.stringMatching(/^(bad-message|not-found|message-too-large)$/),
      message: expect.stringMatching(/./),
      remedy: expect.stringMatching(/./),
    });
    raw.socket.destroy();
  });

  const wrongFrames: [string, Buffer, number[]][] = [
    ['text that is not UTF-8', frame(Buffer.from([0xc3, 0x28, 0xff])), [NO_UTF8]],
    ['half a character', frame(Buffer.from('{"type":"ping"}\u20ac').subarray(0, -1)), [NO_UTF8]],
    ['an unmasked frame', frame('{"type":"ping"}', { masked: false }), [PROTOCOL_ERROR]],
    ['reserved bits', frame('{"type":"ping"}', { reserved: 4 }), [PROTOCOL_ERROR]],
    ['an unknown opcode', frame('x', { opcode: 3 }), [PROTOCOL_ERROR]],
    ['a continuation of nothing', frame('x', { opcode: OPCODES.more }), [PROTOCOL_ERROR]],
    ['a ping in parts', frame('x', { opcode: OPCODES.ping, more: true }), [PROTOCOL_ERROR]],
    ['a ping of 126 bytes', frame('x'.repeat(126), { opcode: OPCODES.ping }), [PROTOCOL_ERROR]],
    ['a close of one byte', frame('x', { opcode: OPCODES.close }), [PROTOCOL_ERROR]],
    [
      'a close with a code that must not be',
      frame(Buffer.from([0x03, 0xed]), { opcode: OPCODES.close }),
      [PROTOCOL_ERROR],
    ],
    ['a binary message', frame('{"type":"ping"}', { opcode: OPCODES.binary }), [CLOSE_CODES.badMessage, 1003]],
  ];
  it.each(wrongFrames)('%s ends the connection with its code', async (_, bytes, codes) => {
    const raw = await openRaw(world.port);
    await raw.send(bytes);
    expect(await raw.ended).toMatchObject(closesWith(...codes));
  });

  it('bytes at random do no harm', async () => {
    const raws = await Promise.all(Array.from({ length: 50 }, () => openRaw(world.port)));
    for (const raw of raws) await raw.send(randomBytes(2_048));
    // Some look like the beginning of a frame that never comes.
    await delay(100);
    for (const raw of raws) raw.socket.destroy();
  });
});

describe('crawling', () => {
  it('headers that never end are not waited for', async () => {
    const sockets = await Promise.all(Array.from({ length: 200 }, () => openTcp(world.port)));
    const begun = performance.now();
    const ended = sockets.map(async (socket) => {
      const closed = once(socket, 'close');
      socket.resume();
      socket.write(upgradeRequest(world.port).slice(0, -2));
      const crawl = setInterval(() => socket.write(`x-${Math.random()}: y\r\n`), 500);
      await closed;
      clearInterval(crawl);
      return (performance.now() - begun) / 1000;
    });
    expect(Math.max(...(await Promise.all(ended)))).toBeLessThan(20);
  });

  it('a body that never ends is not waited for', async () => {
    const socket = await openTcp(world.port);
    const begun = performance.now();
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    const closed = once(socket, 'close');
    const head = ['POST /api/v1/telemetry HTTP/1.1', `host: 127.0.0.1:${world.port}`, 'content-type: application/json'];
    socket.write(`${[...head, 'content-length: 10000'].join('\r\n')}\r\n\r\n`);
    const crawl = setInterval(() => socket.write(' '), 500);
    await closed;
    clearInterval(crawl);
    expect((performance.now() - begun) / 1000).toBeLessThan(45);
    expect(answer).toMatch(/^HTTP\/1\.1 (408|400|404)/);
  });

  it('a body of 64 MB is refused', async () => {
    const answer = await fetch(`${world.url}/api/v1/launches`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `"${'x'.repeat(64 * MIB)}"`,
    }).catch((error: unknown) => error as Error);
    // Whoever still sends when the answer is there may see the connection break instead.
    if (!(answer instanceof Error)) expect([404, 413]).toContain(answer.status);
  });

  it('frames that come a byte at a time are read, and cost nobody anything', async () => {
    const raw = await openRaw(world.port);
    for (const byte of say({ type: 'subscribe', run: 'launch/wire', from: 'now' })) {
      await raw.send(Buffer.from([byte]));
      await delay(2);
    }
    await raw.heard('"subscribed"');
    raw.socket.destroy();
  });

  it.each([
    ['another version', { 'sec-websocket-version': '7' }],
    ['a key that is none', { 'sec-websocket-key': 'short' }],
    ['a protocol with control characters', { 'sec-websocket-protocol': 'a,b"c;d' }],
    ['a thousand protocols', { 'sec-websocket-protocol': Array.from({ length: 1_000 }, (_, n) => `p${n}`).join(',') }],
  ])('an upgrade with %s is refused', async (_, headers) => {
    const raw = await openRaw(world.port, { headers });
    expect(raw.status).toBeGreaterThanOrEqual(400);
    expect(raw.status).toBeLessThan(500);
  });

  it('an upgrade elsewhere is refused', async () => {
    const raw = await openRaw(world.port, { path: '/api/v1/elsewhere' });
    expect([400, 404]).toContain(raw.status);
  });

  it('another host name for loopback opens nothing: a page that has rebound its name', async () => {
    const raw = await openRaw(world.port, { headers: { host: 'evil.example.com', origin: 'http://evil.example.com' } });
    expect(raw.status).toBe(403);
  });
});
