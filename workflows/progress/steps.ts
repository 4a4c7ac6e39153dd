/**
 * The steps of a workflow that says itself which it has, as far as they have come. A plain class without waiting in it.
 *
 * @module
 */
import type { StepState, StepView } from './model.ts';

/** A step as the workflow's author plans it. */
export type PlannedStep = Pick<StepView, 'name' | 'weight' | 'after'>;

/** What a step may say of itself while it runs. */
export type StepUpdate = Pick<StepView, 'percent' | 'message' | 'items'>;

export class StepBook {
  readonly #steps = new Map<string, { view: StepView; changedAt: number }>();

  constructor(planned: readonly PlannedStep[]) {
    for (const step of planned) this.#steps.set(step.name, { view: { ...step, state: 'PENDING' }, changedAt: 0 });
  }

  all(): StepView[] {
    return [...this.#steps.values()].map(({ view }) => view);
  }

  /** Those that have changed since, epoch ms. */
  changedSince(at: number): StepView[] {
    return [...this.#steps.values()]
      .filter(({ changedAt }) => changedAt > 0 && changedAt >= at)
      .map(({ view }) => view);
  }

  /** A step that was not planned is added; one that has been begun before is at its next attempt. */
  begin(name: string, now: number): StepView {
    const { weight, after, attempt = 0 } = this.#steps.get(name)?.view ?? {};
    return this.#put(now, {
      name,
      ...(weight !== undefined && { weight }),
      ...(after && { after }),
      state: 'RUNNING',
      attempt: attempt + 1,
      startedAt: now,
    });
  }

  /** What a step says after its end, or before its beginning, is worth nothing. */
  update(name: string, more: StepUpdate, now: number): StepView | undefined {
    const view = this.#steps.get(name)?.view;
    return view?.state === 'RUNNING' ? this.#put(now, { ...view, ...more }) : undefined;
  }

  end(name: string, state: Extract<StepState, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>, now: number, cause?: string) {
    const view = this.#steps.get(name)?.view ?? { name };
    return this.#put(now, { ...view, state, endedAt: now, ...(cause !== undefined && { cause }) });
  }

  /** Ends what has not ended: nobody will any more. */
  cancelOpen(now: number): StepView[] {
    const open = this.all().filter(({ state }) => state === 'PENDING' || state === 'RUNNING');
    return open.map(({ name }) => this.end(name, 'CANCELLED', now));
  }

  #put(now: number, view: StepView): StepView {
    this.#steps.set(view.name, { view, changedAt: now });
    return view;
  }
}
