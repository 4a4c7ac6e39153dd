/**
 * Who gets into a gateway with tokens, and what they see: over HTTP, SSE, polling and WebSocket alike.
 *
 * @module
 */
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTokens } from '../../clients/gateway/auth/tokens.ts';
import { gatewaySettings } from '../../clients/gateway/settings.ts';
import { CLOSE_CODES } from '../../clients/live/protocol.ts';
import { readSettings } from '../../lib/settings.ts';
import { type GatewayRig, openGateway, type RigOptions, tell } from '../support/gateway.ts';
import { AUDIENCE, createIssuer, ISSUER, type Issuer } from '../support/tokens.ts';

const RUN = 'launch/run-1';
let issuer: Issuer;
let rig: GatewayRig;
/** Epoch ms; what the gateway takes for now. */
let now: number;

beforeAll(async () => {
  issuer = await createIssuer();
});
afterAll(() => issuer.close());

const open = async (options: RigOptions = {}) => {
  rig = await openGateway({
    ...options,
    settings: { ...issuer.settings, ...options.settings },
    tokens: await createTokens(issuer.settings.tokens),
    now: () => now,
  });
  await tell(rig.log, RUN, 2);
  return rig;
};
beforeEach(() => {
  now = Date.now();
});
afterEach(() => rig?.close());

const get = (path: string, token?: string) =>
  fetch(`${rig.url}${path}`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Tokens nobody should believe. */
const FORGED: Record<string, () => Promise<string> | string> = {
  'signed by somebody else': async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const claims = { sub: 'ada', role: 'approver', consumers: '*' };
    return new SignJWT({ iss: ISSUER, aud: AUDIENCE, exp: Math.floor(Date.now() / 1000) + 60, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .sign(privateKey);
  },
  'not signed at all': () =>
    `${encode({ alg: 'none' })}.${encode({ iss: ISSUER, aud: AUDIENCE, sub: 'ada', role: 'approver', consumers: '*', exp: 9_999_999_999 })}.`,
  'signed with the public key as a shared secret': () => {
    const head = encode({ alg: 'HS256', kid: 'k1' });
    const body = encode({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: 'ada',
      role: 'approver',
      consumers: '*',
      exp: 9_999_999_999,
    });
    const mac = createHmac('sha256', JSON.stringify(issuer.jwks.keys[0])).update(`${head}.${body}`).digest('base64url');
    return `${head}.${body}.${mac}`;
  },
  'changed after it was signed': async () => {
    const [head, , signature] = (await issuer.sign()).split('.');
    const body = encode({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: 'ada',
      role: 'approver',
      consumers: '*',
      exp: 9_999_999_999,
    });
    return `${head}.${body}.${signature}`;
  },
  expired: () => issuer.sign({}, -10),
  'without an end': () => issuer.sign({ exp: undefined }),
  'not valid yet': () => issuer.sign({ nbf: Math.floor(Date.now() / 1000) + 100 }),
  'for another audience': () => issuer.sign({ aud: 'elsewhere' }),
  'of another issuer': () => issuer.sign({ iss: 'https://evil.example' }),
  'without a subject': () => issuer.sign({ sub: undefined }),
  'without a role': () => issuer.sign({ role: 'root' }),
  'without consumers': () => issuer.sign({ consumers: 'lab-a lab-b' }),
  'with * among consumers': () => issuer.sign({ consumers: ['*'] }),
  'of garbage': () => 'x.y.z',
  'without end': () => 'x'.repeat(9_000),
};

describe('a token', () => {
  it.each(Object.keys(FORGED))('%s opens nothing', async (name) => {
    await open();
    const token = (await FORGED[name]?.()) ?? '';
    const answer = await get(`/api/v1/progress/${RUN}`, token);
    expect(answer.status).toBe(401);
    const body = await answer.text();
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'unauthorized' } });
    expect(body).not.toContain(token.slice(0, 20));
    const { status } = await rig.connect(['longhaul', `bearer.${token}`]).closed;
    expect(status).toBe(401);
  });

  it('that is right opens what its consumer has, and no more', async () => {
    const { log, connect } = await open();
    await log.append('launch/theirs', { domain: 'launch', consumer: 'lab-b' }, [
      { kind: 'status', source: { name: 'w', attempt: 1 }, localSeq: 1, at: 1 },
    ]);
    await log.append('launch/nobodys', { domain: 'launch' }, [
      { kind: 'status', source: { name: 'w', attempt: 1 }, localSeq: 1, at: 1 },
    ]);
    const token = await issuer.sign();
    const client = connect(['longhaul', `bearer.${token}`]);
    expect(await client.next('welcome')).toMatchObject({ userId: 'ada', role: 'operator', consumers: ['lab-a'] });
    expect(client.socket.protocol).toBe('longhaul');
    client.say({ type: 'subscribe', run: RUN });
    expect(await client.next('subscribed')).toMatchObject({ verdict: 'fresh' });
    for (const run of ['launch/theirs', 'launch/nobodys', 'launch/none']) {
      expect((await get(`/api/v1/progress/${run}`, token)).status).toBe(404);
      expect((await get(`/api/v1/progress-stream/${run}`, token)).status).toBe(404);
      client.say({ type: 'subscribe', run });
    }
    // Its own is not, nor what only the operators of everything may see.
    await expect
      .poll(() => {
        now += 500;
        return client.messages.filter(({ type }) => type === 'error').length;
      })
      .toBe(3);
    for (const message of client.messages)
      if (message.type === 'error') expect(message).toMatchObject({ code: 'not-found' });
    const polled = get(`/api/v1/progress-events/launch/theirs?wait=1`, token);
    expect([200, 404]).toContain((await polled).status);
    expect(await (await polled).text()).not.toContain('lab-b');
    expect((await get(`/api/v1/progress/${RUN}`, token)).status).toBe(200);
    const all = await issuer.sign({ consumers: '*' });
    expect((await get('/api/v1/progress/launch/nobodys', all)).status).toBe(200);
  });

  it('is needed everywhere but for health', async () => {
    await open();
    expect((await get('/api/v1/health')).status).toBe(200);
    for (const path of [`progress/${RUN}`, `progress-events/${RUN}`, `progress-stream/${RUN}`])
      expect((await get(`/api/v1/${path}`)).status).toBe(401);
    expect(await rig.connect().closed).toMatchObject({ status: 401 });
    expect(await rig.connect(['longhaul']).closed).toMatchObject({ status: 401 });
    expect(await rig.connect(['A'.repeat(22)]).closed).toMatchObject({ status: 401 });
  });

  it('can be renewed without losing place, by the same user and for longer only', async () => {
    const { log, connect } = await open();
    const client = connect(['longhaul', `bearer.${await issuer.sign({}, 100)}`]);
    client.say({ type: 'subscribe', run: RUN });
    await client.next('subscribed');
    for (const token of [await issuer.sign({ sub: 'eve' }, 500), await issuer.sign({}, 50), 'x.y.z']) {
      client.say({ type: 'renew', token });
      expect(await client.next('error')).toMatchObject({ code: 'unauthorized' });
    }
    const before = await client.next('welcome');
    client.say({ type: 'renew', token: await issuer.sign({}, 1_000) });
    expect((await client.next('renewed')).expiresAt).toBeGreaterThan(Date.now() + 900_000);
    await tell(log, RUN, 1);
    await client.until(() => client.events(RUN).length === 1);
    expect(before.connectionId).toBeTruthy();
  });

  it('is said to end a minute before, and then ends the connection', async () => {
    const { connect } = await open();
    const token = await issuer.sign({}, 90);
    const client = connect(['longhaul', `bearer.${token}`]);
    await client.next('welcome');
    now += 31_000;
    const { at } = await client.next('tokenExpires');
    expect(at).toBeLessThanOrEqual(Date.now() + 90_000);
    now += 60_000;
    expect(await client.closed).toMatchObject({ code: CLOSE_CODES.tokenExpired });
  });

  it('renewed in time is the one that counts', async () => {
    const { connect } = await open();
    const client = connect(['longhaul', `bearer.${await issuer.sign({}, 90)}`]);
    client.say({ type: 'renew', token: await issuer.sign({}, 600) });
    await client.next('renewed');
    now += 100_000;
    await expect.poll(() => client.messages.map(({ type }) => type)).not.toContain('tokenExpires');
    client.say({ type: 'ping' });
    await client.next('pong');
  });

  it('renewed with less takes away what it may not see any more', async () => {
    const { log, connect } = await open();
    const client = connect(['longhaul', `bearer.${await issuer.sign()}`]);
    client.say({ type: 'subscribe', run: RUN });
    await client.next('subscribed');
    client.say({ type: 'renew', token: await issuer.sign({ consumers: ['lab-b'] }, 7_200) });
    expect(await client.next('error')).toMatchObject({ code: 'forbidden', run: RUN });
    await tell(log, RUN, 1);
    client.say({ type: 'ping' });
    await client.next('pong');
    expect(client.events(RUN)).toEqual([]);
  });

  it('of an issuer whose keys cannot be read now is not called wrong', async () => {
    const server = createServer((_request, response) => response.writeHead(500).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const jwks = `http://127.0.0.1:${port}/jwks`;
    const token = await issuer.sign();
    const tokens = await createTokens({ ...issuer.settings.tokens, jwks });
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'unavailable' });
    await new Promise((resolve) => server.close(resolve));
    const gone = await createTokens({ ...issuer.settings.tokens, jwks });
    await expect(gone.verify(token)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is checked with the keys of an address', async () => {
    const server = createServer((_request, response) => response.end(JSON.stringify(issuer.jwks)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const tokens = await createTokens({ ...issuer.settings.tokens, jwks: `http://127.0.0.1:${port}/jwks` });
    await expect(tokens.verify(await issuer.sign({ role: ['viewer', 'approver'] }))).resolves.toMatchObject({
      userId: 'ada',
      role: 'approver',
    });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('an anonymous user beside tokens', () => {
  it('sees what is its own, and nothing of a user whose subject is its id', async () => {
    const { log, connect, sessions } = await open({ settings: { anonymous: true } });
    const id = 'A'.repeat(22);
    const client = connect([id]);
    expect(await client.next('welcome')).toMatchObject({ role: 'viewer', consumers: [] });
    const { session, ...arrival } = await sessions.arrive(id, (client.messages[0] as { secret: string }).secret, now);
    expect(session).toBe('resumed');
    const { subject } = arrival as { subject: string };
    const source = { name: 'w', attempt: 1 };
    await log.append('order/mine', { domain: 'order', owner: subject }, [
      { kind: 'status', source, localSeq: 1, at: 1 },
    ]);
    await log.append('order/ids', { domain: 'order', owner: id }, [{ kind: 'status', source, localSeq: 1, at: 1 }]);
    for (const run of ['order/mine', 'order/ids', RUN]) client.say({ type: 'subscribe', run });
    expect(await client.next('subscribed')).toMatchObject({ run: 'order/mine' });
    await expect
      .poll(() => {
        now += 500;
        return client.messages.filter(({ type }) => type === 'error').length;
      })
      .toBe(2);
  });
});

describe('settings', () => {
  const read = (env: Record<string, string>) => gatewaySettings(readSettings(env, '/nonexistent/longhaul.yaml'));

  it('are open on loopback only', () => {
    expect(read({}).open).toBe(true);
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'longhaul.example'])
      expect(() => read({ LONGHAUL_GATEWAY_HOST: host })).toThrow(/gatewayHost: .*gatewayAuth to jwt/s);
    for (const host of ['127.0.0.1', '::1', 'localhost', '127.8.0.1'])
      expect(read({ LONGHAUL_GATEWAY_HOST: host }).open).toBe(true);
  });

  it('with tokens say whose', () => {
    expect(() => read({ LONGHAUL_GATEWAY_AUTH: 'jwt' })).toThrow(/needs gatewayIssuer, gatewayAudience, gatewayJwks/);
    const env = {
      LONGHAUL_GATEWAY_HOST: '0.0.0.0',
      LONGHAUL_GATEWAY_AUTH: 'jwt',
      LONGHAUL_GATEWAY_ISSUER: ISSUER,
      LONGHAUL_GATEWAY_AUDIENCE: AUDIENCE,
      LONGHAUL_GATEWAY_JWKS: `${ISSUER}/jwks`,
    };
    expect(read(env)).toMatchObject({ open: false, anonymous: false, tokens: { issuer: ISSUER } });
    expect(() => read({ ...env, LONGHAUL_GATEWAY_JWKS: 'http://elsewhere.example/jwks' })).toThrow(/GATEWAY_JWKS/);
    expect(() => read({ ...env, LONGHAUL_GATEWAY_KEY: 'short' })).toThrow(/GATEWAY_KEY: expected at least 32/);
  });
});
