/**
 * Reading what a comparison of launches needs: costs, steps of every attempt, and what jobs have reported of themselves.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Commit } from '../../jobs/commit.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { type Compared, type Comparison, compareLaunches } from '../../lib/cost/compare.ts';
import { summariseMetrics } from '../../lib/cost/metrics.ts';
import { formatS3Address } from '../../lib/s3-address.ts';
import { listKeys, readJson } from '../../lib/s3-objects.ts';
import type { LaunchStore } from '../../lib/store/launches.ts';
import type { LedgerStore } from '../../lib/store/ledger.ts';
import { rowsOfAttempts, type StepStore } from '../../lib/store/steps.ts';
import { launchState } from '../../workflows/launch/places.ts';
import { pricedLaunch } from './view.ts';

export interface CompareSources {
  s3: S3Client;
  bucket: string;
  launches: Pick<LaunchStore, 'get'>;
  steps: Pick<StepStore, 'ofLaunch'>;
  ledger: Pick<LedgerStore, 'lines'>;
}

/** Of one launch; the commits of more items are not looked at, which is said. */
const COMMITS = 10_000;
const COMMIT_BYTES = 64 * 1024 * 1024;
const READING = 16;

/**
 * @param progress is told how many commits have been read
 * @throws NoCostError of the first that has no cost
 */
export async function readComparison(
  sources: CompareSources,
  launchIds: readonly string[],
  progress?: (commits: number) => void,
): Promise<Comparison> {
  const items = await Promise.all(launchIds.map((launchId) => pricedLaunch(sources.launches, launchId)));
  const notes: string[] = [];
  const compared: Compared[] = [];
  let read = 0;
  for (const item of items) {
    const { launch_id: launchId, attempt } = item;
    const [lines, steps, keys] = await Promise.all([
      sources.ledger.lines(launchId),
      rowsOfAttempts(sources.steps, launchId, attempt),
      commitKeys(sources, launchId),
    ]);
    if (keys.length > COMMITS) notes.push(`figures of ${launchId} are those of ${COMMITS} of its items`);
    const commits = await mapLimited(keys.slice(0, COMMITS), READING, async (key) => {
      const commit = await readCommit(sources, key);
      read += 1;
      progress?.(read);
      return commit;
    });
    compared.push({ item, lines, steps, metrics: summariseMetrics(commits) });
  }
  const comparison = compareLaunches(compared);
  return { ...comparison, notes: [...comparison.notes, ...notes] };
}

async function commitKeys({ s3, bucket }: CompareSources, launchId: string): Promise<string[]> {
  const found: string[] = [];
  for await (const keys of listKeys(s3, `${launchState(bucket, launchId)}commits/`)) {
    found.push(...keys);
    if (found.length > COMMITS) break;
  }
  return found;
}

const readCommit = ({ s3, bucket }: CompareSources, key: string): Promise<Commit> =>
  readJson<Commit>(s3, formatS3Address({ bucket, key }), COMMIT_BYTES);
