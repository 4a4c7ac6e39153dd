/** What the live client makes of sockets as browsers have them: they do not say why a handshake failed. */
import { describe, expect, it } from 'vitest';
import { connectLive, memoryStorage, readIdentity, type WebSocketType } from '../../clients/live/client.ts';

const URL = 'http://127.0.0.1:1';
const SECRET = 's'.repeat(43);
const WELCOME = {
  type: 'welcome',
  connectionId: 'c',
  session: 'new',
  role: 'viewer',
  consumers: [],
  heartbeatMs: 9_000,
};

/** Sockets that do what `act` says of the nth. */
function sockets(act: (nth: number, socket: EventTarget) => void) {
  const offered: string[][] = [];
  class Socket extends EventTarget {
    readyState = 0;
    constructor(_: string, protocols: string[]) {
      super();
      offered.push(protocols);
      const nth = offered.length;
      queueMicrotask(() => act(nth, this));
    }
    send(): void {}
    close(): void {}
  }
  return { offered, WebSocket: Socket as unknown as WebSocketType };
}

const close = () => Object.assign(new Event('close'), { code: 1006, reason: '' });
const message = (said: object) => Object.assign(new Event('message'), { data: JSON.stringify(said) });

describe('a handshake that fails', () => {
  it('may be of an id whose secret never arrived: the next has another one', async () => {
    const storage = memoryStorage();
    const { userId } = readIdentity(storage, URL);
    const { offered, WebSocket } = sockets((_, socket) => socket.dispatchEvent(close()));
    const live = connectLive({ url: URL, storage, WebSocket, reconnect: { firstMs: 1, mostMs: 1 } });
    await expect.poll(() => offered.length).toBeGreaterThan(2);
    live.close();
    expect(offered[0]).toEqual([userId]);
    expect(new Set(offered.map(([id]) => id)).size).toBe(offered.length);
  });

  it('changes nothing for who has a secret', async () => {
    const storage = memoryStorage();
    const { offered, WebSocket } = sockets((nth, socket) => {
      if (nth === 1)
        socket.dispatchEvent(message({ ...WELCOME, userId: readIdentity(storage, URL).userId, secret: SECRET }));
      socket.dispatchEvent(close());
    });
    const live = connectLive({ url: URL, storage, WebSocket, reconnect: { firstMs: 1, mostMs: 1 } });
    await expect.poll(() => offered.length).toBeGreaterThan(3);
    live.close();
    const id = offered[0]?.[0];
    expect(offered.slice(1).every(([userId, secret]) => userId === id && secret === SECRET)).toBe(true);
  });
});
