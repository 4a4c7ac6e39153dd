/**
 * Kubernetes, on EKS or elsewhere: a launch's job is an Indexed Job. docs/compute.md says what the cluster needs, and
 * what differs from AWS Batch.
 *
 * @module
 */
import type { V1Job, V1Pod } from '@kubernetes/client-node';
import { ApplicationFailure } from '@temporalio/common';
import { codeOf, connectKubernetes, type Kubernetes, messageOf } from '../../../lib/launch/kubernetes/client.ts';
import { parseIndexes } from '../../../lib/launch/kubernetes/indexes.ts';
import {
  ENDED_ANNOTATION,
  failuresBefore,
  indexOf,
  JOB_LABEL,
  KIND_LABEL,
  NAME_ANNOTATION,
  POD_JOB_LABEL,
} from '../../../lib/launch/kubernetes/names.ts';
import { PodLogs } from '../../../lib/launch/kubernetes/pod-logs.ts';
import type { Settings } from '../../../lib/settings.ts';
import { jobManifest } from './eks/manifest.ts';
import { obstacleOf } from './eks/pods.ts';
import { childView, hasEndedJob, isArray, newestByIndex, toView } from './eks/views.ts';
import type { ComputeService, Job, JobView } from './service.ts';

/** Jobs of one call of `describe`: their names stand in the address of a LIST. */
const DESCRIBE_LIMIT = 50;
/** Pods of one page of a LIST. */
const PAGE = 500;
/** Pages of pods that wait, of all arrays of one `describe`: beyond them a pod counts as placed. */
const WAITING_PAGES = 4;

export interface EksSettings
  extends Pick<Settings, 'eksCluster' | 'eksContext' | 'eksNamespace' | 'eksServiceAccount' | 'eksParallelism'> {
  jobImage: string;
}

export interface EksDependencies {
  settings: EksSettings;
  connect?: (context: string) => Promise<Kubernetes>;
  /** Milliseconds a pod may wait before it is told why: a new node takes minutes. */
  tellAfterMs?: number;
  /** Milliseconds an image may be tried for. */
  pullPatienceMs?: number;
}

export function createEksCompute({
  settings,
  connect = connectKubernetes,
  tellAfterMs = 120_000,
  pullPatienceMs = 600_000,
}: EksDependencies): ComputeService {
  const { eksCluster: cluster, eksNamespace: namespace } = settings;
  const logGroup = `kubernetes:${cluster}/${namespace}`;
  const logs = new PodLogs(namespace);
  const manifest = {
    namespace,
    serviceAccount: settings.eksServiceAccount,
    jobImage: settings.jobImage,
    parallelism: settings.eksParallelism,
  };
  let connection: Promise<Kubernetes> | undefined;
  const kubernetes = (): Promise<Kubernetes> => {
    connection ??= connect(settings.eksContext).catch((error: unknown) => {
      // A kubeconfig that is put right is read at the next try.
      connection = undefined;
      throw error;
    });
    return connection;
  };
  const toJob = (id: string, name: string): Job => ({
    id,
    name,
    queue: `${cluster}/${namespace}`,
    account: 'eks',
    region: cluster,
    logGroup,
  });

  return {
    name: 'eks',
    logGroup,
    describeLimit: DESCRIBE_LIMIT,

    // A name is taken once, so the creation itself is the look-up.
    async submit(request) {
      const { batch } = await kubernetes();
      const body = jobManifest(request, manifest);
      const name = body.metadata?.name ?? '';
      try {
        // Strict: a field that an older API server does not know would be dropped, and with it what it is for.
        await batch.createNamespacedJob({ namespace, body, fieldValidation: 'Strict' });
      } catch (error) {
        if (codeOf(error) !== 409) throw refused(error);
        const known = await batch.readNamespacedJob({ namespace, name });
        const other = known.metadata?.annotations?.[NAME_ANNOTATION];
        if (other !== request.name)
          throw rejected(`there is another Job of its name ${name}, for ${other ?? 'nobody'}`);
      }
      return toJob(name, request.name);
    },

    async describe(ids) {
      if (ids.length === 0) return [];
      const api = await kubernetes();
      const { items } = await api.batch.listNamespacedJob({ namespace, labelSelector: among(JOB_LABEL, ids) });
      const jobs = new Map(items.map((job) => [job.metadata?.name ?? '', job]));
      const pods = await podsOf(api, items);
      const views: JobView[] = [];
      for (const id of ids) {
        const job = jobs.get(id);
        views.push(
          job ? toView(job, pods.get(id) ?? [], tellAfterMs) : { id, status: 'LOST', attempts: 0, containers: [] },
        );
      }
      for (const job of items) await giveUp(api, job, pods.get(job.metadata?.name ?? '') ?? []);
      return views;
    },

    async *failedChildren(id) {
      const api = await kubernetes();
      const { items } = await api.batch.listNamespacedJob({ namespace, labelSelector: among(JOB_LABEL, [id]) });
      const [job] = items;
      if (!job) return;
      const { completedIndexes, failedIndexes } = job.status ?? {};
      const completed = parseIndexes(completedIndexes);
      const failed = parseIndexes(failedIndexes);
      const seen = new Map<number, number>();
      const selector = { labelSelector: among(POD_JOB_LABEL, [id]), fieldSelector: 'status.phase=Failed' };
      for await (const page of pages(api, selector)) {
        const news = [...newestByIndex(page).values()].filter(
          (pod) => failed.has(indexOf(pod)) && failuresBefore(pod) >= (seen.get(indexOf(pod)) ?? 0),
        );
        for (const pod of news) seen.set(indexOf(pod), failuresBefore(pod));
        yield news.map((pod) => childView(job, indexOf(pod), pod));
      }
      const all = hasEndedJob(job) ? Array.from({ length: job.spec?.completions ?? 0 }, (_, index) => index) : failed;
      const silent = [...all].filter((index) => !completed.has(index) && !seen.has(index));
      yield silent.map((index) => childView(job, index, undefined));
    },

    async whyNotPlaced(id) {
      const api = await kubernetes();
      const selector = { labelSelector: among(POD_JOB_LABEL, [id]), fieldSelector: 'spec.nodeName=' };
      const { items } = await api.core.listNamespacedPod({ namespace, ...selector, limit: 10 });
      const obstacles = items.flatMap((pod) => obstacleOf(pod) ?? []);
      return obstacles.find(({ since }) => Date.now() - since >= tellAfterMs)?.reason;
    },

    terminate: async (id, reason) => end(await kubernetes(), id, reason),

    logPage: async (stream, token) => logs.page((await kubernetes()).core, stream, token),
    lastLogLines: async (stream, lines) => logs.last((await kubernetes()).core, stream, lines),
  };

  /**
   * By its deadline and not by deletion, so that its verdict stays to be read: the Job controller ends the pods and
   * says DeadlineExceeded, and the annotation says why. Of a Job that has ended neither changes anything.
   */
  async function end(api: Kubernetes, id: string, reason: string): Promise<void> {
    const body = { metadata: { annotations: { [ENDED_ANNOTATION]: reason } }, spec: { activeDeadlineSeconds: 1 } };
    try {
      await api.batch.patchNamespacedJob({ namespace, name: id, body }, api.merging);
    } catch (error) {
      if (codeOf(error) !== 404) throw error;
    }
  }

  /** Kubernetes pulls for ever; AWS Batch fails such a job, and so its users expect it. */
  async function giveUp(api: Kubernetes, job: V1Job, pods: readonly V1Pod[]): Promise<void> {
    if (hasEndedJob(job) || job.metadata?.annotations?.[ENDED_ANNOTATION] !== undefined) return;
    const obstacles = pods.flatMap((pod) => obstacleOf(pod) ?? []).filter(({ image }) => image);
    const last = obstacles.find(({ hopeless, since }) => hopeless || Date.now() - since > pullPatienceMs);
    if (last) await end(api, job.metadata?.name ?? '', last.reason);
  }

  /** Two calls at most: the pods of single jobs, and those of open arrays that do not run yet. */
  async function podsOf(api: Kubernetes, jobs: readonly V1Job[]): Promise<Map<string, V1Pod[]>> {
    const found = new Map<string, V1Pod[]>();
    const singles = namesOf(jobs.filter((job) => !isArray(job)));
    const arrays = namesOf(jobs.filter((job) => isArray(job) && !hasEndedJob(job) && (job.status?.active ?? 0) > 0));
    const add = (pods: readonly V1Pod[]) => {
      for (const pod of pods) {
        const name = pod.metadata?.labels?.[POD_JOB_LABEL] ?? '';
        found.set(name, [...(found.get(name) ?? []), pod]);
      }
    };
    if (singles.length > 0)
      for await (const page of pages(api, { labelSelector: `${KIND_LABEL}=one,${among(POD_JOB_LABEL, singles)}` }))
        add(page);
    if (arrays.length === 0) return found;
    const waiting = { labelSelector: among(POD_JOB_LABEL, arrays), fieldSelector: 'status.phase=Pending' };
    let read = 0;
    for await (const page of pages(api, waiting)) {
      add(page);
      read += 1;
      if (read === WAITING_PAGES) break;
    }
    return found;
  }

  async function* pages(api: Kubernetes, selector: { labelSelector: string; fieldSelector?: string }) {
    let next: string | undefined;
    do {
      const { items, metadata } = await api.core.listNamespacedPod({
        namespace,
        ...selector,
        limit: PAGE,
        ...(next && { _continue: next }),
      });
      yield items;
      next = metadata?._continue;
    } while (next);
  }
}

const namesOf = (jobs: readonly V1Job[]): string[] => jobs.flatMap((job) => job.metadata?.name ?? []);
const among = (label: string, names: readonly string[]): string => `${label} in (${names.join(',')})`;

const rejected = (why: string) =>
  ApplicationFailure.nonRetryable(`Kubernetes refuses the job: ${why}`, 'JobRejectedError');

/** Invalid, forbidden, no such namespace: refused once, refused always. All else may pass. */
function refused(error: unknown): unknown {
  const code = codeOf(error);
  return code === 400 || code === 403 || code === 404 || code === 422 ? rejected(messageOf(error)) : error;
}
