import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mulberry32 } from '../../infra/local/kit/faults.ts';
import { inPieces } from '../support/chaos-flow.ts';
import { type ChaosProxy, createChaosProxy } from '../support/chaos-proxy.ts';

let server: Server;
let accepted: Socket[];
let proxy: ChaosProxy;

beforeEach(async () => {
  accepted = [];
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = createChaosProxy([(server.address() as AddressInfo).port], 7);
});

afterEach(async () => {
  await proxy.close();
  for (const socket of accepted) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** Both ends of a connection through a door. */
async function through(door: { port: number; whenLive(): Promise<void> }) {
  const client = connect({ host: '127.0.0.1', port: door.port });
  client.on('error', () => {});
  await once(client, 'connect');
  await door.whenLive();
  await expect.poll(() => accepted.length).toBeGreaterThan(0);
  return { client, far: accepted.at(-1) as Socket };
}

const ended = (socket: Socket) =>
  new Promise<string>((resolve) => {
    socket.resume();
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    socket.once('end', () => resolve('end'));
  });

async function digestOf(socket: Socket, bytes: number) {
  const hash = createHash('sha256');
  let seen = 0;
  let chunks = 0;
  for await (const chunk of socket) {
    hash.update(chunk as Buffer);
    seen += (chunk as Buffer).length;
    chunks += 1;
    if (seen >= bytes) break;
  }
  return { digest: hash.digest('hex'), seen, chunks };
}

describe('what passes', () => {
  it.each([
    ['in calm weather', {}],
    ['halved', { halve: 1 }],
    ['delayed and halved', { halve: 0.5, delayMs: [0, 3] as const }],
    ['throttled', { bytesPerSecond: 2_000_000 }],
  ])('comes whole and in order %s', async (_, weather) => {
    const door = await proxy.door(weather);
    const { client, far } = await through(door);
    const sent = randomBytes(300_000);

    const both = [digestOf(far, sent.length), digestOf(client, sent.length)];
    client.write(sent);
    far.write(sent);

    const expected = createHash('sha256').update(sent).digest('hex');
    expect((await Promise.all(both)).map(({ digest }) => digest)).toEqual([expected, expected]);
  });

  it('is not faster than it may be', async () => {
    const door = await proxy.door({ bytesPerSecond: 100_000 });
    const { client, far } = await through(door);
    const begun = performance.now();
    far.write(randomBytes(20_000));
    await digestOf(client, 20_000);
    expect(performance.now() - begun).toBeGreaterThan(190);
  });

  it('may be cut anywhere without loss', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, seed) => {
        const pieces = inPieces(Buffer.from(bytes), mulberry32(seed));
        expect(Buffer.concat(pieces)).toEqual(Buffer.from(bytes));
        expect(pieces.every((piece) => piece.length > 0)).toBe(true);
      }),
    );
  });
});

describe('cuts', () => {
  it('by a reset are told to both ends', async () => {
    const door = await proxy.door();
    const { client, far } = await through(door);
    const ends = [ended(client), ended(far)];
    expect(door.cut('reset')).toBe(1);
    expect(await Promise.all(ends)).toEqual(['ECONNRESET', 'ECONNRESET']);
    expect(door.live).toBe(0);
  });

  it('by an end are told to both ends', async () => {
    const door = await proxy.door();
    const { client, far } = await through(door);
    const ends = [ended(client), ended(far)];
    door.cut('end');
    expect(await Promise.all(ends)).toEqual(['end', 'end']);
  });

  it('by silence are told to nobody, and what is sent is lost', async () => {
    const door = await proxy.door();
    const { client, far } = await through(door);
    const events: string[] = [];
    for (const [name, socket] of Object.entries({ client, far })) {
      for (const event of ['data', 'end', 'close', 'error']) socket.on(event, () => events.push(`${name} ${event}`));
    }
    expect(door.cut('silence')).toBe(1);
    await new Promise<void>((resolve) => far.write('lost', () => resolve()));
    await new Promise<void>((resolve) => client.write('lost', () => resolve()));
    // A later connection gets through all the while.
    const later = await through(door);
    const seen = digestOf(later.client, 2);
    later.far.write('ok');
    expect((await seen).seen).toBe(2);
    expect(events).toEqual([]);
    // The far end does not even learn that the client has given up.
    client.destroy();
    await once(client, 'close');
    expect(far.destroyed).toBe(false);
  });

  it('leave other doors alone', async () => {
    const [mine, other] = [await proxy.door(), await proxy.door()];
    await through(mine);
    const { client, far } = await through(other);
    mine.cut('reset');
    const seen = digestOf(client, 2);
    far.write('ok');
    expect((await seen).seen).toBe(2);
  });
});

describe('a sleeping client', () => {
  it('makes the far end stop writing, and gets everything when it wakes', async () => {
    const door = await proxy.door();
    const { client, far } = await through(door);
    const wake = door.sleep();
    const size = 8 * 2 ** 20;
    const sent = randomBytes(size);
    far.write(sent);
    await new Promise((resolve) => setImmediate(resolve));
    expect(far.writableLength).toBeGreaterThan(0);
    const seen = digestOf(client, size);
    wake();
    expect((await seen).digest).toBe(createHash('sha256').update(sent).digest('hex'));
  });
});

describe('targets', () => {
  it('take turns, whatever the door', async () => {
    const seen: string[] = [];
    const servers = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const one = createServer((socket) => {
          seen.push(name);
          socket.destroy();
        }).listen(0, '127.0.0.1');
        await once(one, 'listening');
        return one;
      }),
    );
    proxy.targets = servers.map((one) => (one.address() as AddressInfo).port);
    for (const door of [await proxy.door(), await proxy.door()]) {
      for (let nth = 0; nth < 2; nth += 1) await ended(connect({ host: '127.0.0.1', port: door.port }));
    }
    expect(seen).toEqual(['a', 'b', 'a', 'b']);
    for (const one of servers) one.close();
  });

  it('that are gone look as gone to the client', async () => {
    proxy.targets = [1];
    const door = await proxy.door();
    expect(await ended(connect({ host: '127.0.0.1', port: door.port }))).toMatch(/ECONNRESET|end/);
    door.closed = true;
    expect(await ended(connect({ host: '127.0.0.1', port: door.port }))).toMatch(/ECONNRESET|end/);
  });
});
