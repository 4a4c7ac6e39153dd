/**
 * Chooses the ports: what was asked for must be free, a default that is taken is replaced.
 *
 * @module
 */
import { connect, createServer, type Server } from 'node:net';
import { ToolError } from '../tools/progress.ts';

export interface Ports {
  temporal: number;
  temporalUi: number;
  aws: number;
  dynamodb: number;
  openai: number;
  gateway: number;
}

const QUIET_PORTS = { first: 20_000, count: 12_000, tries: 50 };

export const DEFAULT_PORTS: Ports = {
  temporal: 7233,
  temporalUi: 8233,
  aws: 4577,
  dynamodb: 4578,
  openai: 4579,
  gateway: 8780,
};

/**
 * @param asked explicit ports; 0 means any free one
 * @param told called for each default that had to be replaced
 * @throws ToolError that names an explicit port which is taken
 */
export async function choosePorts(
  asked: Partial<Ports>,
  told: (name: keyof Ports, taken: number, chosen: number) => void,
): Promise<Ports> {
  // All are held until the last is chosen, or the same free one might be given twice.
  const held: Server[] = [];
  const take = async (name: keyof Ports): Promise<number> => {
    const explicit = asked[name];
    const wanted = explicit ?? DEFAULT_PORTS[name];
    if (wanted !== 0) {
      const server = await hold(wanted);
      if (server) {
        held.push(server);
        return wanted;
      }
      if (explicit !== undefined) {
        throw new ToolError('platform', `port ${wanted}, asked for as ${name}, is in use`, {
          remedy: `end what listens on it (lsof -i :${wanted}), or choose another port`,
        });
      }
    }
    const server = await holdAny();
    if (!server) throw new Error('no free port was found');
    held.push(server);
    const chosen = portOf(server);
    if (explicit === undefined) told(name, wanted, chosen);
    return chosen;
  };
  try {
    const ports: Partial<Ports> = {};
    for (const name of Object.keys(DEFAULT_PORTS) as (keyof Ports)[]) ports[name] = await take(name);
    return ports as Ports;
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * Any free port, from below those the system gives to outgoing connections (Linux: 32768 and up): one of those may be
 * taken between choosing it and listening on it.
 */
async function holdAny(): Promise<Server | undefined> {
  const { first, count, tries } = QUIET_PORTS;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const server = await hold(first + Math.floor(Math.random() * count));
    if (server) return server;
  }
  return hold(0);
}

/** Listens on the port, and answers nobody; undefined when that is not possible. */
export async function hold(port: number): Promise<Server | undefined> {
  // Some systems let 127.0.0.1 be bound beside a listener on all addresses, which would then lose its callers.
  if (port !== 0 && (await answers(port))) return undefined;
  // Whoever calls meanwhile, such as an open page of the console, must not keep it from being closed.
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}

/** Whether something accepts connections there. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const done = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
