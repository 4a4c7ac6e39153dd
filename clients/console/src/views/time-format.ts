/**
 * Moments on an axis. Pure; the zone is a parameter, so that tests say which one they mean.
 *
 * @module
 */
import type { StepView } from '../../../../workflows/progress/model.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(at: number, options: Intl.DateTimeFormatOptions, timeZone: string | undefined): string {
  // A time no calendar has.
  if (Number.isNaN(new Date(at).getTime())) return '–';
  const key = JSON.stringify([options, timeZone]);
  let made = formats.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat('en-GB', { hourCycle: 'h23', ...options, ...(timeZone && { timeZone }) });
    formats.set(key, made);
  }
  return made.format(at);
}

/** `26 Nov 14:05:09`. */
export const formatMoment = (at: number, timeZone?: string): string =>
  `${formatDay(at, timeZone)} ${formatClock(at, SECOND, timeZone)}`;

/** `26 Nov`. */
export const formatDay = (at: number, timeZone?: string): string =>
  format(at, { day: 'numeric', month: 'short' }, timeZone);

/**
 * `14:05`, `14:05:09` or `14:05:09.250`, as exact as needed to tell moments `step` apart.
 * @param step ms
 */
export function formatClock(at: number, step: number, timeZone?: string): string {
  return format(
    at,
    {
      hour: '2-digit',
      minute: '2-digit',
      ...(step < MINUTE && { second: '2-digit' }),
      ...(step < SECOND && { fractionalSecondDigits: 3 }),
    },
    timeZone,
  );
}

/** Ms to add to UTC for this machine's wall clock at that moment. */
export const zoneOffset = (at: number): number => -new Date(at).getTimezoneOffset() * MINUTE;

/** When a step was where, by name; what has not been is undefined. */
export const timesOf = ({ submittedAt, startedAt, endedAt }: StepView) =>
  [
    ['submitted', submittedAt],
    ['started', startedAt],
    ['ended', endedAt],
  ] as const;
