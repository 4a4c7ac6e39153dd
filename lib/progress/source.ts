/**
 * Who reports, and the numbers of its reports.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { type Change, type EventKind, nextLocalSeq, type Report, type Source } from '../../workflows/progress/model.ts';

export interface ReportSource {
  readonly source: Source;
  /** The next report; `at` is the time of the call. */
  report(change: Change, kind?: EventKind): Report;
}

/** Bytes a name may have: it stands in the head of the log. */
const NAME_BYTES = 256;
const DIGEST = 16;

/**
 * @param name `workflow`, or the activity and what it works on; a long one is cut, and made unlike others by a digest
 * @param attempt of that source: a higher one supersedes this
 */
export function createSource(name: string, attempt: number, now: () => number = Date.now): ReportSource {
  const source: Source = { name: shortened(name), attempt };
  let last = 0;
  return {
    source,
    report(change, kind = 'progress') {
      const at = now();
      last = nextLocalSeq(last, at);
      return { ...change, kind, source, localSeq: last, at };
    },
  };
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= NAME_BYTES) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST);
  const begin = Buffer.from(name)
    .subarray(0, NAME_BYTES - DIGEST - 4)
    .toString();
  // A character that was cut in half has become one that is longer.
  return `${begin.replace(/\uFFFD$/, '')}#${digest}`;
}
