/**
 * Moments on an axis. Pure; the zone is a parameter, so that tests say which one they mean.
 *
 * @module
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** ISO 8601 for a `datetime` attribute; nothing for a time no calendar has. */
export function isoTime(at: number): string | undefined {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(at: number, options: Intl.DateTimeFormatOptions, timeZone: string | undefined): string {
  if (isoTime(at) === undefined) return '–';
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

/** Ms to add to UTC for the wall clock of a zone (this machine's when absent) at that moment. */
export function zoneOffset(at: number, timeZone?: string): number {
  if (timeZone === undefined) return -new Date(at).getTimezoneOffset() * MINUTE;
  const wall = new Date(new Date(at).toLocaleString('en-US', { timeZone }));
  const utc = new Date(new Date(at).toLocaleString('en-US', { timeZone: 'UTC' }));
  return wall.getTime() - utc.getTime();
}
