/**
 * The rows of the timeline: what is drawn of each step. Rows are made as they come into sight; only when something ran is
 * reckoned over all steps.
 *
 * @module
 */

import type { Snapshot, StepView } from '../../../../workflows/progress/model.ts';
import type { StepDetail } from '../../../live/api.ts';
import { duration } from '../format.ts';
import type { Span } from './timeline-axis.ts';
import { lookOf } from './tones.ts';

/** Jobs of one generation of one attempt of a step. */
export interface Generation extends Span {
  attempt: number;
  generation: number;
  jobs: number;
  failed: boolean;
  /** Of an attempt before the present one. */
  earlier: boolean;
}

export interface Row {
  step: StepView;
  /** From submission to start. */
  waiting?: Span;
  running?: Span;
  generations: readonly Generation[];
  /** For screen readers and the tooltip. */
  text: string;
}

const isOver = (step: StepView): boolean =>
  step.state === 'SUCCEEDED' || step.state === 'FAILED' || step.state === 'CANCELLED';

/** Until when a step has gone on: one that is over but does not say since when ended with what is known last. */
const endOf = (step: StepView, now: number): number =>
  step.endedAt ?? (isOver(step) ? (step.startedAt ?? step.submittedAt ?? now) : now);

const ordered = (from: number, to: number): Span => ({ from, to: Math.max(from, to) });

export function waitingSpan(step: StepView, now: number): Span | undefined {
  if (step.submittedAt === undefined) return undefined;
  return ordered(step.submittedAt, step.startedAt ?? endOf(step, now));
}

export function runningSpan(step: StepView, now: number): Span | undefined {
  return step.startedAt === undefined ? undefined : ordered(step.startedAt, endOf(step, now));
}

/** When something ran. */
export function busySpans(steps: readonly StepView[], now: number): Span[] {
  const spans: Span[] = [];
  for (const step of steps) {
    const span = runningSpan(step, now);
    if (span) spans.push(span);
  }
  return spans;
}

/** From the first to the last that is known of the run. */
export function domainOf(snapshot: Snapshot, now: number): Span {
  let from = snapshot.startedAt;
  let to = Math.max(from, snapshot.endedAt ?? now);
  for (const step of snapshot.steps) {
    for (const at of [step.submittedAt, step.startedAt, step.endedAt]) {
      if (at === undefined) continue;
      if (at < from) from = at;
      if (at > to) to = at;
    }
  }
  return { from, to };
}

/** Details by step, every attempt. */
export function detailsByStep(details: readonly StepDetail[]): Map<string, StepDetail[]> {
  const byStep = new Map<string, StepDetail[]>();
  for (const detail of details) {
    const of = byStep.get(detail.step);
    if (of) of.push(detail);
    else byStep.set(detail.step, [detail]);
  }
  return byStep;
}

export function generationsOf(step: StepView, details: readonly StepDetail[], now: number): Generation[] {
  const last = details.reduce((highest, detail) => Math.max(highest, detail.attempt), 0);
  const found = new Map<string, Generation>();
  for (const detail of details) {
    for (const job of detail.jobs) {
      const submittedAt = Date.parse(job.submittedAt);
      if (Number.isNaN(submittedAt)) continue;
      const key = `${detail.attempt}/${job.generation}`;
      const known = found.get(key);
      if (known) {
        known.jobs += 1;
        known.from = Math.min(known.from, submittedAt);
        continue;
      }
      found.set(key, {
        attempt: detail.attempt,
        generation: job.generation,
        jobs: 1,
        failed: detail.failures.some((failure) => failure.generation === job.generation),
        earlier: detail.attempt < last,
        from: submittedAt,
        to: submittedAt,
      });
    }
  }
  const inOrder = [...found.values()].sort((a, b) => a.attempt - b.attempt || a.generation - b.generation);
  return inOrder.map((generation, index) => {
    const next = inOrder[index + 1];
    const end = Math.max(generation.from, next ? next.from : endOf(step, now));
    return { ...generation, to: end };
  });
}

export function makeRow(step: StepView, details: readonly StepDetail[], now: number): Row {
  const waiting = waitingSpan(step, now);
  const running = runningSpan(step, now);
  const generations = generationsOf(step, details, now);
  return {
    step,
    ...(waiting && { waiting }),
    ...(running && { running }),
    generations,
    text: rowText(step, waiting, running, generations),
  };
}

function rowText(
  step: StepView,
  waiting: Span | undefined,
  running: Span | undefined,
  generations: readonly Generation[],
): string {
  const { items } = step;
  const words = [
    lookOf(step.state).label,
    running && `ran ${duration(running.to - running.from)}`,
    waiting && waiting.to > waiting.from && `waited ${duration(waiting.to - waiting.from)}`,
    (step.attempt ?? 1) > 1 && `attempt ${step.attempt}`,
    items && `${items.succeeded} of ${items.total} items${items.failed > 0 ? `, ${items.failed} failed` : ''}`,
    generations.length > 1 && `${generations.length} generations of jobs`,
    step.cause,
    step.stuck && `${step.stuck.reason}: ${step.stuck.remedy}`,
  ];
  return words.filter((word) => typeof word === 'string' && word !== '').join(', ');
}
