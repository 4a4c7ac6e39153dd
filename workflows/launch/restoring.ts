/**
 * Waiting for archived inputs: the launch's own restore runs beside it, `restore/<launchId>`, and keeps the copies until
 * the launch has ended.
 *
 * @module
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  type ChildWorkflowHandle,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  setHandler,
  sleep,
  startChild,
  TerminatedFailure,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type Approval,
  DECIDED_SIGNAL,
  isEnded,
  type RestoreInput,
  type RestoreProgress,
  type Wishes,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../restore/model.ts';
import type { restore } from '../restore/workflow.ts';
import type { BudgetGate } from './budget.ts';
import { approve, restoreChanged, usableRestore } from './messages.ts';
import type { RestoreSummary, WaitingFor } from './model.ts';
import type { LaunchState } from './state.ts';

/** How long a launch that has ended waits for its restore to say so too. */
const ENDING = '1 minute';
/** The restore of an earlier attempt may still be ending. */
const STARTING = { tries: 30, everyMs: 2_000 } as const;

export interface Restoring {
  /** The latest it has said of itself. */
  progress?: RestoreProgress;
  /** Why it has failed. */
  failure?: unknown;
  /** The launch needs its inputs no more: ends the restore. */
  release(): Promise<void>;
}

/** @returns what the restore says of itself, from now on */
export function listenToRestore(state: LaunchState, gate: BudgetGate, changed: () => void): Restoring {
  const restoring: Restoring = { release: async () => {} };
  setHandler(
    restoreChanged,
    (change) => {
      const usable = usableRestore(change);
      if (!usable || usable.attempt !== state.attempt) return;
      restoring.progress = usable.progress;
      state.restore = toSummary(usable.progress);
      changed();
    },
    { description: 'how far the restore of its archived inputs is' },
  );
  setHandler(
    approve,
    async (decision) => {
      if (state.waitingFor === 'budget') {
        gate.decision = decision;
        await condition(() => state.waitingFor !== 'budget');
        return state.status ?? 'WAITING';
      }
      await getExternalWorkflowHandle(workflowIdOf(state.launchId)).signal(DECIDED_SIGNAL, decision);
      // Answered when it shows, so that whoever asks sees what it led to.
      await condition(() => state.waitingFor !== 'approval' || hasFailed(restoring));
      return hasFailed(restoring) ? 'FAILED' : (state.status ?? 'WAITING');
    },
    {
      description: 'let it spend more than its limit, or refuse',
      validator: (_decision: Approval) => {
        if (state.waitingFor !== 'approval' && state.waitingFor !== 'budget')
          throw new Error(`launch ${state.launchId} does not wait for an approval: it is ${state.status}`);
      },
    },
  );
  return restoring;
}

/** By its own word, or by its end. */
const hasFailed = ({ progress, failure }: Restoring): boolean => failure !== undefined || progress?.status === 'FAILED';

/** Whether it waits for a person now; undefined when it has ended, and its result says how. */
export function waitsFor({ progress }: Restoring): WaitingFor | undefined {
  if (progress && isEnded(progress.status)) return undefined;
  return progress?.status === 'APPROVAL' ? 'approval' : 'restore';
}

/** Starts the restore, which outlives this call: the end of the launch ends it. */
export async function startRestore(
  state: LaunchState,
  restoring: Restoring,
  of: { place: string; wishes: Wishes; consumer: string },
): Promise<void> {
  const { launchId, attempt } = state;
  const input: RestoreInput = {
    restoreId: launchId,
    consumer: of.consumer,
    wishes: of.wishes,
    launch: { launchId, attempt, workflowId: workflowInfo().workflowId, place: of.place },
  };
  const scope = new CancellationScope();
  const child = await scope.run(() => begin(input));
  let ended = false;
  let released = false;
  void child
    .result()
    .catch((error: unknown) => {
      if (released) return;
      restoring.failure = endedFromOutside(error) ? cancelledFailure(launchId) : error;
      if (state.status !== 'WAITING') log.warn('the copies of archived inputs are not kept any more', { launchId });
    })
    .finally(() => {
      ended = true;
    });
  restoring.release = () =>
    CancellationScope.nonCancellable(async () => {
      released = true;
      scope.cancel();
      await condition(() => ended, ENDING, { summary: 'until its restore has ended' });
    });
}

async function begin(input: RestoreInput): Promise<ChildWorkflowHandle<typeof restore>> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await startChild<typeof restore>(WORKFLOW_TYPE, {
        workflowId: workflowIdOf(input.restoreId),
        args: [input],
        // Of a launch that is terminated; else it is released.
        parentClosePolicy: 'REQUEST_CANCEL',
        staticSummary: `restore the inputs of launch ${input.restoreId}`,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      if (tried >= STARTING.tries)
        throw ApplicationFailure.nonRetryable(
          `another restore runs as ${workflowIdOf(input.restoreId)}: wait for it, or cancel it with "longhaul restore cancel ${input.restoreId}"`,
          'RestoreConflictError',
        );
      await sleep(STARTING.everyMs, { summary: 'until the restore of the last attempt has ended' });
    }
  }
}

const endedFromOutside = (error: unknown): boolean =>
  isCancellation(error) || (error instanceof ChildWorkflowFailure && error.cause instanceof TerminatedFailure);

const cancelledFailure = (launchId: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    `somebody has cancelled restore/${launchId}, which this launch needs: "longhaul launch retry ${launchId}" asks for its inputs again`,
    'RestoreCancelledError',
  );

function toSummary({ counts, plan, readyBy, approval }: RestoreProgress): RestoreSummary {
  return {
    objects: counts.total,
    readable: counts.readable,
    bytes: counts.bytes,
    ...(plan?.usd !== undefined && { usd: plan.usd }),
    ...(readyBy !== undefined && { readyBy }),
    ...(approval && { limitUsd: approval.limitUsd }),
  };
}
