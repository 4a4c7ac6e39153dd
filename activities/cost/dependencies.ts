/**
 * What the activities of the cost domain need.
 *
 * @module
 */
import type { CostExplorerClient } from '@aws-sdk/client-cost-explorer';
import type { S3Client } from '@aws-sdk/client-s3';
import type { PriceBook } from '../../lib/prices/price-book.ts';
import type { Rates } from '../../lib/prices/rates.ts';
import type { ProgressReader, ProgressWriter } from '../../lib/progress/log.ts';
import type { Settings } from '../../lib/settings.ts';
import type { LaunchStore } from '../../lib/store/launches.ts';
import type { LedgerStore } from '../../lib/store/ledger.ts';
import type { RestoreStore } from '../../lib/store/restores.ts';
import type { StepStore } from '../../lib/store/steps.ts';
import type { ComputeService } from '../launch/compute/service.ts';
import type { ResourceReader } from './resources.ts';

export interface CostDependencies {
  s3: S3Client;
  launches: LaunchStore;
  steps: StepStore;
  restores: Pick<RestoreStore, 'get'>;
  ledger: LedgerStore;
  compute: ReadonlyMap<string, Pick<ComputeService, 'attempts'>>;
  resources: ResourceReader;
  prices: PriceBook;
  settings: Pick<Settings, 'bucket' | 'slurmCluster' | 'eksCluster' | 'costActualsHours'>;
  /** The Region the platform itself is in. */
  region(): Promise<string>;
  /** How file systems and clusters are shared out, by the rates. */
  sharing(): Promise<Rates['sharing']>;
  /** The logs watchers read; without them nobody is told of costs. */
  progress?: ProgressWriter & Pick<ProgressReader, 'head'>;
  /** Absent where the settings name no bill. */
  bill?: CostExplorerClient;
  now?(): number;
}
