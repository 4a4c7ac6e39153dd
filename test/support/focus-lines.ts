/** Lines of a ledger of every kind, for tests of reports: of one launch on AWS, one on premises, and a story. */
import type { FocusEntry } from '../../lib/cost/focus.ts';
import type { LedgerLine } from '../../workflows/cost/model.ts';

export const ACCOUNT = { id: '123456789012', name: 'Genomics' };

type Parts = { [Name in keyof LedgerLine]?: LedgerLine[Name] | undefined };

/** Amount and quantity as the ledger has them: to 30 decimal places. What is undefined is left out. */
export const lineOf = (parts: Parts = {}): LedgerLine =>
  Object.fromEntries(Object.entries({ ...LINE, ...parts }).filter(([, value]) => value !== undefined)) as never;

const LINE: LedgerLine = {
  line: '2026-11-26#instance#0',
  component: 'instance',
  purpose: 'use',
  step: 'align',
  outcome: 'done',
  resource: 'i-0a1b2c3d4e5f67890',
  resourceType: 'm5.xlarge',
  market: 'on-demand',
  region: 'us-east-1',
  zone: 'us-east-1a',
  service: 'AmazonEC2',
  from: '2026-11-26T08:00:00.250Z',
  to: '2026-11-26T09:00:00.250Z',
  quantity: '1',
  unit: 'Hrs',
  unitPrice: '0.192',
  currency: 'USD',
  amount: '0.192',
  sku: 'VHC3YWSZ6ZFZPJN4',
  pricesAt: '2026-11-01T00:00:00Z',
  source: 'price-list',
};

const storage = { step: undefined, outcome: undefined, market: undefined, sku: 'HY3BZPP2B6K8MSJF' } as const;

const onAws: LedgerLine[] = [
  lineOf({ quantity: '0.333333333333333333333333333333', amount: '0.064' }),
  lineOf({ line: '2', quantity: '0.25', amount: '0.048', outcome: 'failed' }),
  lineOf({ line: '3', quantity: '0.25', amount: '0.048', purpose: 'packing', step: undefined, outcome: undefined }),
  lineOf({
    line: '4',
    quantity: '0.166666666666666666666666666667',
    amount: '0.032',
    purpose: 'idle',
    step: undefined,
    outcome: undefined,
  }),
  lineOf({
    line: '5',
    resource: 'i-spot',
    market: 'spot',
    unitPrice: '0.0719',
    amount: '0.0719',
    source: 'spot-history',
    sku: undefined,
    from: '2026-10-31T23:00:00.000Z',
    to: '2026-11-01T00:00:00.000Z',
  }),
  lineOf({ line: '6', resource: 'i-ours', unitPrice: '0.1776', amount: '0.1776', marks: ['discount 7.5 %'] }),
  lineOf({
    ...storage,
    line: '7',
    component: 'volume',
    purpose: 'idle',
    resource: 'vol-1',
    resourceType: 'gp3',
    unit: 'GB-Mo',
    quantity: '0.138888888888888888888888888889',
    unitPrice: '0.08',
    amount: '0.011111111111111111111111111111',
  }),
  lineOf({
    ...storage,
    line: '8',
    component: 'volume',
    resource: 'vol-1',
    resourceType: 'gp3',
    unit: 'MiBps-Mo',
    quantity: '0.5',
    unitPrice: '0.04',
    amount: '0.02',
  }),
  lineOf({
    ...storage,
    line: '9',
    component: 'filesystem',
    resource: 'fs-0123456789abcdef0',
    resourceType: 'PERSISTENT_2 SSD 125',
    service: 'AmazonFSx',
    unit: 'GB-Mo',
    quantity: '1.666666666666666666666666666667',
    unitPrice: '0.145',
    amount: '0.241666666666666666666666666667',
    zone: undefined,
  }),
  lineOf({
    ...storage,
    line: '10',
    component: 'restore',
    resource: 'GLACIER',
    resourceType: 'GLACIER Bulk',
    service: 'AmazonS3',
    unit: 'Requests',
    quantity: '1000',
    unitPrice: '0.000025',
    amount: '0.025',
    to: '2026-11-26T08:00:00.250Z',
    zone: undefined,
  }),
  lineOf({
    ...storage,
    line: '11',
    component: 'control_plane',
    resource: 'genomics',
    resourceType: 'standard',
    service: 'AmazonEKS',
    unitPrice: '0.1',
    amount: '0.1',
    zone: undefined,
  }),
  lineOf({
    line: '12',
    resource: 'job-1',
    resourceType: 'fargate',
    service: 'AmazonECS',
    unit: 'vCPU-Hours',
    unitPrice: '0.04048',
    amount: '0.04048',
  }),
];

const onPremises: LedgerLine[] = ['vCPU-Hours', 'GB-Hours'].map((unit, place) =>
  lineOf({
    line: `p${place}`,
    resource: '=cmd|calc',
    resourceType: 'on-premises',
    market: 'on-premises',
    region: 'on-premises',
    zone: undefined,
    service: 'on-premises',
    unit,
    quantity: '4',
    unitPrice: '0.0125',
    amount: '0.05',
    currency: 'EUR',
    sku: undefined,
    source: 'rates',
    marks: ['own rate'],
  }),
);

const once = { market: undefined, zone: undefined, sku: undefined, to: '2026-11-26T08:00:00.250Z' } as const;

const ofStory: LedgerLine[] = [
  lineOf({
    ...once,
    line: 's1',
    component: 'text',
    step: 'text-1',
    outcome: 'failed',
    resource: 'gpt-5-mini',
    resourceType: 'output tokens',
    region: 'global',
    service: 'OpenAI',
    unit: '1M Tokens',
    quantity: '0.002048',
    unitPrice: '2',
    amount: '0.004096',
  }),
  lineOf({
    ...once,
    line: 's2',
    component: 'image',
    step: 'image-1',
    resource: 'gpt-image-2',
    resourceType: 'image output tokens',
    region: 'global',
    service: 'OpenAI',
    unit: '1M Tokens',
    quantity: '0.001756',
    unitPrice: '27',
    amount: '0.047412',
    marks: ['discount 10 %'],
  }),
  lineOf({
    ...once,
    line: 's3',
    component: 'audio',
    step: 'audio',
    resource: 'neural',
    resourceType: 'neural speech',
    service: 'AmazonPolly',
    unit: '1M Characters',
    quantity: '0.0024',
    unitPrice: '16',
    amount: '0.0384',
    sku: 'STANDIN0000000',
  }),
];

export const ENTRIES: FocusEntry[] = [
  { launch: { launchId: 'run-1', consumer: 'lab-a', workflowType: 'steps', computeService: 'batch' }, lines: onAws },
  {
    launch: { launchId: 'run-2', consumer: '@lab-b', workflowType: 'steps', computeService: 'slurm' },
    lines: onPremises,
  },
  {
    launch: {
      launchId: 'story/fox-family/2026-11-26',
      consumer: 'fox-family',
      workflowType: 'story',
      computeService: 'openai+polly',
    },
    lines: ofStory,
  },
];
