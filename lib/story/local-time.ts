/**
 * Dates and times of day in a family's time zone, and the moments they are: what a clock on the wall shows there, daylight
 * saving included. By `Intl`, which knows the zones.
 *
 * @module
 */

const DAY_MS = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** What a clock there shows, as if it were UTC. Epoch ms, of whole seconds. */
function wallClock(timeZone: string, at: number): number {
  const parts = formatOf(timeZone).formatToParts(at);
  const [year, month, day, hour, minute, second] = (['year', 'month', 'day', 'hour', 'minute', 'second'] as const).map(
    (type) => Number(parts.find((part) => part.type === type)?.value),
  );
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}

/** `2026-11-26`, of a moment in epoch ms. @throws RangeError for a zone that is not known */
export const localDate = (at: number, timeZone: string): string =>
  new Date(wallClock(timeZone, at)).toISOString().slice(0, 10);

/** `19:15`, of a moment in epoch ms. @throws RangeError for a zone that is not known */
export const localTimeOf = (timeZone: string, at: number): string =>
  new Date(wallClock(timeZone, at)).toISOString().slice(11, 16);

/** `2026-02-30` is none. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** The date so many days later, or earlier. */
export const dayAfter = (date: string, days = 1): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/**
 * When the clocks there show it, in epoch ms: once as a rule; twice when they are put back; never when they are put forward
 * over it.
 */
export function momentsOf(timeZone: string, date: string, time: string): number[] {
  const wanted = Date.parse(`${date}T${time}:00Z`);
  const candidates = new Set(offsetsAround(timeZone, wanted).map((offset) => wanted - offset));
  return [...candidates].filter((at) => wallClock(timeZone, at) === wanted).toSorted((a, b) => a - b);
}

/** Before and after a change of the clocks that may lie near. */
const offsetsAround = (timeZone: string, wanted: number): number[] =>
  [wanted - DAY_MS, wanted + DAY_MS].map((at) => wallClock(timeZone, at) - at);

/**
 * The first and the last moment that may be meant; where the clocks are put forward over it, as long after the change as it
 * would have been without.
 */
export function momentsAbout(timeZone: string, date: string, time: string): { first: number; last: number } {
  const [first, last = first] = momentsOf(timeZone, date, time);
  if (first !== undefined && last !== undefined) return { first, last };
  const wanted = Date.parse(`${date}T${time}:00Z`);
  const [before = 0] = offsetsAround(timeZone, wanted);
  return { first: wanted - before, last: wanted - before };
}

/** Dates, of so many from one on, on which that time does not exist there. */
export const datesWithout = (timeZone: string, time: string, from: string, days: number): string[] =>
  Array.from({ length: days }, (_, nth) => dayAfter(from, nth)).filter(
    (date) => momentsOf(timeZone, date, time).length === 0,
  );
