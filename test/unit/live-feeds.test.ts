/**
 * Watching over plain HTTP: server-sent events and polling, against a server on loopback that misbehaves.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { watchByPolling } from '../../clients/live/poll.ts';
import type { Resume } from '../../clients/live/protocol.ts';
import { createSseParser, type SseMessage, watchBySse } from '../../clients/live/sse.ts';
import { watchRun } from '../../clients/live/watch-run.ts';
import type { ProgressEvent, Snapshot } from '../../workflows/progress/model.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';

const RUN = 'order/a b';
const event = (seq: number): ProgressEvent => ({
  seq,
  kind: 'data',
  source: { name: 'workflow', attempt: 1 },
  at: seq,
  data: seq,
});
const EVENTS = Array.from({ length: 9 }, (_, index) => event(index + 1));
const snapshot = (seq: number): Snapshot => ({
  ...RunPicture.empty(RUN, { domain: 'order' }, 'e1', 0).snapshot(),
  seq,
});

describe('the parser of server-sent events', () => {
  const parsed = (pieces: string[]): SseMessage[] => {
    const messages: SseMessage[] = [];
    const parse = createSseParser((message) => messages.push(message));
    for (const piece of pieces) parse(piece);
    return messages;
  };

  it('knows comments, lines of several kinds, and data of several lines', () => {
    expect(parsed([': hello\r\n\r\nid: e:1\r\nevent: event\r\ndata: a\r\ndata:b\r\n\r\ndata\n\nretry: 3\n\n'])).toEqual(
      [
        { event: 'event', id: 'e:1', data: 'a\nb' },
        { event: 'message', data: '' },
      ],
    );
  });

  it('says the same however the text is cut', () => {
    const text = fc
      .array(fc.constantFrom('data: x', 'data:', 'id: 1', ': c', 'event: e', '', 'other'), { maxLength: 30 })
      .chain((lines) => fc.constantFrom('\n', '\r\n', '\r').map((end) => `${lines.join(end)}${end}`));
    fc.assert(
      fc.property(text, fc.array(fc.nat(200), { maxLength: 10 }), (text, cuts) => {
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        expect(parsed(pieces)).toEqual(parsed([text]));
      }),
    );
  });
});

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(answer: Answer): Promise<string> {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    answer(request, response, count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Watches until the last event was seen, or it has failed. */
function watchAll(begin: typeof watchBySse, url: string, options: Parameters<typeof watchBySse>[2] = {}) {
  const seen: number[] = [];
  const resumes: Resume[] = [];
  const retries: unknown[] = [];
  const end = new Promise<string>((resolve) => {
    const watch = begin(url, RUN, {
      from: 'start',
      ...options,
      onResume: (resume) => resumes.push(resume),
      onEvent({ seq }) {
        seen.push(seq);
        if (seq === EVENTS.length) resolve('all');
      },
      onError: ({ code }) => resolve(code),
      onRetry: (error) => retries.push(error),
    });
    closing.push(() => watch.close());
  });
  return { seen, resumes, retries, end };
}

const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });
const line = ({ seq, ...rest }: ProgressEvent) =>
  `id: e1:${seq}\nevent: event\ndata: ${JSON.stringify({ seq, ...rest })}\n\n`;
const say = (resume: Resume) => `event: resume\ndata: ${JSON.stringify(resume)}\n\n`;
const asked = (request: IncomingMessage) => new URL(request.url ?? '', 'http://gateway');

describe('by server-sent events', () => {
  it('goes on after the last event when the connection breaks, in the middle of one too', async () => {
    const places: (string | undefined)[] = [];
    const url = await serve((request, response, count) => {
      if (asked(request).pathname === '/api/v1/progress/order/a%20b') return response.end(JSON.stringify(snapshot(9)));
      places.push(request.headers['last-event-id'] as string | undefined);
      expect(asked(request).pathname).toBe('/api/v1/progress-stream/order/a%20b');
      const after = Number(/:(\d+)$/.exec(places.at(-1) ?? ':0')?.[1]);
      stream(response).write(
        say({ verdict: 'replayed', position: { epoch: 'e1', seq: after }, count: EVENTS.length - after }),
      );
      if (count === 4) return response.end(EVENTS.slice(after).map(line).join(''));
      // Repeats what came before, and breaks in the middle of the third.
      const text = EVENTS.slice(Math.max(0, after - 1), after + 3)
        .map(line)
        .join('');
      response.write(text.slice(0, -10), () => response.destroy());
    });
    const watching = watchAll(watchBySse, url);
    await expect(watching.end).resolves.toBe('all');
    expect(watching.seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(places[0]).toBe('e1:0');
    expect(places.every((place) => place?.startsWith('e1:'))).toBe(true);
  });

  it('ends when the run is not for this user, saying what the gateway said', async () => {
    const url = await serve((_, response) => {
      response.writeHead(403).end(JSON.stringify({ error: { code: 'forbidden', message: 'no', remedy: 'ask' } }));
    });
    const watching = watchAll(watchBySse, url);
    await expect(watching.end).resolves.toBe('forbidden');
    expect(watching.retries).toEqual([]);
  });

  it('waits for a run that has told nothing yet, and sends its token each time', async () => {
    const tokens: (string | undefined)[] = [];
    const url = await serve((request, response, count) => {
      tokens.push(request.headers.authorization);
      if (count < 3) return response.writeHead(404).end('{}');
      if (count === 3) return response.end(JSON.stringify(snapshot(9)));
      stream(response).write(say({ verdict: 'replayed', position: { epoch: 'e1', seq: 0 }, count: 9 }));
      response.write(EVENTS.map(line).join(''));
    });
    let count = 0;
    const token = async () => `t${(count += 1)}`;
    await expect(watchAll(watchBySse, url, { token }).end).resolves.toBe('all');
    expect(tokens).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t3', 'Bearer t4']);
  });
});

describe('by polling', () => {
  it('asks from where it is, and tells of what was dropped meanwhile', async () => {
    const url = await serve((request, response, count) => {
      const { pathname, searchParams } = asked(request);
      if (pathname.startsWith('/api/v1/progress/')) return response.end(JSON.stringify(snapshot(9)));
      const after = Number(searchParams.get('after'));
      expect(searchParams.get('epoch')).toBe('e1');
      if (count === 3) return response.writeHead(503).end('down');
      const resume: Resume =
        count === 4
          ? { verdict: 'gap', from: after + 1, to: 5, snapshot: snapshot(6) }
          : { verdict: 'replayed', position: { epoch: 'e1', seq: after }, count: 3 };
      const events = EVENTS.slice(count === 4 ? 6 : after, after + 3);
      response.end(JSON.stringify({ resume, events: count === 4 ? EVENTS.slice(6) : events }));
    });
    const watching = watchAll(watchByPolling, url);
    await expect(watching.end).resolves.toBe('all');
    expect(watching.seen).toEqual([1, 2, 3, 7, 8, 9]);
    expect(watching.resumes.map(({ verdict }) => verdict)).toEqual(['replayed', 'gap']);
    expect(watching.retries).toHaveLength(1);
  });
});

describe('by whatever works', () => {
  it('goes from WebSocket to events to polling', async () => {
    const ways: string[] = [];
    const url = await serve((request, response) => {
      const { pathname } = asked(request);
      if (pathname.startsWith('/api/v1/progress-stream/')) return response.writeHead(502).end();
      if (pathname.startsWith('/api/v1/progress/')) return response.end(JSON.stringify(snapshot(9)));
      response.end(
        JSON.stringify({
          resume: { verdict: 'replayed', position: { epoch: 'e1', seq: 0 }, count: 9 },
          events: EVENTS,
        }),
      );
    });
    const { WebSocket } = await import('ws');
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      const watch = watchRun(url, RUN, {
        from: 'start',
        WebSocket: WebSocket as never,
        onWay: (way) => ways.push(way),
        onEvent({ seq }) {
          seen.push(seq);
          if (seq === 9) resolve();
        },
      });
      closing.push(() => watch.close());
    });
    expect(ways).toEqual(['websocket', 'sse', 'poll']);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
