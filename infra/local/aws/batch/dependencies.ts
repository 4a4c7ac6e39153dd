/**
 * When a container of a task may start: the conditions of its `dependsOn`, as the ECS agent resolves them.
 *
 * @module
 */
import type { TaskContainerDependency } from '@aws-sdk/client-batch';

export interface ContainerState {
  status: 'PENDING' | 'STARTING' | 'RUNNING' | 'STOPPED';
  /** Its process ran, or runs. */
  started: boolean;
  exitCode?: number;
}

export type Readiness =
  | { ready: 'yes' | 'no' }
  /** The condition can never be met any more. */
  | { ready: 'never'; because: string };

export function readiness(
  name: string,
  dependsOn: readonly TaskContainerDependency[],
  states: ReadonlyMap<string, ContainerState>,
): Readiness {
  let waits = false;
  for (const { containerName = '', condition } of dependsOn) {
    const state = states.get(containerName);
    const met = state !== undefined && meets(condition, state);
    if (met) continue;
    if (state?.status === 'STOPPED') {
      const why = state.started ? 'as dependency did not exit successfully.' : 'because dependency will never start';
      return {
        ready: 'never',
        because: `CannotStartContainerError: dependency graph: failed to resolve container ordering dependency [${containerName}] for target [${name}] ${why}`,
      };
    }
    waits = true;
  }
  return { ready: waits ? 'no' : 'yes' };
}

function meets(condition: string | undefined, { status, started, exitCode }: ContainerState): boolean {
  if (condition === 'START') return started;
  if (condition === 'COMPLETE') return started && status === 'STOPPED';
  return started && status === 'STOPPED' && exitCode === 0;
}
