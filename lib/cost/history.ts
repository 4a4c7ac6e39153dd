/**
 * What a launch tells later ones: for each step and instance type how long its items ran for how much input. Estimates
 * learn from it.
 *
 * @module
 */

import type { JobAttempt, Usage } from '../../workflows/cost/model.ts';
import { parseReference } from '../images/reference.ts';
import type { LaunchItem } from '../store/launches.ts';
import type { HistoryItem } from '../store/ledger.ts';
import type { StepItem } from '../store/steps.ts';

/** Of more items every so-manyth is kept: enough for quantiles and a line. */
const SAMPLES = 60;

/** What makes two steps of different launches the same work. */
export const workOf = (workflowType: string, step: string, image: string): string =>
  `${workflowType}#${step}#${parseReference(image)?.repository ?? image}`;

/** One item for each step and instance type; of cached items nothing was run, so they tell nothing. */
export function historyOf(item: LaunchItem, rows: readonly StepItem[], usage: Usage): HistoryItem[] {
  const types = new Map(usage.instances.map((instance) => [instance.id, instance]));
  const groups = new Map<string, { row: StepItem; type: string; market: string; attempts: JobAttempt[] }>();
  for (const attempt of usage.attempts) {
    const row = rows.find((one) => one.step === attempt.step && one.attempt === attempt.attempt);
    if (!row || attempt.outcome !== 'done') continue;
    const { type, market } = hostOf(attempt, types);
    const key = `${attempt.step}#${type}`;
    const group = groups.get(key) ?? { row, type, market, attempts: [] };
    group.attempts.push(attempt);
    groups.set(key, group);
  }
  return [...groups].map(([key, { row, type, market, attempts }]) => ({
    launch_id: item.launch_id,
    attempt: item.attempt,
    line: `work#${key}`,
    work: workOf(item.workflow_type ?? 'unknown', row.step, row.image),
    at: new Date(Math.max(...attempts.map(({ to }) => to))).toISOString(),
    consumer_name: item.consumer ?? 'unknown',
    step: row.step,
    resource_type: type,
    market,
    items: attempts.length,
    failed: usage.attempts.filter(({ step, outcome }) => step === row.step && outcome !== 'done').length,
    vcpus: row.vcpus,
    memory_mib: row.memory_mib,
    samples: sampled(attempts),
  }));
}

function hostOf({ on }: JobAttempt, instances: ReadonlyMap<string, { type: string; market: string }>) {
  if (on.kind === 'instance') return instances.get(on.id) ?? { type: 'unknown', market: 'unknown' };
  return on.kind === 'on-premises' ? { type: on.cluster, market: on.kind } : { type: on.kind, market: 'on-demand' };
}

/** Bytes of input (-1: not known) and seconds, of items spread evenly over the order of their input's size. */
function sampled(attempts: readonly JobAttempt[]): [number, number][] {
  const all = attempts
    .map(({ inputBytes = -1, from, to }): [number, number] => [inputBytes, Math.round((to - from) / 10) / 100])
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  if (all.length <= SAMPLES) return all;
  return Array.from({ length: SAMPLES }, (_, n) => all[Math.round((n * (all.length - 1)) / (SAMPLES - 1))] ?? [-1, 0]);
}
