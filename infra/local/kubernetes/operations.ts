/**
 * The operations of the API server that Jobs and their pods need; every other path is answered as unknown.
 *
 * @module
 */
import type { Cluster } from './cluster.ts';
import { admitJob, patchJob } from './job-rules.ts';
import { refuseUnknownFields } from './known-fields.ts';
import { type ContainerStatus, type Job, type Pod, setCondition } from './model.ts';
import type { PodLogs } from './pod-logs.ts';
import { fieldSelector, labelSelector } from './selectors.ts';
import { ApiError, badRequest, notFound } from './status.ts';
import { checkVersion } from './store.ts';

export interface ApiCall {
  /** Such as `createJob`, for the call log and fault plans. */
  operation: string;
  subject: string;
  /** @returns an object, or a log's text */
  run(): { status: number; body: object | string };
}

export interface ApiRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  body: string;
  contentType: string;
}

const PATCHES = ['application/merge-patch+json', 'application/strategic-merge-patch+json'];

export function route(cluster: Cluster, logs: PodLogs, request: ApiRequest): ApiCall {
  const { method, path } = request;
  const [, group, namespace = '', resource, name, sub] =
    /^\/(apis\/batch\/v1|api\/v1)\/namespaces\/([^/]+)\/(jobs|pods)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path) ?? [];
  const jobs = group === 'apis/batch/v1' && resource === 'jobs' && sub === undefined;
  const pods = group === 'api/v1' && resource === 'pods';
  const call = (operation: string, run: ApiCall['run'], subject = name ?? namespace): ApiCall => ({
    operation,
    subject,
    run,
  });
  if (path === '/version' && method === 'GET')
    return call(
      'version',
      () => ({ status: 200, body: { major: '1', minor: '34', gitVersion: 'v1.34.0-longhaul' } }),
      '',
    );
  if (jobs && name === undefined && method === 'POST') return createJob(cluster, namespace, request);
  if (jobs && name === undefined && method === 'GET')
    return call('listJobs', () => list(cluster, 'Job', namespace, request.query), subjectOf(request.query));
  if (jobs && name !== undefined && method === 'GET')
    return call('getJob', () => ({ status: 200, body: cluster.jobs.get(namespace, name) }));
  if (jobs && name !== undefined && method === 'PATCH')
    return call('patchJob', () => patch(cluster, namespace, name, request));
  if (jobs && name !== undefined && method === 'DELETE')
    return call('deleteJob', () => deleteJob(cluster, namespace, name, request));
  if (pods && name === undefined && method === 'GET')
    return call('listPods', () => list(cluster, 'Pod', namespace, request.query), subjectOf(request.query));
  if (pods && name !== undefined && sub === undefined && method === 'GET')
    return call('getPod', () => ({ status: 200, body: cluster.pods.get(namespace, name) }));
  if (pods && name !== undefined && sub === undefined && method === 'DELETE')
    return call('deletePod', () => {
      const pod = cluster.pods.get(namespace, name);
      cluster.deletePod(pod);
      return { status: 200, body: pod };
    });
  if (pods && name !== undefined && sub === 'status' && method === 'PATCH')
    return call('patchPodStatus', () => patchStatus(cluster, namespace, name, request));
  if (pods && name !== undefined && sub === 'binding' && method === 'POST')
    return call('bindPod', () => bind(cluster, namespace, name, request));
  if (pods && name !== undefined && sub === 'log' && method === 'GET')
    return call('readLog', () => ({ status: 200, body: readLog(cluster, logs, namespace, name, request.query) }));
  return call('unknown', () => {
    throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
  });
}

const subjectOf = (query: URLSearchParams): string => query.get('labelSelector') ?? '';

function createJob(cluster: Cluster, namespace: string, { body, query }: ApiRequest): ApiCall {
  const sent = parse(body) as Parameters<typeof admitJob>[1];
  return {
    operation: 'createJob',
    subject: sent.metadata?.name ?? '',
    run() {
      if (!cluster.namespaces.has(namespace)) throw notFound('namespaces', namespace);
      if (query.get('fieldValidation') === 'Strict') refuseUnknownFields(sent);
      const job = admitJob(namespace, sent, cluster.now());
      cluster.jobs.add(job);
      cluster.look();
      return { status: 201, body: structuredClone(job) };
    },
  };
}

function list(cluster: Cluster, kind: 'Job' | 'Pod', namespace: string, query: URLSearchParams) {
  if (query.get('watch') === 'true') throw badRequest('this stand-in has no watch');
  const limit = Number(query.get('limit') ?? 0);
  const [labels, fields] = [query.get('labelSelector') ?? '', query.get('fieldSelector') ?? ''];
  const hasLabels = labelSelector(labels);
  const token = query.get('continue') ?? undefined;
  const page =
    kind === 'Job'
      ? listOf(cluster.jobs, namespace, hasLabels, fieldSelector<Job>('Job', fields), limit, token)
      : listOf(cluster.pods, namespace, hasLabels, fieldSelector<Pod>('Pod', fields), limit, token);
  const metadata = { resourceVersion: cluster.revisions.current, ...(page.next && { continue: page.next }) };
  const apiVersion = kind === 'Job' ? 'batch/v1' : 'v1';
  return { status: 200, body: { kind: `${kind}List`, apiVersion, metadata, items: page.items } };
}

function listOf<T extends Job | Pod>(
  collection: {
    list(namespace: string, test: (one: T) => boolean, limit: number, token?: string): { items: T[]; next?: string };
  },
  namespace: string,
  hasLabels: (labels: Readonly<Record<string, string>>) => boolean,
  hasFields: (one: T) => boolean,
  limit: number,
  token: string | undefined,
) {
  return collection.list(namespace, (one) => hasLabels(one.metadata.labels ?? {}) && hasFields(one), limit, token);
}

function checkPatchType(contentType: string): void {
  if (PATCHES.includes(contentType)) return;
  throw new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${PATCHES.join(', ')}`,
  );
}

function patch(cluster: Cluster, namespace: string, name: string, { contentType, body }: ApiRequest) {
  checkPatchType(contentType);
  const job = cluster.jobs.get(namespace, name);
  const sent = parse(body) as { metadata?: { resourceVersion?: string } };
  checkVersion(job, sent.metadata?.resourceVersion);
  patchJob(job, sent);
  cluster.changed(job);
  return { status: 200, body: job };
}

/** Whoever plays the kubelet of a pod that no node of this cluster runs. */
function patchStatus(cluster: Cluster, namespace: string, name: string, request: ApiRequest) {
  checkPatchType(request.contentType);
  const pod = cluster.pods.get(namespace, name);
  const { status = {} } = parse(request.body) as { status?: Partial<Pod['status']> };
  pod.status = { ...pod.status, ...status };
  cluster.changed(pod);
  cluster.release(pod);
  return { status: 200, body: pod };
}

/** Whoever plays the scheduler. */
function bind(cluster: Cluster, namespace: string, name: string, { body }: ApiRequest) {
  const pod = cluster.pods.get(namespace, name);
  if (pod.spec.nodeName)
    throw new ApiError(
      409,
      'Conflict',
      `Operation cannot be fulfilled on pods/binding "${name}": pod ${name} is already assigned to node "${pod.spec.nodeName}"`,
    );
  pod.spec.nodeName = (parse(body) as { target?: { name?: string } }).target?.name ?? '';
  setCondition(pod.status.conditions, { type: 'PodScheduled', status: 'True' }, cluster.now());
  cluster.changed(pod);
  return { status: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
}

function deleteJob(cluster: Cluster, namespace: string, name: string, { query, body }: ApiRequest) {
  const job = cluster.jobs.get(namespace, name);
  const options = (body === '' ? {} : parse(body)) as { propagationPolicy?: string };
  const policy = query.get('propagationPolicy') ?? options.propagationPolicy ?? 'Background';
  if (!['Foreground', 'Background', 'Orphan'].includes(policy))
    throw badRequest(`invalid propagationPolicy ${JSON.stringify(policy)}`);
  const own = cluster.pods.all().filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === job.metadata.uid);
  cluster.jobs.remove(job);
  for (const pod of own) {
    pod.metadata.finalizers = [];
    if (policy === 'Orphan') delete pod.metadata.ownerReferences;
    else cluster.deletePod(pod);
  }
  const details = { name, group: 'batch', kind: 'jobs', uid: job.metadata.uid };
  return { status: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
}

function readLog(cluster: Cluster, logs: PodLogs, namespace: string, name: string, query: URLSearchParams): string {
  const pod = cluster.pods.get(namespace, name);
  const { initContainers = [], containers } = pod.spec;
  const wanted =
    query.get('container') ??
    (containers.length === 1 && initContainers.length === 0 ? containers[0]?.name : undefined);
  const names = (list: readonly { name: string }[]) => list.map((container) => container.name).join(' ');
  if (wanted === undefined)
    throw badRequest(
      `a container name must be specified for pod ${name}, choose one of: [${names(containers)}] or one of the init containers: [${names(initContainers)}]`,
    );
  const all: readonly ContainerStatus[] = [
    ...(pod.status.initContainerStatuses ?? []),
    ...(pod.status.containerStatuses ?? []),
  ];
  const known = [...initContainers, ...containers].some((container) => container.name === wanted);
  if (!known) throw badRequest(`container ${wanted} is not valid for pod ${name}`);
  const state = all.find((status) => status.name === wanted)?.state;
  if (!state || state.waiting)
    throw badRequest(
      `container "${wanted}" in pod "${name}" is waiting to start: ${state?.waiting?.reason ?? 'PodInitializing'}`,
    );
  const number = (key: string) => (query.get(key) === null ? undefined : Number(query.get(key)));
  const seconds = number('sinceSeconds');
  const [tailLines, limitBytes] = [number('tailLines'), number('limitBytes')];
  return logs.read(`${pod.metadata.uid}/${wanted}`, {
    timestamps: query.get('timestamps') === 'true',
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(seconds !== undefined && { since: cluster.clock.now() - seconds * 1000 }),
  });
}

function parse(body: string): object {
  try {
    return JSON.parse(body) as object;
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
}
