/**
 * How a gateway process makes itself known to those who append to logs.
 *
 * @module
 */
import type { GatewayTable } from '../store/gateways.ts';

const EVERY_MS = 10_000;
const LIFE_MS = 30_000;

export interface Announcement {
  /** Takes the gateway out: nobody tells it anything from a few seconds later on. */
  withdraw(): Promise<void>;
}

export interface AnnounceOptions {
  table: GatewayTable;
  /** Of this process. */
  id: string;
  /** Where those who append reach it. */
  url: string;
  warn(message: string): void;
  now?(): number;
}

/**
 * Enters a gateway, and again every ten seconds; it is forgotten 30 s after the last time.
 * @throws where the address cannot be used; a table that cannot be is only warned about, gateways work without
 */
export async function announceGateway({
  table,
  id,
  url,
  warn,
  now = Date.now,
}: AnnounceOptions): Promise<Announcement> {
  const { protocol, username, search } = new URL(url);
  if (!['http:', 'https:'].includes(protocol) || username !== '' || search !== '')
    throw new Error('the address of a gateway has to be http(s)://host[:port][/path], without user and query');
  let entering: Promise<void> | undefined;
  const enter = async () => {
    try {
      await table.enter(id, url.replace(/\/+$/, ''), Math.floor((now() + LIFE_MS) / 1000));
    } catch (error) {
      warn(`this gateway cannot make itself known, so that its watchers see progress later: ${String(error)}`);
    }
  };
  const again = () => {
    entering ??= enter().finally(() => {
      entering = undefined;
    });
    return entering;
  };
  await again();
  const timer = setInterval(() => void again(), EVERY_MS);
  timer.unref();
  return {
    async withdraw() {
      clearInterval(timer);
      // Or it would come after the leave.
      await entering;
      try {
        await table.leave(id);
      } catch (error) {
        warn(`this gateway could not be taken out, and is forgotten by itself: ${String(error)}`);
      }
    },
  };
}
