/**
 * The only clock of workflow code. Inside a workflow `Date.now()` is Temporal's: it shows the time of the current
 * workflow task and is the same on replay. The lint rule against clocks is lifted for this file alone.
 *
 * @module
 */

/** Milliseconds since the epoch, deterministic. */
export const now = (): number => Date.now();

/** ISO 8601 in UTC of milliseconds since the epoch. */
export const isoTime = (at: number): string => new Date(at).toISOString();
