/**
 * Our own live client, as a page or a program would use it.
 *
 * @module
 */
import { WebSocket } from 'ws';
import { connectLive, type WebSocketType } from '../../../clients/live/client.ts';
import type { BenchClient, ClientOptions, OpenClient } from './client.ts';
import { PATIENCE, type Told } from './plan.ts';

type OnTold = (seq: number, merged: number, told: Told) => void;

/** Events of the bench are numbered as the log numbers them, after the one that begins it. */
export const openLonghaulClient: OpenClient = (options) =>
  open(options, (seq, merged, { n, at }) => {
    if (n !== seq - 1) throw new Error(`event ${seq} of ${options.run} is message ${n}`);
    options.onMessage(n, at, merged);
  });

/** What activities report is merged on its way: what is told stands for all before it. */
export const openScreenClient: OpenClient = (options) => {
  let last = 0;
  return open(options, (_seq, _merged, { n, at }) => {
    options.onMessage(n, at, n - last);
    last = n;
  });
};

function open({ port, run, onLive }: ClientOptions, onTold: OnTold): BenchClient {
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
      onTold(seq, merged, data as Told);
    },
    onError: (error) => console.error(error),
  });
  return { close: () => live.close() };
}
