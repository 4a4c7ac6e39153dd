/**
 * Types an article into the progress log: a character each time, or those that have become due where the log is slower.
 *
 * @module
 */
import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { ProgressReader, ProgressWriter } from '../../lib/progress/log.ts';
import type { Report, RunFacts } from '../../workflows/progress/model.ts';
import { SOURCE } from '../../workflows/teleprinter/model.ts';
import { lastTyped } from './reading.ts';

export interface TypeInput {
  run: string;
  facts: RunFacts;
  reading: number;
  /** The first character to type, unless more was typed already. */
  at: number;
  characterMs: number;
}

/** @returns the next character to type: that after the last one when it was ended by a pause */
export async function typeArticle(
  log: ProgressReader & ProgressWriter,
  characters: readonly string[],
  { run, facts, reading, at: from, characterMs }: TypeInput,
): Promise<{ at: number }> {
  const context = Context.current();
  let at = await nextOf(log, run, reading, from);
  const begun = { at, ms: Date.now() };
  while (at < characters.length) {
    const due = begun.ms + (at - begun.at + 1) * characterMs;
    try {
      if (due > Date.now()) await context.sleep(due - Date.now());
      else if (context.cancellationSignal.aborted) return { at };
    } catch (error) {
      if (error instanceof CancelledFailure) return { at };
      throw error;
    }
    const late = Math.max(0, Math.floor((Date.now() - due) / characterMs));
    const text = characters.slice(at, at + 1 + late).join('');
    const next = Math.min(characters.length, at + 1 + late);
    await log.append(run, facts, [character(text, at, next, reading, characters.length)]);
    at = next;
    context.heartbeat({ at });
  }
  return { at };
}

/** Numbered by its last character: what a try before this one has typed is refused. */
const character = (text: string, at: number, next: number, reading: number, total: number): Report => ({
  kind: 'data',
  source: { name: SOURCE, attempt: reading },
  localSeq: next,
  at: Date.now(),
  percent: (100 * next) / total,
  data: { at, text },
});

/** A try before this one may have died after it had typed more. */
async function nextOf(log: ProgressReader, run: string, reading: number, from: number): Promise<number> {
  const head = await log.head(run);
  const last = head && (await lastTyped(log, run, head));
  return last?.reading === reading ? Math.max(from, last.at) : from;
}
