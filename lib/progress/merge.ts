/**
 * Reports that wait to be appended: those of progress that follow one another from the same source become one, and add up to
 * the same. All others stay as they are, in their order.
 *
 * @module
 */
import type { Report } from '../../workflows/progress/model.ts';
import { mayMerge, withPlace } from '../../workflows/progress/picture.ts';

/**
 * Where in a queue there is a report that this one can be merged with: the last of its source, with nothing but progress
 * after it, of other steps.
 * @returns -1 where there is none
 */
export function mergeableIn(queue: readonly Report[], report: Report): number {
  if (!mayMerge(report)) return -1;
  const { name, attempt } = report.source;
  const told = new Set<string>();
  for (let index = queue.length - 1; index >= 0; index -= 1) {
    const earlier = queue[index];
    if (!earlier || !mayMerge(earlier)) return -1;
    if (earlier.source.name === name) {
      // A step somebody else has told of meanwhile would be set back.
      const inTheWay = earlier.steps?.some((step) => told.has(step.name)) ?? false;
      return earlier.source.attempt === attempt && !inTheWay ? index : -1;
    }
    for (const step of earlier.steps ?? []) told.add(step.name);
  }
  return -1;
}

/**
 * A report with what an earlier one says beside it.
 * @param between what others said after the earlier one: that is newer
 */
export function mergeReports(earlier: Report, between: readonly Report[], later: Report): Report {
  const kept: Partial<Report> = { ...earlier };
  const steps = new Map((earlier.steps ?? []).map((step) => [step.name, step]));
  const counts = new Map(Object.entries(earlier.counts ?? {}));
  for (const report of between) {
    for (const name of SCALARS) if (report[name] !== undefined) delete kept[name];
    for (const name of Object.keys(report.counts ?? {})) counts.delete(name);
  }
  // A percent is outdated by steps that are told of after it.
  if ([...between, later].some((report) => report.steps?.length)) delete kept.percent;
  for (const step of later.steps ?? []) steps.set(step.name, withPlace(step, steps.get(step.name)));
  for (const [name, count] of Object.entries(later.counts ?? {})) counts.set(name, count);
  return {
    ...kept,
    ...later,
    ...(steps.size > 0 && { steps: [...steps.values()] }),
    ...(counts.size > 0 && { counts: Object.fromEntries(counts) }),
  };
}

const SCALARS = ['waitingFor', 'percent', 'message', 'etaAt', 'error', 'cost'] as const;
