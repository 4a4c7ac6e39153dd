/**
 * The network guard: a setup file under which nothing in the test's process can reach beyond loopback, neither by a
 * connection nor by a question to a name server.
 *
 * @module
 */
import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';

/** What a test gets that tries. */
export class NetworkGuardError extends Error {
  override readonly name = 'NetworkGuardError';
  readonly code = 'ENETGUARD';

  constructor(what: string) {
    super(`a test may not leave this machine: ${what}`);
  }
}

/** 0.0.0.0 and :: are where a server listens; to connect there is to connect to this machine. */
const isLoopback = (host: string): boolean =>
  ['localhost', '::1', '0.0.0.0', '::'].includes(host) || /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(host);

function check(what: string, host: unknown): void {
  // Without a host Node means this machine.
  if (typeof host === 'string' && host !== '' && !isLoopback(host)) throw new NetworkGuardError(`${what} ${host}`);
}

/** Names below localhost are loopback too (RFC 6761); to ask a name server for one is refused all the same. */
const checkConnection = (what: string, host: unknown): void =>
  typeof host === 'string' && host.endsWith('.localhost') ? undefined : check(what, host);

type Connect = (...options: unknown[]) => net.Socket;

/** The host among `connect`'s arguments: options, a path, or port and host; already normalised by `net.connect` or not. */
function hostOf(given: readonly unknown[]): unknown {
  const [first, second] = Array.isArray(given[0]) ? (given[0] as unknown[]) : given;
  if (typeof first === 'object' && first !== null) {
    const { path, host } = first as net.TcpNetConnectOpts & { path?: string };
    return path ? undefined : host;
  }
  // A text that is no number is the path of a socket file.
  if (typeof first === 'string' && !/^\d+$/.test(first)) return undefined;
  return second;
}

/** Errors come as they would from the network: as events and rejections, not out of the call. */
function guardConnections(): void {
  // eslint-disable-next-line typescript/unbound-method
  const connect = net.Socket.prototype.connect as Connect;
  net.Socket.prototype.connect = function guarded(this: net.Socket, ...given: unknown[]) {
    try {
      checkConnection('connection to', hostOf(given));
    } catch (error) {
      process.nextTick(() => this.destroy(error as Error));
      return this;
    }
    return connect.apply(this, given);
  } as typeof net.Socket.prototype.connect;
  const secure = tls.connect as Connect;
  tls.connect = ((...given: unknown[]) => {
    const { socket } = (given.find((value) => typeof value === 'object' && value !== null) ?? {}) as {
      socket?: unknown;
    };
    if (socket === undefined) check('TLS connection to', hostOf(given));
    return secure(...given);
  }) as typeof tls.connect;
}

function guardNames(): void {
  const { lookup } = dns;
  dns.lookup = ((host: string, ...rest: unknown[]) => {
    const callback = rest.at(-1) as (error: Error) => void;
    try {
      check('look-up of', host);
    } catch (error) {
      process.nextTick(callback, error);
      return;
    }
    (lookup as (...given: unknown[]) => void)(host, ...rest);
  }) as typeof dns.lookup;
  const { lookup: lookupPromise } = dns.promises;
  dns.promises.lookup = (async (host: string, ...rest: unknown[]) => {
    check('look-up of', host);
    return (lookupPromise as (...given: unknown[]) => unknown)(host, ...rest);
  }) as typeof dns.promises.lookup;
  // resolve, resolve4, reverse and the like ask a name server whatever the name is.
  const refuse = (name: string, host: unknown) => new NetworkGuardError(`${name} of ${String(host)}`);
  for (const holder of [dns, dns.Resolver.prototype] as unknown as Record<string, unknown>[]) {
    for (const name of resolversOf(holder)) {
      holder[name] = (host: unknown, ...rest: unknown[]) =>
        process.nextTick(rest.at(-1) as (error: Error) => void, refuse(name, host));
    }
  }
  for (const holder of [dns.promises, dns.promises.Resolver.prototype] as unknown as Record<string, unknown>[]) {
    for (const name of resolversOf(holder)) holder[name] = async (host: unknown) => Promise.reject(refuse(name, host));
  }
}

const resolversOf = (holder: object): string[] =>
  [...Object.keys(holder), ...Object.getOwnPropertyNames(holder)].filter((name) => /^(resolve|reverse)/.test(name));

function guardDatagrams(): void {
  // eslint-disable-next-line typescript/unbound-method
  const send = dgram.Socket.prototype.send as (...given: unknown[]) => void;
  dgram.Socket.prototype.send = function guarded(this: dgram.Socket, ...given: unknown[]) {
    // The address is the last text: send(msg, [offset, length,] port, address).
    check(
      'datagram to',
      given.slice(1).find((value) => typeof value === 'string' && !/^\d+$/.test(value)),
    );
    send.apply(this, given);
  } as typeof dgram.Socket.prototype.send;
  const { connect } = dgram.Socket.prototype as unknown as { connect: (...given: unknown[]) => void };
  dgram.Socket.prototype.connect = function guarded(this: dgram.Socket, ...given: unknown[]) {
    check('datagrams to', given[1]);
    connect.apply(this, given);
  } as typeof dgram.Socket.prototype.connect;
}

/** A file of tests may load this again after its modules were reset: once is enough. */
const DONE = Symbol.for('longhaul.no-network');
const marked = globalThis as { [DONE]?: true };
if (!marked[DONE]) {
  marked[DONE] = true;
  guardConnections();
  guardNames();
  guardDatagrams();
  // `import { lookup } from 'node:dns'` gets the guarded ones too.
  syncBuiltinESMExports();
}
