/**
 * The activities of the restore domain.
 *
 * @module
 */
import { createBatchJobActivities } from './batch-jobs.ts';
import type { RestoreDependencies } from './dependencies.ts';
import { createRecordActivities } from './record.ts';
import { createRequestActivities } from './requests.ts';
import { createSurveyActivities } from './survey.ts';

export function createRestoreActivities(dependencies: RestoreDependencies) {
  return {
    ...createSurveyActivities(dependencies),
    ...createRequestActivities(dependencies),
    ...createBatchJobActivities(dependencies),
    ...createRecordActivities(dependencies),
  };
}

export type RestoreActivities = ReturnType<typeof createRestoreActivities>;
