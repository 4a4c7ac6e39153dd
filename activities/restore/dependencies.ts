/**
 * What the restore activities need from outside; the worker puts it together, tests may put in others.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { ProgressWriter } from '../../lib/progress/log.ts';
import type { BatchOperations } from '../../lib/restore/batch-operations.ts';
import type { Settings } from '../../lib/settings.ts';
import type { RestoreStore } from '../../lib/store/restores.ts';
import type { RestorePrices } from '../../workflows/restore/prices.ts';

export interface RestoreDependencies {
  s3: S3Client;
  restores: Pick<RestoreStore, 'record'>;
  /** Of the Region this works in. */
  prices(): Promise<RestorePrices>;
  settings: Pick<Settings, 'bucket' | 'restorePollSeconds'>;
  /** The logs watchers read; without them a restore tells none. */
  progress?: ProgressWriter;
  /** Absent: every object is asked for by a request of its own. */
  batchOperations?: {
    client: BatchOperations;
    accountId(): Promise<string>;
    roleArn: string;
    /** Restores of fewer objects are asked for one by one. */
    fromObjects: number;
  };
  /** Epoch ms, by S3's clock. */
  now?(): number;
}
