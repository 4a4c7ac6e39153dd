/**
 * A launch's job as an Indexed Job of Kubernetes, of one index too: only Indexed Jobs count failures by index, and give
 * a pod the number of its attempt.
 *
 * `stage` and `main` are init containers: they run one after the other, and `publish`, the only ordinary container, runs
 * exactly when `main` has succeeded. So nothing in a pod has to ask the API server for another container's exit code:
 * pods need no token and no permissions. And a pod reserves what its largest container needs, not the sum of all. The
 * price: Kubernetes calls such a pod Pending until `publish` starts.
 *
 * @module
 */
import type { V1Container, V1EnvVar, V1Job, V1ResourceRequirements, V1Volume } from '@kubernetes/client-node';
import { HELPER_RESOURCES } from '../../../../lib/launch/batch-submission.ts';
import {
  annotationsOf,
  JOB_LABEL,
  KIND_LABEL,
  kubernetesName,
  labelsOf,
  NAME_ANNOTATION,
  POD_FAILURES,
  POD_INDEX_LABEL,
} from '../../../../lib/launch/kubernetes/names.ts';
import { SHARED_PATH, WORK_PATH } from '../../../../workflows/launch/manifest.ts';
import { JOB_ENVIRONMENT } from '../../../../workflows/launch/model.ts';
import type { SharedFileSystem } from '../../../../workflows/launch/sheet/sheet.ts';
import type { JobRequest } from '../service.ts';

export interface ManifestSettings {
  namespace: string;
  serviceAccount: string;
  jobImage: string;
  /** Pods of one array at a time. */
  parallelism: number;
}

/** Ended Jobs can be read for a day, as AWS Batch has it. */
const KEPT_SECONDS = 86_400;
/** What `keep` may take for its last snapshot: as long as on ECS. */
const KEEP_GRACE_SECONDS = 120;

export function jobManifest(request: JobRequest, settings: ManifestSettings): V1Job {
  const name = kubernetesName(request.name);
  const labels = { 'app.kubernetes.io/managed-by': 'longhaul', ...labelsOf(request.tags) };
  const annotations = { ...annotationsOf(request.tags), [NAME_ANNOTATION]: request.name };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: settings.namespace, labels: { ...labels, [JOB_LABEL]: name }, annotations },
    spec: {
      completionMode: 'Indexed',
      completions: request.items,
      parallelism: Math.min(request.items, settings.parallelism),
      // Of causes only lost hosts are Kubernetes' to retry: every other one has a remedy of its own. Counted and not
      // ignored, or a host that is lost each time would be tried for ever.
      backoffLimitPerIndex: request.hostRetries,
      podFailurePolicy: {
        rules: [
          { action: 'Count', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action: 'FailIndex', onExitCodes: { operator: 'NotIn', values: [0] } },
        ],
      },
      // No two pods of an index at a time: they would be one attempt twice.
      podReplacementPolicy: 'Failed',
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: {
        metadata: {
          labels: { ...labels, [KIND_LABEL]: request.items > 1 ? 'many' : 'one' },
          annotations: {
            ...annotations,
            // Whoever tidies nodes up must not move a job that has run for two days.
            'karpenter.sh/do-not-disrupt': 'true',
            'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
          },
        },
        spec: podSpec(request, settings, name),
      },
    },
  };
}

function podSpec(request: JobRequest, settings: ManifestSettings, name: string) {
  const volumeMounts = [
    { name: 'work', mountPath: WORK_PATH },
    ...(request.sharedFileSystem ? [{ name: 'shared', mountPath: SHARED_PATH }] : []),
  ];
  const helper = (role: 'stage' | 'keep' | 'publish'): V1Container => ({
    name: role,
    image: settings.jobImage,
    args: [role],
    env: [...identity(request, name), ...pairs(contractOf(request))],
    volumeMounts,
    resources: resources(HELPER_RESOURCES.vcpus, HELPER_RESOURCES.memoryMiB),
    securityContext: { allowPrivilegeEscalation: false },
  });
  return {
    restartPolicy: 'Never',
    // Of the whole pod, image pulls and stage included.
    ...(request.timeoutSeconds && { activeDeadlineSeconds: request.timeoutSeconds }),
    ...(request.keep && { terminationGracePeriodSeconds: KEEP_GRACE_SECONDS }),
    serviceAccountName: settings.serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    initContainers: [
      helper('stage'),
      // An init container that is always restarted runs beside all that follow, and is stopped when they have ended.
      ...(request.keep ? [{ ...helper('keep'), restartPolicy: 'Always' }] : []),
      {
        name: 'main',
        image: request.image,
        // As AWS Batch's command: in the place of the image's CMD, after its ENTRYPOINT.
        args: request.argv.map(literal),
        env: [...identity(request, name), ...pairs({ ...request.environment, [JOB_ENVIRONMENT.work]: WORK_PATH })],
        volumeMounts,
        resources: resources(request.vcpus, request.memoryMiB),
        securityContext: { allowPrivilegeEscalation: false },
      },
    ],
    containers: [helper('publish')],
    volumes: [
      { name: 'work', emptyDir: {} },
      ...(request.sharedFileSystem ? [sharedVolume(request.sharedFileSystem)] : []),
    ],
  };
}

/** Who this pod is. A variable is filled in from those that stand before it. */
function identity(request: JobRequest, name: string): V1EnvVar[] {
  const annotation = (path: string) => ({
    fieldRef: { apiVersion: 'v1', fieldPath: `metadata.annotations['${path}']` },
  });
  return [
    { name: JOB_ENVIRONMENT.jobIndex, valueFrom: annotation(POD_INDEX_LABEL) },
    { name: JOB_ENVIRONMENT.jobId, value: request.items > 1 ? `${name}:$(${JOB_ENVIRONMENT.jobIndex})` : name },
    { name: JOB_ENVIRONMENT.jobFailures, valueFrom: annotation(POD_FAILURES) },
  ];
}

const contractOf = (request: JobRequest): Record<string, string> => ({
  ...request.contract,
  [JOB_ENVIRONMENT.work]: WORK_PATH,
  [JOB_ENVIRONMENT.ordered]: '1',
  ...(request.sharedFileSystem && { [JOB_ENVIRONMENT.shared]: SHARED_PATH }),
});

const pairs = (environment: Readonly<Record<string, string>>): V1EnvVar[] =>
  Object.entries(environment).map(([name, value]) => ({ name, value: literal(value) }));

/** Kubernetes fills `$(NAME)` in, in arguments and values; `$$` is how a `$` before a bracket is written. */
const literal = (text: string): string => text.replaceAll('$', () => '$$');

/** Requests equal limits: the pod is of the class Guaranteed and is the last one that a full node evicts. */
function resources(vcpus: number, memoryMiB: number): V1ResourceRequirements {
  const amounts = { cpu: String(vcpus), memory: `${memoryMiB}Mi` };
  return { requests: amounts, limits: amounts };
}

/** A file system on AWS is a claim of its id in the namespace; the CSI driver of its kind stands behind that. */
function sharedVolume({ fileSystemId, hostPath }: SharedFileSystem): V1Volume {
  return fileSystemId === undefined
    ? { name: 'shared', hostPath: { path: hostPath ?? '', type: 'Directory' } }
    : { name: 'shared', persistentVolumeClaim: { claimName: fileSystemId } };
}
