/**
 * What the API server makes of a Job that is sent to it: its checks, then its defaults.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { JOB_NAME, type Job } from './model.ts';
import { checkLabels, checkPod, isDnsLabel, isDnsSubdomain } from './pod-rules.ts';
import { badRequest, type Cause, invalid, required, unsupported, wrong } from './status.ts';

type Sent = Partial<Omit<Job, 'spec' | 'metadata'>> & {
  metadata?: Partial<Job['metadata']>;
  spec?: Partial<Job['spec']>;
};

const LARGEST = 2_147_483_647;
/** Of completions with backoffLimitPerIndex. */
const MOST_INDEXES = 100_000;

/** @throws ApiError as the API server refuses it */
export function admitJob(namespace: string, sent: Sent, now: string): Job {
  if (sent.kind !== undefined && sent.kind !== 'Job')
    throw badRequest(`Job in version "v1" cannot be handled as a Job: no kind "${String(sent.kind)}"`);
  const { metadata = {}, spec = {} } = sent;
  const name = metadata.name ?? '';
  if (metadata.namespace !== undefined && metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  const causes = [...checkMeta(metadata), ...checkSpec(name, spec)];
  if (causes.length > 0) throw invalid('Job.batch', name, causes);
  const uid = randomUUID();
  const tracked = {
    'batch.kubernetes.io/controller-uid': uid,
    [JOB_NAME]: name,
    'controller-uid': uid,
    'job-name': name,
  };
  const template = spec.template as Job['spec']['template'];
  const completionMode = spec.completionMode ?? 'NonIndexed';
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...metadata,
      name,
      namespace,
      uid,
      resourceVersion: '',
      generation: 1,
      creationTimestamp: now,
      labels: { ...(metadata.labels ?? template.metadata?.labels) },
    },
    spec: {
      ...spec,
      completionMode,
      completions: spec.completions ?? 1,
      parallelism: spec.parallelism ?? 1,
      backoffLimit: spec.backoffLimit ?? (spec.backoffLimitPerIndex === undefined ? 6 : LARGEST),
      podReplacementPolicy: spec.podReplacementPolicy ?? (spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'),
      suspend: spec.suspend ?? false,
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      template: {
        ...template,
        metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...tracked } },
      },
    },
    status: {},
  };
}

function checkMeta({ name, labels }: Partial<Job['metadata']>): Cause[] {
  return [
    ...(name ? [] : [required('metadata.name', 'name or generateName is required')]),
    ...(name && !isDnsSubdomain(name)
      ? [
          wrong(
            'metadata.name',
            name,
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
          ),
        ]
      : []),
    ...checkLabels(labels, 'metadata.labels'),
  ];
}

function checkSpec(name: string, spec: Partial<Job['spec']>): Cause[] {
  const { completionMode = 'NonIndexed', completions, parallelism, backoffLimitPerIndex: perIndex, template } = spec;
  const indexed = completionMode === 'Indexed';
  if (!template?.spec) return [required('spec.template.spec.containers')];
  const last = `${name}-${(completions ?? 1) - 1}`;
  const policy = template.spec.restartPolicy;
  return [
    ...negative({
      parallelism,
      completions,
      activeDeadlineSeconds: spec.activeDeadlineSeconds,
      backoffLimit: spec.backoffLimit,
      ttlSecondsAfterFinished: spec.ttlSecondsAfterFinished,
      backoffLimitPerIndex: perIndex,
    }),
    ...(['Indexed', 'NonIndexed'].includes(completionMode)
      ? []
      : [unsupported('spec.completionMode', completionMode, ['Indexed', 'NonIndexed'])]),
    ...(indexed && completions === undefined ? [required('spec.completions', 'when completion mode is Indexed')] : []),
    ...(indexed && (parallelism ?? 1) > MOST_INDEXES
      ? [wrong('spec.parallelism', parallelism, 'must be less than or equal to 100000 when completion mode is Indexed')]
      : []),
    ...(!indexed && perIndex !== undefined
      ? [wrong('spec.backoffLimitPerIndex', perIndex, 'requires indexed completion mode')]
      : []),
    ...(perIndex !== undefined && (completions ?? 1) > MOST_INDEXES && (parallelism ?? 1) > 10_000
      ? [
          wrong(
            'spec.parallelism',
            parallelism,
            'must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
          ),
        ]
      : []),
    // A pod of an index is found by its host name.
    ...(indexed && isDnsSubdomain(name) && !isDnsLabel(last)
      ? [
          wrong(
            'metadata.name',
            last,
            'will not able to create pod with invalid DNS label: must be no more than 63 bytes',
          ),
        ]
      : []),
    ...(spec.podFailurePolicy ? checkPolicy(spec) : []),
    ...checkLabels(template.metadata?.labels, 'spec.template.labels'),
    ...(policy === 'Never' || policy === 'OnFailure'
      ? []
      : policy === undefined || policy === ''
        ? [required('spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"')]
        : [unsupported('spec.template.spec.restartPolicy', policy, ['OnFailure', 'Never'])]),
    ...checkPod(template.spec, 'spec.template.spec'),
  ];
}

function negative(fields: Readonly<Record<string, number | undefined>>): Cause[] {
  return Object.entries(fields).flatMap(([field, value]) =>
    value !== undefined && value < 0 ? [wrong(`spec.${field}`, value, 'must be greater than or equal to 0')] : [],
  );
}

function checkPolicy(spec: Partial<Job['spec']>): Cause[] {
  const { template, podReplacementPolicy: replacement, backoffLimitPerIndex: perIndex } = spec;
  const names = [...(template?.spec.initContainers ?? []), ...(template?.spec.containers ?? [])].map(
    ({ name }) => name,
  );
  const rules = spec.podFailurePolicy?.rules ?? [];
  return [
    ...(template?.spec.restartPolicy === 'Never'
      ? []
      : [
          wrong(
            'spec.template.spec.restartPolicy',
            template?.spec.restartPolicy ?? '',
            'only "Never" is supported when podFailurePolicy is specified',
          ),
        ]),
    ...(replacement === undefined || replacement === 'Failed'
      ? []
      : [unsupported('spec.podReplacementPolicy', replacement, ['Failed'])]),
    ...rules.flatMap(({ action, onExitCodes, onPodConditions }, index) => {
      const at = `spec.podFailurePolicy.rules[${index}]`;
      const values = onExitCodes?.values ?? [];
      return [
        ...(['Count', 'FailIndex', 'FailJob', 'Ignore'].includes(action)
          ? []
          : [unsupported(`${at}.action`, action, ['Count', 'FailIndex', 'FailJob', 'Ignore'])]),
        ...(action === 'FailIndex' && perIndex === undefined
          ? [wrong(`${at}.action`, action, 'requires the backoffLimitPerIndex to be set')]
          : []),
        ...((onExitCodes === undefined) === ((onPodConditions ?? []).length === 0)
          ? [wrong(at, '', 'specifying one of OnExitCodes and OnPodConditions is required')]
          : []),
        ...(onExitCodes?.containerName !== undefined && !names.includes(onExitCodes.containerName)
          ? [
              wrong(
                `${at}.onExitCodes.containerName`,
                onExitCodes.containerName,
                'must be one of the container or initContainer names in the pod template',
              ),
            ]
          : []),
        ...(onExitCodes && values.length === 0
          ? [wrong(`${at}.onExitCodes.values`, values, 'at least one value is required')]
          : []),
        ...(onExitCodes?.operator === 'In' && values.includes(0)
          ? [wrong(`${at}.onExitCodes.values[${values.indexOf(0)}]`, 0, 'must not be 0 for the In operator')]
          : []),
        ...(values.some((value, nth) => nth > 0 && value <= (values[nth - 1] ?? 0))
          ? [wrong(`${at}.onExitCodes.values`, values, 'must be ordered')]
          : []),
      ];
    }),
  ];
}

/** What may not change once a Job is there; all else of a merge is taken over. */
const FIXED = [
  'completions',
  'selector',
  'template',
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
] as const;

/** Merges a patch (RFC 7386) into a Job. @throws ApiError for what is fixed */
export function patchJob(job: Job, patch: unknown): void {
  const merged = merge(structuredClone(job), patch) as Job;
  const causes = FIXED.filter((field) => JSON.stringify(merged.spec[field]) !== JSON.stringify(job.spec[field])).map(
    (field) => wrong(`spec.${field}`, merged.spec[field], 'field is immutable'),
  );
  const all = [
    ...causes,
    ...checkMeta(merged.metadata),
    ...negative({ activeDeadlineSeconds: merged.spec.activeDeadlineSeconds, parallelism: merged.spec.parallelism }),
  ];
  if (all.length > 0) throw invalid('Job.batch', job.metadata.name, all);
  const changed = JSON.stringify(merged.spec) !== JSON.stringify(job.spec);
  job.metadata = { ...merged.metadata, generation: (job.metadata.generation ?? 1) + (changed ? 1 : 0) };
  job.spec = merged.spec;
}

function merge(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const base = target !== null && typeof target === 'object' && !Array.isArray(target) ? target : {};
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
