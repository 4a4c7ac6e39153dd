/**
 * The messages the pricing of a launch understands.
 *
 * @module
 */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import { type CostProgress, LAUNCH_ENDED_SIGNAL, PROGRESS_QUERY } from './model.ts';

/** The launch has ended, perhaps once more, and has no cost. It says that somebody should look, and nothing else. */
export const launchEnded = defineSignal(LAUNCH_ENDED_SIGNAL);

export const costProgress = defineQuery<CostProgress>(PROGRESS_QUERY);
