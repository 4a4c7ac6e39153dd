/**
 * Logs of runs in memory: the product's own store over a table that is a map. It can be out of order.
 *
 * @module
 */

import type { StoredEvent } from '../../lib/progress/reckon.ts';
import { ProgressStore } from '../../lib/store/progress.ts';
import type { ProgressTable, StoredHead, StoredStep } from '../../lib/store/progress-table.ts';
import type { ProgressEvent, Snapshot } from '../../workflows/progress/model.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';

interface Run {
  head?: StoredHead;
  events: Map<number, StoredEvent>;
  steps: Map<string, StoredStep>;
}

export interface StoredLog {
  store: ProgressStore;
  /** Called before each append; may throw, or take its time. */
  before(batch: Batch): Promise<void> | void;
  /** How many batches were sent, those that failed included. */
  batches: Batch[];
  activities: {
    appendProgress(batch: Batch): Promise<void>;
    publishProgress(batch: Batch): Promise<void>;
  };
  events(run: string): Promise<ProgressEvent[]>;
  picture(run: string): Promise<Snapshot>;
}

export function createStoredLog(): StoredLog {
  const store = new ProgressStore(memoryTable());
  const append = async (batch: Batch) => {
    log.batches.push(batch);
    await log.before(batch);
    await store.append(batch.run, batch.facts, batch.reports);
  };
  const log: StoredLog = {
    store,
    before: () => {},
    batches: [],
    activities: { appendProgress: append, publishProgress: append },
    events: (run) => store.read(run, 0, 100_000),
    async picture(run) {
      const picture = await store.snapshot(run);
      if (!picture) throw new Error(`there is no log of ${run}`);
      return picture;
    },
  };
  return log;
}

function memoryTable(): ProgressTable {
  const runs = new Map<string, Run>();
  const of = (name: string): Run => {
    const run = runs.get(name) ?? { events: new Map(), steps: new Map() };
    runs.set(name, run);
    return run;
  };
  const prefix = ({ epoch, attempt }: { epoch: string; attempt: number }) => `${epoch}#${attempt}#`;
  const stepsOf = (run: string, view: { epoch: string; attempt: number }) =>
    [...of(run).steps].filter(([key]) => key.startsWith(prefix(view))).map(([, step]) => step);
  return {
    head: async (run) => structuredClone(of(run).head),
    async write(name, plan, expected, lives) {
      const run = of(name);
      if (run.head?.head.view.seq !== expected?.head.view.seq) return false;
      const { view } = plan.head;
      run.head = structuredClone({ head: plan.head, expiresAt: lives.head });
      for (const event of plan.events) run.events.set(event.seq, structuredClone(event));
      for (const seq of plan.drops) run.events.delete(seq);
      for (const { attempt, step, seq, order } of plan.steps) {
        const key = `${prefix({ epoch: view.epoch, attempt })}${step.name}`;
        const known = run.steps.get(key);
        const after = step.after ?? known?.step.after;
        run.steps.set(key, { step: after ? { ...step, after } : step, seq, order: known?.order ?? order });
      }
      return true;
    },
    events: async (run, after, limit) => [...of(run).events.values()].filter(({ seq }) => seq > after).slice(0, limit),
    steps: async (run, view) => stepsOf(run, view),
    stepNames: async (run, view) => stepsOf(run, view).map(({ step }) => step.name),
    renew: async () => {},
  };
}
