/**
 * A client that does nothing wrong, beside those that do: watches a run that is told of all the while, and says how it fared.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { connectLive, type LiveOptions, type WebSocketType } from '../../clients/live/client.ts';
import { machineMs } from './program.ts';
import { Seen, type Tally } from './seen.ts';

export interface Neighbour {
  /** What it has seen in all, and how late (ms) since the last time, once everything that was told has come, or nothing more does. */
  fared(): Promise<Tally & { told: number; latencies: number[] }>;
  close(): Promise<void>;
}

/** Messages a second: often enough to notice a gateway that stands still for a moment. */
const RATE = 50;

/**
 * @param tell appends an event with these data to the neighbour's run
 */
export async function openNeighbour(
  options: Pick<LiveOptions, 'url' | 'token'>,
  run: string,
  tell: (data: { n: number; at: number }) => Promise<unknown>,
): Promise<Neighbour> {
  const seen = new Seen();
  let latencies: number[] = [];
  let told = 0;
  const telling = new AbortController();
  let from = 0;
  await tell({ n: ++told, at: machineMs() });
  const live = connectLive({ ...options, WebSocket: WebSocket as unknown as WebSocketType });
  await new Promise<void>((resolve, reject) => {
    live.watch(run, {
      from: 'start',
      onResume: () => resolve(),
      onEvent({ seq, merged, data }) {
        if (seen.take(seq, merged)) latencies.push(machineMs() - (data as { at: number }).at);
      },
      onError: reject,
    });
  });
  const teller = (async () => {
    while (!telling.signal.aborted) {
      await tell({ n: ++told, at: machineMs() });
      await delay(1000 / RATE);
    }
  })();
  return {
    async fared() {
      const upTo = told;
      const deadline = performance.now() + 60_000;
      while (seen.last < upTo && performance.now() < deadline) await delay(10);
      const tally = seen.tally(upTo);
      const figures = { ...tally, told: upTo - from, latencies };
      latencies = [];
      from = upTo;
      return figures;
    },
    async close() {
      telling.abort();
      await teller;
      live.close();
    },
  };
}
