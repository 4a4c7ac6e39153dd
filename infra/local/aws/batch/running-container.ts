/**
 * A container as its task handles it, however it runs.
 *
 * @module
 */

export interface RunningContainer {
  /** Resolves once nothing of it runs any more. */
  ended: Promise<ContainerEnd>;
  stop(): void;
  kill(): void;
}

export interface ContainerEnd {
  exitCode: number;
  reason?: string;
}
