/** Asking a registry for a digest: tokens, redirects, and what each answer means. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { askRegistry, isLoopback, parseChallenge, RegistryUnavailableError } from '../../lib/images/registry.ts';
import { createImageResolver } from '../../lib/images/resolve.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const BODY = '{"schemaVersion":2}';

let server: Server;
let address: string;
let asked: { method: string; url: string; headers: IncomingMessage['headers'] }[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const found = (response: ServerResponse) => response.writeHead(200, { 'docker-content-digest': DIGEST }).end();
const status = (code: number, headers: Record<string, string> = {}) => {
  answer = (_, response) => response.writeHead(code, headers).end();
};
const ask = () => askRegistry(address, 'lab/tools', '1');

describe('a manifest', () => {
  it('is asked for by HEAD, in every form it can have', async () => {
    answer = (_, response) => found(response);

    await expect(ask()).resolves.toEqual({ state: 'found', digest: DIGEST });

    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method: 'HEAD', url: '/v2/lab/tools/manifests/1' });
    expect(asked[0]?.headers.accept).toContain('application/vnd.oci.image.index.v1+json');
    expect(asked[0]?.headers.accept).toContain('application/vnd.docker.distribution.manifest.v2+json');
  });

  it('is hashed where the registry names no digest', async () => {
    answer = (_, response) => response.writeHead(200).end(BODY);

    const digest = `sha256:${createHash('sha256').update(BODY).digest('hex')}`;
    await expect(ask()).resolves.toEqual({ state: 'found', digest });
    expect(asked.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  it.each([
    [404, 'missing', /has no 1 of lab\/tools/],
    [400, 'missing', /refuses the name/],
    [403, 'unknown', /without credentials/],
  ])('with status %i is %s', async (code, state, reason) => {
    status(code);
    await expect(ask()).resolves.toEqual({ state, reason: expect.stringMatching(reason) });
  });

  it.each([429, 500, 503])('with status %i is asked for again by whoever called', async (code) => {
    status(code);
    await expect(ask()).rejects.toBeInstanceOf(RegistryUnavailableError);
  });

  it('of a registry that is down throws', async () => {
    answer = (request) => request.socket.destroy();
    await expect(ask()).rejects.toBeInstanceOf(RegistryUnavailableError);
  });
});

describe('a digest that is asked for', () => {
  const resolve = (reference: string) =>
    createImageResolver({ mirror: address, ecr: { find: () => expect.fail('not of ECR'), destroy() {} } }).resolve(
      reference,
    );

  it('is the one the registry must answer with', async () => {
    answer = (_, response) => found(response);

    await expect(resolve(`lab/tools:1@${DIGEST}`)).resolves.toEqual({ state: 'found', digest: DIGEST });
    expect(asked[0]?.url).toBe(`/v2/lab/tools/manifests/${DIGEST}`);
    await expect(resolve(`lab/tools@sha256:${'0'.repeat(64)}`)).resolves.toEqual({
      state: 'missing',
      reason: `the registry answers with another digest, ${DIGEST}`,
    });
  });

  it('of a reference without a tag is that of latest', async () => {
    answer = (_, response) => found(response);
    await resolve('ubuntu');
    expect(asked[0]?.url).toBe('/v2/library/ubuntu/manifests/latest');
  });
});

describe('a host', () => {
  it('without https is unknown', async () => {
    status(200);
    await expect(askRegistry(address.replace('http:', 'https:'), 'lab/tools', '1')).resolves.toEqual({
      state: 'unknown',
      reason: expect.stringMatching(/has no certificate that is trusted here \(ERR_SSL_/),
    });
  });

  it('on a port that is never asked is unknown', async () => {
    await expect(askRegistry('http://127.0.0.1:22', 'lab/tools', '1')).resolves.toMatchObject({ state: 'unknown' });
  });

  it('that does not exist is missing', async () => {
    const lookup = vi
      .spyOn(globalThis, 'fetch')
      .mockRejectedValue(
        Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error('x'), { code: 'ENOTFOUND' }) }),
      );
    onTestFinished(() => lookup.mockRestore());

    await expect(askRegistry('https://a.invalid', 'lab/tools', '1')).resolves.toEqual({
      state: 'missing',
      reason: 'there is no host a.invalid',
    });
  });
});

describe('a registry that wants a token', () => {
  const dance = (token: ServerResponse | string | undefined, code = 200) => {
    answer = (request, response) => {
      if (request.url?.startsWith('/token')) {
        response.writeHead(code).end(token === undefined ? '{}' : JSON.stringify({ token }));
      } else if (request.headers.authorization === 'Bearer secret') found(response);
      else {
        const challenge = `Bearer realm="${address}/token",service="registry.test",scope="repository:lab/tools:pull"`;
        response.writeHead(401, { 'www-authenticate': challenge }).end();
      }
    };
  };

  it('gets it from where it says, without credentials of ours', async () => {
    dance('secret');

    await expect(ask()).resolves.toEqual({ state: 'found', digest: DIGEST });

    expect(asked.map(({ method }) => method)).toEqual(['HEAD', 'GET', 'HEAD']);
    const url = new URL(asked[1]?.url ?? '', address);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      service: 'registry.test',
      scope: 'repository:lab/tools:pull',
    });
    expect(asked[1]?.headers.authorization).toBeUndefined();
  });

  it.each([
    ['gives none', () => dance(undefined)],
    ['refuses to give one', () => dance('secret', 401)],
    ['does not take it', () => dance('other')],
    ['gives one that would break a header', () => dance('a\r\nb: c')],
    ['wants another scheme', () => status(401, { 'www-authenticate': 'Basic realm="x"' })],
    ['wants it from a place that is no address', () => status(401, { 'www-authenticate': 'Bearer realm="x"' })],
    ['wants it without encryption', () => status(401, { 'www-authenticate': 'Bearer realm="http://192.0.2.1/"' })],
  ])('and %s: unknown', async (_, prepare) => {
    prepare();
    await expect(ask()).resolves.toMatchObject({ state: 'unknown' });
  });

  it('but whose token service is busy throws', async () => {
    dance('secret', 429);
    await expect(ask()).rejects.toBeInstanceOf(RegistryUnavailableError);
  });
});

describe('a redirect', () => {
  it('is followed', async () => {
    answer = (request, response) => {
      if (request.url === '/elsewhere') found(response);
      else response.writeHead(307, { location: '/elsewhere' }).end();
    };
    await expect(ask()).resolves.toEqual({ state: 'found', digest: DIGEST });
  });

  it.each([
    ['in a circle', '/v2/lab/tools/manifests/1'],
    ['to an address without encryption', 'http://192.0.2.1/'],
    ['to no address', 'http://'],
  ])('%s is not', async (_, location) => {
    status(302, { location });
    await expect(ask()).rejects.toThrow(/redirects to where Longhaul does not follow/);
  });

  it('to another host does not get the token', async () => {
    const other = createServer((request, response) => {
      asked.push({ method: 'other', url: request.url ?? '', headers: request.headers });
      found(response);
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    answer = (request, response) => {
      if (request.url?.startsWith('/token')) response.end('{"token":"secret"}');
      else if (request.headers.authorization) response.writeHead(307, { location }).end();
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="${address}/token"` }).end();
    };

    await expect(ask()).resolves.toMatchObject({ state: 'found' });

    expect(asked.at(-1)?.method).toBe('other');
    expect(asked.at(-1)?.headers.authorization).toBeUndefined();
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('a challenge', () => {
  it.each([
    ['Bearer realm="https://a.test/t"', { realm: 'https://a.test/t' }],
    ['bearer Realm=https://a.test,service="s"', { realm: 'https://a.test', service: 's' }],
    [
      'Bearer realm="https://a.test/t", service="a \\"b\\"", scope="repository:x:pull,push"',
      { realm: 'https://a.test/t', service: 'a "b"', scope: 'repository:x:pull,push' },
    ],
    ['Basic realm="x"', undefined],
    ['Bearer', undefined],
    ['', undefined],
  ])('%s', (header, expected) => expect(parseChallenge(header)).toEqual(expected));
});

it.each([
  ['localhost', true],
  ['localhost:5000', true],
  ['a.localhost', true],
  ['127.0.0.1:5000', true],
  ['127.8.9.1', true],
  ['[::1]:5000', true],
  ['128.0.0.1', false],
  ['localhost.test', false],
  ['127.0.0.1.test', false],
])('%s means this machine: %s', (host, expected) => expect(isLoopback(host)).toBe(expected));
