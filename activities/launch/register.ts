/**
 * Entering a launch into the registry, and its statuses after that.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { ApplicationFailure, log } from '@temporalio/activity';
import { readObject, UnreadableObjectError } from '../../lib/s3-objects.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import {
  isEnded,
  LAUNCH_ID_PATTERN,
  type LaunchError,
  type LaunchInput,
  type LaunchStatus,
  LIMITS,
  type WaitingFor,
} from '../../workflows/launch/model.ts';
import { consumerOfUpload } from '../../workflows/launch/places.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';
import { tellInPassing } from '../progress/in-passing.ts';
import { type LaunchDependencies } from './dependencies.ts';

export interface RegisterInput extends LaunchInput {
  workflowId: string;
  runId: string;
  /** Milliseconds since the epoch, by the workflow. */
  at: number;
}

export interface Registration {
  outcome: 'new' | 'existing';
  status: LaunchStatus;
  attempt: number;
  /** Of a new one, where there is a log of progress. */
  progress?: {
    /** Whether its log has been begun. */
    begun: boolean;
    consumer?: string;
  };
}

export function createRegisterActivities({ s3, launches, steps, settings, progress }: LaunchDependencies) {
  return {
    /**
     * Puts the launch into the registry as PREPARING, also when its sheet cannot be read: nothing is lost.
     * @throws MissingRequiredParametersError without a launch id or configuration file
     * @throws LaunchConflictError when another sheet was launched under this id
     * @throws RetryRefusedError when it is to be retried, and is open, COMPLETE, or another attempt by now
     */
    async registerLaunch(input: RegisterInput): Promise<Registration> {
      checkInput(input);
      const sheet = await readSheetIfPossible(input);
      const at = new Date(input.at).toISOString();
      const consumer = consumerOfUpload(settings.bucket, input.configurationFile);
      const version = input.configurationFileVersion ?? sheet?.version;
      const ranWith = {
        configuration_file: input.configurationFile,
        ...(version && { configuration_file_version: version }),
        ...(input.computeService && { compute_service: input.computeService }),
        ...(input.dataPath && { data_path: input.dataPath }),
      };
      const digest = sheet && createHash('sha256').update(sheet.bytes).digest('hex');
      if (input.retry) {
        const retried = await launches.retry(input.launchId, {
          ...ranWith,
          attempt: input.retry.attempt,
          run_id: input.runId,
          created_at: at,
          ran_with: ranWith,
          ...(digest && { sheet_digest: digest }),
        });
        if (retried.outcome === 'refused') throw refusal(input, retried.item);
        return begun(input, input.retry.attempt, retried.item?.consumer ?? consumer);
      }
      const item: LaunchItem = {
        launch_id: input.launchId,
        status: 'PREPARING',
        statuses: { PREPARING: at },
        attempt: 1,
        sequence: 1,
        workflow_id: input.workflowId,
        run_id: input.runId,
        created_at: at,
        ...ranWith,
        ran_with: ranWith,
        ...(digest && { sheet_digest: digest }),
        ...(consumer && { consumer }),
      };
      const registered = await launches.register(item);
      const { status, attempt } = registered.item;
      if (registered.outcome === 'conflict') {
        throw ApplicationFailure.nonRetryable(
          `the launch id ${input.launchId} belongs to another sheet (${registered.item.configuration_file}, now ${status}); give this sheet a launch id of its own`,
          'LaunchConflictError',
        );
      }
      log.info('launch registered', { launchId: input.launchId, outcome: registered.outcome });
      if (registered.outcome === 'existing') return { outcome: 'existing', status, attempt };
      return { ...(await begun(input, attempt, consumer)), status };
    },

    /**
     * Writes a status; one that is there already, or a later one, stays.
     * @returns whether the log has what came with it
     */
    async recordStatus(input: {
      launchId: string;
      attempt: number;
      sequence: number;
      status: LaunchStatus;
      waitingFor?: WaitingFor;
      at: number;
      error?: LaunchError;
      progress?: Batch;
    }): Promise<{ progressTold: boolean } | undefined> {
      const { progress: batch, ...change } = input;
      const metrics = isEnded(change.status) ? await measure(change) : undefined;
      const at = new Date(change.at).toISOString();
      const written = await launches.recordStatus({ ...change, at, ...(metrics && { metrics }) });
      log.info('launch status', { launchId: change.launchId, status: change.status, written });
      return batch && { progressTold: await tellInPassing(progress, batch) };
    },
  };

  /** Whoever watches sees a launch from its registration on, before anybody has read its sheet. */
  async function begun(
    { workflowId, at }: RegisterInput,
    attempt: number,
    consumer: string | undefined,
  ): Promise<Registration> {
    const registered = { outcome: 'new', status: 'PREPARING', attempt } as const;
    if (!progress) return registered;
    const whose = consumer === undefined ? {} : { consumer };
    const told = await tellInPassing(progress, {
      run: workflowId,
      facts: { domain: 'launch', ...whose },
      reports: [
        {
          kind: 'status',
          source: { name: 'workflow', attempt },
          localSeq: at,
          at,
          begins: { attempt },
          status: 'PREPARING',
        },
      ],
    });
    return { ...registered, progress: { begun: told, ...whose } };
  }

  /** Of one attempt, from what its steps have written down. */
  async function measure({ launchId, attempt, at }: { launchId: string; attempt: number; at: number }) {
    const [item, rows] = await Promise.all([launches.get(launchId), steps.ofLaunch(launchId, attempt)]);
    const types: Record<string, number> = {};
    for (const row of rows)
      for (const [cause, count] of Object.entries(row.failed_jobs ?? {})) types[cause] = (types[cause] ?? 0) + count;
    const begun = Date.parse(item?.statuses.PREPARING ?? '') || at;
    return {
      elapsed_seconds: Math.max(0, Math.round((at - begun) / 100) / 10),
      failed_jobs: Object.values(types).reduce((sum, count) => sum + count, 0),
      error_types: types,
    };
  }

  async function readSheetIfPossible(input: LaunchInput) {
    try {
      return await readObject(s3, input.configurationFile, {
        limit: LIMITS.sheetBytes,
        ...(input.configurationFileVersion && { version: input.configurationFileVersion }),
      });
    } catch (error) {
      // Planning reads it again and says what is wrong; here the launch only has to be registered.
      if (error instanceof UnreadableObjectError) return undefined;
      throw error;
    }
  }
}

function refusal({ launchId, retry }: RegisterInput, item: LaunchItem | undefined): ApplicationFailure {
  const why = !item
    ? `there is no launch ${launchId}`
    : item.attempt >= (retry?.attempt ?? 0)
      ? `launch ${launchId} was retried already: it is at attempt ${item.attempt}, ${item.status}`
      : `launch ${launchId} is ${item.status}: only a launch that is FAILED or CANCELLED can be retried`;
  return ApplicationFailure.nonRetryable(why, 'RetryRefusedError');
}

/** The workflow can be started by hand, so its input is checked like any other. */
function checkInput(input: LaunchInput): void {
  const problems: string[] = [];
  if (!input.launchId) problems.push('launchId: missing; a unique identifier of the launch');
  else if (!LAUNCH_ID_PATTERN.test(input.launchId))
    problems.push('launchId: expected letters, digits, - and _, up to 64');
  if (!input.configurationFile) problems.push('configurationFile: missing; the sheet as s3://bucket/object');
  else if (!/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/.+/s.test(input.configurationFile)) {
    problems.push('configurationFile: expected s3://bucket/object');
  }
  if (input.retry && !(Number.isInteger(input.retry.attempt) && input.retry.attempt > 1))
    problems.push('retry.attempt: expected the number of the next attempt, 2 or more');
  if (input.dataPath !== undefined && !/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/s.test(input.dataPath))
    problems.push('dataPath: expected s3://bucket/prefix');
  if (problems.length > 0) throw ApplicationFailure.nonRetryable(problems.join('\n'), 'MissingRequiredParametersError');
}
