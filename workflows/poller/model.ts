/**
 * The contract of the poller: the slow safety net under Batch's events, one for each account and Region.
 *
 * @module
 */

export const WORKFLOW_TYPE = 'batchPoller';
export const ACTIVITY_TASK_QUEUE = 'longhaul-poller';

/** `poller/<account>/<region>` */
export const workflowIdOf = (place: Place): string => `poller/${placeOf(place)}`;

/** How open jobs are keyed in the registry. */
export const placeOf = (place: Place): string => `${place.account}/${place.region}`;

export interface Place {
  account: string;
  region: string;
}

export interface PollerInput extends Place {
  intervalSeconds: number;
}

/** Sent with every submission, so that a poller about to end goes on. */
export const WAKE_SIGNAL = 'wake';
