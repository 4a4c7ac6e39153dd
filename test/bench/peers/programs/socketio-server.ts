/**
 * A Socket.IO server: with the adapter in memory, or with Redis streams. Whoever connects joins the room of its run.
 *
 * @module
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { createClient } from 'redis';
import { Server } from 'socket.io';
import { answer, machineMs, memoryUse } from '../../../support/program.ts';
import { type Message, PATIENCE } from '../../progress/plan.ts';

let io: Server;

answer({
  async start({ port, redis, patient }: { port: number; redis?: number; patient: boolean }) {
    const http = createServer();
    io = new Server(http, {
      serveClient: false,
      transports: ['websocket'],
      connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
      // Its own interval and time-out where nothing is cut.
      ...(!patient && { pingInterval: PATIENCE.heartbeatMs, pingTimeout: PATIENCE.heartbeatMs }),
    });
    // As its page on memory usage advises: the request of the handshake is not kept.
    io.engine.on('connection', (connection: { request: unknown }) => {
      connection.request = null;
    });
    if (redis !== undefined) {
      const client = createClient({ socket: { host: '127.0.0.1', port: redis } });
      client.on('error', (error) => console.error(error));
      await client.connect();
      // Entries of the stream, beyond what is told while anybody is away.
      io.adapter(createAdapter(client, { maxLen: 100_000, onlyPlaintext: true }));
    }
    io.on('connection', (socket) => {
      if (!socket.recovered) void socket.join((socket.handshake.auth as { run: string }).run);
    });
    await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', 4_096, resolve));
    return { port: (http.address() as AddressInfo).port };
  },
  publish(messages: readonly Message[]) {
    for (const { run, n, text } of messages) io.to(run).emit('message', { n, at: machineMs(), text });
    return [];
  },
  connections: () => io.engine.clientsCount,
  memory: memoryUse,
});
