/**
 * What the Job controller makes of Indexed Jobs. No scheduler takes their pods: the test plays the kubelet, so the same can
 * be asked of any cluster.
 */
import type { V1Job, V1JobSpec, V1Pod } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  conditionOf,
  conditions,
  exited,
  type KubernetesTarget,
  NOBODY,
  openKubernetesTarget,
} from './kubernetes-target.ts';

let target: KubernetesTarget;

beforeAll(async () => {
  target = await openKubernetesTarget();
});
afterAll(() => target?.close());

const POLICY = {
  rules: [
    { action: 'Count', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    { action: 'FailIndex', onExitCodes: { operator: 'NotIn', values: [0] } },
  ],
};

async function start(spec: Partial<V1JobSpec> = {}): Promise<string> {
  const job = target.job({ podFailurePolicy: POLICY, podReplacementPolicy: 'Failed', ...spec });
  if (job.spec?.template.spec) job.spec.template.spec.schedulerName = NOBODY;
  return target.create(job);
}

const indexOf = (pod: V1Pod) => Number(pod.metadata?.annotations?.['batch.kubernetes.io/job-completion-index']);
const isOpen = (pod: V1Pod) => pod.status?.phase === 'Pending' || pod.status?.phase === 'Running';
const openIndexes = async (name: string) => (await target.pods(name)).filter(isOpen).map(indexOf).sort();
const podOf = async (name: string, index: number) =>
  (await target.pods(name)).find((pod) => isOpen(pod) && indexOf(pod) === index);
const succeed = async (name: string, index: number) =>
  target.report(await podOf(name, index), { phase: 'Succeeded', containerStatuses: [exited('main', 0)] });
const fail = async (name: string, index: number, code: number, more: object = {}) =>
  target.report(await podOf(name, index), { phase: 'Failed', containerStatuses: [exited('main', code)], ...more });
const DISRUPTED = {
  conditions: [
    { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' },
  ],
};
const inOrder = (job: V1Job) => conditions(job).sort();

describe('an Indexed Job', () => {
  it('has as many pods at a time as its parallelism, lowest indexes first, and ends Complete', async () => {
    const name = await start({ completions: 3, parallelism: 2 });
    await expect.poll(() => openIndexes(name)).toEqual([0, 1]);
    await target.until(name, ({ status }) => status?.active === 2);
    await succeed(name, 0);
    await expect.poll(() => openIndexes(name)).toEqual([1, 2]);
    await succeed(name, 2);
    await succeed(name, 1);
    const job = await target.ended(name);

    expect(inOrder(job)).toEqual(['Complete', 'SuccessCriteriaMet']);
    expect(job.status).toMatchObject({ succeeded: 3, completedIndexes: '0-2' });
    expect(job.status?.completionTime).toBeDefined();
    expect(job.status?.failed ?? 0).toBe(0);
  });

  it('tells its pods who they are', async () => {
    const name = await start();
    await expect.poll(() => openIndexes(name)).toEqual([0]);
    const pod = await podOf(name, 0);

    expect(pod?.metadata?.name).toMatch(new RegExp(`^${name}-0-[a-z0-9]{5}$`));
    expect(pod?.metadata?.labels).toMatchObject({
      'batch.kubernetes.io/job-name': name,
      'batch.kubernetes.io/job-completion-index': '0',
    });
    expect(pod?.metadata?.annotations).toMatchObject({
      'batch.kubernetes.io/job-completion-index': '0',
      'batch.kubernetes.io/job-index-failure-count': '0',
    });
    expect(pod?.spec?.containers[0]?.env?.map((variable) => variable.name)).toEqual(['JOB_COMPLETION_INDEX']);
    expect(pod?.metadata?.ownerReferences).toMatchObject([{ kind: 'Job', name, controller: true }]);
  });

  it('fails an index by its exit code at once, lets the others go on, and keeps the pod', async () => {
    const name = await start({ completions: 4, parallelism: 4, backoffLimitPerIndex: 2 });
    await expect.poll(() => openIndexes(name)).toEqual([0, 1, 2, 3]);
    for (const index of [1, 2, 3]) await fail(name, index, 3);
    await target.until(name, ({ status }) => status?.failedIndexes === '1-3');
    await succeed(name, 0);
    const job = await target.ended(name);

    expect(conditionOf(job, 'Failed')).toMatchObject({ reason: 'FailedIndexes', message: 'Job has failed indexes' });
    expect(job.status).toMatchObject({ succeeded: 1, failed: 3, completedIndexes: '0', failedIndexes: '1-3' });
    const failed = (await target.pods(name)).filter((pod) => pod.status?.phase === 'Failed');
    expect(failed.map(indexOf).sort()).toEqual([1, 2, 3]);
  });

  it('tries an index again whose pod was disrupted, and counts that', async () => {
    const name = await start({ backoffLimitPerIndex: 1 });
    await expect.poll(() => openIndexes(name)).toEqual([0]);
    await fail(name, 0, 137, DISRUPTED);
    await target.until(name, ({ status }) => status?.failed === 1);
    target.local?.clock.advance(15_000);
    await expect
      .poll(async () => (await podOf(name, 0))?.metadata?.annotations?.['batch.kubernetes.io/job-index-failure-count'])
      .toBe('1');
    await fail(name, 0, 137, DISRUPTED);

    expect(conditionOf(await target.ended(name), 'Failed')?.reason).toBe('FailedIndexes');
  });

  it('has an end for a pod that was removed: its index fails, and nothing is left to read', async () => {
    const name = await start();
    await expect.poll(() => openIndexes(name)).toEqual([0]);
    const { namespace } = target;
    await target.core.deleteNamespacedPod({ namespace, name: (await podOf(name, 0))?.metadata?.name ?? '' });
    // Whoever ran it says so.
    const pod = (await target.pods(name))[0];
    if (pod && isOpen(pod)) await target.report(pod, { phase: 'Failed', ...DISRUPTED });
    const job = await target.ended(name);

    expect(job.status).toMatchObject({ failedIndexes: '0' });
    await expect.poll(() => target.pods(name)).toEqual([]);
  });
});

describe('a Job that is given a deadline', () => {
  it('is failed by it, its pods end, and it stays to be read', async () => {
    const name = await start({ completions: 3, parallelism: 2 });
    await expect.poll(() => openIndexes(name)).toEqual([0, 1]);
    await succeed(name, 0);
    await target.until(name, ({ status }) => status?.completedIndexes === '0');
    await target.merge(name, {
      metadata: { annotations: { 'longhaul/ended-because': 'cancelled' } },
      spec: { activeDeadlineSeconds: 1 },
    });
    const job = await target.ended(name);

    expect(conditionOf(job, 'Failed')).toMatchObject({ reason: 'DeadlineExceeded' });
    expect(job.status).toMatchObject({ completedIndexes: '0' });
    expect(job.metadata?.annotations?.['longhaul/ended-because']).toBe('cancelled');
    await expect.poll(() => openIndexes(name)).toEqual([]);
  });

  it('after its end does not change', async () => {
    const name = await start();
    await expect.poll(() => openIndexes(name)).toEqual([0]);
    await succeed(name, 0);
    const before = await target.ended(name);
    await target.merge(name, { spec: { activeDeadlineSeconds: 1 } });
    target.local?.clock.advance(5_000);
    // Another Job that is begun later has been looked at: so has this one.
    const other = await start();
    await expect.poll(() => openIndexes(other)).toEqual([0]);

    expect((await target.read(name)).status).toEqual(before.status);
  });
});

describe('a Job that has ended', () => {
  it('is removed with its pods when its time to live is over', async () => {
    const name = await start({ ttlSecondsAfterFinished: 2 });
    await expect.poll(() => openIndexes(name)).toEqual([0]);
    await succeed(name, 0);
    await target.ended(name);
    target.local?.clock.advance(3_000);

    await expect
      .poll(() =>
        target.read(name).then(
          () => 'there',
          () => 'gone',
        ),
      )
      .toBe('gone');
    await expect.poll(() => target.pods(name)).toEqual([]);
  });
});
