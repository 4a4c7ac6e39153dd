/** Names below localhost are found without a name server: the network guard of this lane would refuse to ask one. */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { lookupLoopback } from '../../lib/loopback-names.ts';

const lookup = promisify(lookupLoopback);

it.each(['123456789012.localhost', 'a.b.LOCALHOST', 'x.localhost.'])('%s is this machine', async (name) => {
  expect(await lookup(name, {})).toBe('127.0.0.1');
  expect(await lookup(name, { all: true })).toEqual([{ address: '127.0.0.1', family: 4 }]);
});

it.each(['localhost.example.invalid', 'notlocalhost', 'example.invalid'])('%s is asked for as ever', async (name) => {
  await expect(lookup(name, {})).rejects.toMatchObject({ name: 'NetworkGuardError' });
});

it('a request to such a name gets here, with the name as its host', async () => {
  const server = createServer((request, response) => response.end(request.headers.host)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://123456789012.localhost:${port}/`;

  const [response] = (await once(get(url, { lookup: lookupLoopback, agent: false }), 'response')) as [IncomingMessage];
  expect(String(Buffer.concat(await response.toArray()))).toBe(`123456789012.localhost:${port}`);
});
