/**
 * What a launch fails or waits for, as the API tells it: the diagnosis first, then item by item what has failed.
 *
 * @module
 */
import type { StepItem } from '../../../lib/store/steps.ts';
import { CAUSES } from '../../../workflows/launch/causes.ts';
import type { Diagnosis } from '../../launch/diagnosis.ts';
import type { Explanation } from '../../live/api.ts';

export function explanationOf(found: Diagnosis, rows: readonly StepItem[]): Explanation {
  const { status, cause, summary, remedy, evidence } = found;
  const failures = rows.flatMap(({ step, failures = [] }) =>
    failures.map((failure) => ({
      what: failure.cause,
      why: failure.reason,
      remedy: CAUSES[failure.cause].remedy,
      step,
      item: failure.item,
    })),
  );
  const first = cause === 'HEALTHY' ? [] : [{ what: cause, why: summary, remedy }];
  return { status, cause, summary, remedy, evidence, findings: [...first, ...failures] };
}
