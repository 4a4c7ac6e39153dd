/**
 * What the watchers of a pricing are told: its stages, and what it has come to. Until a worker has said that there is a
 * log nothing is told.
 *
 * @module
 */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import { rootCause } from '../kit/failures.ts';
import { now } from '../kit/time.ts';
import { workflowIdOf as launchIdOf } from '../launch/model.ts';
import { Outbox } from '../progress/outbox.ts';
import { createPump, DIRECT, type Pump } from '../progress/pump.ts';
import type { CostStage, CostSummary } from './model.ts';

/** A round has five stages, and there are 50 rounds at most before it continues as new. */
const MOST = 300;

export interface Telling {
  stage(stage: CostStage, lastsSeconds?: number): void;
  cost(cost: CostSummary): void;
  /** There is a log. @param attempt of the launch: what is priced now */
  open(facts: { consumer?: string }, attempt: number): void;
  flush(): Promise<void>;
  end(status: 'DONE' | 'CANCELLED' | 'FAILED', error?: unknown): Promise<void>;
}

export function createTelling(launchId: string): Telling {
  let open: { outbox: Outbox; pump: Pump; attempt: number } | undefined;
  const { workflowId } = workflowInfo();
  const flush = async () => {
    await CancellationScope.nonCancellable(async () => open?.pump.flush());
  };

  return {
    stage(status, lastsSeconds) {
      if (!open || status === 'DONE') return;
      const etaAt = lastsSeconds === undefined ? null : now() + lastsSeconds * 1000;
      open.outbox.add('status', { status, etaAt }, now());
      open.pump.nudge();
    },
    cost({ total_cost: total, currency }) {
      open?.outbox.add('cost', { cost: { total, currency } }, now());
    },
    open({ consumer }, attempt) {
      if (open?.attempt === attempt) return;
      const facts = { domain: 'cost', parent: launchIdOf(launchId), ...(consumer !== undefined && { consumer }) };
      const outbox = new Outbox({ name: 'workflow', attempt }, now(), MOST);
      outbox.add('status', { begins: { attempt }, status: 'COLLECTING', error: null }, now());
      // Stages are many and soon over: they are not worth the events of a normal activity.
      const pump = createPump(outbox, () => ({ run: workflowId, facts }), { ...DIRECT, sparing: true });
      open = { outbox, pump, attempt };
    },
    flush,
    async end(status, error) {
      const failed = status === 'FAILED' && { error: rootCause(error) };
      open?.outbox.add('end', { status, etaAt: null, ...failed }, now());
      await flush();
    },
  };
}
