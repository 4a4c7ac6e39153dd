/**
 * Objects of the Kubernetes API as they go over the wire: what Jobs and their pods need of them.
 *
 * @module
 */

export interface Meta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: {
    apiVersion: string;
    kind: string;
    name: string;
    uid: string;
    controller: boolean;
    blockOwnerDeletion: boolean;
  }[];
}

export interface Condition {
  type: string;
  status: 'True' | 'False';
  reason?: string;
  message?: string;
  lastProbeTime?: string | null;
  lastTransitionTime: string;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { fieldRef: { apiVersion?: string; fieldPath: string } };
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  restartPolicy?: 'Always';
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  [more: string]: unknown;
}

export interface Volume {
  name: string;
  emptyDir?: object;
  hostPath?: { path: string; type?: string };
  persistentVolumeClaim?: { claimName: string };
}

export interface PodSpec {
  restartPolicy?: string;
  nodeName?: string;
  schedulerName?: string;
  activeDeadlineSeconds?: number;
  terminationGracePeriodSeconds?: number;
  initContainers?: Container[];
  containers: Container[];
  volumes?: Volume[];
  [more: string]: unknown;
}

export interface ContainerState {
  waiting?: { reason: string; message?: string };
  running?: { startedAt: string };
  terminated?: { exitCode: number; reason: string; message?: string; startedAt: string | null; finishedAt: string };
}

export interface ContainerStatus {
  name: string;
  image: string;
  imageID: string;
  ready: boolean;
  started?: boolean;
  restartCount: number;
  state: ContainerState;
}

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export interface Pod {
  apiVersion: 'v1';
  kind: 'Pod';
  metadata: Meta;
  spec: PodSpec;
  status: {
    phase: Phase;
    reason?: string;
    message?: string;
    startTime?: string;
    conditions: Condition[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

export interface FailureRule {
  action: 'Count' | 'Ignore' | 'FailIndex' | 'FailJob';
  onPodConditions?: { type: string; status: string }[];
  onExitCodes?: { containerName?: string; operator: 'In' | 'NotIn'; values: number[] };
}

export interface Job {
  apiVersion: 'batch/v1';
  kind: 'Job';
  metadata: Meta;
  spec: {
    completionMode: 'Indexed' | 'NonIndexed';
    completions: number;
    parallelism: number;
    backoffLimit: number;
    backoffLimitPerIndex?: number;
    podFailurePolicy?: { rules: FailureRule[] };
    podReplacementPolicy: 'Failed' | 'TerminatingOrFailed';
    activeDeadlineSeconds?: number;
    ttlSecondsAfterFinished?: number;
    suspend: boolean;
    selector: { matchLabels: Record<string, string> };
    template: { metadata: { labels?: Record<string, string>; annotations?: Record<string, string> }; spec: PodSpec };
    [more: string]: unknown;
  };
  status: {
    startTime?: string;
    completionTime?: string;
    active?: number;
    ready?: number;
    terminating?: number;
    succeeded?: number;
    failed?: number;
    completedIndexes?: string;
    failedIndexes?: string;
    conditions?: Condition[];
    uncountedTerminatedPods?: object;
  };
}

/** The Job controller holds pods by it until it has counted them. */
export const TRACKING = 'batch.kubernetes.io/job-tracking';
export const JOB_NAME = 'batch.kubernetes.io/job-name';
export const INDEX = 'batch.kubernetes.io/job-completion-index';
export const FAILURES = 'batch.kubernetes.io/job-index-failure-count';
export const IGNORED = 'batch.kubernetes.io/job-index-ignored-failure-count';

export const isTerminal = (pod: Pod): boolean => pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
export const indexOf = (pod: Pod): number => Number(pod.metadata.annotations?.[INDEX] ?? 0);

export function setCondition(
  conditions: Condition[],
  condition: Omit<Condition, 'lastTransitionTime'>,
  now: string,
): void {
  const known = conditions.findIndex(({ type }) => type === condition.type);
  const same = known >= 0 && conditions[known]?.status === condition.status;
  const lastTransitionTime = same ? (conditions[known]?.lastTransitionTime ?? now) : now;
  const next = { ...condition, lastTransitionTime };
  if (known >= 0) conditions[known] = next;
  else conditions.push(next);
}
