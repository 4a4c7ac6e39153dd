/**
 * Putting reports on EventBridge: as few calls as it takes, and what a call did not take once more.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { BUS_DETAIL_TYPE, BUS_SOURCE, DETAIL_BYTES } from '../../lib/progress/bus.ts';

export interface Bus {
  client: Pick<EventBridgeClient, 'send'>;
  /** `default` when absent. */
  name?: string;
}

/** Entries of one call: EventBridge's own limit. */
const ENTRIES = 10;
const TRIES = 5;
const FIRST_PAUSE_MS = 100;

/**
 * @param details JSON of each event, in order
 * @throws when entries are not taken for longer than it is worth waiting here: repeat it all
 */
export async function publish({ client, name }: Bus, details: readonly string[]): Promise<void> {
  for (let rest = [...details]; rest.length > 0; ) {
    const call = fitting(rest);
    rest = rest.slice(call.length);
    await put(client, name, call);
  }
}

/** As many of the first as one call may have. */
function fitting(details: readonly string[]): string[] {
  let bytes = 0;
  const fits = details.slice(0, ENTRIES).findIndex((detail, index) => {
    bytes += Buffer.byteLength(detail);
    return index > 0 && bytes > DETAIL_BYTES;
  });
  return details.slice(0, fits < 0 ? ENTRIES : fits);
}

async function put(client: Bus['client'], name: string | undefined, details: readonly string[]): Promise<void> {
  let left = details;
  for (let tries = 1; ; tries += 1) {
    const { FailedEntryCount = 0, Entries = [] } = await client.send(
      new PutEventsCommand({
        Entries: left.map((Detail) => ({
          Source: BUS_SOURCE,
          DetailType: BUS_DETAIL_TYPE,
          Detail,
          ...(name !== undefined && { EventBusName: name }),
        })),
      }),
    );
    if (FailedEntryCount === 0) return;
    left = left.filter((_, index) => Entries[index]?.ErrorCode !== undefined);
    if (tries === TRIES) {
      const codes = [...new Set(Entries.flatMap(({ ErrorCode }) => ErrorCode ?? []))].join(', ');
      throw new Error(`EventBridge did not take ${left.length} events of progress: ${codes}`);
    }
    await delay((0.5 + Math.random() / 2) * FIRST_PAUSE_MS * 2 ** tries);
  }
}
