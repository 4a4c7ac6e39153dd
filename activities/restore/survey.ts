/**
 * Finding what is archived, and choosing tiers for it.
 *
 * @module
 */
import { ApplicationFailure, log } from '@temporalio/activity';
import { accessDenied } from '../../lib/aws-errors.ts';
import { PriceListFormatError, PriceUnknownError } from '../../lib/prices/price-list.ts';
import type { RestoreIndex } from '../../lib/restore/index-files.ts';
import { type RequestFile, RequestFileError, readRequestFile } from '../../lib/restore/request-file.ts';
import { readSources } from '../../lib/restore/sources.ts';
import { partsOf, survey } from '../../lib/restore/survey.ts';
import {
  type Amount,
  MOST_DAYS,
  type ObjectFailure,
  type Quote,
  RESTORE_ID_PATTERN,
  type RestoreInput,
  type RestorePlan,
  restoreState,
  TIERS,
  type Totals,
  type Wishes,
} from '../../workflows/restore/model.ts';
import { planRestore, quoteRestore } from '../../workflows/restore/plan.ts';
import { beat } from './beat.ts';
import type { RestoreDependencies } from './dependencies.ts';

export type SurveyInput = Pick<
  RestoreInput,
  'restoreId' | 'sources' | 'configurationFile' | 'configurationFileVersion'
> & {
  /** Of the workflow: a restore of the same id, another time, has an index of its own. */
  run: string;
  /** Where an index is, made by a launch. */
  place?: string;
};

/** What the workflow gets to know; the rest stays in S3. */
export interface Surveyed {
  place: string;
  totals: Totals;
  /** Of the index: archived, whatever their state. */
  objects: number;
  bytes: number;
  shards: number;
  /** Not archived. */
  readable: Amount;
  missing: { count: number; first: ObjectFailure[] };
  /** Of the request file. */
  wishes: Wishes;
}

/** How everything is asked for: a request an object, or jobs of S3 Batch Operations. */
export type Submitter = 'requests' | 'batch-operations';

export function createSurveyActivities({ s3, prices, settings, batchOperations, now = Date.now }: RestoreDependencies) {
  return {
    /**
     * Goes on where an earlier try was cut off.
     * @throws InvalidRestoreError naming every source that cannot be used
     */
    async surveyRestore(input: SurveyInput): Promise<Surveyed> {
      checkInput(input);
      const place = input.place ?? restoreState(settings.bucket, input.restoreId, input.run);
      try {
        const file =
          input.configurationFile === undefined
            ? undefined
            : await readRequestFile(s3, input.configurationFile, input.configurationFileVersion);
        const index = await survey(s3, place, partsFrom(input, file), { beat, now });
        log.info('restore surveyed', { restoreId: input.restoreId, shards: index.shards.length });
        return { ...toSurveyed(place, index), wishes: file?.kind === 'request' ? file.wishes : {} };
      } catch (error) {
        if (error instanceof RequestFileError)
          throw ApplicationFailure.nonRetryable(error.message, 'InvalidRestoreError');
        throw error;
      }
    },

    /**
     * @throws InvalidRestoreError for wishes that cannot be
     * @throws DeadlineMissedError when no tier makes the deadline
     */
    async planRestore({ totals, wishes }: { place: string; totals: Totals; wishes: Wishes }): Promise<{
      plan: RestorePlan;
      quote: Quote;
      needsApproval: boolean;
      pollSeconds: number;
      submitter: Submitter;
    }> {
      checkWishes(wishes);
      const quote = quoteRestore(totals, await knownPrices(), wishes);
      const planned = planRestore(quote, wishes);
      if ('problem' in planned)
        throw ApplicationFailure.nonRetryable(
          `${planned.problem}: give it more time, or take the deadline out`,
          'DeadlineMissedError',
        );
      return { ...planned, quote, pollSeconds: settings.restorePollSeconds, submitter: submitterOf(planned.plan) };
    },
  };

  /** Jobs have no Expedited. */
  function submitterOf({ objects, tiers }: RestorePlan): Submitter {
    const canBe = Object.values(tiers).some((tier) => tier !== 'Expedited');
    return batchOperations && canBe && objects >= batchOperations.fromObjects ? 'batch-operations' : 'requests';
  }

  /** No price is no reason not to restore: it is said, and no limit is taken as kept. */
  async function knownPrices() {
    try {
      return await prices();
    } catch (error) {
      if (!(error instanceof PriceUnknownError || error instanceof PriceListFormatError || accessDenied(error)))
        throw error;
      log.warn('the prices of restores are not known', { reason: error instanceof Error ? error.message : '' });
      return { unknown: error instanceof Error ? error.message : 'the price list cannot be read' };
    }
  }
}

function partsFrom(input: SurveyInput, file: RequestFile | undefined) {
  const read = readSources([...(input.sources ?? []), ...(file?.kind === 'request' ? file.request.urls : [])]);
  if ('problems' in read) {
    const lines = read.problems.map(({ place, message }) => `${place}: ${message}`);
    throw ApplicationFailure.nonRetryable(lines.join('\n'), 'InvalidRestoreError');
  }
  return partsOf(read, file?.kind === 'request' ? undefined : file);
}

function toSurveyed(place: string, { shards, totals, readable, missing }: RestoreIndex): Omit<Surveyed, 'wishes'> {
  return {
    place,
    totals,
    objects: shards.reduce((sum, { objects }) => sum + objects, 0) + missing.count,
    bytes: shards.reduce((sum, { bytes }) => sum + bytes, 0),
    shards: shards.length,
    readable,
    missing,
  };
}

/** The workflow can be started by hand, so its input is checked like any other. */
function checkInput({ restoreId, sources, configurationFile, place }: SurveyInput): void {
  const problems: string[] = [];
  if (!RESTORE_ID_PATTERN.test(restoreId ?? ''))
    problems.push('restoreId: expected letters, digits, - and _, up to 64');
  if (place === undefined && configurationFile === undefined && !sources?.length)
    problems.push('sources: missing; S3 addresses, or a configurationFile that has them');
  if (configurationFile !== undefined && !/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/.+/s.test(configurationFile))
    problems.push('configurationFile: expected s3://bucket/object');
  if (problems.length > 0) throw ApplicationFailure.nonRetryable(problems.join('\n'), 'InvalidRestoreError');
}

function checkWishes({ tier, deadlineSeconds, days, limitUsd }: Wishes): void {
  const problems: string[] = [];
  if (tier !== undefined && !TIERS.includes(tier)) problems.push(`tier: expected one of ${TIERS.join(', ')}`);
  if (deadlineSeconds !== undefined && !(deadlineSeconds > 0)) problems.push('deadlineSeconds: expected more than 0');
  if (days !== undefined && !(Number.isInteger(days) && days >= 1 && days <= MOST_DAYS))
    problems.push(`days: expected a whole number from 1 to ${MOST_DAYS}`);
  if (limitUsd !== undefined && !(limitUsd >= 0)) problems.push('limitUsd: expected 0 or more');
  if (problems.length > 0) throw ApplicationFailure.nonRetryable(problems.join('\n'), 'InvalidRestoreError');
}
