/**
 * Asking for everything by jobs of S3 Batch Operations, instead of one request an object.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { ApplicationFailure, cancellationDetails, log, sleep } from '@temporalio/activity';
import { type ManifestGroup, manifestGroups, putManifest } from '../../lib/restore/batch-manifests.ts';
import type { BatchOperations } from '../../lib/restore/batch-operations.ts';
import { readIndex } from '../../lib/restore/index-files.ts';
import type { RestorePlan } from '../../workflows/restore/model.ts';
import { beat } from './beat.ts';
import type { RestoreDependencies } from './dependencies.ts';

export interface BatchInput extends Pick<RestorePlan, 'tiers' | 'days'> {
  place: string;
  restoreId: string;
}

/** Between two looks at the jobs, ms. */
const PAUSE = { first: 500, longest: 30_000 } as const;
/** A pause is taken in parts, so that a cancellation is heard of in it. */
const BEAT_EVERY_MS = 3_000;
const ENDED: readonly string[] = ['Complete', 'Failed', 'Cancelled'];
/** S3 takes no longer one. */
const LONGEST_TOKEN = 64;
const PASSES = ['TooManyRequestsException', 'SlowDown', 'RequestTimeout', 'RequestTimeTooSkewed', 'ExpiredToken'];

interface Job {
  id: string;
  group: ManifestGroup;
}

export function createBatchJobActivities({ s3, batchOperations }: RestoreDependencies) {
  return {
    /**
     * Waits until S3 has been asked for everything, which is long before it can be read. What a job has refused or left, and
     * what has the tier Expedited, is found archived by the next look and asked for then. Safe to repeat: the same manifest
     * makes the same job.
     */
    async requestByBatchOperations({ place, restoreId, tiers, days }: BatchInput): Promise<{ requested: number }> {
      if (!batchOperations)
        throw ApplicationFailure.nonRetryable(
          'this worker has no role for S3 Batch Operations: set LONGHAUL_RESTORE_BATCH_ROLE for all of them, or for none',
          'InvalidRestoreError',
        );
      const { client, roleArn } = batchOperations;
      const index = await readIndex(s3, place);
      if (!index?.complete) throw new Error(`there is no whole index at ${place}`);
      const accountId = await batchOperations.accountId();
      const jobs: Job[] = [];
      try {
        for (const group of await manifestGroups(s3, place, index, tiers, beat)) {
          const address = `${place}batch/${group.name}.csv`;
          const etag = await putManifest(s3, { place, address, index }, group, beat);
          beat();
          const id = await create(client, group, {
            accountId,
            roleArn,
            manifest: { address, etag, versioned: group.versioned },
            tier: group.tier,
            ...(group.days && { days }),
            report: `${place}batch/`,
            token: createHash('sha256').update(address).digest('hex').slice(0, LONGEST_TOKEN),
            description: `Longhaul restore ${restoreId}: ${group.objects} objects of ${group.archive}`,
          });
          if (id !== undefined) jobs.push({ id, group });
        }
        return { requested: await ends(client, accountId, jobs) };
      } catch (error) {
        // Not when this worker ends: the next try goes on with the same jobs.
        if (cancellationDetails()?.cancelRequested)
          await Promise.allSettled(jobs.map(({ id }) => client.cancel(accountId, id)));
        throw error;
      }
    },
  };
}

/** @returns undefined where S3 refuses the job as it is: then its objects are asked for one by one */
async function create(
  client: BatchOperations,
  group: ManifestGroup,
  options: Parameters<BatchOperations['createRestoreJob']>[0],
): Promise<string | undefined> {
  try {
    const id = await client.createRestoreJob(options);
    log.info('a job of S3 Batch Operations restores', { jobId: id, name: group.name, objects: group.objects });
    return id;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const reason = `${(error as Error).name}: ${(error as Error).message}`;
    log.warn('S3 Batch Operations takes no such job: its objects are asked for one by one', {
      name: group.name,
      objects: group.objects,
      reason,
    });
    return undefined;
  }
}

function isRefusal(error: unknown): boolean {
  const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500 && status !== 408 && status !== 429 && !PASSES.includes(name);
}

/** @returns how many objects were asked for, once all jobs have ended */
async function ends(client: BatchOperations, accountId: string, jobs: readonly Job[]): Promise<number> {
  let open = [...jobs];
  let requested = 0;
  for (let pause: number = PAUSE.first; open.length > 0; pause = Math.min(pause * 2, PAUSE.longest)) {
    await pauseFor(pause);
    const left: Job[] = [];
    for (const job of open) {
      beat();
      const { status, succeeded, failed, total, reasons } = await client.describe(accountId, job.id);
      if (!ENDED.includes(status)) {
        left.push(job);
        continue;
      }
      requested += succeeded;
      const facts = { jobId: job.id, name: job.group.name, total, succeeded, failed };
      if (status === 'Complete' && failed === 0) log.info('a job of S3 Batch Operations has asked for all', facts);
      else
        log.warn('a job of S3 Batch Operations has not asked for all: the rest is asked for one by one', {
          ...facts,
          status,
          reasons,
        });
    }
    open = left;
  }
  return requested;
}

async function pauseFor(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= BEAT_EVERY_MS) {
    beat();
    await sleep(Math.min(left, BEAT_EVERY_MS));
  }
}
