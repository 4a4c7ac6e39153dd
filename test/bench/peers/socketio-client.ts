/**
 * Socket.IO's own client, set as its documentation of connection state recovery says; WebSocket only.
 *
 * @module
 */
import { io } from 'socket.io-client';
import type { OpenClient } from '../progress/client.ts';
import { PATIENCE } from '../progress/plan.ts';

export const openSocketIoClient: OpenClient = ({ port, run, onMessage, onLive }) => {
  const socket = io(`http://127.0.0.1:${port}`, {
    transports: ['websocket'],
    // Each a connection of its own, as each user has.
    forceNew: true,
    auth: { run },
    reconnectionDelay: PATIENCE.retryMs,
    reconnectionDelayMax: PATIENCE.retryMaxMs,
    timeout: 5_000,
  });
  socket.on('connect', () => onLive(socket.recovered));
  socket.on('message', ({ n, at }: { n: number; at: number }) => onMessage(n, at, 1));
  return { close: () => socket.disconnect() };
};
