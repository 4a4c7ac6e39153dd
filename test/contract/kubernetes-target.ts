/**
 * The cluster that the contract tests of Kubernetes talk to: the stand-in, started fresh in this process, or with
 * `LONGHAUL_VERIFY_KUBERNETES` the one of the kubeconfig: `1` with nodes, `api` where no node runs anything (envtest).
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  type V1ContainerStatus,
  type V1Job,
  type V1JobSpec,
  type V1Pod,
} from '@kubernetes/client-node';
import { type Kubernetes, openKubernetes } from '../../infra/local/kubernetes/server.ts';
import { codeOf } from '../../lib/launch/kubernetes/client.ts';
import { until } from '../support/stand-ins.ts';

export const NODE_IMAGE = 'public.ecr.aws/docker/library/node:22-slim';
const VERIFY = process.env.LONGHAUL_VERIFY_KUBERNETES ?? '';
const PATIENCE_MS = VERIFY === '' ? 60_000 : 180_000;

export interface KubernetesTarget {
  batch: BatchV1Api;
  core: CoreV1Api;
  namespace: string;
  /** For what only the stand-in has: lost nodes, the clock, faults. */
  local: Kubernetes | undefined;
  config: KubeConfig;
  /** An Indexed Job of pods that run `node -e <script>`. */
  job(spec?: Partial<V1JobSpec>, script?: string): V1Job;
  create(job: V1Job): Promise<string>;
  /** A Job that was made otherwise goes at the end too. */
  own(name: string): void;
  read(name: string): Promise<V1Job>;
  pods(name: string): Promise<V1Pod[]>;
  merge(name: string, body: object): Promise<V1Job>;
  /** Plays the kubelet of a pod that no scheduler takes. */
  report(pod: V1Pod | undefined, status: object): Promise<void>;
  until(name: string, test: (job: V1Job) => boolean): Promise<V1Job>;
  ended(name: string): Promise<V1Job>;
  close(): Promise<void>;
}

/** No scheduler has this name: pods wait, and the test says what becomes of them. */
export const NOBODY = 'longhaul-contract';

/** @param options.nodes of the stand-in: 0 leaves every pod waiting */
export async function openKubernetesTarget(options: { nodes?: number } = {}): Promise<KubernetesTarget> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-kubernetes-'));
  const imagesFile = join(directory, 'images.json');
  await writeFile(imagesFile, JSON.stringify({ [NODE_IMAGE]: { path: [dirname(process.execPath)] } }));
  const nodes = { count: options.nodes ?? 2 };
  const local =
    VERIFY === '' ? await openKubernetes({ directory: join(directory, 'cluster'), imagesFile, nodes }) : undefined;
  const config = new KubeConfig();
  if (local) config.loadFromString(local.kubeconfig());
  else config.loadFromDefault();
  const [batch, core] = [config.makeApiClient(BatchV1Api), config.makeApiClient(CoreV1Api)];
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
  const made: string[] = [];
  const read = (name: string) => batch.readNamespacedJob({ namespace, name });
  const pods = async (name: string) => {
    const labelSelector = `batch.kubernetes.io/job-name=${name}`;
    return (await core.listNamespacedPod({ namespace, labelSelector })).items;
  };
  const target: KubernetesTarget = {
    batch,
    core,
    namespace,
    local,
    config,
    job(spec = {}, script = '') {
      const name = `longhaul-contract-${randomUUID().slice(0, 8)}`;
      return {
        metadata: { name, labels: { 'longhaul/contract': name } },
        spec: {
          completionMode: 'Indexed',
          completions: 1,
          parallelism: 1,
          backoffLimitPerIndex: 0,
          template: {
            spec: {
              restartPolicy: 'Never',
              containers: [{ name: 'main', image: NODE_IMAGE, args: ['node', '-e', script] }],
            },
          },
          ...spec,
        },
      };
    },
    async create(job) {
      const { metadata } = await batch.createNamespacedJob({ namespace, body: job, fieldValidation: 'Strict' });
      made.push(metadata?.name ?? '');
      return metadata?.name ?? '';
    },
    own: (name) => void made.push(name),
    read,
    pods,
    merge: (name, body) =>
      batch.patchNamespacedJob({ namespace, name, body }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch)),
    async report(pod, status) {
      await core.patchNamespacedPodStatus(
        { namespace, name: pod?.metadata?.name ?? '', body: { status } },
        setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
      );
    },
    until: (name, test) =>
      until(
        `job ${name}`,
        async () => {
          const job = await read(name);
          return test(job) ? job : undefined;
        },
        PATIENCE_MS,
      ).catch(async (error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify((await read(name)).status)}`);
      }),
    ended: (name) =>
      target.until(name, (job) => conditions(job).some((type) => type === 'Complete' || type === 'Failed')),
    async close() {
      for (const name of made) {
        await batch
          .deleteNamespacedJob({ namespace, name, propagationPolicy: 'Background' })
          .catch((error: unknown) => {
            if (codeOf(error) !== 404) throw error;
          });
      }
      await local?.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return target;
}

export const conditions = (job: V1Job): string[] =>
  (job.status?.conditions ?? []).flatMap(({ type, status }) => (status === 'True' ? [type] : []));

export const conditionOf = (job: V1Job, wanted: string) =>
  job.status?.conditions?.find(({ type, status }) => type === wanted && status === 'True');

/** The status of a container that has ended. */
export const exited = (name: string, exitCode: number): V1ContainerStatus => ({
  name,
  image: NODE_IMAGE,
  imageID: '',
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } },
});

/** A request past the client, which leaves out what it does not know. */
export async function raw(
  { config }: KubernetesTarget,
  method: string,
  path: string,
  options: { body?: object; token?: string } = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { server = '' } = config.getCurrentCluster() ?? {};
  const settings: RequestOptions = {};
  await config.applyToHTTPSOptions(settings);
  const headers = {
    ...settings.headers,
    'content-type': 'application/json',
    ...(options.token && { Authorization: `Bearer ${options.token}` }),
  };
  const send = server.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(`${server}${path}`, { ...settings, method, headers }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
      });
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> }),
      );
    });
    request.on('error', reject);
    request.end(options.body && JSON.stringify(options.body));
  });
}

/** What the API server answered instead: code, reason, and the fields it names. */
export async function refusal(run: Promise<unknown>): Promise<{ code: number; reason: string; fields: string[] }> {
  const error: unknown = await run.then(
    () => new Error('it was taken'),
    (thrown: unknown) => thrown,
  );
  const { body } = error as { body?: unknown };
  if (body === undefined) throw error;
  const status = (typeof body === 'string' ? JSON.parse(body) : body) as {
    code: number;
    reason: string;
    details?: { causes?: { field: string }[] };
  };
  const fields = (status.details?.causes ?? []).map(({ field }) => field).sort();
  return { code: status.code, reason: status.reason, fields };
}
