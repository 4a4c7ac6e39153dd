/**
 * What the job program is told where a job is one process. Pure.
 *
 * @module
 */
import { endingsOfName } from '../../../lib/launch/endings.ts';
import type { Settings } from '../../../lib/settings.ts';
import { SHARED_PATH } from '../../../workflows/launch/manifest.ts';
import { JOB_ENVIRONMENT } from '../../../workflows/launch/model.ts';
import type { JobRequest } from './service.ts';

/** The same for all items and attempts of a job; which of them it is, each service says in its own way. */
export const jobVariables = (
  request: JobRequest,
  settings: Pick<Settings, 'bucket' | 'jobLogGroup' | 'jobRuntime'>,
): Record<string, string> => ({
  ...request.contract,
  [JOB_ENVIRONMENT.jobName]: request.name,
  [JOB_ENVIRONMENT.ending]: endingsOfName(settings.bucket, request.name),
  [JOB_ENVIRONMENT.mainEnvironment]: JSON.stringify(request.environment),
  [JOB_ENVIRONMENT.runtime]: settings.jobRuntime,
  [JOB_ENVIRONMENT.image]: request.image,
  [JOB_ENVIRONMENT.memory]: String(request.memoryMiB),
  [JOB_ENVIRONMENT.vcpus]: String(request.vcpus),
  [JOB_ENVIRONMENT.logGroup]: settings.jobLogGroup,
  ...(request.timeoutSeconds && { [JOB_ENVIRONMENT.timeout]: String(request.timeoutSeconds) }),
  ...(request.sharedFileSystem && { [JOB_ENVIRONMENT.shared]: request.sharedFileSystem.hostPath ?? SHARED_PATH }),
});
