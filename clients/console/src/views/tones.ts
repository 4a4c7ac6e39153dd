/**
 * What a state looks like: a tone (a colour of the theme), an icon and a word, so that colour is never all there is.
 *
 * @module
 */
import type { StepState } from '../../../../workflows/progress/model.ts';
import { toneOf } from '../status.ts';

export type Tone = 'ok' | 'warn' | 'bad' | 'run' | 'wait' | 'idle';

export interface Look {
  tone: Tone;
  icon: string;
  label: string;
}

const STEP_LOOKS: Readonly<Record<StepState, Look>> = {
  PENDING: { tone: 'idle', icon: '○', label: 'Pending' },
  SUBMITTED: { tone: 'wait', icon: '◔', label: 'Submitted' },
  RUNNABLE: { tone: 'wait', icon: '◑', label: 'Runnable' },
  RUNNING: { tone: 'run', icon: '▶', label: 'Running' },
  SUCCEEDED: { tone: 'ok', icon: '✓', label: 'Succeeded' },
  FAILED: { tone: 'bad', icon: '✕', label: 'Failed' },
  CANCELLED: { tone: 'warn', icon: '⊘', label: 'Cancelled' },
};

const TONE_ICONS: Readonly<Record<Tone, string>> = { ok: '✓', warn: '⊘', bad: '✕', run: '▶', wait: '◔', idle: '○' };

const RUN_TONES: Readonly<Record<ReturnType<typeof toneOf>, Tone>> = {
  good: 'ok',
  bad: 'bad',
  off: 'warn',
  wait: 'wait',
  busy: 'run',
};

/** Of a step's state, or of a status in a domain's own words. */
export function lookOf(state: string): Look {
  if (Object.hasOwn(STEP_LOOKS, state)) return STEP_LOOKS[state as StepState];
  const tone = RUN_TONES[toneOf(state)];
  const words = state.toLowerCase().replaceAll('_', ' ');
  return { tone, icon: TONE_ICONS[tone], label: words.charAt(0).toUpperCase() + words.slice(1) };
}

/** Defined in parts.css. */
export const TONE_CLASS: Readonly<Record<Tone, string>> = {
  ok: 'v-tone-ok',
  warn: 'v-tone-warn',
  bad: 'v-tone-bad',
  run: 'v-tone-run',
  wait: 'v-tone-wait',
  idle: 'v-tone-idle',
};
