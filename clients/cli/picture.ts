/**
 * A launch as text: status line, a bar for each step, what went wrong.
 *
 * @module
 */
import pc from 'picocolors';
import {
  isEnded,
  type LaunchProgress,
  type LaunchStatus,
  type StepProgress,
  type TaskCounts,
} from '../../workflows/launch/model.ts';
import { formatBytes, formatUsd } from '../../workflows/restore/details.ts';

const BAR = 24;
export const MARKS: Record<StepProgress['state'], string> = {
  PENDING: '·',
  SUBMITTED: '◌',
  RUNNABLE: '◌',
  RUNNING: '●',
  SUCCEEDED: '✔',
  FAILED: '✖',
  CANCELLED: '–',
};
const PAINT: Partial<Record<string, (text: string) => string>> = {
  SUCCEEDED: pc.green,
  COMPLETE: pc.green,
  FAILED: pc.red,
  CANCELLED: pc.yellow,
  RUNNING: pc.cyan,
  PENDING: pc.dim,
};

export const paint = (state: string, text: string = state): string =>
  (Object.hasOwn(PAINT, state) ? PAINT[state]?.(text) : undefined) ?? text;

export const seconds = (ms: number): string =>
  ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;

/** The whole picture; `now` in epoch milliseconds. */
export function drawLaunch(progress: LaunchProgress, now: number): string[] {
  const begun = Math.min(...Object.values(progress.statuses), now);
  const ended = isEnded(progress.status) ? (progress.statuses[progress.status] ?? now) : now;
  const waiting = progress.waitingFor ? ` for ${progress.waitingFor}` : '';
  const width = Math.max(...progress.steps.map((step) => step.name.length), 4);
  return [
    `${pc.bold(progress.launchId)}  ${paint(progress.status)}${waiting}  ${seconds(ended - begun)}`,
    ...drawRestoring(progress),
    ...drawBudget(progress),
    ...progress.steps.flatMap((step) => drawStep(step, width, now)),
    ...(progress.error ? ['', pc.red(progress.error.type), progress.error.message] : []),
  ];
}

/** Of archived inputs, while the launch waits for them. */
function drawRestoring({ launchId, waitingFor, restore }: LaunchProgress): string[] {
  if (!waitingFor || !restore) return [];
  const { objects, readable, bytes, usd, readyBy, limitUsd } = restore;
  const facts = [`${readable}/${objects} archived inputs can be read`, formatBytes(bytes), formatUsd(usd)];
  if (readyBy !== undefined) facts.push(`ready by ${new Date(readyBy).toLocaleString('sv-SE').slice(0, 16)}`);
  const lines = [`  ${pc.cyan(facts.join(', '))}`];
  if (waitingFor === 'approval')
    lines.push(pc.yellow(`  above the limit of ${formatUsd(limitUsd)}: longhaul approve launch/${launchId}`));
  return lines;
}

/** From the warning on. */
function drawBudget({ launchId, waitingFor, budget }: LaunchProgress): string[] {
  if (!budget?.warning) return [];
  const { spent, limit, currency, month } = budget;
  const lines = [pc.yellow(`  its consumer has spent ${spent} of ${limit} ${currency} in ${month}`)];
  if (waitingFor === 'budget')
    lines.push(
      pc.yellow(`  goes on next month, when the budget is raised, or by: longhaul approve launch/${launchId}`),
    );
  return lines;
}

/** One line, and two more below it for a step that cannot be placed: the live view counts lines. */
function drawStep(step: StepProgress, width: number, now: number): string[] {
  const { total, succeeded, failed, running } = step.items;
  const filled = Math.round((BAR * (succeeded + failed)) / Math.max(total, 1));
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
  const time = step.submittedAt === undefined ? '' : seconds((step.endedAt ?? now) - step.submittedAt);
  const before = step.items.cached ? `, ${step.items.cached} cached` : '';
  const counts = `${succeeded}/${total}${before}${failed > 0 ? `, ${failed} failed` : ''}`;
  const state = step.state === 'RUNNING' && total > 1 ? `${running} running` : step.state.toLowerCase();
  const again = (step.generation ?? 1) > 1 ? `  generation ${step.generation}` : '';
  const cause = step.cause ? `  ${step.cause}` : '';
  const line = `  ${paint(step.state, `${MARKS[step.state]} ${step.name.padEnd(width)} ${bar}`)} ${counts.padEnd(9)} ${state.padEnd(12)} ${time}${again}${cause}`;
  const tasks = (step.tasks ?? []).map(drawTask);
  if (!step.stuck) return [line, ...tasks];
  return [line, ...tasks, `      ${pc.yellow(`cannot be placed: ${step.stuck.reason}`)}`, `      ${step.stuck.remedy}`];
}

/** One task of a head job; engines that do not say how many there will be show what they have done. */
function drawTask({ name, total, running, succeeded, failed }: TaskCounts): string {
  const state =
    failed > 0 ? 'FAILED' : running > 0 ? 'RUNNING' : total > 0 && succeeded >= total ? 'SUCCEEDED' : 'PENDING';
  const counts = [
    `${succeeded}/${total}`,
    ...(running > 0 ? [`${running} running`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  return `      ${paint(state, `${MARKS[state]} ${name}`)} ${counts.join(', ')}`;
}

/** How long each status lasted, in the order they came; the one still open counts until now. */
export function durations(progress: LaunchProgress, now: number): { status: LaunchStatus; ms: number }[] {
  const reached = (Object.entries(progress.statuses) as [LaunchStatus, number][]).sort((a, b) => a[1] - b[1]);
  return reached.flatMap(([status, at], index) => {
    if (isEnded(status)) return [];
    return [{ status, ms: (reached[index + 1]?.[1] ?? now) - at }];
  });
}
