/**
 * What spot capacity costs when: made up, but always the same, around the share of the on-demand price that was really
 * asked in each zone. It changes every few hours, in each zone at times of its own, as EC2 has changed it since 2017.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import instancePrices from '../pricing/offers/amazon-ec2-instances.json' with { type: 'json' };
import table from './spot-prices.json' with { type: 'json' };

export interface SpotPrice {
  type: string;
  zone: string;
  /** Since when it holds; epoch ms, whole seconds. */
  at: number;
  /** In US dollars an hour, with six decimal places. */
  price: string;
}

const SLOT_MS = 5 * 3600 * 1000;
/** How far a price goes up and down. */
const SWING = 0.15;

const ON_DEMAND: Readonly<Record<string, Readonly<Record<string, string>>>> = instancePrices.prices;
const SHARES: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>> = table.shares;

/** Zones of a Region that have spot prices here. */
export const spotZones = (region: string): string[] =>
  Object.keys(SHARES[region]?.m ?? {}).map((letter) => `${region}${letter}`);

/** Changes within the time, oldest first, and before them the one that holds as it begins. */
export function spotPrices(type: string, zone: string, { from, to }: { from: number; to: number }): SpotPrice[] {
  const region = zone.slice(0, -1);
  const share = SHARES[region]?.[type.slice(0, 1)]?.[zone.slice(-1)];
  const onDemand = Number(ON_DEMAND[region]?.[type]);
  if (share === undefined || !(onDemand > 0)) return [];
  const found: SpotPrice[] = [];
  // From two slots earlier on there is surely one that holds as the time begins.
  for (let slot = Math.floor(from / SLOT_MS) - 2; slot * SLOT_MS <= to; slot += 1) {
    const within = Math.floor(part([type, zone, 'when', slot]) * SLOT_MS * 0.8);
    const at = Math.floor((slot * SLOT_MS + within) / 1000) * 1000;
    if (at > to) break;
    const drift = (part([type, zone, slot]) + part([type, zone, slot - 1]) + part([type, zone, slot - 2])) / 3;
    const price = onDemand * share * (1 + SWING * (2 * drift - 1));
    if (at <= from) found.length = 0;
    // EC2 prices spot capacity to a hundredth of a cent, and writes six places.
    found.push({ type, zone, at, price: `${price.toFixed(4)}00` });
  }
  return found;
}

/** From 0 to 1, always the same for the same words. */
function part(words: readonly (string | number)[]): number {
  return createHash('sha256').update(words.join(' ')).digest().readUInt32BE() / 2 ** 32;
}
