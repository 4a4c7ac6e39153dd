/**
 * What the launch activities need from outside; the worker puts it together, tests may put in others.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Budgets } from '../../lib/cost/budget.ts';
import type { PreflightDependencies } from '../../lib/launch/preflight/index.ts';
import type { ProgressWriter } from '../../lib/progress/log.ts';
import type { Settings } from '../../lib/settings.ts';
import type { LaunchStore } from '../../lib/store/launches.ts';
import type { StepStore } from '../../lib/store/steps.ts';
import type { TasksReport } from '../../workflows/launch/model.ts';
import type { Place } from '../../workflows/poller/model.ts';
import type { ComputeService } from './compute/service.ts';

export interface LaunchDependencies {
  s3: S3Client;
  launches: LaunchStore;
  steps: StepStore;
  compute: ReadonlyMap<string, ComputeService>;
  budgets: Budgets;
  preflight: PreflightDependencies;
  settings: Pick<Settings, 'bucket' | 'computeService'>;
  /** The logs watchers read; without them a launch tells none. */
  progress?: ProgressWriter;
  /** Tells a launch what the log of its head says; one that has ended is not told. */
  report(workflowId: string, report: TasksReport): Promise<void>;
  /** Makes sure the poller of that place is running. */
  wakePoller(place: Place): Promise<void>;
}
