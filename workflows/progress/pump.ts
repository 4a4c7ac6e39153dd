/**
 * Sends what an outbox holds, one batch at a time, beside the workflow's own work and never in its way: a batch that fails
 * stays in the outbox.
 *
 * @module
 */
import { CancellationScope, log, proxyActivities, proxyLocalActivities, TemporalFailure } from '@temporalio/workflow';
import type { ProgressActivities } from '../../activities/progress/index.ts';
import { rootCause } from '../kit/failures.ts';
import { lastTurn } from '../kit/last-turn.ts';
import { now } from '../kit/time.ts';
import { ACTIVITY_TASK_QUEUE } from './model.ts';
import type { Batch, Outbox } from './outbox.ts';

/**
 * By best effort: a local activity leaves one marker in the history and asks for no workflow task of its own. What the
 * workflow does next waits for it, so it may not take long, and is not tried again.
 */
const LIGHT = {
  startToCloseTimeout: '2 seconds',
  scheduleToCloseTimeout: '2 seconds',
  retry: { maximumAttempts: 1 },
} as const;
/** What must not be lost is tried for this long before the run goes on without; it stays in the outbox then. */
const SURE = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: '1 minute',
  retry: { maximumInterval: '10 seconds' },
} as const;
/** Nothing comes after it. */
const LAST = { ...SURE, scheduleToCloseTimeout: '10 minutes' } as const;

const light = proxyLocalActivities<ProgressActivities>(LIGHT);
const sure = proxyActivities<ProgressActivities>(SURE);

/** By which activities batches go. A failure leaves the batch in the outbox. */
export interface Way {
  light(batch: Batch): Promise<unknown>;
  sure(batch: Batch): Promise<unknown>;
  /** Only a flush is worth the events of a normal activity: statuses that pass soon go by best effort too. */
  sparing?: boolean;
}

const optionsOf = ({ reports }: Batch) => (reports.some(({ kind }) => kind === 'end') ? LAST : SURE);

/** Straight into the log. */
export const DIRECT: Way = {
  async light(batch) {
    try {
      await light.appendProgress(batch);
    } finally {
      await lastTurn();
    }
  },
  sure: (batch) => sure.appendProgress.executeWithOptions({ ...optionsOf(batch), summary: 'report progress' }, [batch]),
};

const publish = (batch: Batch) =>
  sure.publishProgress.executeWithOptions({ ...optionsOf(batch), summary: 'publish progress' }, [batch]);
/** Over EventBridge, whose consumer appends. */
export const BUS: Way = { light: publish, sure: publish };

export interface Pump {
  /** Something has been said: it goes when it may. */
  nudge(): void;
  /** Waits until nothing is under way. */
  idle(): Promise<void>;
  /** Waits until all that has been said is told, or cannot be for now. */
  flush(): Promise<void>;
}

export function createPump(outbox: Outbox, addressed: () => Omit<Batch, 'reports'>, way: Way): Pump {
  const under: { way?: Promise<void> } = {};

  async function run(all: boolean): Promise<void> {
    for (;;) {
      const at = now();
      const surely = outbox.waits && (all || (!way.sparing && outbox.maySurely(at)));
      if (outbox.busy || !(surely || outbox.mayGo(at))) return;
      const batch = { ...addressed(), reports: outbox.take(at, { sure: surely }) };
      const told = await send(way, batch, surely);
      outbox.settle(told, now());
      if (!told) return;
    }
  }

  function start(all: boolean): void {
    under.way = run(all).finally(() => delete under.way);
  }

  async function idle(): Promise<void> {
    while (under.way) await under.way;
  }

  return {
    nudge() {
      if (!under.way) start(false);
    },
    idle,
    async flush() {
      await idle();
      // Another one may have been waiting for the same.
      if (outbox.waits && !under.way) start(true);
      await idle();
    },
  };
}

/** Of what can never be told: it is left out, or nothing after it would be told either. */
const INVALID = 'InvalidProgressError';

/** @returns whether it is dealt with; what is no failure of the activity, such as nobody having registered it, is thrown */
async function send(way: Way, batch: Batch, surely: boolean): Promise<boolean> {
  try {
    await CancellationScope.nonCancellable(() => (surely ? way.sure(batch) : way.light(batch)));
    return true;
  } catch (error) {
    // Of a local activity it comes as it is, of another one wrapped.
    if (!(error instanceof TemporalFailure)) throw error;
    const { type, message } = rootCause(error);
    if (type === INVALID) {
      log.error('progress was left out', { reason: message });
      return true;
    }
    log.warn('progress could not be told, and is kept for later', { reports: batch.reports.length });
    return false;
  }
}
