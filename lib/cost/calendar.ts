/**
 * Days, ISO weeks and months of reports, all in UTC, as text that sorts by time.
 *
 * @module
 */

const DAY_MS = 86_400_000;
/** One query of an index a day: more than ten years is a slip of the keyboard. */
const MOST_DAYS = 3_660;

/** What was asked for cannot be reported. */
export class ReportError extends Error {
  override readonly name = 'ReportError';
}

/** @throws ReportError for what is no date, such as `2026-02-30` */
function timeOf(date: string, what: string): number {
  const time = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  // Where a month has no such day, the date would be one of the next month.
  if (Number.isNaN(time) || textOf(time) !== date)
    throw new ReportError(`${what}: "${date}" is no date; expected one such as 2026-11-26`);
  return time;
}

const textOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/**
 * Every day from one to another, both included.
 * @throws ReportError
 */
export function daysBetween(from: string, to: string): string[] {
  const [first, last] = [timeOf(from, 'from'), timeOf(to, 'to')];
  if (last < first) throw new ReportError(`from ${from} to ${to}: the end lies before the beginning`);
  const count = (last - first) / DAY_MS + 1;
  if (count > MOST_DAYS)
    throw new ReportError(`from ${from} to ${to} are ${count} days; a report has ${MOST_DAYS} at most`);
  return Array.from({ length: count }, (_, place) => textOf(first + place * DAY_MS));
}

/** ISO 8601: weeks begin on Monday, and belong to the year of their Thursday: `2026-W48`. */
export function isoWeek(day: string): string {
  const time = timeOf(day, 'day');
  const weekday = (new Date(time).getUTCDay() + 6) % 7;
  const thursday = time + (3 - weekday) * DAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  const week = Math.floor((thursday - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

/** `2026-11`. */
export const monthOfDay = (day: string): string => day.slice(0, 7);

/** From the first of the month to the day itself. */
export function monthToDate(now: number): { from: string; to: string } {
  const to = textOf(now);
  return { from: `${monthOfDay(to)}-01`, to };
}
