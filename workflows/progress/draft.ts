/**
 * What a source has to say before it goes out: changes put together as long as they may be, and cut into reports of a
 * size the log takes. Pure.
 *
 * @module
 */
import { type Change, type EventKind, isMergeable, LIMITS, type StepView } from './model.ts';
import { mergeChanges } from './picture.ts';

/** A report without a number and a name yet. */
export interface Draft extends Change {
  kind: EventKind;
  /** Epoch ms. */
  at: number;
}

/** Characters of JSON that steps of one report may have: at most three bytes each, so it stays under the limit. */
const STEP_CHARACTERS = 18_000;

/** @param drafts gets the new one, or the last one of it is widened by it */
export function addDraft(drafts: Draft[], draft: Draft): void {
  const last = drafts.at(-1);
  if (last && isMergeable(last.kind) && isMergeable(draft.kind)) drafts[drafts.length - 1] = mergeChanges(last, draft);
  else drafts.push(draft);
}

/**
 * The same in pieces of at most `LIMITS.stepsInReport` steps. Everything but steps is said by the first of them, of an
 * end by the last.
 */
export function split(draft: Draft): Draft[] {
  const { steps = [], begins, ...rest } = draft;
  const chunks = chunksOf(steps);
  if (chunks.length < 2) return [draft];
  const says = rest.kind === 'end' ? chunks.length - 1 : 0;
  return chunks.map((chunk, index) => ({
    ...(index === says ? rest : { kind: 'progress' as const, at: rest.at }),
    // A report of steps without it would have it reckoned anew.
    ...(rest.percent !== undefined && { percent: rest.percent }),
    ...(begins && index === 0 && { begins }),
    steps: chunk,
  }));
}

function chunksOf(steps: readonly StepView[]): StepView[][] {
  const chunks: StepView[][] = [];
  let left = 0;
  for (const step of steps) {
    const size = JSON.stringify(step).length;
    const last = chunks.at(-1);
    if (last && last.length < LIMITS.stepsInReport && size <= left) last.push(step);
    else {
      chunks.push([step]);
      left = STEP_CHARACTERS;
    }
    left -= size;
  }
  return chunks;
}

/** Of one step, so that any fits into a report: tasks, and characters of their names and of those it comes after. */
const OF_A_STEP = { tasks: 50, taskName: 200, after: 30_000 } as const;
const TYPE = 80;

/** Texts and lists cut to what a report may have. */
export function cut(change: Change): Change {
  const { message, steps, error } = change;
  return {
    ...change,
    ...(message && { message: clip(message) }),
    ...(error && { error: { type: clip(error.type, TYPE), message: clip(error.message) } }),
    ...(steps && { steps: steps.map(cutStep) }),
  };
}

function cutStep(step: StepView): StepView {
  const { message, cause, stuck, tasks, after } = step;
  return {
    ...step,
    ...(message !== undefined && { message: clip(message) }),
    ...(cause !== undefined && { cause: clip(cause) }),
    ...(stuck && { stuck: { ...stuck, reason: clip(stuck.reason), remedy: clip(stuck.remedy) } }),
    ...(tasks && {
      tasks: tasks.slice(0, OF_A_STEP.tasks).map((task) => ({ ...task, name: clip(task.name, OF_A_STEP.taskName) })),
    }),
    ...(after && { after: firstOf(after, OF_A_STEP.after) }),
  };
}

function firstOf(names: readonly string[], characters: number): readonly string[] {
  let left = characters;
  const end = names.findIndex((name) => {
    left -= name.length + 3;
    return left < 0;
  });
  return end < 0 ? names : names.slice(0, end);
}

const clip = (text: string, most: number = LIMITS.message): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;
