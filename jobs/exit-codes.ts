/**
 * Exit codes of `stage` and `publish`. Chosen from the range shells and signals leave free (sysexits.h starts at 64).
 *
 * @module
 */
export const EXIT = {
  /** Another attempt holds the claim, or has committed: this one is not needed. */
  superseded: 64,
  /** The command succeeded, but a declared output is not there. */
  outputsMissing: 65,
  /** An input could not be read. */
  inputUnreadable: 66,
  /** The job's own settings are wrong: not a job of ours. */
  notAJob: 67,
  /** Anything else, S3 being down for longer than the retries. */
  failed: 70,
} as const;
