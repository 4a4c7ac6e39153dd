/**
 * What a story may cost at most, before anything is paid, and what it has cost, from what its stages were billed for.
 *
 * Limits of stories are in USD. What is priced in another currency is in the ledger, and counts here as if it had no price.
 *
 * @module
 */
import type { LedgerLine, Price, PriceKey, Unpriced } from '../../workflows/cost/model.ts';
import { mapLimited } from '../concurrency.ts';
import { charge } from '../cost/charge.ts';
import { Money, sumOf, ZERO } from '../cost/money.ts';
import { priceKeysOf, priceWords } from '../cost/price-keys.ts';
import type { PriceBook } from '../prices/price-book.ts';
import { nameOf } from '../prices/price-keys.ts';
import type { StoryRecord } from './document.ts';
import { pictureTokens } from './picture-tokens.ts';
import { consumptionsOf } from './usage-lines.ts';

const CURRENCY = 'USD';
/** In a unit. */
export const MICRO = 1_000_000;
/** A stage is tried once more: the text when it cannot be kept, the picture when it is refused or flagged. */
const TRIES = 2;
/** The voice and its marks are asked for each by itself, and each is billed: https://aws.amazon.com/polly/pricing/. */
const READINGS = 2;
/** Of English about four; no text we ask for comes near this. */
const CHARACTERS_OF_TOKEN = 8;
/** Price lists answer ten calls a second or so; most answers are kept. */
const ASKING = 4;

/** What a story is going to be made with. */
export interface StoryPlan {
  textModel: string;
  /** Of one draft, at most: `textTokenBound` of prompt.ts. */
  text: { input: number; output: number };
  imageModel: string;
  imageSize: string;
  imageQuality: string;
  /** Tokens of the picture's prompt, at most: `PICTURE_PROMPT_TOKENS` of prompt.ts. */
  picturePrompt: number;
  /** Of Polly. */
  engine: string;
  /** Where Polly speaks. */
  region: string;
  /** Of title and text, at most; default: {@link charactersOf} the tokens of a draft. */
  characters?: number;
  /** Epoch ms: by the prices of when. */
  at: number;
}

/** Micro-USD, rounded up. */
export interface Bound {
  micro: number;
}
/** What has no price, each with its reason, and what to do. */
export interface NoBound {
  unpriced: string[];
  remedy: string;
}

/** The most characters of a text of so many tokens. */
export const charactersOf = (tokens: number): number => tokens * CHARACTERS_OF_TOKEN;

/**
 * The most a story may cost: each draft of the text and each picture as large as can be, the longest text spoken and marked.
 * @throws what asking again may mend, as the price list has it
 */
export async function storyBound(prices: PriceBook, plan: StoryPlan): Promise<Bound | NoBound> {
  const { textModel, imageModel, engine, region, text } = plan;
  const tokens = (model: string, of: 'input' | 'cached-input' | 'output' | 'image-output'): PriceKey => ({
    kind: 'tokens',
    model,
    of,
  });
  const picture = pictureTokens(imageModel, plan.imageSize, plan.imageQuality);
  const uses: { key: PriceKey; count: number; orElse?: PriceKey }[] = [
    { key: tokens(textModel, 'input'), orElse: tokens(textModel, 'cached-input'), count: TRIES * text.input },
    { key: tokens(textModel, 'output'), count: TRIES * text.output },
    {
      key: tokens(imageModel, 'input'),
      orElse: tokens(imageModel, 'cached-input'),
      count: TRIES * plan.picturePrompt,
    },
    { key: tokens(imageModel, 'image-output'), count: TRIES * picture },
    {
      key: { kind: 'speech', region, engine },
      count: READINGS * (plan.characters ?? charactersOf(text.output)),
    },
  ];
  const at = { from: plan.at, to: plan.at };
  const found = await mapLimited(uses, ASKING, async ({ key, orElse, count }) => {
    const price = dearest(key, await prices.price(key, at));
    // Usually cheaper, and not every model has it; where it has no price, it counts as not there.
    const other = orElse && dearest(orElse, await prices.price(orElse, at));
    if ('unpriced' in price) return price;
    const perMillion =
      other && 'perMillion' in other ? Money.max(price.perMillion, other.perMillion) : price.perMillion;
    return { amount: perMillion.times(count).div(MICRO) };
  });
  const missing = found.flatMap((one) => ('unpriced' in one ? [one.unpriced] : []));
  if (missing.length > 0) {
    return {
      unpriced: missing.map(({ reason }) => reason),
      remedy: [...new Set(missing.map(({ remedy }) => remedy))].join('; '),
    };
  }
  return { micro: microOf(sumOf(found.map((one) => ('amount' in one ? one.amount : ZERO)))) };
}

/** Micro-USD of a limit, rounded down. */
export const microLimit = (usd: string): number => new Money(usd).times(MICRO).floor().toNumber();

/** Rounded up: nothing that costs counts as nothing. */
const microOf = (usd: Money): number => usd.times(MICRO).ceil().toNumber();

export interface PricedUsage {
  /** Of whatever currency. */
  lines: LedgerLine[];
  /** USD, exact: the sum of the lines in USD. */
  total: string;
  /** The same in micro-USD, rounded up. */
  micro: number;
  unpriced: Unpriced[];
}

/**
 * @param usage of all attempts
 * @throws what asking again may mend, as the price list has it
 */
export async function priceUsage(
  prices: PriceBook,
  usage: StoryRecord['usage'],
  { region }: { region: string },
): Promise<PricedUsage> {
  const consumptions = consumptionsOf(usage, region);
  const found = await mapLimited(priceKeysOf(consumptions), ASKING, async ({ key, over }) => {
    return [nameOf(key), await prices.price(key, over)] as const;
  });
  const { lines, unpriced } = charge(consumptions, new Map(found));
  const [own, foreign] = [lines.filter(inUsd), lines.filter((line) => !inUsd(line))];
  const total = sumOf(own.map(({ amount }) => amount));
  return { lines, total: total.toFixed(), micro: microOf(total), unpriced: [...unpriced, ...foreign.map(notInUsd)] };
}

const inUsd = ({ currency }: LedgerLine): boolean => currency === CURRENCY;

const notInUsd = ({ resource, component, resourceType, amount, currency }: LedgerLine): Unpriced => ({
  resource,
  component,
  reason: `${resourceType} of ${resource} cost ${amount} ${currency}, and costs of stories are summed in ${CURRENCY}`,
  remedy: IN_USD,
});

const IN_USD = `give the rate in ${CURRENCY} (currency: ${CURRENCY}) in the file of the setting costRates`;

/** Of all tiers. */
function dearest(
  key: PriceKey,
  price: Price,
): { perMillion: Money } | { unpriced: { reason: string; remedy: string } } {
  if ('unpriced' in price) return price;
  const foreign = price.spans.find(({ currency }) => currency !== CURRENCY);
  if (foreign) {
    const reason = `${priceWords(key)} are priced in ${foreign.currency}, limits of stories are in ${CURRENCY}`;
    return { unpriced: { reason, remedy: IN_USD } };
  }
  const amounts = price.spans.flatMap(({ perUnit, tiers = [] }) => [perUnit, ...tiers.map((tier) => tier.perUnit)]);
  return { perMillion: Money.max(...amounts) };
}
