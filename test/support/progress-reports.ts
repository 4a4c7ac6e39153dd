/**
 * Reports as they may come, for property tests.
 *
 * @module
 */
import fc from 'fast-check';
import {
  type Change,
  EVENT_KINDS,
  type ProgressEvent,
  type RunFacts,
  type Snapshot,
  STEP_STATES,
  type StepView,
} from '../../workflows/progress/model.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';

export const FACTS: RunFacts = { domain: 'launch', consumer: 'lab-a' };
export const RUN = 'launch/run-1';

const count = fc.nat({ max: 20 });

/** @param name of a step */
export const stepOf = (name: fc.Arbitrary<string>): fc.Arbitrary<StepView> =>
  fc.record(
    {
      name,
      state: fc.constantFrom(...STEP_STATES),
      // Weights of a whole run that add up to nothing have no percent.
      weight: fc.integer({ min: 1, max: 5 }),
      percent: fc.nat({ max: 100 }),
      after: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 }),
      message: fc.string({ maxLength: 5 }),
      items: fc.record({ total: count, running: count, succeeded: count, failed: count }),
    },
    { requiredKeys: ['name', 'state'] },
  );

const orNull = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null });

export const changes = (name: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd')): fc.Arbitrary<Change> =>
  fc.record(
    {
      begins: fc.record({ attempt: fc.integer({ min: 1, max: 3 }) }),
      status: fc.constantFrom('RUNNING', 'WAITING', 'FAILED'),
      waitingFor: orNull(fc.constantFrom('restore', 'approval')),
      percent: fc.nat({ max: 100 }),
      message: orNull(fc.string({ maxLength: 5 })),
      steps: fc.uniqueArray(stepOf(name), { maxLength: 3, selector: (step) => step.name }),
      counts: fc.dictionary(fc.constantFrom('objects', 'bytes'), count),
      etaAt: orNull(count),
      error: orNull(fc.constant({ type: 'StepFailedError', message: 'a' })),
      cost: fc.constantFrom(
        { total: '1.5', currency: 'USD' },
        { total: '2', currency: 'USD', status: 'FINAL' as const },
      ),
      data: fc.jsonValue({ maxDepth: 2 }),
    },
    { requiredKeys: [] },
  );

export const kinds = fc.constantFrom(...EVENT_KINDS, 'progress' as const, 'progress' as const);

/** What all events add up to. */
export function foldAll(events: readonly ProgressEvent[], epoch = '', at = events[0]?.at ?? 0): Snapshot {
  const picture = RunPicture.empty(RUN, FACTS, epoch, at);
  for (const event of events) picture.apply(event);
  return picture.snapshot();
}

/** To compare with: sums of fractions in another order. */
export const rounded = ({ percent, ...snapshot }: Snapshot) => ({
  ...snapshot,
  ...(percent !== undefined && { percent: Math.round(percent * 1e6) / 1e6 }),
});
