/**
 * What the console tells the gateway of itself: how long pages and requests took, errors of scripts. No ids, no addresses,
 * nothing a user has typed. Lost reports are not sent again.
 *
 * @module
 */
import type { Telemetry } from '../../live/api.ts';
import { PATTERNS } from './routes.ts';

const ADDRESS = '/api/v1/telemetry';
const LONGEST = 500;
/** Reports the gateway takes at once. */
const AT_ONCE = 50;
const GATHER_MS = 1_000;
/** A page that fails in a loop is heard of often enough. */
const MOST_ERRORS = 100;

const waiting: Telemetry[] = [];
let errors = 0;
let timer: number | undefined;

export function report(telemetry: Telemetry, token?: string): void {
  if (telemetry.kind === 'error') {
    errors += 1;
    if (errors > MOST_ERRORS) return;
  }
  if (waiting.length < AT_ONCE) waiting.push(telemetry);
  timer ??= setTimeout(() => send(token), GATHER_MS);
}

function send(token: string | undefined): void {
  clearTimeout(timer);
  timer = undefined;
  if (waiting.length === 0) return;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  // Survives the page it is of, as a beacon would, which could carry no token.
  fetch(ADDRESS, { method: 'POST', keepalive: true, headers, body: JSON.stringify(waiting.splice(0)) }).catch(() => {});
}

/** What waits goes with the page. */
export function reportOnLeaving(token: () => string | undefined): void {
  addEventListener('pagehide', () => send(token()));
}

/** Ids in a message are those of addresses: what is between quotes or looks like one goes. */
export const withoutNames = (message: string): string =>
  message
    .replace(/(["'`]).*?\1/g, '…')
    .replace(/\b[\w.-]+\/[\w./-]+/g, '…')
    .slice(0, LONGEST);

/** @param routeNow the pattern of the page that is open */
export function reportErrors(routeNow: () => keyof typeof PATTERNS, token: () => string | undefined): void {
  const tell = (message: string, place: string): void =>
    report(
      { kind: 'error', route: PATTERNS[routeNow()], message: `${withoutNames(message)}${place}`.slice(0, LONGEST) },
      token(),
    );
  addEventListener('error', ({ message, filename, lineno, colno }) =>
    tell(message, ` at ${filename.split('/').at(-1) ?? ''}:${lineno}:${colno}`),
  );
  addEventListener('unhandledrejection', ({ reason }) =>
    tell(reason instanceof Error ? `${reason.name}: ${reason.message}` : 'a promise was rejected', ''),
  );
}
