/**
 * Telling every gateway that a log has grown: beside the append, never in its way. One request a gateway at a time; what
 * comes meanwhile goes together.
 *
 * @module
 */
import type { GatewayTable } from '../store/gateways.ts';
import { NUDGE_LIMITS, NUDGE_PATH, type Nudge } from './nudges.ts';
import { bytesOf } from './report.ts';

export interface Nudger {
  nudge(nudge: Nudge): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export interface NudgerOptions {
  gateways: Pick<GatewayTable, 'list'>;
  /** Known to gateways and workers alone; empty: nobody is told, and gateways look by themselves. */
  key: string;
  /** Once a minute at most. */
  warn(message: string): void;
  now?(): number;
  /** An answer takes no longer, ms. */
  patienceMs?: number;
}

/** How old the list of gateways may be, ms. */
const LISTED_MS = 3_000;
const PATIENCE_MS = 1_000;
const WARN_MS = 60_000;
/** Runs that wait for one gateway; beyond it the oldest are left for it to find. */
const WAITING = 1_000;

interface Told {
  nudge: Nudge;
  /** Of its events. */
  bytes: number;
}

interface Gateway {
  /** By run. */
  waiting: Map<string, Told>;
  sending?: Promise<void>;
}

export function createNudger(options: NudgerOptions): Nudger {
  const { gateways: table, key, now = Date.now, patienceMs = PATIENCE_MS } = options;
  const gateways = new Map<string, Gateway>();
  let listedAt = Number.NEGATIVE_INFINITY;
  let listing: Promise<void> | undefined;
  let warnedAt = Number.NEGATIVE_INFINITY;

  function warn(message: string): void {
    if (now() - warnedAt < WARN_MS) return;
    warnedAt = now();
    options.warn(message);
  }

  async function list(): Promise<void> {
    try {
      const urls = new Set(await table.list(Math.floor(now() / 1000)));
      for (const url of gateways.keys()) if (!urls.has(url)) gateways.delete(url);
      for (const url of urls) if (!gateways.has(url)) gateways.set(url, { waiting: new Map() });
    } catch (error) {
      warn(`the gateways cannot be listed, so that watchers see progress later: ${String(error)}`);
    }
  }

  function add(url: string, gateway: Gateway, nudge: Nudge): void {
    const { run } = nudge;
    const before = gateway.waiting.get(run);
    gateway.waiting.delete(run);
    gateway.waiting.set(run, together(before, nudge));
    for (const oldest of gateway.waiting.keys()) {
      if (gateway.waiting.size <= WAITING) break;
      gateway.waiting.delete(oldest);
    }
    gateway.sending ??= send(url, gateway).finally(() => {
      delete gateway.sending;
    });
  }

  async function send(url: string, gateway: Gateway): Promise<void> {
    // What is told in the same moment goes together.
    await Promise.resolve();
    while (gateway.waiting.size > 0 && gateways.get(url) === gateway) {
      const nudges = take(gateway);
      try {
        const response = await fetch(url + NUDGE_PATH, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify(nudges.length === 1 ? nudges[0] : { nudges }),
          // Nobody else gets the key.
          redirect: 'error',
          signal: AbortSignal.timeout(patienceMs),
        });
        // Read to its end, or the connection could not be used again.
        await response.arrayBuffer();
        if (!response.ok) warn(`a gateway does not want to be told of progress: ${url} answers ${response.status}`);
      } catch (error) {
        warn(`a gateway cannot be told of progress: ${url}: ${reasonOf(error)}`);
      }
    }
  }

  async function spread(nudge: Nudge): Promise<void> {
    if (now() - listedAt > LISTED_MS && !listing) {
      const first = listedAt === Number.NEGATIVE_INFINITY;
      listedAt = now();
      listing = list().finally(() => {
        listing = undefined;
      });
      // Later on the list there is does meanwhile.
      if (first) await listing;
    } else if (listing && gateways.size === 0) await listing;
    for (const [url, gateway] of gateways) add(url, gateway, nudge);
  }

  const under = new Set<Promise<void>>();
  return {
    nudge(nudge) {
      if (key === '') return;
      const spreading = spread(nudge).finally(() => under.delete(spreading));
      under.add(spreading);
    },

    async idle() {
      for (;;) {
        const busy = [...under, ...[...gateways.values()].flatMap(({ sending }) => sending ?? [])];
        if (busy.length === 0) return;
        await Promise.all(busy);
      }
    },
  };
}

/** So many as one request may have. */
function take({ waiting }: Gateway): Nudge[] {
  const nudges: Nudge[] = [];
  let bytes = 0;
  for (const [run, one] of waiting) {
    bytes += one.bytes;
    if (nudges.length > 0 && (nudges.length >= NUDGE_LIMITS.nudges || bytes > BODY_BYTES)) break;
    nudges.push(one.nudge);
    waiting.delete(run);
  }
  return nudges;
}

/** Of events; the rest of a body is small. */
const BODY_BYTES = NUDGE_LIMITS.bodyBytes / 2;

/** Events that follow one another are told together, as long as they are few; else the gateway is told to look. */
function together(before: Told | undefined, next: Nudge): Told {
  const { run, epoch } = next;
  const events = [...(before?.nudge.events ?? []), ...next.events];
  const bytes = (before?.bytes ?? 0) + bytesOf(next.events);
  const all = next.events.length > 0 && (!before || (before.nudge.epoch === epoch && before.nudge.events.length > 0));
  const follow = events.every((event, index) => index === 0 || event.seq === (events[index - 1]?.seq ?? 0) + 1);
  const few = bytes <= NUDGE_LIMITS.eventBytes && events.length <= NUDGE_LIMITS.events;
  if (all && follow && few) return { nudge: { run, epoch, events }, bytes };
  const seq = next.events.at(-1)?.seq ?? next.seq;
  return { nudge: { run, epoch, events: [], ...(seq !== undefined && { seq }) }, bytes: 0 };
}

/** Without what undici wraps it in. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
