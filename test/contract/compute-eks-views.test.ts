/**
 * What the service makes of what a cluster says: no node runs anything, the test says what becomes of each pod. It runs on
 * any cluster without nodes (envtest) too.
 */
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEksCompute } from '../../activities/launch/compute/eks.ts';
import {
  type ComputeService,
  hasEnded,
  type JobRequest,
  type JobView,
} from '../../activities/launch/compute/service.ts';
import { endingOf } from '../../activities/launch/failures.ts';
import { connectKubernetes } from '../../lib/launch/kubernetes/client.ts';
import { kubernetesName } from '../../lib/launch/kubernetes/names.ts';
import { causeOf, stuckReason } from '../../workflows/launch/causes.ts';
import { exited, type KubernetesTarget, openKubernetesTarget } from './kubernetes-target.ts';

// A scheduler of a real cluster would take the pods.
describe.skipIf(process.env.LONGHAUL_VERIFY_KUBERNETES === '1')('the service, where no node runs anything', () => {
  let target: KubernetesTarget;
  let service: ComputeService;
  /** Tells at once what it would tell after two minutes. */
  let hasty: ComputeService;
  let names = 0;

  beforeAll(async () => {
    target = await openKubernetesTarget({ nodes: 0 });
    const settings = {
      eksCluster: 'contract',
      eksContext: '',
      eksNamespace: target.namespace,
      eksServiceAccount: 'longhaul-jobs',
      eksParallelism: 4,
      jobImage: 'longhaul/jobs:test',
    };
    const { config } = target;
    const connect = (context: string) => connectKubernetes(context, config);
    service = createEksCompute({ settings, connect });
    hasty = createEksCompute({ settings, connect, tellAfterMs: 0 });
  });
  afterAll(async () => {
    await target?.close();
  });

  async function submit(items = 1, more: Partial<JobRequest> = {}) {
    names += 1;
    const request: JobRequest = {
      name: `lh-views-${Date.now()}_${names}-work-1-1-0`,
      items,
      image: 'tools:1',
      argv: ['/bin/sh', '-c', 'echo "$HOME" $(date) $(LONGHAUL_JOB_ID)'],
      vcpus: 1,
      memoryMiB: 256,
      hostRetries: 0,
      environment: { PRICE: '$5' },
      contract: { LONGHAUL_SUBMISSION: 'launch/x|1|work|1|0' },
      tags: { 'longhaul:launch': 'x'.repeat(64), 'longhaul:step': 'work', 'longhaul:consumer': 'lab-a' },
      ...more,
    };
    const job = await service.submit(request, { lookFirst: false });
    target.own(job.id);
    await expect.poll(() => target.pods(job.id)).toHaveLength(Math.min(items, 4));
    return { job, request };
  }
  const podOf = async (id: string, index = 0): Promise<V1Pod | undefined> =>
    (await target.pods(id)).find(
      (pod) => pod.metadata?.labels?.['batch.kubernetes.io/job-completion-index'] === String(index),
    );
  const view = async (id: string, from = service): Promise<JobView> => {
    const [found] = await from.describe([id]);
    if (!found) throw new Error(`nothing is said of ${id}`);
    return found;
  };
  const over = async (id: string): Promise<JobView> => {
    await expect.poll(async () => hasEnded(await view(id))).toBe(true);
    return view(id);
  };
  const causeOfView = (seen: JobView) => causeOf(endingOf(seen));
  const initialized = (...statuses: V1ContainerStatus[]) => ({ initContainerStatuses: statuses });
  const killed = (name: string, reason: string): V1ContainerStatus => ({
    ...exited(name, 137),
    state: { terminated: { exitCode: 137, reason } },
  });

  it('submits what the API server takes whole, and what the command gets is what was asked for', async () => {
    const { job, request } = await submit(1, {
      keep: true,
      timeoutSeconds: 3600,
      sharedFileSystem: { type: 'host', hostPath: '/tmp' },
    });
    const made = await target.read(job.id);
    const spec = made.spec?.template.spec;

    expect(job).toMatchObject({ id: kubernetesName(request.name), account: 'eks', region: 'contract' });
    expect(spec?.initContainers?.map(({ name, restartPolicy }) => [name, restartPolicy])).toEqual([
      ['stage', undefined],
      ['keep', 'Always'],
      ['main', undefined],
    ]);
    expect(spec).toMatchObject({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      activeDeadlineSeconds: 3600,
    });
    const main = spec?.initContainers?.[2];
    expect(main?.args).toEqual(['/bin/sh', '-c', 'echo "$$HOME" $$(date) $$(LONGHAUL_JOB_ID)']);
    expect(main?.env).toContainEqual({ name: 'PRICE', value: '$$5' });
    expect(main?.resources?.limits).toEqual(main?.resources?.requests);
    // 64 characters are no label; the annotation has them.
    expect(made.metadata?.labels?.['longhaul/launch']).toBeUndefined();
    expect(made.metadata?.annotations?.['longhaul/launch']).toBe('x'.repeat(64));
  });

  it('finds a job whose submission got no answer, and refuses what another job holds', async () => {
    const { job, request } = await submit();

    expect(await service.submit(request, { lookFirst: true })).toEqual(job);
    await target.merge(job.id, { metadata: { annotations: { 'longhaul/name': 'somebody-else' } } });
    await expect(service.submit(request, { lookFirst: true })).rejects.toMatchObject({
      type: 'JobRejectedError',
      nonRetryable: true,
    });
  });

  it('refuses for good what the API server refuses', async () => {
    await expect(submit(1, { memoryMiB: -1 })).rejects.toMatchObject({ type: 'JobRejectedError', nonRetryable: true });
  });

  it('tells of a pod that cannot be placed, once it has waited', async () => {
    const { job } = await submit();
    const message = '0/3 nodes are available: 3 Insufficient memory.';
    await target.report(await podOf(job.id), {
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
    });
    await expect
      .poll(async () => (await view(job.id, hasty)).reason)
      .toMatch(/^Unschedulable: 0\/\d nodes are available/);
    const seen = await view(job.id, hasty);

    expect(seen.status).toBe('RUNNABLE');
    expect((await view(job.id)).reason).toBeUndefined();
    expect(await hasty.whyNotPlaced(job.id)).toBe(seen.reason);
    expect(stuckReason(seen.reason ?? '')?.remedy).toContain('nodes');
  });

  it('ends a job whose image is not there, and says so', async () => {
    const { job } = await submit();
    const message =
      'failed to pull and unpack image "docker.io/library/toolz:1": failed to resolve reference: not found';
    const waiting = { ...exited('stage', 0), name: 'main', state: { waiting: { reason: 'ErrImagePull', message } } };
    await bind(await podOf(job.id));
    await target.report(await podOf(job.id), initialized(exited('stage', 0), waiting));
    await view(job.id);
    // Its pod is on a node, whose kubelet ends it.
    await expect.poll(async () => (await podOf(job.id))?.metadata?.deletionTimestamp).toBeDefined();
    await target.report(await podOf(job.id), { phase: 'Failed' });
    const seen = await over(job.id);

    expect(seen).toMatchObject({ status: 'FAILED', reason: `ErrImagePull: ${message}` });
    expect(causeOfView(seen)).toBe('IMAGE');
  });

  it('lets a registry that does not answer be tried for a while', async () => {
    const { job } = await submit();
    const message = 'Back-off pulling image "tools:1": ErrImagePull: dial tcp: i/o timeout';
    const waiting = { ...exited('stage', 0), state: { waiting: { reason: 'ImagePullBackOff', message } } };
    await bind(await podOf(job.id));
    await target.report(await podOf(job.id), initialized(waiting));
    await view(job.id);

    expect(hasEnded(await view(job.id))).toBe(false);
    expect(await view(job.id, hasty)).toMatchObject({ status: 'RUNNABLE', reason: `ImagePullBackOff: ${message}` });
  });

  it.each([
    ['memory', initialized(exited('stage', 0), killed('main', 'OOMKilled')), 'OUT_OF_MEMORY'],
    ['its own code', initialized(exited('stage', 0), exited('main', 9)), 'EXIT_CODE'],
    ['inputs', initialized(exited('stage', 66)), 'INPUTS'],
    [
      'outputs',
      { ...initialized(exited('stage', 0), exited('main', 0)), containerStatuses: [exited('publish', 65)] },
      'OUTPUTS_MISSING',
    ],
    [
      'its deadline',
      {
        ...initialized(exited('stage', 0), killed('main', 'Error')),
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      },
      'TIMEOUT',
    ],
    [
      'a full node',
      {
        ...initialized(exited('stage', 0), killed('main', 'Error')),
        reason: 'Evicted',
        message: 'The node was low on resource: memory.',
      },
      'HOST_LOST',
    ],
  ])('tells what a job died of: %s', async (_, status, cause) => {
    const { job } = await submit();
    await target.report(await podOf(job.id), { phase: 'Failed', ...status });

    expect(causeOfView(await over(job.id))).toBe(cause);
  });

  it('takes a pod that is not there any more for a lost host', async () => {
    const { job } = await submit();
    const pod = await podOf(job.id);
    await target.core.deleteNamespacedPod({ namespace: target.namespace, name: pod?.metadata?.name ?? '' });
    const seen = await over(job.id);

    expect(seen.status).toBe('FAILED');
    expect(causeOfView(seen)).toBe('HOST_LOST');
  });

  it('knows of an array which children failed, of what, and asks no child', async () => {
    const { job } = await submit(6);
    await target.report(await podOf(job.id, 0), { phase: 'Succeeded', containerStatuses: [exited('publish', 0)] });
    await target.report(await podOf(job.id, 1), {
      phase: 'Failed',
      ...initialized(exited('stage', 0), exited('main', 4)),
    });
    await target.report(await podOf(job.id, 2), {
      phase: 'Failed',
      ...initialized(exited('stage', 0), killed('main', 'OOMKilled')),
    });
    const gone = await podOf(job.id, 3);
    await target.core.deleteNamespacedPod({ namespace: target.namespace, name: gone?.metadata?.name ?? '' });
    await target.until(job.id, ({ status }) => status?.failedIndexes === '1-3');
    const open = await view(job.id);
    await service.terminate(job.id, 'the launch was cancelled');
    const seen = await over(job.id);
    const children = new Map<string, JobView>();
    const before = target.local?.calls.lastSeq ?? 0;
    for await (const page of service.failedChildren(job.id)) for (const child of page) children.set(child.id, child);

    expect(open).toMatchObject({ status: 'PENDING', counts: { succeeded: 1, failed: 3 } });
    expect(seen).toMatchObject({ status: 'FAILED', counts: { running: 0, succeeded: 1, failed: 5 } });
    expect(causeOfView(seen)).toBe('TERMINATED');
    const causes = [...children].map(([id, child]) => [id.split(':')[1], causeOfView(child)]).sort();
    expect(causes).toEqual([
      ['1', 'EXIT_CODE'],
      ['2', 'OUT_OF_MEMORY'],
      // Of a Job that was ended a pod that is not there ended with it.
      ['3', 'TERMINATED'],
      ['4', 'TERMINATED'],
      ['5', 'TERMINATED'],
    ]);
    expect(target.local?.calls.list({ afterSeq: before }).length ?? 2).toBe(2);
  });

  it('describes fifty jobs in three calls', async () => {
    const jobs = await Promise.all(Array.from({ length: 5 }, (_, nth) => submit(nth % 2 === 0 ? 1 : 3)));
    const before = target.local?.calls.lastSeq ?? 0;
    const views = await service.describe([...jobs.map(({ job }) => job.id), 'lh-nobody-000000000000']);

    expect(views.map(({ status }) => status)).toEqual([
      'RUNNABLE',
      'PENDING',
      'RUNNABLE',
      'PENDING',
      'RUNNABLE',
      'LOST',
    ]);
    expect(service.describeLimit).toBe(50);
    expect(target.local?.calls.list({ afterSeq: before }).length ?? 3).toBe(3);
  });

  /** Onto a node that is none: who plays the kubelet may do so. */
  async function bind(pod: V1Pod | undefined): Promise<void> {
    const name = pod?.metadata?.name ?? '';
    const body = { metadata: { name }, target: { apiVersion: 'v1', kind: 'Node', name: 'node-of-nobody' } };
    // The answer is a Status, which the client takes for a Binding.
    await target.core.createNamespacedPodBinding({ namespace: target.namespace, name, body });
  }
});
