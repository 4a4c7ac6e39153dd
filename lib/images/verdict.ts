/**
 * The answer to the question whether an image is there.
 *
 * @module
 */

/** What a registry says of an image; `reason` is for the user. What it cannot say now is thrown instead. */
export type ImageVerdict =
  | { state: 'found'; digest: string }
  /** The reference cannot be read, or the registry has no such image. */
  | { state: 'missing'; reason: string }
  /** The registry does not tell us, though a job may be allowed to pull. */
  | { state: 'unknown'; reason: string };
