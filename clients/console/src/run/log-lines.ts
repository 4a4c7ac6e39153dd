/**
 * Lines of a log as they are kept in the page. Pure.
 *
 * @module
 */
import type { LogLine } from '../../../live/api.ts';

/** More are not kept in the page: the download has them. */
export const MOST_LINES = 50_000;

export interface LogFilters {
  step?: string;
  item?: string;
  attempt?: string;
  container?: string;
  search?: string;
  errors?: string;
}

export const LOG_FILTERS = ['step', 'item', 'attempt', 'container', 'search', 'errors'] as const;

export function logFiltersOf(query: URLSearchParams): LogFilters {
  const filters: LogFilters = {};
  for (const name of LOG_FILTERS) {
    const value = query.get(name);
    if (value) filters[name] = value;
  }
  return filters;
}

/** Adds what came; the oldest go when there are too many. */
export function appendLines(
  known: { lines: readonly LogLine[]; dropped: number },
  more: readonly LogLine[],
): { lines: readonly LogLine[]; dropped: number } {
  if (more.length === 0) return known;
  const all = [...known.lines, ...more];
  const over = Math.max(0, all.length - MOST_LINES);
  return over === 0 ? { ...known, lines: all } : { lines: all.slice(over), dropped: known.dropped + over };
}

/** A text cut where it has what was searched for, whatever the case: every second part is a hit. */
export function cutAtHits(text: string, search: string | undefined): string[] {
  if (!search) return [text];
  const [whole, wanted] = [text.toLowerCase(), search.toLowerCase()];
  // Letters whose other case has another length would put the cuts elsewhere.
  if (whole.length !== text.length) return [text];
  const parts: string[] = [];
  let from = 0;
  for (let at = whole.indexOf(wanted); at >= 0; at = whole.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + wanted.length));
    from = at + wanted.length;
  }
  parts.push(text.slice(from));
  return parts;
}
