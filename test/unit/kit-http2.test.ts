import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createKit, type FrontDoor, type Kit, openFrontDoor } from '../../infra/local/kit/front-door.ts';
import { jsonError } from '../../infra/local/kit/json-protocol.ts';
import type { AwsService } from '../../infra/local/kit/service.ts';

let kit: Kit;
let door: FrontDoor;
let session: ClientHttp2Session;
/** Of answered requests: whether they were taken for given up. */
let gone: AbortSignal[];

const echo: AwsService = {
  names: ['polly'],
  async prepare(request) {
    return {
      operation: 'Echo',
      subject: request.path,
      async run() {
        gone.push(request.gone);
        return { status: 200, headers: { 'x-method': request.method }, body: await request.bytes() };
      },
    };
  },
  renderError: (error) => jsonError(error),
};

const authorization =
  'AWS4-HMAC-SHA256 Credential=AKIAWORKER/20260101/us-east-1/polly/aws4_request, SignedHeaders=host, Signature=0';

async function post(body: string, over = session) {
  const stream = over.request({ ':method': 'POST', ':path': '/speech', authorization });
  stream.end(body);
  const closed = once(stream, 'close').then(() => Promise.reject(new Error('closed without an answer')));
  const answered = Promise.race([once(stream, 'response'), closed]);
  closed.catch(() => {});
  const [headers] = (await answered) as [Record<string, string | number>];
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return { status: headers[':status'], method: headers['x-method'], text };
}

beforeEach(async () => {
  kit = createKit();
  gone = [];
  door = await openFrontDoor(kit, [echo]);
  session = connectHttp2(door.url);
  session.on('error', () => {});
});

afterEach(async () => {
  session.destroy();
  await door.close();
});

describe('the front door', () => {
  it('answers HTTP/2 as it answers HTTP/1.1, on the same port', async () => {
    const old = await fetch(`${door.url}/speech`, { method: 'POST', headers: { authorization }, body: 'hello' });

    expect([old.status, old.headers.get('x-method'), await old.text()]).toEqual([200, 'POST', 'hello']);
    expect(await post('hello')).toEqual({ status: 200, method: 'POST', text: 'hello' });
    expect(kit.calls.list().map(({ operation, principal }) => `${operation} ${principal}`)).toEqual([
      'Echo AKIAWORKER',
      'Echo AKIAWORKER',
    ]);
    expect(gone.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  it('takes bodies larger than a window of HTTP/2, many at a time', async () => {
    const bodies = Array.from({ length: 20 }, (_, index) => String(index % 10).repeat(200_000));

    expect((await Promise.all(bodies.map((body) => post(body)))).map(({ text }) => text)).toEqual(bodies);
  });

  it('lets a fault break one answer of HTTP/2, and the next one comes', async () => {
    kit.faults.set([{ service: 'polly', effect: 'reset' }]);

    await expect(post('lost')).rejects.toThrow('closed without an answer');
    expect((await post('found')).text).toBe('found');
    expect(kit.calls.list().map(({ status }) => status)).toEqual([0, 200]);
  });

  it('lets a caller give up what hangs', async () => {
    kit.faults.set([{ service: 'polly', effect: 'hang' }]);
    const stream = session.request({ ':method': 'POST', ':path': '/speech', authorization });
    stream.on('error', () => {});
    stream.end('never');
    await expect.poll(() => kit.calls.list()).toHaveLength(1);
    stream.destroy();
    await once(stream, 'close');

    expect((await post('next')).text).toBe('next');
  });

  it('knows a request whose first bytes come one by one', async () => {
    const socket = connect(door.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.setNoDelay(true);
    for (const sign of 'GET') await new Promise((written) => socket.write(sign, written));
    socket.write(' /_longhaul/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);

    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('closes while connections are open that say nothing', async () => {
    await post('one');
    const silent = connect(door.port, '127.0.0.1');
    onTestFinished(() => void silent.destroy());
    await once(silent, 'connect');
    const ended = once(silent, 'close');

    await door.close();
    await ended;

    expect(session.closed || session.destroyed || session.socket?.destroyed).toBeTruthy();
    door = await openFrontDoor(kit, [echo]);
  });

  it('closes after a client has gone', async () => {
    await post('one');
    session.close();
    await once(session, 'close');

    await expect(door.close()).resolves.toBeUndefined();
    door = await openFrontDoor(kit, [echo]);
  });
});
