/**
 * From the sheet in S3 to the plan in S3: read, check, look for every input, plan.
 *
 * @module
 */
import { ApplicationFailure, heartbeat, log } from '@temporalio/activity';
import { discover } from '../../lib/launch/discover.ts';
import { takeInventory } from '../../lib/launch/inventory.ts';
import { InvalidRatesError } from '../../lib/prices/rates.ts';
import { wishesOf } from '../../lib/restore/request-file.ts';
import { putJson, readObject, UnreadableObjectError } from '../../lib/s3-objects.ts';
import { COMPUTE_SERVICES, type LaunchInput, LIMITS } from '../../workflows/launch/model.ts';
import { attemptState, CACHE_METADATA, consumerOfUpload, inventoryAddress } from '../../workflows/launch/places.ts';
import type { Plan } from '../../workflows/launch/plan.ts';
import { planLaunch as plan } from '../../workflows/launch/plan-launch.ts';
import { parseSheet, withLine } from '../../workflows/launch/sheet/parse.ts';
import { type Problem, SheetError } from '../../workflows/launch/sheet/problems.ts';
import type { Sheet } from '../../workflows/launch/sheet/sheet.ts';
import type { StepOutline } from '../../workflows/launch/state.ts';
import type { Wishes } from '../../workflows/restore/model.ts';
import { mayBeArchived } from './archived.ts';
import { keepArtifacts } from './artifacts.ts';
import { type LaunchDependencies } from './dependencies.ts';
import { inventories, plans } from './plan-reader.ts';

/** What the workflow gets to know of the plan; the rest stays in S3. */
export interface PlannedLaunch {
  planAddress: string;
  workflowType: string;
  computeService: string;
  consumer: string;
  onFailure: 'stop' | 'finish';
  /** Whether its consumer may spend only so much a month. */
  hasBudget?: true;
  /** Whether inputs have a storage class of which it must be looked up. */
  mayBeArchived?: true;
  /** What the sheet says of restores. */
  restore?: Wishes;
  steps: StepOutline[];
}

export function createPlanningActivities(dependencies: LaunchDependencies) {
  const { s3, launches, compute, budgets, settings } = dependencies;
  return {
    /**
     * @throws MissingRequiredParametersError naming every parameter and object that is missing
     * @throws InvalidSheetError naming every value that cannot be used
     */
    async planLaunch(input: LaunchInput & { attempt: number }): Promise<PlannedLaunch> {
      const file = input.configurationFile;
      try {
        const { text, noCache } = await readSheet(input);
        const { sheet: written, lineOf } = parseSheet(text, file);
        const sheet = input.dataPath === undefined ? written : { ...written, dataPath: input.dataPath };
        const fail = (problems: readonly Problem[]) => {
          throw new SheetError(
            file,
            problems.map((problem) => withLine(problem, lineOf)),
          );
        };
        const disagreements = [...checkAgainstInput(sheet, input), ...(await checkAgainstRegistry(sheet, input))];
        if (disagreements.length > 0) fail(disagreements);
        const computeService = input.computeService ?? sheet.computeService ?? settings.computeService;
        const planned = plan(sheet, {
          launchId: input.launchId,
          attempt: input.attempt,
          computeService,
          defaultResultsPath: `s3://${settings.bucket}/results/${sheet.consumer}/`,
          discovered: await discover(s3, sheet, heartbeat),
          ...((input.noCache || noCache) && { noCache: true }),
        });
        if ('problems' in planned) return fail(planned.problems) as never;
        const { inventory, missing } = await takeInventory(s3, planned.plan, heartbeat);
        if (missing.length > 0) fail(missing);
        if (planned.artifacts)
          await keepArtifacts({ s3, bucket: settings.bucket }, planned.plan, sheet, inventory, planned.artifacts);
        const planAddress = `${attemptState(settings.bucket, input.launchId, input.attempt)}plan.json`;
        const inventoryAt = inventoryAddress(settings.bucket, input.launchId, input.attempt);
        await Promise.all([putJson(s3, planAddress, planned.plan), putJson(s3, inventoryAt, inventory)]);
        plans.set(planAddress, planned.plan);
        inventories.set(inventoryAt, inventory);
        await register(sheet, planned.plan, planAddress);
        log.info('launch planned', { launchId: input.launchId, steps: planned.plan.steps.length });
        return {
          planAddress,
          workflowType: sheet.workflowType,
          computeService,
          consumer: sheet.consumer,
          onFailure: planned.plan.onFailure,
          ...((await budgets.has(sheet.consumer)) && { hasBudget: true }),
          ...(mayBeArchived(inventory) && { mayBeArchived: true }),
          ...(sheet.restore && { restore: wishesOf(sheet.restore) }),
          steps: planned.plan.steps.map(({ name, after, items, failWhenStuckSeconds, head }) => ({
            name,
            after,
            items,
            ...(head && { head: true }),
            ...(failWhenStuckSeconds !== undefined && { failWhenStuckSeconds }),
          })),
        };
      } catch (error) {
        if (error instanceof SheetError) throw ApplicationFailure.nonRetryable(error.message, error.type);
        // Whether there is a budget is not known: going on could spend what may not be spent.
        if (error instanceof InvalidRatesError) throw ApplicationFailure.nonRetryable(error.message, error.name);
        throw error;
      }
    },
  };

  /** `noCache`: so it was asked for when the sheet was uploaded, whichever way it was launched then. */
  async function readSheet(input: LaunchInput): Promise<{ text: string; noCache: boolean }> {
    try {
      const { bytes, metadata } = await readObject(s3, input.configurationFile, {
        limit: LIMITS.sheetBytes,
        ...(input.configurationFileVersion && { version: input.configurationFileVersion }),
      });
      return { text: bytes.toString('utf8'), noCache: metadata[CACHE_METADATA] === 'off' };
    } catch (error) {
      if (!(error instanceof UnreadableObjectError)) throw error;
      throw new SheetError(input.configurationFile, [
        { kind: 'missing', at: 'configurationFile', message: error.reason },
      ]);
    }
  }

  /** The sheet says who it is and for whom; it must not contradict who uploaded it and what was asked for. */
  function checkAgainstInput(sheet: Sheet, input: LaunchInput): Problem[] {
    const problems: Problem[] = [];
    const wrong = (at: string, message: string) => problems.push({ kind: 'invalid', at, message });
    const uploader = consumerOfUpload(settings.bucket, input.configurationFile);
    if (sheet.launchId !== undefined && sheet.launchId !== input.launchId) {
      wrong('launchId', `the sheet says ${sheet.launchId}, the launch was started as ${input.launchId}`);
    }
    if (uploader !== undefined && uploader !== sheet.consumer) {
      wrong(
        'consumer',
        `the sheet was uploaded under sheets/${uploader}/, so its consumer is ${uploader}, not ${sheet.consumer}`,
      );
    }
    if (input.computeService !== undefined && !COMPUTE_SERVICES.some((known) => known === input.computeService)) {
      wrong('computeService', `expected one of ${COMPUTE_SERVICES.join(', ')}, got ${input.computeService}`);
    }
    return problems;
  }

  /** A retry with another sheet is still for the same consumer: whose results it may use depends on it. */
  async function checkAgainstRegistry(sheet: Sheet, { launchId, retry }: LaunchInput): Promise<Problem[]> {
    const known = retry && (await launches.get(launchId))?.consumer;
    if (known === undefined || known === sheet.consumer) return [];
    const message = `launch ${launchId} is for ${known}; its retry cannot be for ${sheet.consumer}`;
    return [{ kind: 'invalid', at: 'consumer', message }];
  }

  async function register(sheet: Sheet, planned: Plan, planAddress: string): Promise<void> {
    const shared = sheet.sharedFileSystem;
    await launches.describe(planned.launchId, planned.attempt, {
      workflow_type: sheet.workflowType,
      workflow_endpoint: sheet.workflowEndpoint,
      compute_service: planned.computeService,
      consumer: sheet.consumer,
      data_path: planned.dataPath,
      results_path: planned.resultsPath,
      plan: planAddress,
      shared_file_system: shared && (shared.fileSystemId ?? shared.hostPath),
      cluster_id: sheet.clusterId,
      log_group: compute.get(planned.computeService)?.logGroup,
    } as Parameters<typeof launches.describe>[2]);
  }
}
