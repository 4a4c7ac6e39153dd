/**
 * What services of the ledger are called in FOCUS 1.2, and the FOCUS words for units.
 *
 * @module
 */
import type { LedgerLine } from '../../workflows/cost/model.ts';

export interface FocusService {
  name: string;
  /** Of FOCUS's own lists. */
  category: 'Compute' | 'Storage' | 'AI and Machine Learning' | 'Other';
  subcategory: string;
}

/** EBS has a name of its own: FOCUS wants one category for each service name. */
const EBS: FocusService = { name: 'Amazon Elastic Block Store', category: 'Storage', subcategory: 'Block Storage' };
const SERVICES: Readonly<Record<string, FocusService>> = {
  AmazonEC2: { name: 'Amazon Elastic Compute Cloud', category: 'Compute', subcategory: 'Virtual Machines' },
  AmazonEBS: EBS,
  AmazonFSx: { name: 'Amazon FSx', category: 'Storage', subcategory: 'File Storage' },
  AmazonEFS: { name: 'Amazon Elastic File System', category: 'Storage', subcategory: 'File Storage' },
  AmazonEKS: { name: 'Amazon Elastic Kubernetes Service', category: 'Compute', subcategory: 'Containers' },
  AmazonECS: { name: 'AWS Fargate', category: 'Compute', subcategory: 'Serverless Compute' },
  AmazonS3: { name: 'Amazon Simple Storage Service', category: 'Storage', subcategory: 'Object Storage' },
  AmazonPolly: {
    name: 'Amazon Polly',
    category: 'AI and Machine Learning',
    subcategory: 'Natural Language Processing',
  },
  OpenAI: { name: 'OpenAI API', category: 'AI and Machine Learning', subcategory: 'Generative AI' },
  'on-premises': { name: 'On-premises compute', category: 'Compute', subcategory: 'Other (Compute)' },
};

export const focusService = ({ service, component }: Pick<LedgerLine, 'service' | 'component'>): FocusService =>
  service === 'AmazonEC2' && component === 'volume'
    ? EBS
    : (SERVICES[service] ?? { name: service, category: 'Other', subcategory: 'Other (Other)' });

/** FOCUS writes months, hours and millions out. */
const UNITS: Readonly<Record<string, string>> = {
  Hrs: 'Hours',
  'GB-Mo': 'GB-Months',
  'IOPS-Mo': 'IOPS-Months',
  'MiBps-Mo': 'MiBps-Months',
  '1M Tokens': '1000000 Tokens',
  '1M Characters': '1000000 Characters',
};

export const focusUnit = (unit: string): string => UNITS[unit] ?? unit;
