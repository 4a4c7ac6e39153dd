/**
 * Restores against the real S3 stand-in: its clock follows that of the test, so that two days of Glacier pass at once.
 *
 * @module
 */
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RestoreDependencies } from '../../activities/restore/dependencies.ts';
import { createRestoreActivities } from '../../activities/restore/index.ts';
import { LOCAL_PLACE } from '../../infra/local/aws/ports.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { createBatchOperations } from '../../lib/restore/batch-operations.ts';
import type { RestoreItem } from '../../lib/store/restores.ts';
import type { Archive } from '../../workflows/restore/model.ts';
import type { RestorePrices } from '../../workflows/restore/prices.ts';
import { PRICES } from './restore-prices.ts';
import { openStandIns, type StandIns } from './stand-ins.ts';
import type { StoredLog } from './stored-log.ts';

export const BUCKET = 'longhaul';

export interface RestoreWorld extends StandIns {
  activities: ReturnType<typeof createRestoreActivities>;
  dependencies: RestoreDependencies;
  /** What was written to the registry, the latest of each restore. */
  items: Map<string, RestoreItem>;
  /** Puts objects of `bytes` bytes and archives them. */
  archive(keys: readonly string[], archive: Archive, options?: { bytes?: number; bucket?: string }): Promise<void>;
  /** RestoreObject calls of the stand-in's log, with their status. */
  requests(): { subject: string; status: number }[];
}

export interface RestoreWorldOptions {
  env?: TestWorkflowEnvironment;
  versioned?: boolean;
  prices?: RestorePrices;
  /** From so many objects on S3 Batch Operations is used; left out, never. */
  batchFrom?: number;
  /** The logs it tells; without them it tells none. */
  log?: StoredLog;
}

export async function openRestoreWorld(options: RestoreWorldOptions = {}): Promise<RestoreWorld> {
  const standIns = await openStandIns();
  const { s3, kit } = standIns;
  const { clock } = kit;
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  if (options.versioned)
    await s3.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status: 'Enabled' } }));
  const items = new Map<string, RestoreItem>();
  const dependencies: RestoreDependencies = {
    s3,
    restores: {
      async record(item) {
        const known = items.get(item.restore_id);
        if (known && known.created_at === item.created_at && known.sequence >= item.sequence) return false;
        items.set(item.restore_id, { ...known, ...item });
        return true;
      },
    },
    prices: async () => options.prices ?? PRICES,
    settings: { bucket: BUCKET, restorePollSeconds: 0 },
    now: () => clock.now(),
    ...(options.log && { progress: options.log.store }),
    ...(options.batchFrom !== undefined && {
      batchOperations: {
        client: createBatchOperations(standIns.s3control),
        accountId: async () => LOCAL_PLACE.accountId,
        roleArn: `arn:aws:iam::${LOCAL_PLACE.accountId}:role/restores`,
        fromObjects: options.batchFrom,
      },
    }),
  };
  const { env } = options;
  const follow = async () => {
    const ahead = env ? (await env.currentTimeMs()) - clock.now() : 0;
    if (ahead > 0) clock.advance(ahead);
  };
  // Tests before this one may have let years pass.
  await follow();
  const activities = Object.fromEntries(
    Object.entries(createRestoreActivities(dependencies)).map(([name, run]) => [
      name,
      async (input: never) => {
        await follow();
        return run(input);
      },
    ]),
  ) as unknown as ReturnType<typeof createRestoreActivities>;
  return {
    ...standIns,
    activities,
    dependencies,
    items,
    async archive(keys, archive, { bytes = 10, bucket = BUCKET } = {}) {
      const moved = archive === 'ARCHIVE_ACCESS' || archive === 'DEEP_ARCHIVE_ACCESS';
      const StorageClass = moved ? 'INTELLIGENT_TIERING' : archive;
      await mapLimited(keys, 16, (Key) =>
        s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Buffer.alloc(bytes), StorageClass })),
      );
      const act = kit.actions.get('POST archive');
      if (moved) for (const prefix of keys) await act?.({ bucket, prefix, archiveStatus: archive });
    },
    requests: () =>
      kit.calls
        .list({ service: 's3', operation: 'RestoreObject' })
        .map(({ subject, status }) => ({ subject, status: status ?? 0 })),
  };
}
