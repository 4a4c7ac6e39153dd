import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../support/stand-ins.ts';
import { openTarget, type Target } from './target.ts';

interface Call {
  route: string;
  connectionId: string;
  headers: IncomingHttpHeaders;
  body: string;
}

let target: Target;
let backend: Server;
let calls: Call[] = [];
let connectAnswer: { status: number; headers: Record<string, string> } = { status: 200, headers: {} };
let defaultStatus = 200;
let api: { apiId: string; stage: string; path: string };
let management: ApiGatewayManagementApiClient;

const MAPPED = {
  'integration.request.header.connection-id': 'context.connectionId',
  'integration.request.header.route': 'context.routeKey',
  'integration.request.header.gone-with': 'context.disconnectStatusCode',
  'integration.request.header.key': "'secret'",
};

// Making an API takes a stack: on a real account this is looked at with one that is deployed.
describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('a WebSocket API', () => {
  beforeAll(async () => {
    target = await openTarget();
    backend = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        const route = String(request.headers.route);
        calls.push({ route, connectionId: String(request.headers['connection-id']), headers: request.headers, body });
        const { status, headers } =
          route === '$connect'
            ? connectAnswer
            : { status: route === '$default' ? defaultStatus : 200, headers: {} as Record<string, string> };
        response.writeHead(status, headers).end();
      });
    });
    await new Promise<void>((listening) => backend.listen(0, '127.0.0.1', listening));
    api = put({ routes: routes() });
    management = clientOf(api.path);
  });
  beforeEach(() => {
    calls = [];
    connectAnswer = { status: 200, headers: {} };
    defaultStatus = 200;
  });
  afterAll(async () => {
    management.destroy();
    backend.close();
    await target.close();
  });

  const put = (input: Record<string, unknown>) =>
    target.local?.kit.actions.get('POST websocket-apis')?.(input) as typeof api;
  const integration = () => ({
    uri: `http://127.0.0.1:${(backend.address() as AddressInfo).port}/hosted`,
    requestParameters: MAPPED,
  });
  const routes = () => ({ $connect: integration(), $disconnect: integration(), $default: integration() });
  const clientOf = (path: string) =>
    new ApiGatewayManagementApiClient({ ...target.client, endpoint: `${target.local?.url}${path}`, maxAttempts: 1 });

  function dial(path = api.path, protocols: string[] = []) {
    const socket = new WebSocket(`${target.local?.url.replace('http', 'ws')}${path}`, protocols);
    const texts: string[] = [];
    let refused: number | undefined;
    let closed: number | undefined;
    socket.on('message', (data) => texts.push(String(data)));
    socket.on('unexpected-response', (_, response) => {
      refused = response.statusCode;
      socket.terminate();
    });
    socket.on('close', (code) => (closed = code));
    socket.on('error', () => {});
    return { socket, texts, refused: () => refused, closed: () => closed };
  }
  async function connected(protocols: string[] = []) {
    const client = dial(api.path, protocols);
    await until('the client is in', () => client.socket.readyState === WebSocket.OPEN);
    // The $connect of this client is the last there is: they connect one after the other.
    const id = calls.findLast(({ route }) => route === '$connect')?.connectionId ?? '';
    return { ...client, id };
  }
  const post = (ConnectionId: string, Data: string) =>
    management.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from(Data) }));

  it('asks $connect with the headers of the client, and lets in with the subprotocol it gives back', async () => {
    connectAnswer = { status: 200, headers: { 'Sec-WebSocket-Protocol': 'somebody' } };
    const { socket, id } = await connected(['somebody', 'a-secret']);

    expect(socket.protocol).toBe('somebody');
    expect(calls[0]).toMatchObject({
      route: '$connect',
      connectionId: expect.stringMatching(/^[\w-]{15}=$/),
      headers: { 'sec-websocket-protocol': 'somebody,a-secret', key: 'secret' },
    });
    expect(id).not.toBe('');
    socket.close();
  });

  it('keeps out whom $connect refuses, and who offers a subprotocol that is not given back', async () => {
    connectAnswer = { status: 401, headers: {} };
    const refused = dial();
    await until('it is refused', refused.refused);
    expect(refused.refused()).toBe(401);

    connectAnswer = { status: 200, headers: {} };
    const unanswered = dial(api.path, ['somebody']);
    await until('it has ended', unanswered.closed);
    expect(unanswered.socket.protocol).toBe('');
  });

  it('takes messages to the default route, and tells of a backend that fails', async () => {
    const { socket, id, texts } = await connected();
    socket.send('{"type":"ping"}');
    const told = (route: string) => calls.find((call) => call.route === route && call.connectionId === id);
    await until('it has arrived', () => told('$default'));
    expect(told('$default')).toMatchObject({ body: '{"type":"ping"}' });

    defaultStatus = 503;
    socket.send('again');
    await until('the client is told', () => texts.length > 0);
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({ message: 'Internal server error', connectionId: id });
    socket.close(1000);
    await until('the end is told', () => told('$disconnect'));
    expect(told('$disconnect')).toMatchObject({ headers: { 'gone-with': '1000' } });
  });

  it('posts to the client, 128 KB at most, as one message', async () => {
    const { socket, id, texts } = await connected();
    const long = 'é'.repeat(64 * 1024);
    await post(id, long);
    await until('it has arrived', () => texts.length > 0);
    expect(texts[0]).toBe(long);

    await expect(post(id, `${long}x`)).rejects.toMatchObject({
      name: 'PayloadTooLargeException',
      $metadata: { httpStatusCode: 413 },
    });
    socket.close();
  });

  it('describes a connection, ends it, and knows it no longer', async () => {
    const { id, closed } = await connected();
    const found = await management.send(new GetConnectionCommand({ ConnectionId: id }));
    expect(found.ConnectedAt?.getTime()).toBeLessThanOrEqual(found.LastActiveAt?.getTime() ?? 0);
    await management.send(new DeleteConnectionCommand({ ConnectionId: id }));
    await until('it has ended', closed);

    const gone = { name: 'GoneException', $metadata: { httpStatusCode: 410 } };
    await expect(post(id, 'x')).rejects.toMatchObject(gone);
    await expect(management.send(new GetConnectionCommand({ ConnectionId: id }))).rejects.toMatchObject(gone);
  });

  it.each<[string, string | Buffer]>([
    ['a message above 128 KB', 'x'.repeat(128 * 1024 + 1)],
    ['a frame above 32 KB', 'x'.repeat(32 * 1024 + 1)],
  ])('ends the connection of a client that sends %s', async (_, message) => {
    const { socket, closed } = await connected();
    socket.send(message);
    await until('it has ended', closed);
    expect(closed()).toBe(1009);
  });

  it('takes a message of 128 KB in frames of 32 KB', async () => {
    const { socket } = await connected();
    for (const part of [0, 1, 2, 3]) socket.send('x'.repeat(32 * 1024), { fin: part === 3 });
    await until('it has arrived', () => calls.some(({ body }) => body.length === 128 * 1024));
    socket.close();
  });

  it('ends a connection that is silent for ten minutes, and any after two hours', async () => {
    const advance = (minutes: number) => target.local?.kit.clock.advance(minutes * 60_000);
    const silent = await connected();
    const talking = await connected();
    const active = async () =>
      (await management.send(new GetConnectionCommand({ ConnectionId: talking.id }))).LastActiveAt?.getTime() ?? 0;
    const begun = await active();
    advance(9);
    talking.socket.ping();
    await until('the ping has arrived', async () => (await active()) > begun);
    advance(2);
    await until('the silent one has ended', silent.closed);
    expect(silent.closed()).toBe(1001);
    expect(talking.closed()).toBeUndefined();

    for (let minutes = 11; minutes < 119; minutes += 9) {
      await post(talking.id, 'x');
      advance(9);
    }
    await post(talking.id, 'x').catch(() => {});
    advance(9);
    await until('the other one has ended', talking.closed);
    expect(talking.closed()).toBe(1001);
  });

  it('is there after a restart; another stage or API is none of it', async () => {
    await target.restart?.('stand-ins', async () => {});
    management.destroy();
    management = clientOf(api.path);
    const { id, socket } = await connected();
    const elsewhere = clientOf(api.path.replace('live', 'other'));
    await expect(
      elsewhere.send(new PostToConnectionCommand({ ConnectionId: id, Data: Buffer.from('x') })),
    ).rejects.toMatchObject({ name: 'GoneException' });
    elsewhere.destroy();
    const lost = dial('/_apis/none/live');
    await until('it is refused', lost.refused);
    expect(lost.refused()).toBe(403);
    socket.close();
  });

  it.each([
    [{ routes: {} }, 'a route'],
    [{ routes: { other: {} } }, 'one of'],
    [{ routes: { $default: { uri: 'ftp://x' } } }, 'http'],
    [{ routes: { $default: { uri: 'http://x', requestParameters: { a: 'b' } } } }, 'no mapping'],
    [{ stage: 'a/b', routes: { $default: { uri: 'http://x' } } }, 'stage'],
  ])('is not deployed as %o', (input, why) => {
    expect(() => put(input)).toThrow(why);
  });
});
