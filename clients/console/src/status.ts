/**
 * What a status means, whatever the domain calls it. It is always written out too: colour says nothing by itself.
 *
 * @module
 */

export type Tone = 'good' | 'bad' | 'off' | 'wait' | 'busy';

const TONES: Readonly<Record<string, Tone>> = {
  COMPLETE: 'good',
  COMPLETED: 'good',
  SUCCEEDED: 'good',
  DONE: 'good',
  FINAL: 'good',
  SHIPPED: 'good',
  DELIVERED: 'good',
  FAILED: 'bad',
  REJECTED: 'bad',
  REFUSED: 'bad',
  TIMED_OUT: 'bad',
  TERMINATED: 'bad',
  CANCELLED: 'off',
  CANCELED: 'off',
  EXPIRED: 'off',
  WAITING: 'wait',
  PENDING: 'wait',
  RUNNABLE: 'wait',
  SUBMITTED: 'wait',
  APPROVAL: 'wait',
};

/** @param ended a word that is unknown here means success then: what failed or was cancelled says so */
export function toneOf(status: string | undefined, ended = false): Tone {
  const tone = status === undefined ? 'wait' : (TONES[status] ?? 'busy');
  return ended && (tone === 'busy' || tone === 'wait') ? 'good' : tone;
}

const ENDED = new Set<Tone>(['good', 'bad', 'off']);

/** Whether more can be expected of it. */
export const isOver = (run: { status?: string | undefined; endedAt?: number | string | undefined }): boolean =>
  run.endedAt !== undefined || (run.status !== undefined && ENDED.has(toneOf(run.status)));

/** `waiting for approval`. */
export const waitingText = (waitingFor: string): string => `waiting for ${waitingFor}`;
