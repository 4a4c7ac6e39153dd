/**
 * Does each step's job fit a host that the queue can start? A job that fits none waits in RUNNABLE for ever.
 *
 * @module
 */
import type { Finding } from '../../../workflows/launch/preflight.ts';
import { accessDenied } from '../../aws-errors.ts';
import { isManaged, isUsable, type QueueWithEnvironments, readPools } from '../batch-queue.ts';
import { type HostPool, whyNoRoom } from '../hosts.ts';
import type { InstanceTypeReader } from '../instance-types.ts';
import { type CheckInput, notAllowed } from './check.ts';

export async function checkResources(
  { plan, beat }: CheckInput,
  { environments }: QueueWithEnvironments,
  instanceTypes: InstanceTypeReader,
): Promise<Finding[]> {
  const usable = environments.filter(isUsable);
  const unknown = usable.filter((environment) => !isManaged(environment));
  if (unknown.length > 0) {
    const names = unknown.map(({ computeEnvironmentName }) => computeEnvironmentName).join(', ');
    return [
      {
        level: 'warning',
        check: 'resources',
        at: 'batchQueue',
        message: `whether jobs fit could not be checked: the hosts of the unmanaged compute environment ${names} are not known`,
        remedy: 'compare resources of the steps with your hosts, or use a managed compute environment',
      },
    ];
  }
  beat();
  let pools: HostPool[];
  try {
    pools = await readPools(usable, instanceTypes);
  } catch (error) {
    if (!accessDenied(error)) throw error;
    return [notAllowed('resources', 'batchQueue', 'whether jobs fit a host', 'ec2:DescribeInstanceTypes')];
  }
  return plan.steps.flatMap((step): Finding[] => {
    const misfit = whyNoRoom(step, pools);
    return misfit ? [{ level: 'error', check: 'resources', at: `steps.${step.name}.resources`, ...misfit }] : [];
  });
}
