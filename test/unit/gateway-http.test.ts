/**
 * The gateway over plain HTTP: pictures, streams, polling, nudges, pages of others, slow senders.
 *
 * @module
 */
import { request as httpRequest } from 'node:http';
import { connect as tcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NUDGE_PATH } from '../../lib/progress/nudges.ts';
import { type GatewayRig, openGateway, type RigOptions, tell } from '../support/gateway.ts';

const RUN = 'launch/run-1';
let rig: GatewayRig;
afterEach(() => rig.close());

const open = async (options?: RigOptions) => {
  rig = await openGateway(options);
  return rig;
};
const get = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${rig.url}${path}`, { headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
};

/** Reads a stream until there are so many events. */
async function stream(path: string, events: number, headers: Record<string, string> = {}) {
  const stop = new AbortController();
  const response = await fetch(`${rig.url}${path}`, { headers, signal: stop.signal });
  let text = '';
  const decoder = new TextDecoder();
  const blocks = () =>
    text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => block.includes('data:'));
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (blocks().length >= events) break;
  }
  stop.abort();
  return {
    type: response.headers.get('content-type'),
    text,
    events: blocks().map((block) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      return {
        id: field('id'),
        event: field('event'),
        data: JSON.parse(field('data') ?? 'null') as Record<string, unknown>,
      };
    }),
  };
}

describe('a picture', () => {
  it('is had by the workflow id, slashes as they are or encoded', async () => {
    const { log } = await open();
    await tell(log, RUN, 3, { status: 'RUNNING' });
    for (const run of [RUN, encodeURIComponent(RUN)])
      expect(await get(`/api/v1/progress/${run}`)).toMatchObject({
        status: 200,
        body: { run: RUN, seq: 3, status: 'RUNNING' },
      });
    expect(await get('/api/v1/progress/launch/none')).toMatchObject({
      status: 404,
      body: { error: { code: 'not-found' } },
    });
  });
});

describe('a stream', () => {
  it('begins with a picture, and goes on by Last-Event-ID', async () => {
    const { log } = await open();
    await tell(log, RUN, 2);
    const reading = stream(`/api/v1/progress-stream/${RUN}`, 3);
    await expect.poll(async () => (await get('/api/v1/health')).body.streams).toBe(1);
    await tell(log, RUN, 2);
    const first = await reading;
    expect(first.type).toBe('text/event-stream');
    expect(first.text).toContain('retry: ');
    expect(first.events).toMatchObject([
      { id: 'epoch-1:2', event: 'resume', data: { verdict: 'fresh', snapshot: { seq: 2 } } },
      { id: 'epoch-1:3', data: { seq: 3 } },
      { id: 'epoch-1:4', data: { seq: 4 } },
    ]);
    const again = await stream(`/api/v1/progress-stream/${RUN}`, 2, { 'last-event-id': 'epoch-1:3' });
    expect(again.events).toMatchObject([
      { id: 'epoch-1:3', event: 'resume', data: { verdict: 'replayed', count: 1 } },
      { id: 'epoch-1:4', data: { seq: 4 } },
    ]);
    await expect.poll(async () => (await get('/api/v1/health')).body.streams).toBe(0);
  });

  it.each(['nonsense', 'other:3', 'epoch-1:99', ':', '7'])('with the id %s is told that it is purged', async (id) => {
    const { log } = await open();
    await tell(log, RUN, 2);
    const { events } = await stream(`/api/v1/progress-stream/${RUN}`, 1, { 'last-event-id': id });
    expect(events).toMatchObject([
      { id: 'epoch-1:2', event: 'resume', data: { verdict: 'purged', snapshot: { seq: 2 } } },
    ]);
  });
});

describe('polling', () => {
  it('goes from page to page, and waits for what is not there yet', async () => {
    const { log } = await open();
    await tell(log, RUN, 7);
    const path = `/api/v1/progress-events/${RUN}`;
    expect(await get(path)).toMatchObject({ body: { resume: { verdict: 'fresh', snapshot: { seq: 7 } }, events: [] } });
    const page = await get(`${path}?epoch=epoch-1&after=2&limit=3`);
    expect(page.body).toMatchObject({
      resume: { verdict: 'replayed', count: 5 },
      events: [{ seq: 3 }, { seq: 4 }, { seq: 5 }],
    });
    expect(await get(`${path}?epoch=epoch-1&after=7`)).toMatchObject({
      body: { resume: { verdict: 'current' }, events: [] },
    });
    const waiting = get(`${path}?epoch=epoch-1&after=7&wait=20`);
    await expect.poll(async () => (await get('/api/v1/health')).status).toBe(200);
    await tell(log, RUN, 1);
    expect((await waiting).body).toMatchObject({ resume: { verdict: 'current' }, events: [{ seq: 8 }] });
    expect(await get(`${path}?epoch=gone&after=1`)).toMatchObject({ body: { resume: { verdict: 'purged' } } });
  });

  it.each(['after=1', 'epoch=e&after=-1', 'wait=26', 'limit=0', 'limit=x', 'epoch=e&after=1e3'])(
    'refuses %s',
    async (query) => {
      await open();
      expect(await get(`/api/v1/progress-events/${RUN}?${query}`)).toMatchObject({
        status: 400,
        body: { error: { code: 'bad-request' } },
      });
    },
  );
});

describe('a nudge', () => {
  const key = 'k'.repeat(32);
  const nudge = (body: unknown, authorization = `Bearer ${key}`) =>
    fetch(`${rig.url}${NUDGE_PATH}`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('is believed with the key only, and makes watchers see at once', async () => {
    const { log, connect } = await open({ settings: { key }, nudges: false });
    await tell(log, RUN, 1);
    const client = connect();
    client.say({ type: 'subscribe', run: RUN });
    await client.next('subscribed');
    await tell(log, RUN, 2);
    const [, event] = await log.read(RUN, 0, 2);
    expect((await nudge({ run: RUN, epoch: 'epoch-1', events: [event] }, 'Bearer wrong')).status).toBe(401);
    const { read } = log.calls;
    expect((await nudge({ run: RUN, epoch: 'epoch-1', events: [event] })).status).toBe(204);
    await client.until(() => client.events(RUN).length === 1);
    expect(log.calls.read).toBe(read);
    expect((await nudge({ nudges: [{ run: RUN, epoch: 'epoch-1', seq: 3 }] })).status).toBe(204);
    await client.until(() => client.events(RUN).length === 2);
    expect((await nudge({ run: 7 })).status).toBe(400);
  });

  it('cannot be sent to a gateway without a key', async () => {
    await open();
    expect((await nudge({ run: RUN, epoch: 'e', events: [] }, 'Bearer ')).status).toBe(404);
  });
});

describe('pages of others', () => {
  it('may not use it, by WebSocket or HTTP', async () => {
    const { connect, url } = await open({ settings: { origins: ['https://console.example.com'] } });
    expect(await connect([], { origin: 'https://evil.example' }).closed).toMatchObject({ status: 403 });
    expect(await connect([], { origin: 'null' }).closed).toMatchObject({ status: 403 });
    await connect([], { origin: 'https://console.example.com' }).next('welcome');
    await connect([], { origin: url }).next('welcome');
    expect(await get('/api/v1/health', { origin: 'https://evil.example' })).toMatchObject({ status: 403 });
  });

  it('may not reach an open gateway under a name of their own', async () => {
    const { connect, url } = await open();
    expect(await connect([], { host: 'evil.example' }).closed).toMatchObject({ status: 403 });
    const status = await new Promise((resolve) => {
      httpRequest(`${url}/api/v1/health`, { headers: { host: 'evil.example:80' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).toBe(403);
  });

  it('are given no way in by headers', async () => {
    await open();
    const { headers } = await get('/api/v1/health');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('whoever sends slowly or too much', () => {
  it('is let go, and hurts nobody', async () => {
    const { url } = await open({ patience: { headersMs: 300, checkMs: 100 } });
    const { port } = new URL(url);
    const sockets = Array.from({ length: 50 }, (_, nth) => {
      const socket = tcp(Number(port), '127.0.0.1');
      socket.on('error', () => {});
      // Half of them say nothing at all.
      if (nth % 2) socket.write('GET /api/v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ');
      socket.resume();
      return new Promise((resolve) => socket.on('close', resolve));
    });
    expect((await get('/api/v1/health')).status).toBe(200);
    await Promise.all(sockets);
  });

  it('is told to wait', async () => {
    const { log } = await open({ requestsPerMinute: 5 });
    await tell(log, RUN, 1);
    const answers = [];
    for (let nth = 0; nth < 7; nth += 1) answers.push(await get(`/api/v1/progress/${RUN}`));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect(answers[6]).toMatchObject({ body: { error: { code: 'too-many-requests' } } });
    expect(answers[6]?.headers.get('retry-after')).toBeTruthy();
  });

  it('gets no further than the door with endless headers', async () => {
    const { url } = await open();
    const status = await new Promise((resolve) => {
      httpRequest(`${url}/api/v1/health`, { headers: { 'x-long': 'x'.repeat(20_000) } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).toBe(431);
  });

  it('guesses no secret quickly', async () => {
    const { connect } = await open();
    await connect(['A'.repeat(22)]).next('welcome');
    const wave = () => Promise.all(Array.from({ length: 20 }, () => connect(['A'.repeat(22), 'B'.repeat(43)]).closed));
    const statuses = [...(await wave()), ...(await wave()), ...(await wave())].map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(20);
    expect(statuses).toContain(429);
  });
});
