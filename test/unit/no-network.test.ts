/**
 * The network guard of this lane: beyond loopback nothing is reached, on loopback everything works.
 *
 * @module
 */
import { createSocket } from 'node:dgram';
import { lookup, Resolver, resolve4 } from 'node:dns';
import { lookup as lookupPromise, resolve as resolvePromise } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** TEST-NET-1 of RFC 5737: never assigned, so nothing could answer even without the guard. */
const ADDRESS = '192.0.2.1';
const NAME = 'example.invalid';

/** The guard's error, wherever fetch hides it. */
const guarded = (error: unknown): boolean => {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause.name === 'NetworkGuardError') return true;
  return error instanceof AggregateError && error.errors.some(guarded);
};
async function failureOf(attempt: () => Promise<unknown>): Promise<unknown> {
  try {
    await attempt();
  } catch (error) {
    return error;
  }
  throw new Error('it was let through');
}
const failed = async (socket: Socket) => {
  const [error] = (await once(socket, 'error')) as [Error];
  throw error;
};

describe('beyond loopback the guard refuses', () => {
  it.each([
    ['fetch of an address', () => fetch(`http://${ADDRESS}/`)],
    ['fetch of a name', () => fetch(`https://${NAME}/`)],
    ['a request of node:http', () => once(get(`http://${ADDRESS}/`), 'response')],
    ['a connection by port and host', () => failed(connect(80, ADDRESS))],
    ['a connection by options', () => failed(connect({ port: 80, host: NAME }))],
    ['a socket of its own', () => failed(new Socket().connect(80, ADDRESS))],
    ['TLS', async () => failed(connectTls({ port: 443, host: ADDRESS }))],
    ['a look-up', () => promisify(lookup)(NAME)],
    ['a look-up by promise', () => lookupPromise(NAME)],
    ['a question to a name server', () => promisify(resolve4)(NAME)],
    ['a question by promise', () => resolvePromise(NAME)],
    ['a resolver', () => new Promise((_, reject) => new Resolver().resolve4(NAME, reject))],
    ['a datagram', async () => createSocket('udp4').unref().send('x', 53, ADDRESS)],
    ['a datagram socket that connects', async () => createSocket('udp4').unref().connect(53, ADDRESS)],
  ])('%s', async (_, attempt) => {
    expect(guarded(await failureOf(attempt))).toBe(true);
  });
});

describe('on loopback', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it.each(['127.0.0.1', 'localhost'])('fetch of %s works', async (host) => {
    expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('here');
  });

  it('connections and datagrams work', async () => {
    const tcp = createTcpServer((socket) => socket.end('tcp')).listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const client = connect((tcp.address() as AddressInfo).port, '127.0.0.1');
    expect(String((await once(client, 'data'))[0])).toBe('tcp');
    client.destroy();
    await new Promise((resolve) => tcp.close(resolve));
    const receiver = createSocket('udp4').bind(0, '127.0.0.1');
    await once(receiver, 'listening');
    const sender = createSocket('udp4');
    const received = once(receiver, 'message');
    sender.send('udp', receiver.address().port, '127.0.0.1');
    expect(String((await received)[0])).toBe('udp');
    sender.close();
    receiver.close();
  });

  it('look-ups work', async () => {
    expect((await lookupPromise('localhost')).address).toMatch(/^(127\.|::1)/);
  });
});
