/**
 * What is the same of a thing that is priced, whoever prices it: the unit, AWS's service code, a name.
 *
 * @module
 */
import type { PriceKey } from '../../workflows/cost/model.ts';

/** Of a kind of key, its fields. */
export type KeyOf<Kind extends PriceKey['kind']> = Extract<PriceKey, { kind: Kind }>;

/** What a price is per. */
export function unitOf(key: PriceKey): string {
  switch (key.kind) {
    case 'instance':
    case 'spot':
    case 'eks':
      return 'Hrs';
    case 'fargate':
    case 'on-premises':
      return key.of === 'vcpu' ? 'vCPU-Hours' : 'GB-Hours';
    case 'volume':
      return { storage: 'GB-Mo', iops: 'IOPS-Mo', throughput: 'MiBps-Mo' }[key.of];
    case 'lustre':
    case 'copy':
      return 'GB-Mo';
    case 'retrieval':
      return key.of === 'request' ? 'Requests' : 'GB';
    case 's3-request':
      return 'Requests';
    case 'tokens':
      return '1M Tokens';
    case 'speech':
      return '1M Characters';
  }
}

const SERVICES: Readonly<Record<PriceKey['kind'], string>> = {
  instance: 'AmazonEC2',
  spot: 'AmazonEC2',
  volume: 'AmazonEC2',
  fargate: 'AmazonECS',
  lustre: 'AmazonFSx',
  eks: 'AmazonEKS',
  retrieval: 'AmazonS3',
  copy: 'AmazonS3',
  's3-request': 'AmazonS3',
  tokens: 'OpenAI',
  speech: 'AmazonPolly',
  'on-premises': 'on-premises',
};

/** AWS's service code, which volumes share with instances; `OpenAI`. */
export const serviceOf = ({ kind }: PriceKey): string => SERVICES[kind];

/** The same for the same fields, in whatever order they are: `instance/market=on-demand/region=…/type=…`. */
export const nameOf = ({ kind, ...fields }: PriceKey): string =>
  [
    kind,
    ...Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${String(value)}`)
      .toSorted(),
  ].join('/');
