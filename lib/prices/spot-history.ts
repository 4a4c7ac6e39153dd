/**
 * What spot instances of one type cost in one Availability Zone, change by change, as EC2 tells it.
 *
 * What is known is kept: history does not change, so launches that ran at the same time need one call for each type and
 * zone. It is never kept beyond the moment it was asked for, or a change just before the end of a launch would be missed.
 *
 * @module
 */
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { Interval } from '../../workflows/cost/model.ts';

/** From `at` on, until the next. */
export interface SpotChange {
  /** Epoch ms. */
  at: number;
  /** As EC2 writes it: `0.034600`. */
  price: string;
}

export interface SpotPlace {
  region: string;
  zone: string;
  type: string;
}

export interface SpotHistory {
  /**
   * In order; the first is the last one before `over`, where there is one.
   * @throws the SDK's error
   */
  changes(place: SpotPlace, over: Interval): Promise<readonly SpotChange[]>;
}

export interface SpotHistoryOptions {
  /** Of that Region: no other one knows its zones. */
  ec2(region: string): EC2Client;
  now(): number;
  /** Told of every page that is asked for. */
  called?(): void;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** EC2 keeps so much. */
export const HISTORY_MS = 90 * DAY_MS;
const PAGE = 1000;
/** Types and zones that are kept. */
const KEPT = 500;

/** VPC first: it is where instances are, since EC2-Classic is gone. */
const PRODUCTS = ['Linux/UNIX (Amazon VPC)', 'Linux/UNIX'];

interface Known extends Interval {
  changes: readonly SpotChange[];
}

export function createSpotHistory({ ec2, now, called = () => {} }: SpotHistoryOptions): SpotHistory {
  const kept = new Map<string, Promise<Known>>();

  const read = async ({ region, zone, type }: SpotPlace, from: number): Promise<Known> => {
    const to = now();
    const { paginateDescribeSpotPriceHistory } = await import('@aws-sdk/client-ec2');
    const pages = paginateDescribeSpotPriceHistory(
      { client: ec2(region), pageSize: PAGE },
      {
        InstanceTypes: [type as never],
        AvailabilityZone: zone,
        ProductDescriptions: PRODUCTS,
        StartTime: new Date(from),
        EndTime: new Date(to),
      },
    );
    const series = new Map<string, SpotChange[]>();
    for await (const { SpotPriceHistory = [] } of pages) {
      called();
      for (const { Timestamp, SpotPrice, ProductDescription = '', ...entry } of SpotPriceHistory) {
        if (!Timestamp || SpotPrice === undefined) continue;
        if (entry.AvailabilityZone !== zone || entry.InstanceType !== type) continue;
        series.set(ProductDescription, [
          ...(series.get(ProductDescription) ?? []),
          { at: Timestamp.getTime(), price: SpotPrice },
        ]);
      }
    }
    return { from, to, changes: oneSeries(series, from) };
  };

  return {
    async changes(place, over) {
      const key = `${place.region}/${place.zone}/${place.type}`;
      const asked = now();
      const needed = { from: Math.min(over.from, asked), to: Math.min(over.to, asked) };
      // One after another for each place: the second finds what the first has read.
      const before = kept.get(key)?.catch(() => undefined);
      const turn = Promise.resolve(before).then((known) =>
        known && known.from <= needed.from && needed.to <= known.to
          ? known
          : read(place, beginOf(Math.min(needed.from, known?.from ?? needed.from), asked)),
      );
      remember(key, turn);
      return relevant((await turn).changes, over);
    },
  };

  function remember(key: string, turn: Promise<Known>): void {
    // The newest last.
    kept.delete(key);
    kept.set(key, turn);
    const [oldest] = kept.keys();
    if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
  }
}

/** By whole days, so that launches of one day share an answer; no further back than EC2 goes. */
const beginOf = (from: number, now: number): number =>
  Math.min(from, Math.max(Math.floor(from / DAY_MS) * DAY_MS, now - HISTORY_MS));

/** Pages come in no certain order. One description is enough where it says what held at the start. */
function oneSeries(series: ReadonlyMap<string, readonly SpotChange[]>, from: number): SpotChange[] {
  const whole = PRODUCTS.map((name) => series.get(name) ?? []).find((one) => one.some(({ at }) => at <= from));
  const changes = [...(whole ?? [...series.values()].flat())].sort((a, b) => a.at - b.at);
  return changes.filter(({ at }, index) => at !== changes[index + 1]?.at);
}

function relevant(changes: readonly SpotChange[], { from, to }: Interval): SpotChange[] {
  const before = changes.findLastIndex(({ at }) => at <= from);
  return changes.slice(Math.max(before, 0)).filter(({ at }, index) => index === 0 || at < to);
}
