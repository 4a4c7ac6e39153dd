/**
 * From which web pages the gateway may be used: its own, and those the settings name. A browser says the page's origin
 * with every WebSocket and every request that changes something; other programs say none.
 *
 * @module
 */
import type { IncomingHttpHeaders } from 'node:http';
import { type GatewaySettings, isLoopback } from './settings.ts';

/**
 * @returns why a request is refused; undefined when it is not
 */
export function refuseOrigin(
  headers: Pick<IncomingHttpHeaders, 'host' | 'origin'>,
  settings: Pick<GatewaySettings, 'open' | 'origins'>,
): string | undefined {
  const { host = '', origin } = headers;
  // A name of somebody else's that leads to loopback would make a foreign page one of ours.
  if (settings.open && !isLoopback(host))
    return `this gateway is open and answers on loopback only, not as ${printable(host)}`;
  if (origin === undefined || settings.origins.includes(origin)) return undefined;
  const own = URL.canParse(origin) && new URL(origin).host === host && /^https?:\/\//.test(origin);
  return own ? undefined : `pages of ${printable(origin)} may not use this gateway: gatewayOrigins has those that may`;
}

const printable = (text: string): string => text.replace(/[^\x21-\x7e]/g, '?').slice(0, 100);
