/**
 * Tokens, identities and pages that are not what they say: each is refused with words, before anything is told.
 *
 * @module
 */
import { createHmac, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BEARER_PREFIX, CLOSE_CODES, TOKEN_PROTOCOL } from '../../clients/live/protocol.ts';
import { type GatewayWorld, openGatewayWorld } from '../support/gateway-world.ts';
import { frame, openRaw } from '../support/raw-websocket.ts';
import { AUDIENCE, createSigners, ISSUER, type Signers } from '../support/signers.ts';

let signers: Signers;
let world: GatewayWorld;

beforeAll(async () => {
  signers = await createSigners();
  world = await openGatewayWorld({ auth: { jwks: signers.jwksFile, issuer: ISSUER, audience: AUDIENCE } });
  await world.tell('launch/of-a', { consumer: 'a' });
  await world.tell('launch/of-b', { consumer: 'b' });
  await world.tell('order/of-nobody', {});
});

afterAll(async () => {
  await world?.close();
  await signers?.close();
});

/** Any that is behind the token. */
const ROUTE = '/api/v1/progress/none';
const offer = (token: string) => [TOKEN_PROTOCOL, `${BEARER_PREFIX}${token}`];
const seconds = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = (more: Record<string, unknown> = {}) => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'somebody',
  exp: seconds() + 600,
  role: 'approver',
  consumers: ['a'],
  ...more,
});

/** Parts of a good token, to be put together wrongly. */
async function parts(): Promise<[string, string, string]> {
  return (await signers.sign(claims())).split('.') as [string, string, string];
}

describe('a forged token is refused', () => {
  const forged: [string, () => Promise<string> | string][] = [
    ['without a signature (alg none)', () => `${encode({ alg: 'none' })}.${encode(claims())}.`],
    ['without a signature, with the key id', () => `${encode({ alg: 'none', kid: signers.kid })}.${encode(claims())}.`],
    ['alg None in another case', () => `${encode({ alg: 'nOnE', kid: signers.kid })}.${encode(claims())}.`],
    [
      'HS256 with the public key as the secret',
      () => {
        const signed = `${encode({ alg: 'HS256', kid: signers.kid })}.${encode(claims())}`;
        return `${signed}.${createHmac('sha256', signers.publicPem).update(signed).digest('base64url')}`;
      },
    ],
    [
      'HS256 with the public key as JSON',
      () => {
        const signed = `${encode({ alg: 'HS256', kid: signers.kid })}.${encode(claims())}`;
        return `${signed}.${createHmac('sha256', JSON.stringify(signers.jwk)).update(signed).digest('base64url')}`;
      },
    ],
    ['with a key of its own in the header', () => signers.signBy('stranger', claims(), { jwk: signers.strangerJwk })],
    ['by a stranger under the known key id', () => signers.signBy('stranger', claims())],
    ['of an unknown key id', () => signers.sign(claims(), { kid: 'another' })],
    ['of a key id that is a path', () => signers.sign(claims(), { kid: '../../../dev/null' })],
    ['expired', () => signers.sign(claims({ exp: seconds() - 60 }))],
    ['without an end', () => signers.sign(claims({ exp: undefined }))],
    ['that ends in text', () => signers.sign(claims({ exp: String(seconds() + 600) }))],
    ['not valid yet', () => signers.sign(claims({ nbf: seconds() + 600 }))],
    ['for another audience', () => signers.sign(claims({ aud: 'another-service' }))],
    ['for nobody', () => signers.sign(claims({ aud: undefined }))],
    ['of another issuer', () => signers.sign(claims({ iss: 'https://issuer.example.org' }))],
    ['of an issuer with a slash more', () => signers.sign(claims({ iss: `${ISSUER}/` }))],
    ['without a subject', () => signers.sign(claims({ sub: undefined }))],
    ['with a role that is none', () => signers.sign(claims({ role: 'root' }))],
    ['with all consumers within a list', () => signers.sign(claims({ consumers: ['*'] }))],
    ['with consumers that are no names', () => signers.sign(claims({ consumers: [{ $ne: null }] }))],
    [
      'with other claims under a good signature',
      async () => {
        const [head, , signature] = await parts();
        return `${head}.${encode(claims({ consumers: '*' }))}.${signature}`;
      },
    ],
    ['with half a signature', async () => (await signers.sign(claims())).slice(0, -40)],
    ['of two parts', async () => (await parts()).slice(0, 2).join('.')],
    ['that is no token', () => 'AAAA'],
    ['that is empty', () => ''],
    ['of 15 KB', () => `${encode({ alg: 'ES256', pad: 'x'.repeat(7_000) })}.${encode(claims())}.AAAA`],
  ];

  it.each(forged)('%s', async (_, make) => {
    const token = await make();
    const socket = await openRaw(world.port, { protocols: offer(token) });
    const http = await world.get(ROUTE, { authorization: `Bearer ${token}` });
    expect(socket.status).toBeGreaterThanOrEqual(400);
    expect(socket.status).toBeLessThan(500);
    expect(http.status).toBe(401);
    expect(JSON.parse(http.body)).toMatchObject({
      error: { code: 'unauthorized', message: expect.stringMatching(/token/), remedy: expect.stringMatching(/./) },
    });
    // What is refused is not repeated, to nobody and into no log.
    if (token.length > 20) {
      expect(http.body + socket.answer).not.toContain(token.slice(-20));
      expect(world.output().join('\n')).not.toContain(token.slice(-20));
    }
    socket.socket.destroy();
  });

  it('but a good one is not', async () => {
    const socket = await openRaw(world.port, { protocols: offer(await signers.sign(claims())) });
    expect(socket.status).toBe(101);
    const welcome = JSON.parse(await socket.heard('"welcome"')) as Record<string, unknown>;
    expect(welcome).toMatchObject({ role: 'approver', consumers: ['a'] });
    // The token is not echoed.
    expect(socket.answer.toLowerCase()).toContain(`sec-websocket-protocol: ${TOKEN_PROTOCOL}\r\n`.trim());
    expect(socket.answer).not.toContain(BEARER_PREFIX);
    socket.socket.destroy();
  });
});

describe('a token in mid-stream', () => {
  it('that ends is renewed in band, by a token of the same user only', async () => {
    const short = await signers.sign(claims({ exp: seconds() + 3 }));
    const socket = await openRaw(world.port, { protocols: offer(short) });
    await socket.heard('"tokenExpires"');
    await socket.send(frame(JSON.stringify({ type: 'renew', token: await signers.sign(claims({ sub: 'another' })) })));
    await socket.heard('"error"', '"unauthorized"');
    await socket.send(frame(JSON.stringify({ type: 'renew', token: short.slice(0, -4) })));
    await socket.send(frame(JSON.stringify({ type: 'renew', token: await signers.sign(claims()) })));
    await socket.heard('"renewed"');
    await world.tell('launch/of-a', { consumer: 'a' });
    await socket.send(frame(JSON.stringify({ type: 'subscribe', run: 'launch/of-a', from: 'start' })));
    await socket.heard('"event"', 'launch/of-a');
    expect(socket.socket.destroyed).toBe(false);
    socket.socket.destroy();
  });

  it('that ends and is not renewed ends the connection, and cannot be used again', async () => {
    const short = await signers.sign(claims({ exp: seconds() + 1 }));
    const socket = await openRaw(world.port, { protocols: offer(short) });
    expect(socket.status).toBe(101);
    expect(await socket.ended).toMatchObject({ code: CLOSE_CODES.tokenExpired });
    // Clocks may differ by five seconds.
    await expect.poll(async () => (await world.get(ROUTE, { authorization: `Bearer ${short}` })).status).toBe(401);
    const again = await openRaw(world.port, { protocols: offer(short) });
    expect(again.status).toBe(401);
  });

  it('renewed with fewer rights loses the runs it may no longer see', async () => {
    const socket = await openRaw(world.port, {
      protocols: offer(await signers.sign(claims({ consumers: ['a', 'b'] }))),
    });
    await socket.send(frame(JSON.stringify({ type: 'subscribe', run: 'launch/of-b', from: 'start' })));
    await socket.heard('"subscribed"', 'launch/of-b');
    await socket.send(
      frame(JSON.stringify({ type: 'renew', token: await signers.sign(claims({ consumers: ['a'] })) })),
    );
    await socket.heard('"renewed"');
    await socket.heard('"error"', '"forbidden"', 'launch/of-b');
    const before = socket.messages.length;
    await world.tell('launch/of-b', { consumer: 'b' });
    await world.tell('launch/of-a', { consumer: 'a' });
    await socket.send(frame(JSON.stringify({ type: 'subscribe', run: 'launch/of-a', from: 'start' })));
    await socket.heard('"subscribed"', 'launch/of-a');
    expect(socket.messages.slice(before).filter((text) => text.includes('launch/of-b'))).toEqual([]);
    socket.socket.destroy();
  });
});

describe("what is somebody else's", () => {
  it.each(['launch/of-b', 'order/of-nobody'])('%s is not told of', async (run) => {
    const token = await signers.sign(claims());
    const socket = await openRaw(world.port, { protocols: offer(token) });
    await socket.send(frame(JSON.stringify({ type: 'subscribe', run, from: 'start' })));
    await socket.heard('"error"', '"not-found"', run);
    await world.tell(run, { consumer: 'b' });
    await socket.send(frame(JSON.stringify({ type: 'ping' })));
    await socket.heard('"pong"');
    expect(socket.messages.filter((text) => text.includes('"event"') || text.includes('"snapshot"'))).toEqual([]);
    for (const route of ['progress', 'progress-events', 'progress-stream']) {
      const answer = await world.get(`/api/v1/${route}/${encodeURIComponent(run)}`, {
        authorization: `Bearer ${token}`,
      });
      expect([403, 404]).toContain(answer.status);
    }
    socket.socket.destroy();
  });

  it('a position in it opens nothing', async () => {
    const socket = await openRaw(world.port, { protocols: offer(await signers.sign(claims())) });
    await socket.send(
      frame(JSON.stringify({ type: 'subscribe', run: 'launch/of-b', position: { epoch: 'guessed', seq: 1 } })),
    );
    await socket.heard('"purged"');
    expect(socket.messages.join('')).not.toContain('"snapshot"');
    socket.socket.destroy();
  });
});

describe('an anonymous user', () => {
  const userId = () => randomBytes(18).toString('base64url');

  it('whose id is guessed is not found: without the secret it opens nothing', async () => {
    const id = userId();
    const owner = await openRaw(world.port, { protocols: [id] });
    const { secret } = JSON.parse(await owner.heard('"welcome"')) as { secret: string };
    expect(owner.answer.toLowerCase()).toContain(`sec-websocket-protocol: ${id.toLowerCase()}`);

    for (const protocols of [[id], [id, randomBytes(32).toString('base64url')], [id, secret.toLowerCase()], [id, '']]) {
      const guess = await openRaw(world.port, { protocols });
      expect(guess.status, JSON.stringify(protocols.length)).toBe(401);
    }
    const rightful = await openRaw(world.port, { protocols: [id, secret] });
    expect(rightful.status).toBe(101);
    expect(await rightful.heard('"welcome"')).not.toContain('"secret"');
    expect(rightful.answer).not.toContain(secret);
    expect(world.output().join('\n')).not.toContain(secret);
    owner.socket.destroy();
    rightful.socket.destroy();
  });

  it.each(['short', 'x'.repeat(65), '../../../../etc/passwd', 'longhaul'])('cannot be called %s', async (id) => {
    const socket = await openRaw(world.port, { protocols: [id] });
    expect([400, 401]).toContain(socket.status);
  });

  it('sees no run of a consumer', async () => {
    const socket = await openRaw(world.port, { protocols: [userId()] });
    await socket.send(frame(JSON.stringify({ type: 'subscribe', run: 'launch/of-a', from: 'start' })));
    // As one that is not there.
    await socket.heard('"error"', '"not-found"');
    socket.socket.destroy();
  });
});

describe("a page of somebody else's", () => {
  it.each(['https://evil.example.com', 'null', 'http://127.0.0.1.evil.example.com', 'http://localhost:1'])(
    '%s cannot open a connection, whatever it has',
    async (origin) => {
      const socket = await openRaw(world.port, { protocols: offer(await signers.sign(claims())), headers: { origin } });
      expect(socket.status).toBe(403);
      expect(socket.answer).toMatch(/may not use this gateway/);
    },
  );
});
