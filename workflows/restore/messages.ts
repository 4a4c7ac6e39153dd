/**
 * The messages a restore understands.
 *
 * @module
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import {
  APPROVE_UPDATE,
  type Approval,
  DECIDED_SIGNAL,
  OBJECTS_RESTORED_SIGNAL,
  PROGRESS_QUERY,
  type RestoreProgress,
} from './model.ts';

/** Merged news of completions. It says that somebody should look, and nothing else. */
export const objectsRestored = defineSignal(OBJECTS_RESTORED_SIGNAL);

/** What was decided on the launch that waits for this restore. */
export const decided = defineSignal<[Approval]>(DECIDED_SIGNAL);

/** Lets it spend more than its limit, or refuses. Returns the status it leads to. */
export const approve = defineUpdate<string, [Approval]>(APPROVE_UPDATE);

export const restoreProgress = defineQuery<RestoreProgress>(PROGRESS_QUERY);
