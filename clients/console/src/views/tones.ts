/**
 * What a state looks like: a tone (a colour of the theme), an icon and a word, so that colour is never all there is.
 *
 * @module
 */
import type { StepState } from '../../../../workflows/progress/model.ts';

export type Tone = 'ok' | 'warn' | 'bad' | 'run' | 'wait' | 'idle';

export interface Look {
  tone: Tone;
  icon: string;
  label: string;
}

const STEP_LOOKS: Readonly<Record<StepState, Look>> = {
  PENDING: { tone: 'idle', icon: '○', label: 'Pending' },
  SUBMITTED: { tone: 'wait', icon: '◔', label: 'Submitted' },
  RUNNABLE: { tone: 'wait', icon: '◑', label: 'Waiting for capacity' },
  RUNNING: { tone: 'run', icon: '▶', label: 'Running' },
  SUCCEEDED: { tone: 'ok', icon: '✓', label: 'Succeeded' },
  FAILED: { tone: 'bad', icon: '✕', label: 'Failed' },
  CANCELLED: { tone: 'warn', icon: '⊘', label: 'Cancelled' },
};

const TONE_ICONS: Readonly<Record<Tone, string>> = { ok: '✓', warn: '⊘', bad: '✕', run: '▶', wait: '◔', idle: '○' };

/** By words that domains use; the first that fits counts. */
const STATUS_TONES: readonly (readonly [RegExp, Tone])[] = [
  [/FAIL|ERROR|REFUSED|REJECTED|TIMED_?OUT|TERMINATED/, 'bad'],
  [/CANCEL|EXPIRED|PURGED|STOPPED/, 'warn'],
  [/COMPLETE|SUCCE|DONE|FINISHED|READY|DELIVERED|APPROVED/, 'ok'],
  [/WAIT|RESTOR|APPROVAL|PENDING|QUEUED|PAUSED|PLANNED|SUBMITTED|RUNNABLE/, 'wait'],
  [/RUN|START|LAUNCH|STAG|PROGRESS|ING$/, 'run'],
];

/** Of a step's state, or of a status in a domain's own words. */
export function lookOf(state: string): Look {
  if (Object.hasOwn(STEP_LOOKS, state)) return STEP_LOOKS[state as StepState];
  const tone = STATUS_TONES.find(([words]) => words.test(state.toUpperCase()))?.[1] ?? 'idle';
  const words = state.toLowerCase().replaceAll('_', ' ');
  return { tone, icon: TONE_ICONS[tone], label: words.charAt(0).toUpperCase() + words.slice(1) };
}

/** Defined in parts.css. */
export const TONE_CLASS: Readonly<Record<Tone, string>> = {
  ok: 'tone-ok',
  warn: 'tone-warn',
  bad: 'tone-bad',
  run: 'tone-run',
  wait: 'tone-wait',
  idle: 'tone-idle',
};
