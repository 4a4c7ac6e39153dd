/** Real clients that are answered in the process: what the SDK would send is seen, what AWS would answer is given. */
import { DescribeSpotPriceHistoryCommand, EC2Client } from '@aws-sdk/client-ec2';
import { type GetProductsCommandInput, PricingClient } from '@aws-sdk/client-pricing';

const CONFIG = { region: 'us-east-1', credentials: { accessKeyId: 'unit', secretAccessKey: 'unit' }, maxAttempts: 1 };

interface Client {
  middlewareStack: { add(middleware: unknown, options: { step: 'initialize'; priority: 'high' }): void };
}

function answered<T extends object>(client: T, answer: (input: never, command: string) => unknown): T {
  (client as unknown as Client).middlewareStack.add(
    (_next: unknown, context: { commandName: string }) => async (args: { input: never }) => ({
      response: {},
      output: { $metadata: {}, ...((await answer(args.input, context.commandName)) as object) },
    }),
    { step: 'initialize', priority: 'high' },
  );
  return client;
}

export interface PriceDocument {
  product: { productFamily?: string; attributes: Record<string, string>; sku: string };
  serviceCode: string;
  terms: unknown;
}

export interface Asked {
  serviceCode: string;
  filters: Record<string, string>;
}

/** Filters as AWS does, in pages of `page`; `before` may throw. */
export function pricingOf(
  documents: readonly PriceDocument[],
  { page = 100, before = () => {} }: { page?: number; before?: (asked: Asked) => void } = {},
): { client: PricingClient; asked: Asked[] } {
  const asked: Asked[] = [];
  const client = answered(new PricingClient(CONFIG), (input: GetProductsCommandInput) => {
    const filters = Object.fromEntries((input.Filters ?? []).map(({ Field, Value }) => [Field ?? '', Value ?? '']));
    const one = { serviceCode: input.ServiceCode ?? '', filters };
    asked.push(one);
    before(one);
    const found = documents.filter(
      ({ serviceCode, product }) =>
        serviceCode === input.ServiceCode &&
        Object.entries(filters).every(
          ([name, value]) =>
            (name === 'productFamily' ? product.productFamily : product.attributes[name]) === value && value !== '',
        ),
    );
    const begin = Number(input.NextToken ?? 0);
    return {
      PriceList: found.slice(begin, begin + page).map((each) => JSON.stringify(each)),
      ...(begin + page < found.length && { NextToken: String(begin + page) }),
    };
  });
  return { client, asked };
}

let nth = 0;

/** A product as the list has it. Tiers: where each begins, and its price. */
export function documentOf(
  serviceCode: string,
  attributes: Record<string, string>,
  price: string | readonly (readonly [begin: string, price: string])[],
  {
    unit = 'Hrs',
    sku,
    currency = 'USD',
    family,
  }: { unit?: string; sku?: string; currency?: string; family?: string } = {},
): PriceDocument {
  nth += 1;
  const id = sku ?? `SKU${nth}`;
  const tiers = typeof price === 'string' ? ([['0', price]] as const) : price;
  const dimensions = tiers.map(([beginRange, amount], index) => ({
    unit,
    beginRange,
    endRange: tiers[index + 1]?.[0] ?? 'Inf',
    pricePerUnit: { [currency]: amount },
  }));
  return {
    product: { ...(family !== undefined && { productFamily: family }), attributes, sku: id },
    serviceCode,
    terms: {
      OnDemand: {
        [`${id}.T`]: {
          effectiveDate: '2026-09-01T00:00:00Z',
          // AWS has them in no certain order.
          priceDimensions: Object.fromEntries(dimensions.toReversed().map((each, index) => [`${id}.T.${index}`, each])),
        },
      },
    },
  };
}

export interface SpotEntry {
  at: string;
  price: string;
  zone?: string;
  type?: string;
  product?: string;
}

export interface SpotAsked {
  region: string;
  zone: string;
  from: number;
  to: number;
  products: string[];
}

/** What EC2 tells of spot prices: changes within the time and the last one before it, newest first, in pages. */
export function spotOf(
  entries: Readonly<Record<string, readonly SpotEntry[]>>,
  {
    page = 1000,
    order = (all) => all,
    before = () => {},
  }: { page?: number; order?: (all: SpotEntry[]) => SpotEntry[]; before?: (asked: SpotAsked) => void } = {},
): { ec2: (region: string) => EC2Client; asked: SpotAsked[] } {
  const asked: SpotAsked[] = [];
  const ec2 = (region: string) =>
    answered(
      new EC2Client({ ...CONFIG, region }),
      (input: DescribeSpotPriceHistoryCommand['input'], command: string) => {
        if (command !== DescribeSpotPriceHistoryCommand.name) throw new Error(command);
        const one = {
          region,
          zone: input.AvailabilityZone ?? '',
          from: input.StartTime?.getTime() ?? 0,
          to: input.EndTime?.getTime() ?? 0,
          products: [...(input.ProductDescriptions ?? [])],
        };
        asked.push(one);
        before(one);
        const all = (entries[region] ?? [])
          .filter(
            ({ zone = 'us-east-1a', type = 'm5.xlarge' }) =>
              zone === one.zone && input.InstanceTypes?.includes(type as never),
          )
          .toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
        const within = all.filter(({ at }) => Date.parse(at) > one.from && Date.parse(at) <= one.to);
        const products = [...new Set(all.map(({ product = 'Linux/UNIX' }) => product))];
        const earlier = products.flatMap((product) =>
          all
            .filter((each) => (each.product ?? 'Linux/UNIX') === product && Date.parse(each.at) <= one.from)
            .slice(0, 1),
        );
        const listed = order([...within, ...earlier]);
        const begin = Number(input.NextToken || 0);
        return {
          SpotPriceHistory: listed.slice(begin, begin + page).map((each) => ({
            Timestamp: new Date(each.at),
            SpotPrice: each.price,
            AvailabilityZone: each.zone ?? 'us-east-1a',
            InstanceType: each.type ?? 'm5.xlarge',
            ProductDescription: each.product ?? 'Linux/UNIX',
          })),
          NextToken: begin + page < listed.length ? String(begin + page) : '',
        };
      },
    );
  return { ec2, asked };
}

export const serviceError = (name: string, message = name): Error => Object.assign(new Error(message), { name });
