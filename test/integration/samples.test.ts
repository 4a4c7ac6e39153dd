/** The samples through the whole platform: a gateway, workers, Temporal, the log, the live client and `longhaul watch`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  connectLive,
  type IdentityStorage,
  type Live,
  memoryStorage,
  type WebSocketType,
} from '../../clients/live/client.ts';
import { type Position, type ProgressEvent, ROUTES } from '../../workflows/progress/model.ts';
import type { Reading } from '../../workflows/teleprinter/model.ts';
import { type GatewayProgram, startGatewayProgram } from '../support/gateway-program.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';
import { typed } from '../support/sample-world.ts';

let longhaul: Longhaul;
let gateway: GatewayProgram;
beforeAll(async () => {
  longhaul = await openLonghaul();
  gateway = await startGatewayProgram(longhaul.env);
});
afterAll(async () => {
  await gateway?.close();
  await longhaul?.close();
});

const connect = (storage: IdentityStorage): Live =>
  connectLive({ url: gateway.url, storage, WebSocket: WebSocket as unknown as WebSocketType });

/** Watches into `events` until `enough`; checks that nothing is missing, twice or out of order. */
function watchUntil(
  live: Live,
  run: string,
  events: ProgressEvent[],
  from: { from: 'start' } | { position: Position },
  enough: (event: ProgressEvent) => boolean,
): Promise<void> {
  let last = 'position' in from ? from.position.seq : 0;
  return new Promise((resolve, reject) => {
    live.watch(run, {
      ...from,
      onResume: (resume) => {
        // A picture of nothing hides nothing.
        if ('snapshot' in resume && resume.snapshot?.seq !== last) reject(new Error(`${run}: ${resume.verdict}`));
      },
      onEvent(event) {
        if (event.seq !== last + 1) reject(new Error(`event ${event.seq} after ${last}`));
        last = event.seq;
        events.push(event);
        if (enough(event)) resolve();
      },
      onError: reject,
    });
  });
}

describe('order', () => {
  it.each(ROUTES)('is sent and watched over one connection, by the route %s', async (route) => {
    const live = connect(memoryStorage());
    const order = { orderId: `order-${route}`, route, stepMs: 200 };
    const [first, second] = await Promise.all([live.request('order.send', order), live.request('order.send', order)]);
    expect([first, second].map(({ output }) => (output as { outcome: string }).outcome).sort()).toEqual([
      'existing',
      'started',
    ]);
    const events: ProgressEvent[] = [];
    await watchUntil(live, first.run ?? '', events, { from: 'start' }, ({ kind }) => kind === 'end');
    live.close();
    expect(events.at(-1)).toMatchObject({ kind: 'end', status: 'COMPLETE' });
    expect(events.filter(({ kind }) => kind === 'end')).toHaveLength(1);
    const shown = await longhaul.cli('watch', `order/order-${route}`, '--gateway', gateway.url);
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('COMPLETE | 100 %') });
  });

  it('that fails says why, to `longhaul watch` by each way too', async () => {
    const live = connect(memoryStorage());
    await live.request('order.send', { orderId: 'order-poor', payment: 'declined', stepMs: 10 });
    live.close();
    for (const via of ['websocket', 'sse', 'poll']) {
      const told = await longhaul.cli(
        ...['watch', 'order/order-poor', '--from', 'start', '--json', '--via', via, '--gateway', gateway.url],
      );
      expect(told.code).toBe(1);
      const lines = told.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines[0]).toMatchObject({ type: 'resume', verdict: 'replayed' });
      const events = lines.filter(({ type }) => type === 'event').map(({ event }) => event as ProgressEvent);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      expect(events.at(-1)).toMatchObject({ status: 'FAILED', error: { type: 'PaymentDeclinedError' } });
    }
  });

  it('has a page, and so has the teleprinter', async () => {
    for (const name of ['order', 'teleprinter']) {
      const page = await fetch(`${gateway.url}/samples/${name}`);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('<button id="connect"');
      expect((await fetch(`${gateway.url}/samples/${name}/page.js`)).status).toBe(200);
    }
    expect((await fetch(`${gateway.url}/samples/..%2f..%2fpackage.json`)).status).toBe(404);
  });
});

describe('teleprinter', () => {
  const text = (events: readonly ProgressEvent[]) =>
    typed(events)
      .map(({ text }) => text)
      .join('');

  async function read(live: Live, events: ProgressEvent[], characters: number): Promise<Reading> {
    const { run = '', output } = await live.request('teleprinter.read');
    const { after } = output as Reading;
    const until = text(events).length + characters;
    const from = after ? { position: after } : ({ from: 'start' } as const);
    await watchUntil(live, run, events, from, () => text(events).length >= until);
    return output as Reading;
  }

  it('goes on at the very next character after each break, and begins anew for another identity', async () => {
    const storage = memoryStorage();
    const events: ProgressEvent[] = [];
    for (let visit = 1; visit <= 3; visit += 1) {
      const live = connect(storage);
      const { reading } = await read(live, events, 15);
      expect(reading).toBe(1);
      // Acknowledges what it has.
      live.close();
    }
    let next = 0;
    for (const { at, text } of typed(events)) {
      expect(at).toBe(next);
      next += text.length;
    }
    expect(next).toBeGreaterThanOrEqual(45);
    expect(text(events).startsWith('WebSockets, a short account.')).toBe(true);

    const anew: ProgressEvent[] = [];
    const other = connect(memoryStorage());
    await read(other, anew, 5);
    other.close();
    expect(typed(anew)[0]).toMatchObject({ at: 0, text: expect.stringMatching(/^W/) });
  });

  it('stops when its reader has gone', async () => {
    const live = connect(memoryStorage());
    const events: ProgressEvent[] = [];
    const { run = '' } = await live.request('teleprinter.read');
    await watchUntil(live, run, events, { from: 'start' }, () => text(events).length >= 3);
    live.close();
    await expect
      .poll(
        async () =>
          ((await (await fetch(`${gateway.url}/api/v1/progress/${run}`)).json()) as { status: string }).status,
      )
      .toBe('PAUSED');
  });
});
