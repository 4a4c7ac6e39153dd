/**
 * From what a launch knows of itself to what its watchers are told: only what has changed. Pure.
 *
 * @module
 */
import type { Change, StepView } from '../progress/model.ts';
import { formatUsd } from '../restore/details.ts';
import type { ItemCounts, LaunchProgress, StepProgress, TaskCounts } from './model.ts';

/** Of a launch with a head job: beside the reports of its tasks there is less room in the history, as workflow.ts says. */
export const HEAD_REPORTS = 800;

/**
 * What has changed, but for status and error, which are told with the write of the status. The first time all steps are
 * told of, with what they come after: the graph is known before anything runs.
 * @returns undefined when nothing has
 */
export function changeOf(before: LaunchProgress | undefined, now: LaunchProgress): Change | undefined {
  const known = new Map((before?.steps ?? []).map((step) => [step.name, step]));
  const steps = now.steps.flatMap((step) => {
    const told = known.get(step.name);
    if (told && isSame(told, step)) return [];
    const view = stepView(step);
    if (!told) return [view];
    // The picture keeps its place in the graph.
    const { after: _, ...rest } = view;
    return [rest];
  });
  const change: Change = {
    ...(steps.length > 0 && { steps }),
    ...difference('message', before && headline(before), headline(now)),
    ...difference('etaAt', before && etaOf(before), etaOf(now)),
    ...countsChange(before, now),
  };
  return Object.keys(change).length > 0 ? change : undefined;
}

export function stepView({ name, after, state, items, generation, tasks, ...more }: StepProgress): StepView {
  const percent = state === 'RUNNING' && tasks ? percentOf(tasks) : undefined;
  return {
    name,
    state,
    after,
    items,
    ...(generation !== undefined && { attempt: generation }),
    ...(tasks && { tasks }),
    ...(percent !== undefined && { percent }),
    ...more,
  };
}

/** Of a head's own tasks, where its engine says how many there will be. */
function percentOf(tasks: readonly TaskCounts[]): number | undefined {
  if (tasks.length === 0 || tasks.some(({ total }) => total === 0)) return undefined;
  const sum = (of: (task: TaskCounts) => number) => tasks.reduce((all, task) => all + of(task), 0);
  return Math.min(100, (100 * sum(({ succeeded, failed }) => succeeded + failed)) / sum(({ total }) => total));
}

const FIELDS = [
  'state',
  'jobId',
  'submittedAt',
  'startedAt',
  'endedAt',
  'generation',
  'cause',
  'stuck',
  'tasks',
] as const satisfies readonly (keyof StepProgress)[];
const COUNTS = ['total', 'running', 'succeeded', 'failed', 'cached'] as const satisfies readonly (keyof ItemCounts)[];

/** `stuck` and `tasks` are new objects when they are news; this runs for each of a thousand steps at each change. */
const isSame = (one: StepProgress, other: StepProgress): boolean =>
  FIELDS.every((field) => one[field] === other[field]) &&
  COUNTS.every((count) => one.items[count] === other.items[count]);

function difference<Name extends 'message' | 'etaAt'>(
  name: Name,
  before: Change[Name] | undefined,
  now: Change[Name] | undefined,
): Change {
  return before === now ? {} : { [name]: now ?? null };
}

/** What it waits for, in a few words. */
function headline({ waitingFor, restore, budget }: LaunchProgress): string | undefined {
  const spent = budget && `its consumer has spent ${budget.spent} of ${budget.limit} ${budget.currency}`;
  if (waitingFor === 'budget') return spent && `${spent} in ${budget.month}: waits for an approval, or another month`;
  if (waitingFor === 'approval' && restore)
    return `its archived inputs cost ${formatUsd(restore.usd)}, above the limit of ${formatUsd(restore.limitUsd)}: waits for an approval`;
  if (waitingFor === 'restore' && restore)
    return `${restore.readable} of ${restore.objects} archived inputs can be read`;
  return budget?.warning ? `${spent} in ${budget.month}` : undefined;
}

const etaOf = ({ waitingFor, restore }: LaunchProgress): number | undefined =>
  waitingFor === 'restore' ? restore?.readyBy : undefined;

function countsChange(before: LaunchProgress | undefined, { restore }: LaunchProgress): Change {
  if (!restore) return {};
  const { objects, bytes, readable } = restore;
  const told = before?.restore;
  const same = told && told.objects === objects && told.bytes === bytes && told.readable === readable;
  return same ? {} : { counts: { objects, bytes, restored: readable } };
}
