/**
 * Where a reader goes on, by the log of what was typed.
 *
 * @module
 */
import type { ProgressReader } from '../../lib/progress/log.ts';
import type { ProgressEvent } from '../../workflows/progress/model.ts';
import { type LogPlace, type Reading, SOURCE, type Typed } from '../../workflows/teleprinter/model.ts';

/** Events read at a time, backwards from the newest: between characters are few others. */
const PAGE = 50;

export interface Look {
  run: string;
  cursor?: LogPlace;
}

/** What was typed last. */
export interface LastTyped {
  reading: number;
  /** The next character. */
  at: number;
  seq: number;
}

/**
 * A reader with a cursor goes on: the log tells again what was typed after it, and typing goes on behind that. One without
 * (who is new, or was away for too long), or who has seen all of it, begins at the first character, after what there is.
 */
export async function findReading(log: ProgressReader, total: number, { run, cursor }: Look): Promise<Reading> {
  const head = await log.head(run);
  if (!head) return { reading: 1, at: 0, total };
  const end = { epoch: head.epoch, seq: head.seq };
  const last = await lastTyped(log, run, head);
  if (!last) return { reading: 1, at: 0, total, after: end };
  const known = cursor?.epoch === head.epoch && cursor.seq + 1 >= head.first && cursor.seq <= head.seq;
  if (known && (last.at < total || cursor.seq < last.seq))
    return { reading: last.reading, at: last.at, total, after: { epoch: cursor.epoch, seq: cursor.seq } };
  return { reading: last.reading + 1, at: 0, total, after: end };
}

/** @returns undefined when nothing was typed that is still kept */
export async function lastTyped(
  log: ProgressReader,
  run: string,
  { first, seq }: { first: number; seq: number },
): Promise<LastTyped | undefined> {
  for (let to = seq; to >= first; to -= PAGE) {
    const after = Math.max(first - 1, to - PAGE);
    const found = (await log.read(run, after, to - after)).findLast(isTyped);
    if (!found) continue;
    const { at, text } = found.data as Typed;
    return { reading: found.source.attempt, at: at + [...text].length, seq: found.seq };
  }
  return undefined;
}

const isTyped = ({ kind, source }: ProgressEvent): boolean => kind === 'data' && source.name === SOURCE;
