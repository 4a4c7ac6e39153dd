/**
 * A Job's podFailurePolicy: what a pod that has failed means for its Job.
 *
 * @module
 */
import type { FailureRule, Job, Pod } from './model.ts';

/** The action of the first rule that fits; a pod that none fits is counted. */
export function actionFor(job: Job, pod: Pod): FailureRule['action'] {
  const rule = job.spec.podFailurePolicy?.rules.find((candidate) => fits(candidate, pod));
  return rule?.action ?? 'Count';
}

function fits({ onExitCodes, onPodConditions }: FailureRule, pod: Pod): boolean {
  if (onPodConditions)
    return onPodConditions.some(({ type, status }) =>
      pod.status.conditions.some((condition) => condition.type === type && condition.status === status),
    );
  if (!onExitCodes) return false;
  const { containerName, operator, values } = onExitCodes;
  const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  return statuses.some(({ name, state }) => {
    const code = state.terminated?.exitCode;
    // A code of 0 is a success and never looked at.
    if (code === undefined || code === 0 || (containerName !== undefined && containerName !== name)) return false;
    return values.includes(code) === (operator === 'In');
  });
}
