/** Launches whose cost was worked out by hand, in fixtures/cost: equal to the last digit. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { allocate } from '../../lib/cost/allocate.ts';
import { charge } from '../../lib/cost/charge.ts';
import { ledgerText, Money } from '../../lib/cost/money.ts';
import { summarise } from '../../lib/cost/summary.ts';
import { nameOf } from '../../lib/prices/price-keys.ts';
import type { CostSummary, LedgerLine, Price, PriceKey, PriceSpan, Usage } from '../../workflows/cost/model.ts';
import { attemptOf, REGION, usageOf, ZONE } from '../support/cost-usage.ts';

const FILES = ['time', 'instances', 'services', 'money'];

type Fields = Record<string, unknown>;
interface ByHand extends Fields {
  launch: string;
  lines: string[];
  strings: CostSummary[];
  unpriced?: string[];
}
interface Listed extends Pick<PriceSpan, 'unit'>, Partial<Pick<PriceSpan, 'currency' | 'source' | 'marks'>> {
  key: PriceKey;
  price?: string;
  at?: Record<string, string>;
  until?: string;
  tiers?: Record<string, string>;
}

const read = (name: string): unknown =>
  parse(readFileSync(new URL(`fixtures/cost/${name}.yaml`, import.meta.url), 'utf8'));

const book = new Map((read('prices') as Listed[]).map((listed) => [nameOf(listed.key), priceOf(listed)]));
const launches = FILES.flatMap((file) => read(file) as ByHand[]);

describe('a launch by hand', () => {
  it('is one of many', () => {
    expect(launches.length).toBeGreaterThanOrEqual(27);
  });

  it.each(launches.map((byHand) => [byHand.launch, byHand] as const))('%s', (_, byHand) => {
    const { consumptions, unpriced } = allocate(usageIn(byHand));
    const charged = charge(consumptions, book);

    expect(charged.lines.map(rowOf).toSorted()).toEqual(byHand.lines.map(expectedRow).toSorted());
    expect(summarise(charged.lines)).toEqual(byHand.strings);
    const reasons = [...unpriced, ...charged.unpriced].map(({ reason }) => reason).join('\n');
    expect(reasons.split('\n').filter(Boolean)).toHaveLength(byHand.unpriced?.length ?? 0);
    for (const reason of byHand.unpriced ?? []) expect(reasons).toContain(reason);
  });
});

/** `day | component, purpose, step/outcome, resource | quantity | price | amount | marks`. */
function rowOf(line: LedgerLine): string {
  const job = line.step === undefined ? [] : [[line.step, line.outcome].filter(Boolean).join('/')];
  const what = [line.component, line.purpose, ...job, line.resource].join(' ');
  const price = `${line.unitPrice} ${line.currency}/${line.unit}`;
  return [line.from.slice(0, 10), what, line.quantity, price, line.amount, ...(line.marks ?? [])].join(' | ');
}

/** The arithmetic of the quantity is done here, by the same decimals; the amount stands in the fixture. */
function expectedRow(row: string): string {
  const [day = '', what = '', quantity = '', ...rest] = row.split(' | ');
  return [day, what, ledgerText(calculate(quantity)), ...rest].join(' | ');
}

/** `(9*2 + 8)/52 * 1.5`: one operation after the other, products first. */
function calculate(arithmetic: string): Money {
  const tokens = arithmetic.match(/\d+(?:\.\d+)?|[-+*/()]/g) ?? [];
  const result = sum();
  if (tokens.length > 0) throw new Error(`${arithmetic}: what is ${tokens.join(' ')}?`);
  return result;

  function sum(): Money {
    let value = product();
    while (tokens[0] === '+' || tokens[0] === '-') {
      value = tokens.shift() === '+' ? value.plus(product()) : value.minus(product());
    }
    return value;
  }
  function product(): Money {
    let value = term();
    while (tokens[0] === '*' || tokens[0] === '/') {
      value = tokens.shift() === '*' ? value.times(term()) : value.div(term());
    }
    return value;
  }
  function term(): Money {
    const token = tokens.shift() ?? '';
    if (token !== '(') return new Money(token);
    const value = sum();
    tokens.shift();
    return value;
  }
}

function priceOf({ unit, price, at, until, tiers, currency = 'USD', source = 'price-list', marks }: Listed): Price {
  const changes = Object.entries(at ?? { '2020-01-01T00:00Z': price ?? '' });
  const spans = changes.map(([time, perUnit], index) => ({
    from: Date.parse(time),
    to: Date.parse(changes[index + 1]?.[0] ?? until ?? '2030-01-01T00:00Z'),
    perUnit,
    unit,
    currency,
    pricesAt: '2026-03-01T00:00:00Z',
    source,
    ...(marks && { marks }),
    ...(tiers && { tiers: Object.entries(tiers).map(([from, tierPrice]) => ({ from, perUnit: tierPrice })) }),
  }));
  return { spans };
}

/** Times are ISO 8601, memory in GiB; what stands in every launch is left out. */
function usageIn(byHand: ByHand): Usage {
  const { launch: _launch, lines: _lines, strings: _strings, unpriced: _unpriced, ...parts } = byHand;
  const lists = readTimes(parts) as Record<string, Fields[]>;
  const usage = {
    attempts: lists.attempts?.map(readAttempt),
    instances: lists.instances?.map(readInstance),
    volumes: lists.volumes?.map(({ on, ...volume }) => ({ region: REGION, instanceId: on, ...volume })),
    fileSystems: lists.fileSystems?.map(readShared),
    clusters: lists.clusters?.map(readShared),
    restores: lists.restores?.map((each) => ({ region: REGION, ...each })),
    requests: lists.requests?.map((each) => ({ region: REGION, ...each })),
  };
  return usageOf(Object.fromEntries(Object.entries(usage).filter(([, list]) => list !== undefined)));
}

const TIMES = new Set(['from', 'to', 'at', 'launchedAt', 'endedAt']);
function readTimes(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => readTimes(each));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([field, each]) => [field, readTimes(each, field)]));
  }
  return TIMES.has(name) ? Date.parse(String(value)) : value;
}

const readMemory = ({ gib, ...fields }: Fields): Fields => ({ ...fields, memoryMib: Number(gib) * 1024 });

function readAttempt({ on, ...fields }: Fields) {
  const host = typeof on === 'string' ? { kind: 'instance', id: on } : { region: REGION, ...readMemory(on as Fields) };
  return attemptOf({ ...readMemory(fields), on: host } as Parameters<typeof attemptOf>[0]);
}

const SIZES: Readonly<Record<string, Fields>> = {
  'm5.xlarge': { vcpus: 4, gib: 16 },
  'm5.2xlarge': { vcpus: 8, gib: 32 },
  'r5.large': { vcpus: 2, gib: 16 },
};

function readInstance({ others = [], ...fields }: Fields): Fields {
  const size = SIZES[String(fields.type)];
  return {
    zone: ZONE,
    region: REGION,
    market: 'on-demand',
    others: (others as Fields[]).map(readMemory),
    ...(size && readMemory(size)),
    ...fields,
  };
}

const readShared = (fields: Fields): Fields => ({ region: REGION, others: [], ...fields });
