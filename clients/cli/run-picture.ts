/**
 * Any run as text, from its progress: status, bar, steps, message, counts, and how its watching goes on.
 *
 * @module
 */
import pc from 'picocolors';
import type { Snapshot, StepView } from '../../workflows/progress/model.ts';
import { stepPercent } from '../../workflows/progress/picture.ts';
import type { Resume } from '../live/protocol.ts';
import type { Drawing } from './live.ts';
import { MARKS, paint, seconds } from './picture.ts';

const BAR = 24;
/** Lines that are no steps. */
const OTHER_LINES = 10;
/** Of what a run makes for its watchers. */
const TEXT_TAIL = 400;

export interface RunView {
  snapshot: Snapshot;
  /** Text the run has made, as far as it was seen. */
  text: string;
  /** The last verdict. */
  resume: Resume;
  /** Such as `websocket`; and that it is lost and made again. */
  way: string;
  offline: boolean;
  /** Events that were told as fewer, since this terminal was too slow. */
  merged: number;
}

/** What comes from others must not move the cursor. */
export const plain = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');

export const runDrawing = (rows: () => number | undefined): Drawing<RunView> => ({
  draw: (view, now) => drawRun(view, now, rows() ?? 40),
  line: runLine,
  begun: ({ snapshot }) => snapshot.startedAt,
});

export const hasFailed = ({ status, error }: Pick<Snapshot, 'status' | 'error'>): boolean =>
  error !== undefined || status === 'FAILED' || status === 'CANCELLED';

const bar = (percent: number): string => {
  const filled = Math.round((BAR * percent) / 100);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
};

const statusOf = ({ status = 'begun', waitingFor }: Snapshot): string =>
  `${paint(status, plain(status))}${waitingFor === undefined ? '' : ` for ${plain(waitingFor)}`}`;

/** @param rows of the terminal: a picture that is taller cannot be drawn over */
export function drawRun(view: RunView, now: number, rows: number): string[] {
  const { snapshot, text } = view;
  const { run, attempt, percent, message, counts, etaAt, error, cost, startedAt, endedAt, steps } = snapshot;
  const again = attempt > 1 ? `  attempt ${attempt}` : '';
  const lines = [`${pc.bold(plain(run))}  ${statusOf(snapshot)}  ${seconds((endedAt ?? now) - startedAt)}${again}`];
  if (percent !== undefined || message !== undefined) {
    const eta = etaAt === undefined || endedAt !== undefined ? [] : [`done by ${clock(etaAt)}`];
    const share = percent === undefined ? [] : [bar(percent), `${Math.floor(percent)} %`];
    lines.push(`  ${[...share, plain(message ?? ''), ...eta].filter(Boolean).join('  ')}`);
  }
  if (counts)
    lines.push(
      pc.dim(
        `  ${Object.entries(counts)
          .map(([name, count]) => `${plain(name)} ${count}`)
          .join(', ')}`,
      ),
    );
  if (cost)
    lines.push(pc.dim(`  ${plain(`${cost.total} ${cost.currency}`)}${cost.status === 'FINAL' ? '' : ' so far'}`));
  lines.push(...drawSteps(steps, now, Math.max(3, rows - OTHER_LINES)));
  if (text) lines.push(`  ${plain(text.slice(-TEXT_TAIL))}`);
  if (error) lines.push(pc.red(plain(error.type)), plain(error.message));
  return [...lines, pc.dim(watching(view))];
}

function drawSteps(steps: readonly StepView[], now: number, room: number): string[] {
  const shown = pick(steps, room);
  const width = Math.max(4, ...shown.map(({ name }) => Math.min(40, name.length)));
  const lines = shown.map((step) => drawStep(step, width, now));
  const left = steps.length - shown.length;
  return left > 0 ? [...lines, pc.dim(`  and ${left} more: ${byState(steps)}`)] : lines;
}

function drawStep(step: StepView, width: number, now: number): string {
  const { name, state, items, message, startedAt, submittedAt, endedAt, attempt = 1, cause, stuck } = step;
  const begun = startedAt ?? submittedAt;
  const counts = items ? `${items.succeeded}/${items.total}${items.failed > 0 ? `, ${items.failed} failed` : ''}` : '';
  const facts = [
    counts,
    state.toLowerCase(),
    begun === undefined ? '' : seconds((endedAt ?? now) - begun),
    attempt > 1 ? `attempt ${attempt}` : '',
    cause ?? message ?? '',
    stuck ? `cannot be placed: ${stuck.reason}` : '',
  ];
  const head = `${MARKS[state]} ${plain(name).slice(0, 40).padEnd(width)} ${bar(stepPercent(step))}`;
  return `  ${paint(state, head)} ${facts.filter(Boolean).map(plain).join('  ')}`;
}

/** The ones most worth looking at, in their order. */
function pick(steps: readonly StepView[], room: number): readonly StepView[] {
  if (steps.length <= room) return steps;
  const worth = ({ state }: StepView) =>
    ['FAILED', 'RUNNING', 'RUNNABLE', 'SUBMITTED', 'PENDING', 'CANCELLED', 'SUCCEEDED'].indexOf(state);
  const chosen = new Set([...steps].sort((a, b) => worth(a) - worth(b)).slice(0, room));
  return steps.filter((step) => chosen.has(step));
}

function byState(steps: readonly StepView[]): string {
  const counts = new Map<string, number>();
  for (const { state } of steps) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state.toLowerCase()}`).join(', ');
}

const clock = (at: number): string => new Date(at).toLocaleString('sv-SE').slice(0, 19);

function watching({ resume, way, offline, merged }: RunView): string {
  if (offline) return `  ${way}: the connection is lost; it is made again, and nothing is missed`;
  return `  ${way}: ${describeResume(resume)}${merged > 0 ? `; ${merged} events were told as fewer` : ''}`;
}

export function describeResume(resume: Resume): string {
  switch (resume.verdict) {
    case 'fresh':
      return `begins at event ${resume.snapshot.seq}`;
    case 'current':
      return 'nothing was missed';
    case 'replayed':
      return `${resume.count} events are told again`;
    case 'gap':
      return `events ${resume.from} to ${resume.to} are no longer kept; the picture has what they said`;
    case 'purged':
      return resume.snapshot ? 'the log was removed and has begun anew' : 'the log was removed';
  }
}

function runLine({ snapshot, text, offline }: RunView): string {
  const { status = 'begun', percent, message, steps, error } = snapshot;
  const open = steps.filter(({ state }) => state === 'RUNNING' || state === 'FAILED').slice(0, 5);
  return [
    status,
    ...(percent === undefined ? [] : [`${Math.floor(percent)} %`]),
    ...open.map(({ name, state }) => `${name} ${state.toLowerCase()}`),
    ...(message === undefined ? [] : [message]),
    ...(text ? [`${text.length} characters`] : []),
    ...(error ? [`${error.type}: ${error.message}`] : []),
    ...(offline ? ['offline'] : []),
  ]
    .map(plain)
    .join(' | ');
}
