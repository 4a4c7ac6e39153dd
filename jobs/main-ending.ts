/**
 * How the user's command ended, whoever tells.
 *
 * @module
 */

export interface MainEnding {
  exitCode: number;
  startedAt: string;
}
