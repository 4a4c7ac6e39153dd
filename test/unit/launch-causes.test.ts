/** Causes: told from what AWS Batch and ECS really write. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../jobs/exit-codes.ts';
import {
  type CauseName,
  causeOf,
  type Ending,
  JOB_EXIT,
  STUCK_REASONS,
  stuckReason,
} from '../../workflows/launch/causes.ts';

const ESSENTIAL = 'Essential container in task exited';
const failed = (containers: Ending['containers'] = [], reason = ESSENTIAL): Ending => ({
  status: 'FAILED',
  reason,
  containers,
});
const stage = { name: 'stage', exitCode: 0 };
const main = (exitCode?: number, reason?: string) => ({
  name: 'main',
  ...(exitCode !== undefined && { exitCode }),
  ...(reason !== undefined && { reason }),
});
const publish = (exitCode: number) => ({ name: 'publish', exitCode });

const KNOWN: readonly [string, Ending, CauseName][] = [
  ['an exit code', failed([stage, main(3), publish(3)]), 'EXIT_CODE'],
  ['an exit code that stage also has', failed([stage, main(64), publish(64)]), 'EXIT_CODE'],
  [
    'memory, as ECS sees it',
    failed([stage, main(137, 'OutOfMemoryError: Container killed due to memory usage')]),
    'OUT_OF_MEMORY',
  ],
  [
    'memory without exit 137',
    failed([stage, main(1, 'OutOfMemoryError: Container killed due to memory usage')]),
    'OUT_OF_MEMORY',
  ],
  ['memory that only the shell saw', failed([stage, main(137), publish(137)]), 'OUT_OF_MEMORY'],
  ['a spot loss', failed([stage, main(137)], 'Host EC2 (instance i-0123456789abcdef0) terminated.'), 'HOST_LOST'],
  ['a timeout', failed([stage, main(137)], 'Job attempt duration exceeded timeout'), 'TIMEOUT'],
  [
    'an image that is not there',
    failed([
      { name: 'main', reason: 'CannotPullContainerError: pull image manifest has been retried 5 time(s): not found' },
    ]),
    'IMAGE',
  ],
  [
    'a registry that is out of breath',
    failed([
      { name: 'main', reason: 'CannotPullContainerError: toomanyrequests: You have reached your pull rate limit' },
    ]),
    'INTERRUPTED',
  ],
  [
    'a command that the image lacks',
    failed([stage, main(undefined, 'CannotStartContainerError: exec: "tool": executable file not found in $PATH')]),
    'IMAGE',
  ],
  [
    'an agent that gave up',
    failed([
      { name: 'main', reason: 'DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s' },
    ]),
    'INTERRUPTED',
  ],
  ['a role', failed([], 'ECS was unable to assume the role arn:aws:iam::123456789012:role/x'), 'ROLE'],
  ['an input', failed([{ name: 'stage', exitCode: 66 }]), 'INPUTS'],
  ['outputs left out', failed([stage, main(0), publish(65)]), 'OUTPUTS_MISSING'],
  ['S3 being down', failed([stage, main(0), publish(70)]), 'INTERRUPTED'],
  ['a twin', failed([{ name: 'stage', exitCode: 64 }]), 'SUPERSEDED'],
  ['somebody', failed([stage, main(137)], 'wrong parameters, sorry'), 'TERMINATED'],
  ['somebody, heeded by the command', failed([stage, main(143)], 'not needed any more'), 'TERMINATED'],
  ['somebody while it staged', failed([{ name: 'stage', exitCode: 143 }], 'not needed any more'), 'TERMINATED'],
  ['somebody before it ran', failed([], 'not needed any more'), 'TERMINATED'],
  [
    'the queue',
    failed([], 'Canceled by JobStateTimeLimit action due to reason: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT'),
    'STUCK',
  ],
  [
    'memory, as the kubelet sees it',
    failed([stage, main(137, 'OOMKilled'), { name: 'publish' }], undefined),
    'OUT_OF_MEMORY',
  ],
  [
    'a deadline of a pod',
    failed([stage, main(137)], 'DeadlineExceeded: Pod was active on the node longer than the specified deadline'),
    'TIMEOUT',
  ],
  [
    'a node that was drained',
    failed([stage, main(143)], 'DisruptionTarget: EvictionByEvictionAPI: Eviction API: evicting'),
    'HOST_LOST',
  ],
  [
    'a node that was shut down',
    failed([stage, main(143)], 'Terminated: Pod was terminated in response to imminent node shutdown.'),
    'HOST_LOST',
  ],
  ['somebody who says Terminated', failed([stage, main(143)], 'Terminated: wrong parameters'), 'TERMINATED'],
  ['a full disk', failed([], 'Evicted: The node was low on resource: ephemeral-storage.'), 'HOST_LOST'],
  ['a node that is gone', failed([], 'PodGone: its pod is not there any more: its node was lost'), 'HOST_LOST'],
  [
    'an image the kubelet cannot have',
    failed([], 'ErrImagePull: failed to pull and unpack image "docker.io/library/toolz:1": not found'),
    'IMAGE',
  ],
  [
    'a registry that does not answer the kubelet',
    failed([], 'ImagePullBackOff: Back-off pulling image "tools:1": ErrImagePull: dial tcp: i/o timeout'),
    'INTERRUPTED',
  ],
  [
    'a command that containerd does not find',
    failed([
      stage,
      main(128, 'StartError: failed to create containerd task: exec: "tool": executable file not found in $PATH'),
    ]),
    'IMAGE',
  ],
  ['somebody, by the deadline of a Job', failed([stage, main(143)], 'cancelled by the user'), 'TERMINATED'],
  ['Slurm, of a job that could not begin', failed([], 'FAILED: signal 9, JobLaunchFailure'), 'INTERRUPTED'],
  ['nothing at all', { status: 'FAILED', containers: [] }, 'UNKNOWN'],
  ['Batch forgetting it', { status: 'LOST', containers: [] }, 'LOST'],
  ['success without a commit', { status: 'SUCCEEDED', containers: [] }, 'UNCOMMITTED'],
];

it.each(KNOWN)('%s is told', (_, ending, cause) => expect(causeOf(ending)).toBe(cause));

it('knows the exit codes of stage and publish', () => expect(JOB_EXIT).toEqual(EXIT));

describe('a reason for not being placed', () => {
  it('has the remedy of the longest code that fits', () => {
    expect(stuckReason('MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - too large')?.remedy).toContain('memoryMiB');
    expect(stuckReason('MISCONFIGURATION:SOMETHING_NEW - ?')?.code).toBe('MISCONFIGURATION');
    expect(stuckReason('CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill')?.remedy).toContain(
      'instance types',
    );
    expect(stuckReason('UNDETERMINED - Batch job is blocked, root cause is undetermined.')?.remedy).toContain(
      'subnets',
    );
    expect(stuckReason('Essential container in task exited')).toBeUndefined();
  });

  it('never hides a longer code behind a shorter one', () => {
    for (const [index, { code }] of STUCK_REASONS.entries())
      expect(STUCK_REASONS.slice(0, index).some((earlier) => code.startsWith(earlier.code))).toBe(false);
  });
});
