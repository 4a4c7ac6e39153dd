/**
 * The contract of the cost domain: names, ids, messages, what is used, what it costs. Depends on nothing, so that
 * workflows, activities and clients can all import it.
 *
 * @module
 */

export const WORKFLOW_TYPE = 'cost';
export const ACTIVITY_TASK_QUEUE = 'longhaul-cost';

/** `cost/<launchId>` prices every attempt of the launch, again after each that ends. */
export const workflowIdOf = (launchId: string): string => `cost/${launchId}`;

/** PENDING: an estimate by list prices, actuals are awaited. FINAL: nothing more will change. */
export type CostStatus = 'PENDING' | 'FINAL';

export interface CostInput {
  launchId: string;
}

export interface CostResult {
  launchId: string;
  /** `unchanged`: it had been priced before, or runs again and is priced when it has ended. */
  outcome: 'priced' | 'unchanged';
  cost?: CostSummary;
}

/** An attempt of the launch has ended, and has no cost yet. */
export const LAUNCH_ENDED_SIGNAL = 'launchEnded';
export const PROGRESS_QUERY = 'progress';

export type CostStage = 'COLLECTING' | 'PRICING' | 'SETTLING' | 'AWAITING_ACTUALS' | 'COMPARING' | 'DONE';

/**
 * After a first pricing, instances that still run are looked at once more: AWS Batch ends idle ones within minutes, and
 * what they idled for was the launch's.
 */
export const SETTLE_SECONDS = 15 * 60;

export interface CostProgress {
  launchId: string;
  stage: CostStage;
  cost?: CostSummary;
  /** How many resources could not be priced. */
  unpriced?: number;
}

/**
 * Types of this domain's errors. What each means and what the user does about it stands in docs/errors.md; a test keeps the
 * two equal. Pricing waits, trying again, until rates that cannot be used have been corrected; a launch fails of them.
 */
export const ERROR_TYPES = ['LaunchNotFoundError', 'InvalidRatesError'] as const;

/** Of which of the item's strings a line is a part. */
export const LAUNCH_COMPONENTS = ['instance', 'volume', 'filesystem', 'control_plane', 'restore', 'request'] as const;
export type LaunchComponent = (typeof LAUNCH_COMPONENTS)[number];
/** What lines of a story are for. */
export const STORY_COMPONENTS = ['text', 'image', 'audio'] as const;
export const COMPONENTS = [...LAUNCH_COMPONENTS, ...STORY_COMPONENTS] as const;
export type Component = (typeof COMPONENTS)[number];

/**
 * What the money was spent for. `use`: a job's own share of a resource. `packing`: what nobody had reserved of it while
 * jobs ran. `idle`: no job ran on it.
 */
export const PURPOSES = ['use', 'packing', 'idle'] as const;
export type Purpose = (typeof PURPOSES)[number];

/** How an attempt of a job ended: everything but `done` is lost money. */
export const OUTCOMES = ['done', 'failed', 'host-lost', 'superseded', 'cancelled'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** How capacity is bought. `on-premises`: priced by the user's own rates. */
export type Market = 'on-demand' | 'spot' | 'on-premises';

/** From (included) to (excluded), epoch ms. */
export interface Interval {
  from: number;
  to: number;
}

/** One attempt of one job, or child of an array, of whatever attempt of the launch. */
export interface JobAttempt extends Interval {
  /** Of the launch. */
  attempt: number;
  step: string;
  item: string;
  jobId: string;
  /** The compute service's own, from 1. */
  jobAttempt: number;
  outcome: Outcome;
  /** `bound`: nobody has said when it ended; it ended by then. */
  endKnownBy: 'service' | 'commit' | 'bound';
  /** What it reserves: integers. */
  vcpus: number;
  memoryMib: number;
  /** Bytes it copied before it ran; known of those that committed. */
  inputBytes?: number;
  on: Host;
}

/** What a job ran on. */
export type Host =
  | { kind: 'instance'; id: string }
  /** What the task is billed for, which may be more than the job reserves. */
  | {
      kind: 'fargate';
      vcpus: number;
      memoryMib: number;
      architecture: 'x86_64' | 'arm64';
      spot: boolean;
      region: string;
      zone?: string;
    }
  | { kind: 'on-premises'; cluster: string }
  | { kind: 'unknown'; reason: string };

/** An instance jobs of the launch ran on. Its interval is as far as it is known. */
export interface Instance {
  id: string;
  type: string;
  zone: string;
  region: string;
  market: Market;
  /** What it has: absent where nobody knows the type. */
  vcpus?: number;
  memoryMib?: number;
  /** Epoch ms; absent: not before its first job. */
  launchedAt?: number;
  /** Epoch ms; absent: it runs on, or nobody knows: what comes after its last job is not this launch's. */
  endedAt?: number;
  autoScalingGroup?: string;
  /** `x86_64`, `arm64`. */
  architecture?: string;
  /** Bought beforehand, as far as AWS or the rates say so: priced at list price, and marked. */
  commitment?: 'reserved' | 'savings-plan' | 'capacity-block';
  /** What jobs of other launches held of it, as far as it is known. */
  others: readonly Occupancy[];
}

/** A share of an instance, held by a job of another launch. */
export interface Occupancy extends Interval {
  launchId: string;
  vcpus: number;
  memoryMib: number;
}

export interface Volume extends Interval {
  id: string;
  /** Shared out as its instance is; what lies outside the instance's interval is idle. */
  instanceId: string;
  /** `gp3`, `io2`, … */
  type: string;
  gib: number;
  /** Provisioned. */
  iops?: number;
  /** MiB/s, provisioned. */
  throughput?: number;
  region: string;
  /** Nobody could be asked: type and size are what such instances get by default. */
  assumed?: boolean;
}

/** `whole`: all of it for the launch's time. `pro-rata`: split evenly among the launches that use it at each moment. */
export type Sharing = 'whole' | 'pro-rata';

/** A file system or a cluster that is there for several launches. */
interface SharedResource {
  id: string;
  region: string;
  sharing: Sharing;
  /** When this launch used it. */
  used: readonly Interval[];
  /** When others did, one entry a launch and attempt. */
  others: readonly (Interval & { launchId: string })[];
}

export interface FileSystem extends SharedResource {
  /** FSx for Lustre's own words: `PERSISTENT_2`, `SCRATCH_2`, … and `SSD`, `HDD`. */
  deploymentType: string;
  storageType: string;
  gib: number;
  /** MB/s per TiB, where the deployment type has it. */
  throughputPerUnit?: number;
}

/** An EKS control plane. */
export interface Cluster extends SharedResource {
  version?: string;
  support: 'standard' | 'extended';
}

/** What a restore asked for, by archive and tier. */
export interface RestoreUsage {
  archive: string;
  tier: string;
  requests: number;
  /** Bytes retrieved. */
  bytes: number;
  /** When it was asked for, epoch ms. */
  at: number;
  region: string;
  /** Temporary copies in S3 Standard, which live from when they are readable until they expire; absent where none are made. */
  copies?: Interval & { bytes: number };
}

/** Requests of jobs to S3. `put`: PUT, COPY, POST, LIST; `get`: GET and all others. */
export interface RequestUsage {
  step: string;
  region: string;
  put: number;
  get: number;
  /** When the last was made, epoch ms. */
  at: number;
}

/** Everything that was used by all attempts of a launch. Facts only, no money. */
export interface Usage {
  launchId: string;
  attempts: readonly JobAttempt[];
  instances: readonly Instance[];
  volumes: readonly Volume[];
  fileSystems: readonly FileSystem[];
  clusters: readonly Cluster[];
  restores: readonly RestoreUsage[];
  requests: readonly RequestUsage[];
  /** What is known to have been used, but not how much of it. */
  unknown: readonly Unpriced[];
}

/** What could not be priced: never silently zero. */
export interface Unpriced {
  resource: string;
  component: Component;
  reason: string;
  /** Names the remedy. */
  remedy: string;
}

/**
 * What a price is asked for: one for each thing that is billed. `unit` is what the price is per; of months it is AWS's own
 * month: the hours of the calendar month (UTC) the use falls into.
 */
export type PriceKey =
  | { kind: 'instance'; region: string; type: string; market: 'on-demand' }
  /** Of one zone. */
  | { kind: 'spot'; region: string; zone: string; type: string }
  | { kind: 'fargate'; region: string; architecture: 'x86_64' | 'arm64'; of: 'vcpu' | 'gb'; spot: boolean }
  | { kind: 'on-premises'; cluster: string; of: 'vcpu' | 'gb' }
  | { kind: 'volume'; region: string; type: string; of: 'storage' | 'iops' | 'throughput' }
  | { kind: 'lustre'; region: string; deploymentType: string; storageType: string; throughputPerUnit?: number }
  | { kind: 'eks'; region: string; support: 'standard' | 'extended' }
  | { kind: 'retrieval'; region: string; archive: string; tier: string; of: 'request' | 'gb' }
  | { kind: 'copy'; region: string }
  | { kind: 's3-request'; region: string; of: 'put' | 'get' }
  /** Of OpenAI, by the model; `image-output`: tokens of the pictures it draws. */
  | { kind: 'tokens'; model: string; of: 'input' | 'cached-input' | 'output' | 'image-output' }
  /** Characters that Polly speaks, or marks; by engine. */
  | { kind: 'speech'; region: string; engine: string };

/** A price that holds for a time. What changes at a moment, as spot prices do, is a list of these without gaps. */
export interface PriceSpan extends Interval {
  /** Of the first tier, unless `tiers` has more. A decimal number, as its source writes it. */
  perUnit: string;
  /** `Hrs`, `GB-Mo`, `IOPS-Mo`, `MiBps-Mo`, `vCPU-Hours`, `GB-Hours`, `Requests`, `GB`, `1M Tokens`, `1M Characters`. */
  unit: string;
  /** ISO 4217. */
  currency: string;
  /**
   * Where quantities have price tiers: from so many units a month, this price; of IOPS from so many that a volume has.
   * The lowest begins at 0.
   */
  tiers?: readonly { from: string; perUnit: string }[];
  sku?: string;
  /** ISO 8601: as of when the source says so. */
  pricesAt: string;
  source: 'price-list' | 'spot-history' | 'rates';
  /** What a reader has to know: `savings-plan` (at list price), `discount 7.5 %`, `assumed`, … */
  marks?: readonly string[];
}

/** What is known of one price over an interval. */
export type Price = { spans: readonly PriceSpan[] } | { unpriced: { reason: string; remedy: string } };

/** One line of the ledger: a resource over an interval that lies within one day (UTC) and one price. */
export interface LedgerLine {
  /** Made of what the line is about: a repetition makes the same. */
  line: string;
  component: Component;
  purpose: Purpose;
  /** Absent for what no step alone has used. Of a story its stage: `text-1`, `audio`, … */
  step?: string;
  /** Of `use` by jobs. */
  outcome?: Outcome;
  /**
   * Id of the instance, volume, file system, cluster; the archive of restores; the bucket's Region of requests; the model
   * of tokens, the engine of speech.
   */
  resource: string;
  /** `m5.xlarge`, `gp3`, `PERSISTENT_2 SSD 125`, `GLACIER Bulk`, `cached input tokens`, … */
  resourceType: string;
  market?: Market;
  /** `on-premises`; `global` where there are none. */
  region: string;
  zone?: string;
  /**
   * AWS's service code: `AmazonEC2`, `AmazonEBS` is part of it, `AmazonFSx`, `AmazonEKS`, `AmazonECS`, `AmazonS3`,
   * `AmazonPolly`; `OpenAI`; `on-premises`.
   */
  service: string;
  /** ISO 8601. */
  from: string;
  to: string;
  /** Units of the price that were used; a decimal number. */
  quantity: string;
  unit: string;
  unitPrice: string;
  currency: string;
  /** Unrounded: quantity times price, to 30 decimal places. */
  amount: string;
  sku?: string;
  pricesAt: string;
  source: PriceSpan['source'];
  marks?: readonly string[];
}

/** What is written into the launch's item: strings of one currency that add up exactly. */
export interface CostSummary {
  total_cost: string;
  instance_cost: string;
  volume_cost: string;
  filesystem_cost: string;
  /** Absent where there is nothing of the kind. */
  control_plane_cost?: string;
  restore_cost?: string;
  request_cost?: string;
  currency: string;
}

/** The strings of a summary, the total first. */
export const COST_STRINGS = [
  'total_cost',
  ...LAUNCH_COMPONENTS.map((component) => `${component}_cost` as const),
] as const;

/** Seconds in each status, of all attempts. */
export type Durations = Readonly<Record<string, number>>;
