/**
 * A network on loopback that misbehaves: a TCP proxy that cuts, swallows, stalls, delays, throttles and halves, by a seed.
 * Every client gets a door (a port) of its own, so that it can be hurt alone; behind the doors connections are dealt out to
 * the targets in turns, as by a balancer that knows nothing.
 *
 * @module
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { mulberry32 } from '../../infra/local/kit/faults.ts';
import { type Flow, openFlow, type Weather } from './chaos-flow.ts';

/**
 * How a connection ends: `reset` by RST on both sides, `end` by FIN, or `silence`: nothing passes any more and nobody is
 * told; what is still sent is accepted by the network and lost.
 */
export type Cut = 'reset' | 'end' | 'silence';

export interface Door {
  port: number;
  /** Connections that lead through just now. */
  readonly live: number;
  /** Connections that have led through since the door was made. */
  readonly opened: number;
  /** How what passes from now on fares; set it as a whole. */
  weather: Weather;
  /** Refuses new connections, as where nobody listens. */
  closed: boolean;
  /** Resolves once a connection leads through. */
  whenLive(): Promise<void>;
  /** @returns how many connections were cut */
  cut(how: Cut): number;
  /** Nothing is read from the target until the returned function is called: a client that sleeps. */
  sleep(): () => void;
}

export interface ChaosProxy {
  /** Ports on loopback; may change at any time, for connections to come. */
  targets: readonly number[];
  door(weather?: Weather): Promise<Door>;
  close(): Promise<void>;
}

/** @param seed the same seed and the same bytes are delayed and halved alike */
export function createChaosProxy(targets: readonly number[], seed: number): ChaosProxy {
  const random = mulberry32(seed);
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  let turn = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    // Whoever is hurt says so at the other end; here it is expected.
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };
  const proxy: ChaosProxy = {
    targets,
    async door(weather = {}) {
      const lines = new Set<Line>();
      const waiting = new Set<() => void>();
      let opened = 0;
      const server = createServer({ allowHalfOpen: true }, (client) => {
        keep(client);
        const target = proxy.targets[turn++ % proxy.targets.length];
        if (door.closed || target === undefined) {
          client.resetAndDestroy();
          return;
        }
        const upstream = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true });
        keep(upstream);
        upstream.once('error', () => client.resetAndDestroy());
        upstream.once('connect', () => {
          const line = join(client, upstream, () => door.weather, random);
          lines.add(line);
          opened += 1;
          line.ended.then(
            () => lines.delete(line),
            () => {},
          );
          for (const tell of waiting) tell();
          waiting.clear();
        });
        client.once('close', () => {
          if (upstream.connecting) upstream.destroy();
        });
      });
      servers.push(server.listen(0, '127.0.0.1'));
      await once(server, 'listening');
      const door: Door = {
        port: (server.address() as AddressInfo).port,
        weather,
        closed: false,
        get live() {
          return lines.size;
        },
        get opened() {
          return opened;
        },
        async whenLive() {
          if (lines.size === 0) await new Promise<void>((resolve) => waiting.add(resolve));
        },
        cut(how) {
          const cut = [...lines];
          lines.clear();
          for (const line of cut) line.cut(how);
          return cut.length;
        },
        sleep() {
          const asleep = [...lines];
          for (const line of asleep) line.toClient.pause();
          return () => {
            for (const line of asleep) line.toClient.resume();
          };
        },
      };
      return door;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
  return proxy;
}

/** One connection from end to end. */
interface Line {
  toClient: Flow;
  ended: Promise<void>;
  cut(how: Cut): void;
}

function join(client: Socket, upstream: Socket, weather: () => Weather, random: () => number): Line {
  const toServer = openFlow(client, upstream, weather, random);
  const toClient = openFlow(upstream, client, weather, random);
  let silent = false;
  // A socket that breaks off breaks off at its other end, unless nothing passes at all.
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.once('close', () => {
      if (!silent && !to.destroyed) to.resetAndDestroy();
    });
  }
  return {
    toClient,
    ended: Promise.race([once(client, 'close'), once(upstream, 'close')]).then(() => {}),
    cut(how) {
      if (how === 'reset') {
        client.resetAndDestroy();
        upstream.resetAndDestroy();
      } else if (how === 'end') {
        for (const flow of [toServer, toClient]) flow.swallow();
        client.end();
        upstream.end();
        // Half-open on purpose up to here: whoever does not answer a FIN is not waited for.
        for (const socket of [client, upstream]) socket.once('end', () => socket.destroy());
      } else {
        silent = true;
        for (const flow of [toServer, toClient]) flow.swallow();
        for (const socket of [client, upstream]) socket.once('end', () => socket.destroy());
      }
    },
  };
}
