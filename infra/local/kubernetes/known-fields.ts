/**
 * Fields of a Job that this API server knows: with `fieldValidation=Strict` any other is refused, as a real one of an older
 * version refuses what it does not know yet.
 *
 * @module
 */
import { badRequest } from './status.ts';

/** `true`: a leaf, or something nobody looks into; a list of one: every element. */
type Shape = true | { readonly [field: string]: Shape } | readonly [Shape];

const SECURITY: Shape = true;
const AMOUNTS: Shape = { requests: true, limits: true };
const CONTAINER: Shape = {
  name: true,
  image: true,
  imagePullPolicy: true,
  command: true,
  args: true,
  workingDir: true,
  env: [{ name: true, value: true, valueFrom: { fieldRef: { apiVersion: true, fieldPath: true } } }],
  restartPolicy: true,
  resources: AMOUNTS,
  volumeMounts: [{ name: true, mountPath: true, readOnly: true, subPath: true }],
  securityContext: SECURITY,
};
const META: Shape = {
  name: true,
  generateName: true,
  namespace: true,
  labels: true,
  annotations: true,
  finalizers: true,
  ownerReferences: true,
};
const POD: Shape = {
  restartPolicy: true,
  activeDeadlineSeconds: true,
  terminationGracePeriodSeconds: true,
  serviceAccountName: true,
  automountServiceAccountToken: true,
  enableServiceLinks: true,
  securityContext: SECURITY,
  nodeSelector: true,
  tolerations: true,
  affinity: true,
  priorityClassName: true,
  schedulerName: true,
  initContainers: [CONTAINER],
  containers: [CONTAINER],
  volumes: [
    {
      name: true,
      emptyDir: { medium: true, sizeLimit: true },
      hostPath: { path: true, type: true },
      persistentVolumeClaim: { claimName: true, readOnly: true },
    },
  ],
};
const JOB: Shape = {
  apiVersion: true,
  kind: true,
  metadata: META,
  spec: {
    completionMode: true,
    completions: true,
    parallelism: true,
    backoffLimit: true,
    backoffLimitPerIndex: true,
    maxFailedIndexes: true,
    podFailurePolicy: {
      rules: [
        {
          action: true,
          onPodConditions: [{ type: true, status: true }],
          onExitCodes: { containerName: true, operator: true, values: true },
        },
      ],
    },
    podReplacementPolicy: true,
    activeDeadlineSeconds: true,
    ttlSecondsAfterFinished: true,
    suspend: true,
    template: { metadata: META, spec: POD },
  },
  status: true,
};

/** @throws ApiError naming every field that is not known */
export function refuseUnknownFields(job: unknown): void {
  const found = unknown(job, JOB, '');
  if (found.length === 0) return;
  const list = found.map((field) => `unknown field "${field}"`).join(', ');
  throw badRequest(`Job in version "v1" cannot be handled as a Job: strict decoding error: ${list}`);
}

function unknown(value: unknown, shape: Shape, at: string): string[] {
  if (shape === true || value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) {
    const [element] = shape as readonly [Shape];
    return value.flatMap((one, index) => unknown(one, element, `${at}[${index}]`));
  }
  const known = shape as { readonly [field: string]: Shape };
  return Object.entries(value).flatMap(([field, inner]) => {
    const path = at === '' ? field : `${at}.${field}`;
    const next = Object.hasOwn(known, field) ? known[field] : undefined;
    return next === undefined ? [path] : unknown(inner, next, path);
  });
}
