/**
 * Our own live client, as a page or a program would use it.
 *
 * @module
 */
import WebSocket from 'ws';
import { connectLive, type WebSocketType } from '../../../clients/live/client.ts';
import type { OpenClient } from './client.ts';
import { PATIENCE } from './plan.ts';

/** What a message is, within a `data` event. */
export interface Told {
  n: number;
  at: number;
}

export const openLonghaulClient: OpenClient = ({ port, run, onMessage, onLive }) => {
  const live = connectLive({
    url: `http://127.0.0.1:${port}`,
    WebSocket: WebSocket as unknown as WebSocketType,
    reconnect: { firstMs: PATIENCE.retryMs, mostMs: PATIENCE.retryMaxMs },
    onError: (error) => console.error(error),
  });
  live.watch(run, {
    from: 'start',
    onResume: ({ verdict }) => onLive(verdict === 'current' || verdict === 'replayed'),
    onEvent({ seq, merged = 1, data }) {
      // The first of a run only begins it.
      if (seq === 1) return;
      const { n, at } = data as Told;
      if (n !== seq - 1) throw new Error(`event ${seq} of ${run} is message ${n}`);
      onMessage(n, at, merged);
    },
    onError: (error) => console.error(error),
  });
  return { close: () => live.close() };
};
