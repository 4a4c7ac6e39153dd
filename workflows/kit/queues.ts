/**
 * Task queues every domain shares. A domain's own activity queue stands in its model.
 *
 * @module
 */

/** All workflows of all domains. */
export const WORKFLOW_TASK_QUEUE = 'longhaul';
