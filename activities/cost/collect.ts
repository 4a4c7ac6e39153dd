/**
 * Collecting what a launch has used, over all of its attempts. Facts only; they are kept in S3, where the same collection
 * some time later finds what nobody else remembers.
 *
 * @module
 */
import { log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { putUsage, readUsage, usageAddress } from '../../lib/cost/files.ts';
import { UnreadableObjectError } from '../../lib/s3-objects.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { RequestUsage, Usage } from '../../workflows/cost/model.ts';
import { isEnded } from '../../workflows/launch/model.ts';
import type { CostDependencies } from './dependencies.ts';
import { findInstances } from './instances.ts';
import { type FoundAttempts, findAttempts } from './job-attempts.ts';
import { findRestores } from './restores.ts';
import { findShared } from './shared.ts';

export interface Collected {
  /** Of the launch: the last that is covered. */
  attempt: number;
  usageAddress: string;
  /** Instances it used still run, so a later collection knows their idle time. */
  live: boolean;
  /** Where there is a log of progress: whose it is. */
  progress?: { consumer?: string };
}

export function createCollectActivities(dependencies: CostDependencies) {
  const { s3, launches, settings } = dependencies;
  return {
    /**
     * @returns undefined when the launch has been priced and nobody asks again, or runs: its end is told of
     * @throws LaunchNotFoundError
     */
    async collectUsage({ launchId, again }: { launchId: string; again: boolean }): Promise<Collected | undefined> {
      const item = await launches.get(launchId);
      if (!item) {
        const why = `there is no launch ${launchId}: "longhaul launch list" shows those there are`;
        throw ApplicationFailure.nonRetryable(why, 'LaunchNotFoundError');
      }
      if (!isEnded(item.status) || (item.total_cost !== undefined && !again)) return undefined;
      const { usage, live } = await collect(item);
      const address = usageAddress(settings.bucket, launchId, item.attempt);
      await putUsage(s3, address, usage);
      log.info('usage collected', {
        launchId,
        attempts: usage.attempts.length,
        instances: usage.instances.length,
        unknown: usage.unknown.length,
      });
      return {
        attempt: item.attempt,
        usageAddress: address,
        live,
        ...(dependencies.progress && { progress: item.consumer === undefined ? {} : { consumer: item.consumer } }),
      };
    },
  };

  async function collect(item: LaunchItem): Promise<{ usage: Usage; live: boolean }> {
    const { launch_id: launchId } = item;
    const found = await findAttempts(dependencies, item, endOf(item));
    const earlier = await earlierUsage(item);
    const [{ live, ...hosts }, shared, restored] = await Promise.all([
      findInstances(dependencies, launchId, found, earlier),
      findShared(dependencies, item, { ...found, sharing: await dependencies.sharing() }),
      findRestores(dependencies, launchId, item.attempt),
    ]);
    const usage: Usage = {
      launchId,
      attempts: found.attempts,
      ...hosts,
      fileSystems: shared.fileSystems,
      clusters: shared.clusters,
      restores: restored.restores,
      requests: await requestsOf(found),
      unknown: [...found.unknown, ...shared.unknown, ...restored.unknown],
    };
    return { usage, live };
  }

  /** The newest that is there: of this attempt, or of one before. */
  async function earlierUsage({
    launch_id: launchId,
    attempt,
  }: LaunchItem): Promise<Pick<Usage, 'instances' | 'volumes'>> {
    for (let number = attempt; number > 0; number -= 1) {
      try {
        return await readUsage(s3, usageAddress(settings.bucket, launchId, number));
      } catch (error) {
        if (!(error instanceof UnreadableObjectError)) throw error;
      }
    }
    return { instances: [], volumes: [] };
  }

  async function requestsOf({ usage }: FoundAttempts): Promise<RequestUsage[]> {
    const region = await dependencies.region();
    return [...usage].map(([step, { put, get, at }]) => ({ step, region, put, get, at }));
  }
}

/** Epoch ms. */
function endOf({ status, statuses, launch_id: launchId }: LaunchItem): number {
  const end = Date.parse(statuses[status] ?? '');
  if (Number.isNaN(end)) throw new Error(`launch ${launchId} is ${status}, but not since when`);
  return end;
}
