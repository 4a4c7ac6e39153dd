/**
 * Times and durations as people read them. Pure; the zone is a parameter, so that tests say which one they mean.
 *
 * @module
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * In the two largest units: `2 d 4 h`, `3 m 05 s`, `420 ms`.
 * @param ms below 0 counts as 0
 */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const length = Math.max(0, ms);
  if (length < SECOND) return `${Math.round(length)} ms`;
  if (length < 10 * SECOND) return `${(Math.floor(length / 100) / 10).toFixed(1)} s`;
  if (length < MINUTE) return `${Math.floor(length / SECOND)} s`;
  if (length < HOUR) return pair(length, MINUTE, 'm', SECOND, 's');
  if (length < DAY) return pair(length, HOUR, 'h', MINUTE, 'm');
  return `${Math.floor(length / DAY)} d ${Math.floor((length % DAY) / HOUR)} h`;
}

const pair = (ms: number, large: number, largeName: string, small: number, smallName: string): string =>
  `${Math.floor(ms / large)} ${largeName} ${String(Math.floor((ms % large) / small)).padStart(2, '0')} ${smallName}`;

/** `3 m ago`, `in 2 h`, `just now`. */
export function formatRelative(at: number, now: number): string {
  const away = Math.abs(now - at);
  if (away < 5 * SECOND) return 'just now';
  const unit: readonly [number, string] =
    away < MINUTE ? [SECOND, 's'] : away < HOUR ? [MINUTE, 'm'] : away < DAY ? [HOUR, 'h'] : [DAY, 'd'];
  const count = `${Math.floor(away / unit[0])} ${unit[1]}`;
  return at <= now ? `${count} ago` : `in ${count}`;
}

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
