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
  LAUNCH_ID_PATTERN,
  type LaunchError,
  type LaunchInput,
  type LaunchStatus,
  LIMITS,
  type WaitingFor,
} from '../../workflows/launch/model.ts';
import { consumerOfUpload } from '../../workflows/launch/places.ts';
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
}

export function createRegisterActivities({ s3, launches, settings }: LaunchDependencies) {
  return {
    /**
     * Puts the launch into the registry as PREPARING, also when its sheet cannot be read: nothing is lost.
     * @throws MissingRequiredParametersError without a launch id or configuration file
     * @throws LaunchConflictError when another sheet was launched under this id
     */
    async registerLaunch(input: RegisterInput): Promise<Registration> {
      checkInput(input);
      const sheet = await readSheetIfPossible(input);
      const at = new Date(input.at).toISOString();
      const consumer = consumerOfUpload(settings.bucket, input.configurationFile);
      const version = input.configurationFileVersion ?? sheet?.version;
      const item: LaunchItem = {
        launch_id: input.launchId,
        status: 'PREPARING',
        statuses: { PREPARING: at },
        attempt: 1,
        sequence: 1,
        workflow_id: input.workflowId,
        run_id: input.runId,
        created_at: at,
        configuration_file: input.configurationFile,
        ...(version && { configuration_file_version: version }),
        ...(sheet && { sheet_digest: createHash('sha256').update(sheet.bytes).digest('hex') }),
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
      return { outcome: registered.outcome === 'existing' ? 'existing' : 'new', status, attempt };
    },

    /** Writes a status; one that is there already, or a later one, stays. */
    async recordStatus(change: {
      launchId: string;
      attempt: number;
      sequence: number;
      status: LaunchStatus;
      waitingFor?: WaitingFor;
      at: number;
      error?: LaunchError;
    }): Promise<void> {
      const written = await launches.recordStatus({ ...change, at: new Date(change.at).toISOString() });
      log.info('launch status', { launchId: change.launchId, status: change.status, written });
    },
  };

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
  if (problems.length > 0) throw ApplicationFailure.nonRetryable(problems.join('\n'), 'MissingRequiredParametersError');
}
