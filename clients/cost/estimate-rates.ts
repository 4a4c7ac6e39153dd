/**
 * What a second of each step costs on one family of instances: which type that would be, its price, the share of it a job
 * reserves, and what attempts that came to nothing add.
 *
 * @module
 */
import type { StepQuestion } from '../../lib/cost/estimate/model.ts';
import { dayBefore, type HourPrice, meanPrice, perSecond, type Size, shareOf } from '../../lib/cost/estimate/money.ts';
import { familyOf } from '../../lib/cost/estimate/observations.ts';
import type { Host } from '../../lib/launch/hosts.ts';
import type { PriceBook } from '../../lib/prices/price-book.ts';
import type { HistoryItem } from '../../lib/store/ledger.ts';
import type { Market, PriceKey } from '../../workflows/cost/model.ts';

export interface RateContext {
  prices: PriceBook;
  region: string;
  /** Epoch ms. */
  now: number;
  /** Of every family that is asked for. */
  hosts: readonly Host[];
  history: readonly HistoryItem[];
  /** What a job of the step reserves on its host, helpers included. */
  reserved(step: StepQuestion): Size;
}

export type Rate =
  | { perSecond: number; currency: string; type: string; marks: readonly string[] }
  | { unpriced: string };

/** Zones whose spot prices are averaged, as far as the Region has them: where capacity will be found nobody knows. */
const ZONES = ['a', 'b', 'c', 'd'];
/** What jobs are placed on where history does not say. */
const USUAL_SIZE = 'xlarge';
/** Of an attempt that failed or lost its host, so much of its time was used. */
const LOST = 0.5;
const MIB_PER_GIB = 1024;

export const FARGATE = 'fargate';

export async function rateOf(context: RateContext, step: StepQuestion, family: string, market: Market): Promise<Rate> {
  const { prices, region, now } = context;
  const size = context.reserved(step);
  const moment = { from: now, to: now };
  const parts = async (keyOf: (of: 'vcpu' | 'gb') => PriceKey, type: string): Promise<Rate> => {
    const [vcpu, gb] = await Promise.all([prices.price(keyOf('vcpu'), moment), prices.price(keyOf('gb'), moment)]);
    const [perVcpu, perGb] = [meanPrice(vcpu), meanPrice(gb)];
    if (!perVcpu || !perGb) return { unpriced: reasonOf(vcpu, gb) };
    const perHour = size.vcpus * perVcpu.perHour + (size.memoryMib / MIB_PER_GIB) * perGb.perHour;
    return withLosses({ ...perVcpu, perHour }, 1, type, context, step, market);
  };
  if (market === 'on-premises') return parts((of) => ({ kind: 'on-premises', cluster: family, of }), family);
  if (family === FARGATE) {
    const spot = market === 'spot';
    return parts((of) => ({ kind: 'fargate', region, architecture: 'x86_64', of, spot }), FARGATE);
  }
  const host = hostFor(context, step, family);
  if (!host) return { unpriced: `no instance type of ${family} in ${region} holds a job of ${step.step}` };
  const { type } = host;
  const share = shareOf(size, { vcpus: host.vcpus, memoryMib: host.memoryMiB });
  if (market === 'on-demand') {
    const price = await prices.price({ kind: 'instance', region, type, market }, moment);
    const known = meanPrice(price);
    return known ? withLosses(known, share, type, context, step, market) : { unpriced: reasonOf(price) };
  }
  const spot = await Promise.all(
    ZONES.map((zone) => prices.price({ kind: 'spot', region, zone: `${region}${zone}`, type }, dayBefore(now))),
  );
  const known = spot.flatMap((price) => meanPrice(price) ?? []);
  const [first] = known;
  if (!first) return { unpriced: reasonOf(...spot) };
  const perHour = known.reduce((total, one) => total + one.perHour, 0) / known.length;
  return withLosses({ ...first, perHour }, share, type, context, step, market);
}

const reasonOf = (...prices: Awaited<ReturnType<PriceBook['price']>>[]): string =>
  prices.flatMap((price) => ('unpriced' in price ? [price.unpriced.reason] : []))[0] ??
  'prices are in several currencies';

/** Failed attempts are known of steps, not of instance types: those of the same market, as far as there are any. */
function withLosses(
  price: HourPrice,
  share: number,
  type: string,
  { history }: RateContext,
  { work }: StepQuestion,
  market: Market,
): Rate {
  const own = history.filter((item) => item.work === work && item.market === market);
  const items = own.reduce((total, item) => total + item.items, 0);
  // One launch has the same number in each of its items.
  const failed = [...new Map(own.map((item) => [item.launch_id, item.failed])).values()].reduce((a, b) => a + b, 0);
  const lost = 1 + (LOST * failed) / (items + 1);
  return { perSecond: perSecond(price, share) * lost, currency: price.currency, type, marks: price.marks };
}

/** Of the size most items of the step ran on, where the family has it and it holds the job; else the smallest that does. */
function hostFor(context: RateContext, step: StepQuestion, family: string): Host | undefined {
  const { vcpus, memoryMib } = context.reserved(step);
  const roomy = context.hosts
    .filter((host) => familyOf(host.type) === family && host.vcpus >= vcpus && host.memoryMiB >= memoryMib)
    .sort((a, b) => a.vcpus - b.vcpus || a.memoryMiB - b.memoryMiB);
  const wanted = usualSize(context.history, step);
  return roomy.find(({ type }) => type === `${family}.${wanted}`) ?? roomy[0];
}

function usualSize(history: readonly HistoryItem[], { work }: StepQuestion): string {
  const sizes = new Map<string, number>();
  for (const { work: of, resource_type: type, items } of history) {
    const [, size] = type.split('.');
    if (of === work && size !== undefined) sizes.set(size, (sizes.get(size) ?? 0) + items);
  }
  return [...sizes].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0]?.[0] ?? USUAL_SIZE;
}
