/**
 * What the Temporal Web UI shows as the current details of a launch, in Markdown.
 *
 * @module
 */
import { isoTime } from '../kit/time.ts';
import { formatUsd } from '../restore/details.ts';
import type { LaunchProgress, StepProgress } from './model.ts';

/** More rows than this make the page slow and nobody reads them; the rest is counted. */
const ROWS = 50;

export function describeProgress(progress: LaunchProgress): string {
  const waiting = progress.waitingFor ? ` (for ${progress.waitingFor})` : '';
  const lines = [`**${progress.status}**${waiting}, attempt ${progress.attempt}`];
  const { restore, budget } = progress;
  if (budget?.warning)
    lines.push('', `its consumer has spent ${budget.spent} of ${budget.limit} ${budget.currency} in ${budget.month}`);
  if (restore) {
    const by = restore.readyBy === undefined ? '' : `, ready by ${isoTime(restore.readyBy)}`;
    lines.push(
      '',
      `${restore.readable} of ${restore.objects} archived inputs can be read: ${formatUsd(restore.usd)}${by}`,
    );
  }
  if (progress.error) lines.push('', `${progress.error.type}: ${progress.error.message}`);
  if (progress.steps.length > 0) {
    lines.push('', '| step | state | items done | job |', '| --- | --- | --- | --- |');
    lines.push(...progress.steps.slice(0, ROWS).map(row));
    if (progress.steps.length > ROWS) lines.push('', `and ${progress.steps.length - ROWS} more steps`);
  }
  for (const { name, tasks } of progress.steps) {
    if (!tasks?.length) continue;
    lines.push('', `| ${name} | done | running | failed |`, '| --- | --- | --- | --- |');
    lines.push(
      ...tasks.map(
        (task) => `| ${task.name} | ${task.succeeded} of ${task.total} | ${task.running} | ${task.failed} |`,
      ),
    );
  }
  for (const { name, stuck } of progress.steps)
    if (stuck) lines.push('', `**${name} cannot be placed**: ${stuck.reason}`, '', stuck.remedy);
  return lines.join('\n');
}

function row(step: StepProgress): string {
  const failed = step.items.failed > 0 ? `, ${step.items.failed} failed` : '';
  const cached = step.items.cached ? `, ${step.items.cached} cached` : '';
  return `| ${step.name} | ${step.state} | ${step.items.succeeded} of ${step.items.total}${cached}${failed} | ${step.jobId ?? ''} |`;
}
