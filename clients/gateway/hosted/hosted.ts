/**
 * Connections that API Gateway holds, with the same sessions as all others. The gateway that was asked to let a client in keeps
 * its session; what a balancer brings to another one is handed on to that. A connection whose gateway has died is ended, so
 * that its client connects again and goes on where it was.
 *
 * @module
 */
import type { Logger } from 'pino';
import type { HeldConnections } from '../../../lib/store/gateways.ts';
import type { SessionIdentity } from '../live/identity.ts';
import type { Sessions } from '../live/sessions.ts';
import { type ConnectionsApi, HostedTransport, LIMITS } from './transport.ts';

export const PASS_PATH = '/internal/v1/hosted';

/** What a route of the API tells of a connection. */
export interface HostedNews {
  connectionId: string;
  /** A message of the client; absent: it has gone. */
  text?: string;
}

export interface HostedDeps {
  api: ConnectionsApi;
  held: HeldConnections;
  live: Pick<Sessions, 'open'>;
  /** Where other gateways reach this one. */
  url(): string;
  /** The key of our own processes. */
  key: string;
  log: Logger;
  now(): number;
}

export interface Hosted {
  /** A client is let in. */
  open(connectionId: string, identity: SessionIdentity): Promise<void>;
  /** @returns whether this gateway has the connection */
  here(news: HostedNews): boolean;
  /** Finds whoever has the connection, or ends it. */
  pass(news: HostedNews): Promise<void>;
}

const PASSING_MS = 2_000;

export function createHosted(deps: HostedDeps): Hosted {
  const { api, held, log, now } = deps;
  const transports = new Map<string, HostedTransport>();

  const hosted: Hosted = {
    async open(connectionId, identity) {
      // Before it is let in: its first message may come to any gateway.
      await held.hold(connectionId, deps.url(), Math.ceil((now() + LIMITS.maxLifeMs) / 1000));
      const transport = new HostedTransport(connectionId, api, now);
      transports.set(connectionId, transport);
      const session = deps.live.open(identity, transport, connectionId);
      transport.listen({
        message: (text) => session.message(text),
        drained: () => session.drained(),
        closed: () => session.closed(),
      });
      transport.onEnd = () => {
        transports.delete(connectionId);
        held.release(connectionId).catch(() => log.warn('the row of a hosted connection stays until it expires'));
      };
    },

    here({ connectionId, text }) {
      const transport = transports.get(connectionId);
      if (!transport) return false;
      if (text === undefined) transport.left();
      else transport.received(text);
      return true;
    },

    async pass(news) {
      if (hosted.here(news)) return;
      const url = await held.holder(news.connectionId, Math.floor(now() / 1000));
      if (url !== undefined && url !== deps.url() && (await hand(url, news))) return;
      if (news.text === undefined) return;
      log.info('a hosted connection whose gateway is gone is ended');
      await api.end(news.connectionId).catch(() => {});
    },
  };

  /** @returns whether it has been taken */
  async function hand(url: string, news: HostedNews): Promise<boolean> {
    try {
      const answer = await fetch(url + PASS_PATH, {
        method: 'POST',
        headers: { authorization: `Bearer ${deps.key}`, 'content-type': 'application/json' },
        body: JSON.stringify(news),
        redirect: 'error',
        signal: AbortSignal.timeout(PASSING_MS),
      });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  }
  return hosted;
}
