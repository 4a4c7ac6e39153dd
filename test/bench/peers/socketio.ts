/**
 * Socket.IO 4 with connection state recovery: one server with its adapter in memory, or several over Redis streams, where
 * messages are told by a server that has no clients and outlives the others.
 *
 * @module
 */
import { type Program, startProgram } from '../../support/program.ts';
import type { System } from '../progress/system.ts';
import { openRedis } from './redis.ts';

const SERVER = 'test/bench/peers/programs/socketio-server.ts';

interface Start {
  port: number;
  redis?: number;
  patient: boolean;
}

async function startServer(options: Start): Promise<{ program: Program; port: number }> {
  const program = await startProgram(SERVER, { execArgv: ['--expose-gc'] });
  const { port } = await program.call<{ port: number }>('start', options);
  return { program, port };
}

export const socketIoInMemory: System = {
  name: 'socketio',
  client: 'socketio',
  durable: false,
  async start({ patient }) {
    const { program, port } = await startServer({ port: 0, patient });
    return {
      ports: [port],
      server: program,
      publish: (messages) => program.call('publish', messages),
      close: () => program.kill(),
    };
  },
};

/** @param servers that clients connect to */
export const socketIoOverRedis = (servers: number): System => ({
  name: 'socketio-redis',
  client: 'socketio',
  durable: true,
  async start({ patient }) {
    const redis = await openRedis();
    const start = (port: number) => startServer({ port, redis: redis.port, patient });
    const teller = await start(0);
    const nodes = await Promise.all(Array.from({ length: servers }, () => start(0)));
    const [first] = nodes;
    if (!first) throw new Error('at least one server is needed');
    return {
      ports: nodes.map(({ port }) => port),
      server: first.program,
      publish: (messages) => teller.program.call('publish', messages),
      async restart(nth) {
        const node = nodes[nth];
        if (!node) return;
        await node.program.kill();
        nodes[nth] = await start(node.port);
      },
      async close() {
        await Promise.all([teller, ...nodes].map(({ program }) => program.kill()));
        await redis.close();
      },
    };
  },
});
