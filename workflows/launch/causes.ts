/**
 * Why an item has no commit. One list for everybody: what a cause is told by, who tries again, and what a person can
 * do about it. docs/errors.md lists the same, and a test keeps the two equal.
 *
 * @module
 */

/** Which of a step's `retries` a cause counts against; `none`: trying again cannot help. */
export type RetryKind = 'exit' | 'hostLoss' | 'outOfMemory' | 'timeout' | 'interrupted' | 'lost' | 'none';

export interface Cause {
  /** Whose number of retries counts. */
  retry: RetryKind;
  /** What happened, in the words of a message. */
  title: string;
  /** What a person does about it. */
  remedy: string;
}

export const CAUSES = {
  OUT_OF_MEMORY: {
    retry: 'outOfMemory',
    title: 'ran out of memory',
    remedy: 'raise resources.memoryMiB; resources.maxMemoryMiB is how far retries may raise it by themselves',
  },
  EXIT_CODE: {
    retry: 'exit',
    title: 'the command failed',
    remedy: 'read the log of the item; where the command fails now and then, set retries',
  },
  WORKFLOW: {
    retry: 'none',
    title: 'its workflow definition cannot be run',
    remedy: 'correct the definition as the engine says, then "longhaul launch retry"',
  },
  OUTPUTS_MISSING: {
    retry: 'exit',
    title: 'the command succeeded but left outputs out',
    remedy: 'write to ${{ outputs.<name> }}, or correct the path under outputs',
  },
  TIMEOUT: {
    retry: 'timeout',
    title: 'ran longer than timeoutSeconds',
    remedy: 'raise timeoutSeconds, or set retries.timeout where it hangs now and then',
  },
  HOST_LOST: {
    // The compute service has tried already, as often as retries.hostLoss says.
    retry: 'none',
    title: 'lost its host each time',
    remedy: 'raise retries.hostLoss, make the step shorter, or use on-demand instances',
  },
  IMAGE: {
    retry: 'none',
    title: 'its image cannot be used',
    remedy:
      'correct image: "longhaul launch preflight" says whether its registry knows it; an image must have what the command calls',
  },
  ROLE: {
    retry: 'none',
    title: 'its role cannot be used',
    remedy:
      'let ecs-tasks.amazonaws.com assume the roles in jobRole and executionRole, and let the execution role pull images and write logs',
  },
  INPUTS: {
    retry: 'none',
    title: 'its inputs could not be brought in',
    remedy:
      'make the input readable to the job, leave it unchanged while the launch runs, then "longhaul launch retry"',
  },
  INTERRUPTED: {
    retry: 'interrupted',
    title: 'a service it needs did not answer for long',
    remedy: 'see whether S3 and the registry can be reached from the hosts, then "longhaul launch retry"',
  },
  SUPERSEDED: {
    retry: 'lost',
    title: 'another job held the item and has not finished it',
    remedy: '"longhaul launch retry" runs what is not done',
  },
  LOST: {
    retry: 'lost',
    title: 'the compute service does not know its job any more',
    remedy: '"longhaul launch retry" runs what is not done',
  },
  STUCK: {
    retry: 'none',
    title: 'could not be placed on any host',
    remedy:
      '"longhaul launch explain" says why while it waits; correct queue or resources, then "longhaul launch retry"',
  },
  TERMINATED: {
    retry: 'none',
    title: 'somebody ended its job at the compute service',
    remedy: '"longhaul launch retry" runs what is not done',
  },
  UNCOMMITTED: {
    retry: 'lost',
    title: 'the compute service says it succeeded, but it has no commit',
    remedy: '"longhaul launch retry" runs what is not done; when it happens again, look into the log of publish',
  },
  UNKNOWN: {
    retry: 'exit',
    title: 'failed, and the compute service gives no reason',
    remedy: 'look at the job in the compute service and at its log',
  },
} as const satisfies Record<string, Cause>;

export type CauseName = keyof typeof CAUSES;
export const CAUSE_NAMES = Object.keys(CAUSES) as CauseName[];

/** Everything a verdict rests on: of one job, or of one child of an array. */
export interface Ending {
  status: 'SUCCEEDED' | 'FAILED' | 'LOST';
  /** The job's status reason. */
  reason?: string;
  /** Of the last attempt, in the order they run. */
  containers: readonly { name: string; exitCode?: number; reason?: string }[];
}

/** Exit codes of stage and publish; jobs/exit-codes.ts has the same, and a test keeps them equal. */
export const JOB_EXIT = { superseded: 64, outputsMissing: 65, inputUnreadable: 66, notAJob: 67, failed: 70 } as const;

/** 128 + SIGKILL: how a shell reports a child the kernel killed for its memory, when ECS itself saw nothing of it. */
const KILLED = 137;
/** 128 + SIGTERM: how a container ends first that is told to stop. */
const STOPPED = 143;

/**
 * Of Kubernetes: conditions and reasons of a pod that its node or the cluster ended. `PodGone` is the service's own: a pod
 * that failed and is not there any more, as those of lost nodes are not.
 */
const KUBERNETES_HOST_LOST =
  /^(DisruptionTarget|PodGone|Evicted|NodeLost|NodeShutdown|Preempting|NodeAffinity|OutOf(cpu|memory|pods)|UnexpectedAdmissionError|Terminated: Pod was terminated in response to imminent node shutdown)(\W|$)/;

/**
 * The wordings are those of the ECS agent and of AWS Batch: "CannotPullContainerError: …" and its like begin the reason
 * of a container, "Host EC2 (instance i-…) terminated." and "Job attempt duration exceeded timeout" are status reasons.
 * Words in capitals are states of Slurm.
 * Of Kubernetes they are reasons of pods and containers, with their messages behind a colon.
 */
export function causeOf(ending: Ending): CauseName {
  if (ending.status === 'LOST') return 'LOST';
  const reason = ending.reason ?? '';
  if (/^(Host EC2|NODE_FAIL|BOOT_FAIL|PREEMPTED)/.test(reason) || KUBERNETES_HOST_LOST.test(reason)) return 'HOST_LOST';
  if (/duration exceeded timeout|^DeadlineExceeded\b/i.test(reason)) return 'TIMEOUT';
  if (/JobStateTimeLimit|MISCONFIGURATION:|CAPACITY:|^UNDETERMINED|^ACTION_REQUIRED|^Unschedulable/.test(reason))
    return 'STUCK';
  // Killed before it could say anything, and Slurm does not say for its memory.
  if (/^FAILED: signal \d/.test(reason)) return 'INTERRUPTED';
  const culprit = culpritOf(ending);
  const said = `${culprit?.reason ?? ''} ${reason}`;
  if (/OutOfMemory|OOMKilled|^\s*OUT_OF_MEMORY/i.test(said)) return 'OUT_OF_MEMORY';
  if (/unable to assume|AccessDenied|not authorized to perform|ResourceInitializationError.*(auth|role)/i.test(said))
    return 'ROLE';
  const starting = startProblem(said);
  if (starting) return starting;
  if (ending.status === 'SUCCEEDED') return 'UNCOMMITTED';
  const code = culprit?.exitCode;
  if (code === undefined) return /^(Terminat|Cancel)/i.test(reason) || isForeign(reason) ? 'TERMINATED' : 'UNKNOWN';
  if ((code === KILLED || code === STOPPED) && isForeign(reason)) return 'TERMINATED';
  if (culprit?.name === 'main') return code === KILLED ? 'OUT_OF_MEMORY' : 'EXIT_CODE';
  return ofHelper(code, culprit?.name === 'stage');
}

/** The containers run one after the other, so the first that failed is the cause and later ones are consequences. */
export function culpritOf<T extends Ending['containers'][number]>(ending: { containers: readonly T[] }): T | undefined {
  return ending.containers.find(
    (container) => (container.exitCode !== undefined && container.exitCode !== 0) || container.reason,
  );
}

/** Of the ECS agent, then of the kubelet. */
const START_PROBLEMS =
  /Cannot(Pull|Create|Start)\w*Error|DockerTimeoutError|CannotInspectContainerError|\b(ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName|ImageInspectError|StartError|ContainerCannotRun|RunContainerError|CreateContainer(Config)?Error)\b/;

/** What kept a container from starting: the image's fault, or the agent's and the network's. */
function startProblem(said: string): CauseName | undefined {
  const match = START_PROBLEMS.exec(said);
  if (!match) return undefined;
  if (/^(Docker|CannotInspect)/.test(match[0])) return 'INTERRUPTED';
  return /toomanyrequests|timeout|timed out|connection (reset|refused)|temporarily|\b50[023]\b|EOF/i.test(said)
    ? 'INTERRUPTED'
    : 'IMAGE';
}

function ofHelper(code: number, staging: boolean): CauseName {
  switch (code) {
    case JOB_EXIT.superseded:
      return 'SUPERSEDED';
    case JOB_EXIT.inputUnreadable:
      return 'INPUTS';
    case JOB_EXIT.outputsMissing:
      return staging ? 'INPUTS' : 'OUTPUTS_MISSING';
    case JOB_EXIT.notAJob:
      return 'UNKNOWN';
    case KILLED:
      return 'OUT_OF_MEMORY';
    default:
      return 'INTERRUPTED';
  }
}

/** Reasons Batch and ECS write by themselves; any other was given to TerminateJob or CancelJob by somebody. */
function isForeign(reason: string): boolean {
  return (
    reason !== '' &&
    !/^(Essential container in task exited|Task |Container |Host |Array Child Job|Dependent Job)/.test(reason)
  );
}

/** A remedy for what Batch says of a job that it cannot place. */
export interface StuckReason {
  code: string;
  remedy: string;
}

/**
 * Every code of AWS Batch's status reason of blocked jobs, by the page "Automatic remediation with
 * jobStateTimeLimitActions" of the AWS Batch User Guide, and two shorter ones for codes to come. Then the reasons of
 * Slurm's pending jobs, by its page "Job Reason Codes", as far as they are more than waiting for one's turn, and
 * what Kubernetes says of a pod that does not start. The first that matches counts.
 */
export const STUCK_REASONS: readonly StuckReason[] = [
  {
    code: 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE',
    remedy: "raise the compute environment's maxvCpus, or lower resources.vcpus",
  },
  {
    code: 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT',
    remedy:
      'lower resources.vcpus or resources.memoryMiB, or add a larger instance type; "longhaul launch preflight" says what fits',
  },
  {
    code: 'MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED',
    remedy:
      'correct what the instances are made of: launch template, AMI, instance types and Availability Zones must fit each other',
  },
  {
    code: 'MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS',
    remedy: "give the compute environment's service role what AWSBatchServiceRole has",
  },
  {
    code: 'ACTION_REQUIRED',
    remedy: 'enable and correct the compute environments of the queue: their status reason says what is wrong',
  },
  { code: 'MISCONFIGURATION', remedy: 'correct the compute environment: its status reason says what is wrong' },
  {
    code: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
    remedy: 'wait, or add instance types and Availability Zones; on-demand beside spot',
  },
  { code: 'CAPACITY', remedy: 'wait, or ask for more instance types, Availability Zones or quota' },
  {
    code: 'UNDETERMINED',
    remedy:
      'look whether the compute environment is enabled and valid, whether its subnets have addresses and a way to ECS, and whether its instances register; whenStuck.failAfterSeconds ends the wait',
  },
  {
    code: 'QOS',
    remedy: 'wait for other jobs of this QOS to end, or have its limit raised: sacctmgr show qos says what it is',
  },
  {
    code: 'Assoc',
    remedy: 'wait for other jobs of this account to end, or have its limit raised: sacctmgr show assoc says what it is',
  },
  {
    code: 'PartitionTimeLimit',
    remedy: 'lower timeoutSeconds, or use a partition with a longer MaxTime: scontrol show partition says what it is',
  },
  {
    code: 'PartitionNodeLimit',
    remedy: 'lower resources, or use a partition that has nodes of that size: sinfo -N -l lists them',
  },
  { code: 'Partition', remedy: 'let the partition be set UP, or use another: slurmPartition' },
  {
    code: 'ReqNodeNotAvail',
    remedy: 'let the nodes be resumed that are down, drained or reserved: sinfo -R says why they are',
  },
  {
    code: 'Nodes required for job are DOWN',
    remedy: 'let the nodes be resumed that are down, drained or reserved: sinfo -R says why they are',
  },
  { code: 'BadConstraints', remedy: 'lower resources.vcpus or resources.memoryMiB: no node is that large' },
  { code: 'JobHeld', remedy: 'somebody holds the job: scontrol release lets it go' },
  { code: 'Licenses', remedy: 'wait for the licences the partition asks for' },
  { code: 'Reservation', remedy: 'wait for the reservation, or use another partition' },
  { code: 'Invalid', remedy: 'correct slurmAccount: account and QOS must be known to sacctmgr' },
  {
    code: 'Unschedulable',
    remedy:
      'lower resources, or let the cluster have nodes that are large enough and take these pods: the message counts what is wrong with those it has',
  },
  {
    code: 'ErrImagePull',
    remedy: 'see whether the image is there and the nodes may pull it: "longhaul launch preflight" asks its registry',
  },
  {
    code: 'ImagePullBackOff',
    remedy: 'see whether the image is there and the nodes may pull it: "longhaul launch preflight" asks its registry',
  },
  { code: 'CreateContainer', remedy: 'correct what the message names: a volume, a claim or a secret is not there' },
];

/** @returns undefined for a reason that says nothing of being stuck */
export function stuckReason(reason: string): StuckReason | undefined {
  return STUCK_REASONS.find(({ code }) => reason.startsWith(code));
}
