/**
 * Figures as people read them. Pure.
 *
 * @module
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `850 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  const length = Math.max(0, ms);
  if (length < SECOND) return `${Math.round(length)} ms`;
  if (length < 10 * SECOND) return `${(Math.floor(length / 100) / 10).toFixed(1)} s`;
  if (length < MINUTE) return `${Math.floor(length / SECOND)} s`;
  if (length < HOUR) return two(length, MINUTE, 'min', SECOND, 's');
  if (length < DAY) return two(length, HOUR, 'h', MINUTE, 'min');
  return two(length, DAY, 'd', HOUR, 'h');
}

function two(length: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((length % large) / small);
  return `${Math.floor(length / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

/** `now`, `40 s ago`, `in 3 min`. */
export function relative(at: number, now: number): string {
  const away = Math.abs(now - at);
  if (away < 5 * SECOND) return 'now';
  const [unit, name] =
    away < MINUTE ? [SECOND, 's'] : away < HOUR ? [MINUTE, 'min'] : away < DAY ? [HOUR, 'h'] : [DAY, 'd'];
  const text = `${Math.floor(away / unit)} ${name}`;
  return at > now ? `in ${text}` : `${text} ago`;
}

const MOMENTS = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
});

/** `26 Nov 2026, 14:05:09 UTC`: in the reader's own zone, which is named. */
export const moment = (at: number): string => (isTime(at) ? MOMENTS.format(at) : '–');

/** Whether any calendar has it: what came from outside may not be a time at all. */
export const isTime = (at: number): boolean => Math.abs(at) <= 8.64e15;

/** `14:02:09.123`, of the reader's zone. */
export function clock(at: number, withMs = false): string {
  const time = new Date(at);
  const pad = (value: number, length = 2): string => String(value).padStart(length, '0');
  const text = `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
  return withMs ? `${text}.${pad(time.getMilliseconds(), 3)}` : text;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(count: number): string {
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

const NUMBERS = new Intl.NumberFormat('en-GB');

export const count = (value: number): string => NUMBERS.format(value);

/** `1 step`, `12,000 steps`. */
export const counted = (value: number, what: string, many = `${what}s`): string =>
  `${count(value)} ${value === 1 ? what : many}`;

/** 100 is said of what is done only. */
export const percentText = (percent: number): string => `${percent >= 100 ? 100 : Math.min(99, Math.floor(percent))} %`;

/** Few digits, and nothing that costs reads as nothing. */
export function money(amount: string | number, currency: string): string {
  const value = Number(amount);
  if (!Number.isFinite(value)) return `${amount} ${currency}`;
  const small = value !== 0 && Math.abs(value) < 1;
  const decimals = small ? Math.min(12, Math.max(2, 2 - Math.floor(Math.log10(Math.abs(value))))) : 2;
  const figures = value.toLocaleString('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: decimals });
  return `${figures} ${currency}`;
}

export const mebibytes = (mib: number): string => bytes(mib * 1024 * 1024);

/** Of what a run counts, by its name: `12 objects`, `3.0 GiB`, `16 B restored`. */
export function countText(name: string, value: number): string {
  if (!/bytes$/i.test(name)) return `${count(value)} ${name}`;
  return `${bytes(value)} ${name.slice(0, -'bytes'.length)}`.trim();
}
