/**
 * Checking a planned launch before anything of it is submitted. The checks are in lib/launch/preflight/, where the
 * command line makes them too.
 *
 * @module
 */
import { heartbeat, log } from '@temporalio/activity';
import { type PreflightDependencies, preflight } from '../../../lib/launch/preflight/index.ts';
import { putJson } from '../../../lib/s3-objects.ts';
import { preflightAddress } from '../../../workflows/launch/places.ts';
import type { Preflight } from '../../../workflows/launch/preflight.ts';
import { plans } from '../plan-reader.ts';

export interface PreflightInput {
  launchId: string;
  attempt: number;
  planAddress: string;
  /** Look for inputs again; without it they are left to planLaunch, which has just done so. */
  inputs?: boolean;
}

export function createPreflightActivities(dependencies: PreflightDependencies) {
  const { bucket } = dependencies.settings;
  return {
    /**
     * Changes nothing, so it can be repeated at any time. What is wrong with the launch is in the findings; only a
     * service that does not answer is an error, and retried.
     */
    async preflightLaunch(input: PreflightInput): Promise<Preflight> {
      const plan = await plans.read(dependencies.s3, input.planAddress);
      const found = await preflight(plan, dependencies, { inputs: input.inputs ?? false, beat: heartbeat });
      // The digests are part of every key; the findings are shown.
      await putJson(dependencies.s3, preflightAddress(bucket, input.launchId, input.attempt), found);
      const errors = found.findings.filter(({ level }) => level === 'error').length;
      log.info('launch checked', { launchId: input.launchId, errors, warnings: found.findings.length - errors });
      return found;
    },
  };
}
