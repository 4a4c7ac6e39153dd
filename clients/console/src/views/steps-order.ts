/**
 * Which steps a table shows, and in which order.
 *
 * @module
 */
import type { StepState, StepView } from '../../../../workflows/progress/model.ts';

export const SORTS = ['urgency', 'plan', 'name', 'state', 'items', 'attempt', 'submitted', 'started', 'took'] as const;
export type Sort = (typeof SORTS)[number];

export interface Arrangement {
  sort: Sort;
  descending: boolean;
  /** Part of a name, a cause, or of what keeps a step waiting. */
  text: string;
  /** `stuck`: waits for something that does not come. */
  state: StepState | 'stuck' | 'all';
}

export const FIRST_ARRANGEMENT: Arrangement = { sort: 'urgency', descending: false, text: '', state: 'all' };

/** Failed first, then what is stuck, then what goes on. */
const URGENCY: Readonly<Record<StepState, number>> = {
  FAILED: 0,
  RUNNING: 2,
  RUNNABLE: 3,
  SUBMITTED: 4,
  PENDING: 5,
  CANCELLED: 6,
  SUCCEEDED: 7,
};

const urgencyOf = (step: StepView): number => (step.state === 'FAILED' ? 0 : step.stuck ? 1 : URGENCY[step.state]);

/** What a step is sorted by; one that has no such value comes last, whichever way. */
function keyOf(step: StepView, sort: Exclude<Sort, 'plan' | 'name'>, now: number): number | undefined {
  switch (sort) {
    case 'urgency':
      return urgencyOf(step);
    case 'state':
      return URGENCY[step.state];
    case 'items':
      return step.items?.total;
    case 'attempt':
      return step.attempt ?? 1;
    case 'submitted':
      return step.submittedAt;
    case 'started':
      return step.startedAt;
    case 'took':
      return step.startedAt === undefined ? undefined : (step.endedAt ?? now) - step.startedAt;
  }
}

const byName = new Intl.Collator('en', { numeric: true });

export function arrangeSteps(
  steps: readonly StepView[],
  { sort, descending, text, state }: Arrangement,
  now: number,
): StepView[] {
  const wanted = text.trim().toLowerCase();
  const found = steps.filter(
    (step) =>
      (state === 'all' || (state === 'stuck' ? step.stuck !== undefined : step.state === state)) &&
      (wanted === '' || textOf(step).includes(wanted)),
  );
  if (sort === 'plan') return descending ? found.reverse() : found;
  const sign = descending ? -1 : 1;
  if (sort === 'name') return found.sort((a, b) => sign * byName.compare(a.name, b.name));
  const keys = new Map(found.map((step) => [step, keyOf(step, sort, now)]));
  return found.sort((a, b) => {
    const [one, other] = [keys.get(a), keys.get(b)];
    if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
    return sign * (one - other);
  });
}

const textOf = (step: StepView): string =>
  [step.name, step.cause, step.stuck?.reason, step.message].filter(Boolean).join('\n').toLowerCase();

/** How many there are of each, for the filter. */
export function countStates(steps: readonly StepView[]): Map<StepState | 'stuck', number> {
  const counts = new Map<StepState | 'stuck', number>();
  const add = (what: StepState | 'stuck'): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  for (const step of steps) {
    add(step.state);
    if (step.stuck) add('stuck');
  }
  return counts;
}
