/**
 * What is wrong in a file of own rates: by the schema, and by what a schema cannot say.
 *
 * @module
 */
import type { ErrorObject } from 'ajv/dist/2020.js';
import { isMap, isNode, LineCounter, parseDocument } from 'yaml';
import type { PriceKey, Sharing } from '../../workflows/cost/model.ts';
import { schemaCheck } from '../../workflows/kit/schema.ts';
import schema from './rates.schema.json' with { type: 'json' };
import { type Commitment, InvalidRatesError } from './rates.ts';

type Amount = string | number;

/** As the schema has it. */
export interface RatesFile {
  date?: string;
  currency?: string;
  rates?: (Readonly<Record<string, Amount | boolean>> & {
    kind: PriceKey['kind'];
    perUnit: Amount;
    currency?: string;
    from?: string;
    to?: string;
  })[];
  discounts?: { service: string; region?: string; family?: string; percent: Amount }[];
  onPremises?: { cluster: string; perVcpuHour: Amount; perGbHour: Amount; currency?: string }[];
  commitments?: Commitment[];
  exchange?: { from: string; to: string; rate: Amount; date: string }[];
  sharing?: { fileSystems?: Sharing; clusters?: Sharing };
  budgets?: Record<string, Amount>;
}

type Path = readonly (string | number)[];
type Report = (path: Path, message: string) => void;

const check = schemaCheck<RatesFile>(schema, { allErrors: true, allowUnionTypes: true, verbose: true });

/** @throws InvalidRatesError */
export function checkRates(text: string, file: string): RatesFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const problems: { line: number; text: string }[] = [];
  const report: Report = (path, message) => {
    const line = lineOf(path);
    problems.push({ line, text: `${file}:${line}: ${path.length > 0 ? `${path.join('.')}: ` : ''}${message}` });
  };
  /** Of the deepest part of the path that is there. */
  const lineOf = (path: Path): number => {
    for (let length = path.length; length > 0; length -= 1) {
      const parent = document.getIn(path.slice(0, length - 1), true);
      const key = path[length - 1];
      const pair = isMap(parent) ? parent.items.find((item) => String(item.key) === String(key)) : undefined;
      const node = isNode(pair?.key) ? pair.key : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  const done = () => new InvalidRatesError(problems.toSorted((a, b) => a.line - b.line).map((problem) => problem.text));

  const [error] = document.errors;
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    throw new InvalidRatesError([`${file}:${line}: not valid YAML or JSON: ${error.message}; correct it`]);
  }
  if (!isMap(document.contents)) {
    report([], 'expected a mapping, such as "currency: USD"; see docs/cost-rates.md');
    throw done();
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  const validate = check();
  if (!validate(value)) {
    for (const one of validate.errors ?? []) report(...explain(one));
    throw done();
  }
  checkMeaning(value, report);
  if (problems.length > 0) throw done();
  return value;
}

function explain(error: ErrorObject): [Path, string] {
  const path: Path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const got = JSON.stringify(error.data)?.slice(0, 60);
  const { params, parentSchema } = error;
  const expected = (parentSchema?.description as string | undefined) ?? `${error.message?.replace(/^must /, 'to ')}`;
  switch (error.keyword) {
    case 'required':
      return [path, `${String(params.missingProperty)} is missing; add it`];
    case 'additionalProperties': {
      const known = Object.keys((parentSchema?.properties as object | undefined) ?? {}).join(', ');
      return [[...path, String(params.additionalProperty)], `unknown field; take it out, or use one of ${known}`];
    }
    case 'enum':
      return [path, `got ${got}; use one of ${(params.allowedValues as unknown[]).join(', ')}`];
    default:
      return [path, `got ${got}; expected ${expected}`];
  }
}

/** Which fields narrow down what a kind of price is for. A rate with another one would never apply. */
const FIELDS: Readonly<Record<string, { needed: readonly string[]; possible: readonly string[] }>> = {
  instance: { needed: ['type'], possible: ['region'] },
  spot: { needed: ['type'], possible: ['region', 'zone'] },
  fargate: { needed: ['of'], possible: ['region', 'architecture', 'spot'] },
  volume: { needed: ['type', 'of'], possible: ['region'] },
  lustre: { needed: ['deploymentType'], possible: ['region', 'storageType', 'throughputPerUnit'] },
  eks: { needed: [], possible: ['region', 'support'] },
  retrieval: { needed: ['archive', 'tier', 'of'], possible: ['region'] },
  copy: { needed: [], possible: ['region'] },
  's3-request': { needed: ['of'], possible: ['region'] },
  tokens: { needed: ['model', 'of'], possible: [] },
  speech: { needed: ['engine'], possible: ['region'] },
};
const PARTS: Readonly<Record<string, readonly string[]>> = {
  fargate: ['vcpu', 'gb'],
  volume: ['storage', 'iops', 'throughput'],
  retrieval: ['request', 'gb'],
  's3-request': ['put', 'get'],
  tokens: ['input', 'cached-input', 'output', 'image-output'],
};
const ALWAYS = ['kind', 'perUnit', 'currency', 'from', 'to'];

function checkMeaning(file: RatesFile, report: Report): void {
  const checkDate = (path: Path, date: string | undefined) => {
    const at = date === undefined ? 0 : Date.parse(date);
    if (Number.isNaN(at) || (date !== undefined && new Date(at).toISOString().slice(0, 10) !== date)) {
      report(path, `there is no day ${date}; correct it`);
    }
  };
  checkDate(['date'], file.date);
  file.rates?.forEach((rate, index) => {
    const at: Path = ['rates', index];
    const { kind, from, to } = rate;
    const { needed, possible } = FIELDS[kind] ?? { needed: [], possible: [] };
    for (const name of needed) if (rate[name] === undefined) report(at, `a rate of kind ${kind} needs ${name}; add it`);
    for (const name of Object.keys(rate)) {
      if (![...ALWAYS, ...needed, ...possible].includes(name)) {
        report([...at, name], `a rate of kind ${kind} has no ${name}; take it out`);
      }
    }
    const parts = PARTS[kind];
    if (parts && typeof rate.of === 'string' && !parts.includes(rate.of)) {
      report([...at, 'of'], `got "${rate.of}"; of kind ${kind} use one of ${parts.join(', ')}`);
    }
    checkDate([...at, 'from'], from);
    checkDate([...at, 'to'], to);
    if (from !== undefined && to !== undefined && from >= to) {
      report([...at, 'to'], `${to} is not after ${from}; to is the first day it no longer holds`);
    }
  });
  file.discounts?.forEach(({ service, family }, index) => {
    if (family !== undefined && service !== 'AmazonEC2') {
      report(['discounts', index, 'family'], `${service} has no instance families; take it out`);
    }
  });
  const clusters = file.onPremises?.map(({ cluster }) => cluster) ?? [];
  clusters.forEach((cluster, index) => {
    if (clusters.indexOf(cluster) !== index) report(['onPremises', index], `${cluster} stands here twice; keep one`);
  });
  file.commitments?.forEach(({ families, types, regions }, index) => {
    if (!families && !types && !regions) {
      report(['commitments', index], 'says nothing of what it covers; add families, types or regions');
    }
  });
  file.exchange?.forEach(({ from, to, date }, index) => {
    if (from === to) report(['exchange', index], `${from} to itself; use two currencies`);
    checkDate(['exchange', index, 'date'], date);
  });
}
