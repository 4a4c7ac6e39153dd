/**
 * Days and months as Cost Explorer takes and gives them: UTC, from (included) to (excluded).
 *
 * @module
 */

export const DAY_MS = 24 * 3600 * 1000;
/** A month's bill is final some days after its end. */
const FINAL_AFTER_MS = 5 * DAY_MS;

export interface Period {
  Start: string;
  End: string;
}

export const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

export const isDate = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && Number.isFinite(Date.parse(text)) && dateOf(Date.parse(text)) === text;

/** The first day of the month after. */
export function nextMonth(date: string): string {
  const at = new Date(date);
  return dateOf(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1));
}

/** The days or months of a time; of the first and the last month only what lies in it. */
export function periodsOf({ Start, End }: Period, granularity: 'DAILY' | 'MONTHLY'): Period[] {
  const periods: Period[] = [];
  for (let from = Start; from < End; ) {
    const next = granularity === 'DAILY' ? dateOf(Date.parse(from) + DAY_MS) : nextMonth(from);
    const to = next < End ? next : End;
    periods.push({ Start: from, End: to });
    from = to;
  }
  return periods;
}

/** Whether AWS may still change what it says of this time. */
export const isEstimated = ({ Start }: Period, now: number): boolean =>
  now < Date.parse(nextMonth(Start)) + FINAL_AFTER_MS;
