/**
 * The door for WebSockets: path, origin, who comes, and then a session.
 *
 * @module
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import { LIMITS, PATH } from '../../live/protocol.ts';
import { AuthError } from '../auth/tokens.ts';
import { refuseOrigin } from '../origins.ts';
import type { GatewaySettings } from '../settings.ts';
import { type Allowance, spend } from './allowance.ts';
import { type IdentityDeps, identify, type SessionIdentity } from './identity.ts';
import { Refusal, refuse } from './refusal.ts';
import type { Sessions } from './sessions.ts';
import { WsTransport } from './ws-transport.ts';

export interface UpgradeDeps extends IdentityDeps {
  settings: GatewaySettings;
  sessions: IdentityDeps['sessions'];
  live: Sessions;
  log: Logger;
}

/** Of one address, a second: who is refused more often has to wait. */
const REFUSALS_PER_SECOND = 20;
const ADDRESSES = 10_000;
const PROTOCOLS = 8;

export interface Upgrades {
  /** Lets nobody in any more. */
  stop(): void;
}

export function acceptUpgrades(server: Server, deps: UpgradeDeps): Upgrades {
  const websockets = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.messageBytes,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  const refusals = new Map<string, Allowance>();
  let stopped = false;

  /** Who guesses is soon told nothing but to wait. */
  const allowanceOf = (address: string): Allowance => {
    if (refusals.size > ADDRESSES) refusals.clear();
    const allowance = refusals.get(address) ?? { left: REFUSALS_PER_SECOND, at: deps.now() };
    refusals.set(address, allowance);
    return allowance;
  };

  const admit = async (request: IncomingMessage, address: string): Promise<SessionIdentity> => {
    if (stopped) throw new Refusal(503, 'unavailable', 'this gateway ends', 'connect again, to another one');
    if (new URL(request.url ?? '/', 'http://gateway').pathname !== PATH)
      throw new Refusal(404, 'not-found', 'there is no WebSocket at this address', `it is at ${PATH}`);
    const refused = refuseOrigin(request.headers, deps.settings);
    if (refused) throw new Refusal(403, 'forbidden', refused, 'open the console at the address of the gateway itself');
    const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
    try {
      return await identify(protocols.filter(Boolean).slice(0, PROTOCOLS), deps);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      if (error.code === 'unavailable') throw new Refusal(503, error.code, error.message, error.remedy);
      // Who comes rightly is let in all the same: behind a balancer all have one address.
      if (!spend(allowanceOf(address), REFUSALS_PER_SECOND, deps.now(), 1))
        throw new Refusal(429, 'too-many-requests', 'too many refusals', 'wait a second');
      throw new Refusal(401, error.code, error.message, error.remedy);
    }
  };

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const ignore = () => socket.destroy();
    socket.on('error', ignore);
    try {
      const identity = await admit(request, request.socket.remoteAddress ?? '');
      if (socket.destroyed) return;
      websockets.handleUpgrade(request, socket, head, (websocket) => {
        socket.off('error', ignore);
        const transport = new WsTransport(websocket, socket);
        transport.listen(deps.live.open(identity, transport));
      });
    } catch (error) {
      if (!(error instanceof Refusal))
        deps.log.error({ error: (error as Error).name }, 'a connection could not be opened');
      refuse(
        socket,
        error instanceof Refusal
          ? error
          : new Refusal(503, 'unavailable', 'the gateway cannot open it now', 'try again in a while'),
      );
    }
  };

  server.on('upgrade', (request, socket, head) => void upgrade(request, socket, head));
  return {
    stop() {
      stopped = true;
      websockets.close();
    },
  };
}
