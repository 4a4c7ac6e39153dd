import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connectionsApi } from '../../clients/gateway/hosted/api.ts';
import { CONNECTION_HEADER, KEY_HEADER } from '../../clients/gateway/hosted/routes.ts';
import { connectLive, type Live } from '../../clients/live/client.ts';
import { createApiGateway } from '../../infra/local/aws/apigateway/service.ts';
import { createKit, type FrontDoor, type Kit, openFrontDoor } from '../../infra/local/kit/front-door.ts';
import type { HeldConnections } from '../../lib/store/gateways.ts';
import type { ProgressEvent } from '../../workflows/progress/model.ts';
import { type GatewayRig, openGateway } from '../support/gateway.ts';
import { createMemoryLog, type MemoryLog } from '../support/memory-log.ts';
import { until } from '../support/stand-ins.ts';

const KEY = 'the-key-of-this-installation';
const RUN = 'order/1';

let directory: string;
let kit: Kit;
let door: FrontDoor;
let log: MemoryLog;
let gateways: GatewayRig[] = [];
const clients: Live[] = [];
const held = new Map<string, string>();

const table: HeldConnections = {
  hold: async (id, url) => void held.set(id, url),
  holder: async (id) => held.get(id),
  release: async (id) => void held.delete(id),
};

async function openHosted(): Promise<GatewayRig> {
  let url = '';
  const rig = await openGateway({
    memory: log,
    settings: { key: KEY },
    nudges: false,
    hosted: { api: connectionsApi(managementOf(place())), held: table, url: () => url },
  });
  url = rig.url;
  return rig;
}

const place = () => `${door.url}/_apis/progress/live`;
const managementOf = (endpoint: string) =>
  new ApiGatewayManagementApiClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'unit', secretAccessKey: 'unit' },
    maxAttempts: 1,
  });

/** Connect, messages and the end of connections each go to the gateway of this number. */
function deploy(connect: number, messages: number): void {
  const to = (gateway: number, route: string) => ({
    uri: `${gateways[gateway]?.url}/hosted/v1/${route}`,
    requestParameters: {
      [`integration.request.header.${CONNECTION_HEADER}`]: 'context.connectionId',
      [`integration.request.header.${KEY_HEADER}`]: `'${KEY}'`,
    },
  });
  kit.actions.get('POST websocket-apis')?.({
    apiId: 'progress',
    stage: 'live',
    routes: {
      $connect: to(connect, 'connect'),
      $default: to(messages, 'message'),
      $disconnect: to(messages, 'disconnect'),
    },
  });
}

function watch() {
  const seen: ProgressEvent[] = [];
  const verdicts: string[] = [];
  const problems: string[] = [];
  const live = connectLive({
    url: place().replace('http', 'ws'),
    WebSocket: WebSocket as never,
    onError: (error) => problems.push(error.message),
  });
  clients.push(live);
  live.watch(RUN, {
    from: 'start',
    onEvent: (event) => seen.push(event),
    onResume: ({ verdict }) => verdicts.push(verdict),
    onError: (error) => problems.push(error.message),
  });
  return { live, seen, verdicts, problems };
}

let seq = 0;
const say = (text: string, kind: 'data' | 'end' = 'data') =>
  log.append(RUN, { domain: 'order' }, [
    { kind, source: { name: 'test', attempt: 1 }, localSeq: (seq += 1), at: Date.now(), data: text },
  ]);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longhaul-unit-'));
  kit = createKit();
  const { service } = createApiGateway({ kit, directory });
  door = await openFrontDoor(kit, [service]);
});
afterAll(async () => {
  await door.close();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  log = createMemoryLog();
  gateways = [await openHosted(), await openHosted()];
  log.onAppend = (run, { epoch, events }) => {
    for (const { gateway } of gateways) gateway.hub.told(run, epoch, events);
  };
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const rig of gateways.splice(0)) await rig.close();
  kit.faults.set([]);
});

describe.each([
  ['by the gateway that let it in', 0, 0],
  ['by another one', 0, 1],
])('a connection that API Gateway holds, whose messages are taken %s', (_, connect, messages) => {
  it('sees each event once and in order, though posts may overtake one another', async () => {
    deploy(connect, messages);
    await say('first');
    const { seen, verdicts } = watch();
    await until('it has begun', () => seen.length === 1);
    for (let index = 2; index <= 200; index += 1) await say(`event ${index}`);
    await until('all have come', () => seen.length === 200);

    expect(seen.map((event) => event.seq)).toEqual(Array.from({ length: 200 }, (__, index) => index + 1));
    expect(verdicts).toEqual(['replayed']);
  });

  it('gets what is longer than a frame in parts', async () => {
    deploy(connect, messages);
    const long = 'é'.repeat(30_000);
    await say(long);
    const { seen } = watch();
    await until('it has come', () => seen.length === 1);

    expect(seen[0]?.data).toBe(long);
    const posts = kit.calls.list({ service: 'execute-api', operation: 'PostToConnection' });
    expect(posts.some(({ status }) => status === 413)).toBe(false);
  });

  it('goes on where it was when it is ended, and its row is gone', async () => {
    deploy(connect, messages);
    await say('first');
    const { seen, verdicts } = watch();
    await until('it has begun', () => seen.length === 1);
    const [id = ''] = held.keys();
    await connectionsApi(managementOf(place())).end(id);
    await say('second');
    await until('it has gone on', () => seen.length === 2);

    expect(seen.map((event) => event.seq)).toEqual([1, 2]);
    expect(verdicts.at(-1)).toMatch(/replayed|current/);
    await until('the row is gone', () => !held.has(id));
  });
});

it('is ended when its gateway has died, so that its client goes on at another one', async () => {
  deploy(0, 1);
  await say('first');
  const { live, seen } = watch();
  await until('it has begun', () => seen.length === 1);
  const [id = ''] = held.keys();
  const [dead] = gateways.splice(0, 1);
  // Gone without a word: it ends no connection, and its row stays.
  kit.faults.set([{ service: 'execute-api', operation: 'DeleteConnection', effect: 'error', times: 1 }]);
  await dead?.close();
  await until('it tried', () => kit.faults.hits()[0] === 1);
  held.set(id, dead?.url ?? '');
  deploy(0, 0);
  await say('second');
  live.watch('order/2', { onEvent: () => {} });
  await until('it has gone on', () => seen.length === 2);

  expect(seen.map((event) => event.seq)).toEqual([1, 2]);
});

it('is throttled, and loses nothing', async () => {
  deploy(0, 0);
  await say('first');
  const { seen } = watch();
  await until('it has begun', () => seen.length === 1);
  kit.faults.set([
    { service: 'execute-api', operation: 'PostToConnection', effect: 'throttle', times: 3 },
    { service: 'execute-api', operation: 'PostToConnection', effect: 'reset', when: 'after', nth: 6 },
  ]);
  for (let index = 2; index <= 10; index += 1) await say(`event ${index}`);
  await until('all have come', () => seen.length === 10);

  expect(seen.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

it.each<[string, string, Record<string, string>, number]>([
  ['a route without the key', 'message', { [CONNECTION_HEADER]: 'x' }, 401],
  ['a route with another key', 'connect', { [CONNECTION_HEADER]: 'x', [KEY_HEADER]: 'guess' }, 401],
  ['one without a connection', 'message', { [KEY_HEADER]: KEY }, 400],
  ['a stranger who hands a message on', '', { authorization: 'Bearer guess' }, 401],
  ['a connection nobody knows', '', { authorization: `Bearer ${KEY}` }, 404],
])('refuses %s', async (_, route, headers, status) => {
  const path = route === '' ? '/internal/v1/hosted' : `/hosted/v1/${route}`;
  const answer = await fetch(`${gateways[0]?.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ connectionId: 'nobody', text: '{}' }),
  });

  expect(answer.status).toBe(status);
  expect(await answer.json()).toMatchObject({ error: { remedy: expect.any(String) } });
});
