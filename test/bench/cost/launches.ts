/**
 * Workflows as launches that have been: what jobs of them would have told, by the very code that keeps history.
 *
 * @module
 */
import type { StepQuestion } from '../../../lib/cost/estimate/model.ts';
import { historyOf, workOf } from '../../../lib/cost/history.ts';
import type { LaunchItem } from '../../../lib/store/launches.ts';
import type { HistoryItem } from '../../../lib/store/ledger.ts';
import type { StepItem } from '../../../lib/store/steps.ts';
import type { JobAttempt, Usage } from '../../../workflows/cost/model.ts';
import type { Task, Workflow } from './wfcommons.ts';

export const INSTANCE_TYPE = 'm5.xlarge';
/** Of every task. */
export const SIZE = { vcpus: 1, memoryMib: 4096 };
const BEGIN = Date.UTC(2026, 8, 1);
const HOUR = 3_600_000;

const imageOf = (program: string) => `quay.io/wfcommons/${program.toLowerCase()}:1`;

export function programsOf({ tasks }: Workflow): Map<string, Task[]> {
  const programs = new Map<string, Task[]>();
  for (const task of tasks) programs.set(task[0], [...(programs.get(task[0]) ?? []), task]);
  return programs;
}

/** What is known of a workflow before it has run. */
export const questionsOf = (workflow: Workflow): StepQuestion[] =>
  [...programsOf(workflow)].map(([step, tasks]) => ({
    step,
    after: [],
    work: workOf(workflow.recipe, step, imageOf(step)),
    items: tasks.length,
    cached: 0,
    inputBytes: tasks.map(([, bytes]) => bytes),
    ...SIZE,
  }));

/** What is known of it afterwards. */
export function historyItemsOf(workflow: Workflow): HistoryItem[] {
  const { recipe, nth, tasks } = workflow;
  const launchId = `${recipe.toLowerCase()}-${nth}`;
  const from = BEGIN + nth * 24 * HOUR;
  const attempts = tasks.map(
    ([step, inputBytes, seconds], index): JobAttempt => ({
      attempt: 1,
      step,
      item: String(index),
      jobId: `${launchId}:${index}`,
      jobAttempt: 1,
      outcome: 'done',
      endKnownBy: 'service',
      from,
      to: from + seconds * 1000,
      ...SIZE,
      inputBytes,
      on: { kind: 'instance', id: 'i-1' },
    }),
  );
  const rows = [...programsOf(workflow).keys()].map(
    (step): Pick<StepItem, 'step' | 'attempt' | 'image' | 'vcpus' | 'memory_mib'> => ({
      step,
      attempt: 1,
      image: imageOf(step),
      vcpus: SIZE.vcpus,
      memory_mib: SIZE.memoryMib,
    }),
  );
  const instance = { id: 'i-1', type: INSTANCE_TYPE, zone: 'us-east-1a', region: 'us-east-1', market: 'on-demand' };
  const usage = { launchId, attempts, instances: [{ ...instance, others: [] }] };
  const item = { launch_id: launchId, attempt: 1, workflow_type: recipe, consumer: 'bench' };
  return historyOf(item as LaunchItem, rows as StepItem[], usage as unknown as Usage);
}
