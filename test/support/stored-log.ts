/**
 * Logs of runs in memory: the product's own store over a table that is a map. It can be out of order.
 *
 * @module
 */

import { ProgressStore } from '../../lib/store/progress.ts';
import type { ProgressEvent, Snapshot } from '../../workflows/progress/model.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';
import { memoryTable } from './progress-table.ts';

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
