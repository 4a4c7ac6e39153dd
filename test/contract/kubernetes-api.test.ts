/** What the API server of Kubernetes takes, refuses and lists, as far as Jobs and their pods go. */
import type { V1Job } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KubernetesTarget, NOBODY, openKubernetesTarget, raw, refusal } from './kubernetes-target.ts';

let target: KubernetesTarget;

beforeAll(async () => {
  target = await openKubernetesTarget();
});
afterAll(() => target?.close());

/** A Job whose pods nobody runs. */
const waiting = (spec: Partial<V1Job['spec']> = {}): V1Job => {
  const job = target.job(spec);
  if (job.spec?.template.spec) job.spec.template.spec.schedulerName = NOBODY;
  return job;
};
const changed = (change: (job: V1Job) => void): V1Job => {
  const job = waiting();
  change(job);
  return job;
};
const jobs = () => `/apis/batch/v1/namespaces/${target.namespace}/jobs`;
const create = (body: V1Job) => target.create(body);

describe('creating a Job', () => {
  it('fills defaults in', async () => {
    const name = await create(
      waiting({
        podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes: { operator: 'NotIn', values: [0] } }] },
      }),
    );
    const job = await target.read(name);

    expect(job.spec).toMatchObject({ backoffLimit: 2_147_483_647, suspend: false, podReplacementPolicy: 'Failed' });
    expect(job.spec?.selector?.matchLabels).toEqual({ 'batch.kubernetes.io/controller-uid': job.metadata?.uid });
    expect(job.spec?.template.metadata?.labels).toMatchObject({ 'batch.kubernetes.io/job-name': name });
  });

  it('of a name that is taken is refused, whatever it holds', async () => {
    const job = waiting();
    await create(job);

    expect(await refusal(create(job))).toMatchObject({ code: 409, reason: 'AlreadyExists' });
  });

  it('in a namespace that is not there is refused', async () => {
    const sent = target.batch.createNamespacedJob({ namespace: 'longhaul-nowhere', body: waiting() });

    expect(await refusal(sent)).toMatchObject({ code: 404, reason: 'NotFound' });
  });

  it('with a field that this version does not know is refused when asked for', async () => {
    const body = changed((job) => Object.assign(job.spec ?? {}, { completionModus: 'x' }));
    const answer = await raw(target, 'POST', `${jobs()}?fieldValidation=Strict`, {
      body: { apiVersion: 'batch/v1', kind: 'Job', ...body },
    });

    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain('unknown field "spec.completionModus"');
  });

  const REFUSED: readonly [string, (job: V1Job) => void, string[]][] = [
    ['a name with capitals', (job) => Object.assign(job.metadata ?? {}, { name: 'Longhaul' }), ['metadata.name']],
    [
      'a name that leaves no room for an index',
      (job) => Object.assign(job.metadata ?? {}, { name: 'a'.repeat(62) }),
      ['metadata.name'],
    ],
    ['no number of completions', (job) => delete job.spec?.completions, ['spec.completions']],
    [
      'failures by index of a Job that has none',
      (job) => Object.assign(job.spec ?? {}, { completionMode: 'NonIndexed' }),
      ['spec.backoffLimitPerIndex'],
    ],
    [
      'a failure policy beside restarts in place',
      (job) => {
        Object.assign(job.spec ?? {}, {
          podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'NotIn', values: [0] } }] },
        });
        Object.assign(job.spec?.template.spec ?? {}, { restartPolicy: 'OnFailure' });
      },
      ['spec.template.spec.restartPolicy'],
    ],
    [
      'an exit code of 0 that fails',
      (job) =>
        Object.assign(job.spec ?? {}, {
          podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [0] } }] },
        }),
      ['spec.podFailurePolicy.rules[0].onExitCodes.values[0]'],
    ],
    [
      'a failure policy for a container that is not there',
      (job) =>
        Object.assign(job.spec ?? {}, {
          podFailurePolicy: {
            rules: [{ action: 'FailIndex', onExitCodes: { containerName: 'other', operator: 'In', values: [1] } }],
          },
        }),
      ['spec.podFailurePolicy.rules[0].onExitCodes.containerName'],
    ],
    [
      'an index that fails without failures by index',
      (job) => {
        delete job.spec?.backoffLimitPerIndex;
        Object.assign(job.spec ?? {}, {
          podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [1] } }] },
        });
      },
      ['spec.podFailurePolicy.rules[0].action'],
    ],
    [
      'pods that are always restarted',
      (job) => Object.assign(job.spec?.template.spec ?? {}, { restartPolicy: 'Always' }),
      ['spec.template.spec.restartPolicy'],
    ],
    [
      'no container',
      (job) => Object.assign(job.spec?.template.spec ?? {}, { containers: [] }),
      ['spec.template.spec.containers'],
    ],
    [
      'a container without an image',
      (job) => delete job.spec?.template.spec?.containers[0]?.image,
      ['spec.template.spec.containers[0].image'],
    ],
    [
      'a mount of no volume',
      (job) =>
        Object.assign(job.spec?.template.spec?.containers[0] ?? {}, {
          volumeMounts: [{ name: 'work', mountPath: '/w' }],
        }),
      ['spec.template.spec.containers[0].volumeMounts[0].name'],
    ],
    [
      'two containers of a name',
      (job) =>
        Object.assign(job.spec?.template.spec ?? {}, {
          initContainers: [{ name: 'main', image: 'a' }],
        }),
      ['spec.template.spec.initContainers[0].name'],
    ],
    [
      'requests above limits',
      (job) =>
        Object.assign(job.spec?.template.spec?.containers[0] ?? {}, {
          resources: { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } },
        }),
      ['spec.template.spec.containers[0].resources.requests'],
    ],
    [
      'a label that is too long',
      (job) => Object.assign(job.metadata ?? {}, { labels: { a: 'b'.repeat(64) } }),
      ['metadata.labels'],
    ],
    [
      'a deadline of nothing',
      (job) => Object.assign(job.spec?.template.spec ?? {}, { activeDeadlineSeconds: 0 }),
      ['spec.template.spec.activeDeadlineSeconds'],
    ],
  ];

  it.each(REFUSED)('with %s is refused as invalid, naming the field', async (_, change, fields) => {
    const refused = await refusal(create(changed(change)));

    expect(refused).toMatchObject({ code: 422, reason: 'Invalid' });
    expect([...new Set(refused.fields)]).toEqual(fields);
  });
});

describe('a caller without a token', () => {
  it('is not let in', async () => {
    const answer = await raw(target, 'GET', jobs(), { token: 'nobody' });

    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'Unauthorized', code: 401 });
  });
});

describe('lists', () => {
  it('select by labels and fields, and come in pages', async () => {
    const names = await Promise.all([waiting(), waiting(), waiting()].map(create));
    const { namespace } = target;
    const labelSelector = `longhaul/contract in (${names.join(',')},nobody)`;
    const first = await target.batch.listNamespacedJob({ namespace, labelSelector, limit: 2 });
    const second = await target.batch.listNamespacedJob({
      namespace,
      labelSelector,
      limit: 2,
      _continue: first.metadata?._continue ?? '',
    });
    const one = await target.batch.listNamespacedJob({ namespace, fieldSelector: `metadata.name=${names[0]}` });

    const found = [...first.items, ...second.items].map(({ metadata }) => metadata?.name);
    expect([first.items.length, second.items.length]).toEqual([2, 1]);
    expect(found).toEqual(names.toSorted());
    expect(second.metadata?._continue ?? '').toBe('');
    expect(one.items.map(({ metadata }) => metadata?.name)).toEqual([names[0]]);
  });

  it('find pods by phase, and by having no node', async () => {
    const name = await create(waiting());
    await expect.poll(() => target.pods(name)).toHaveLength(1);
    const { namespace } = target;
    const labelSelector = `batch.kubernetes.io/job-name=${name}`;
    const count = async (fieldSelector: string) =>
      (await target.core.listNamespacedPod({ namespace, labelSelector, fieldSelector })).items.length;

    expect(await count('status.phase=Pending')).toBe(1);
    expect(await count('status.phase=Failed')).toBe(0);
    expect(await count('spec.nodeName=')).toBe(1);
    expect(await count('spec.nodeName!=')).toBe(0);
  });

  it('refuse fields they do not have, and what is no selector', async () => {
    const { namespace, core } = target;

    expect(await refusal(core.listNamespacedPod({ namespace, fieldSelector: 'spec.colour=red' }))).toMatchObject({
      code: 400,
      reason: 'BadRequest',
    });
    expect(await refusal(core.listNamespacedPod({ namespace, labelSelector: 'a in b' }))).toMatchObject({ code: 400 });
  });

  it('know nothing of what is not there', async () => {
    expect(await refusal(target.read('longhaul-contract-nobody'))).toMatchObject({ code: 404, reason: 'NotFound' });
  });
});

describe('changing a Job', () => {
  it('merges annotations and its deadline, and leaves the rest', async () => {
    const name = await create(waiting());
    await target.merge(name, {
      metadata: { annotations: { 'longhaul/a': 'b' } },
      spec: { activeDeadlineSeconds: 3600 },
    });
    const job = await target.read(name);

    expect(job.metadata?.annotations).toMatchObject({ 'longhaul/a': 'b' });
    expect(job.spec).toMatchObject({ activeDeadlineSeconds: 3600, completions: 1 });
  });

  it('in what is fixed is refused', async () => {
    const name = await create(waiting());

    expect(await refusal(target.merge(name, { spec: { completionMode: 'NonIndexed' } }))).toMatchObject({ code: 422 });
    expect((await refusal(target.merge(name, { spec: { backoffLimitPerIndex: 3 } }))).fields).toContain(
      'spec.backoffLimitPerIndex',
    );
  });

  it('from an older version is a conflict', async () => {
    const name = await create(waiting());
    const body = { metadata: { resourceVersion: '1', annotations: { a: 'b' } } };

    expect(await refusal(target.merge(name, body))).toMatchObject({ code: 409, reason: 'Conflict' });
  });

  it('by deletion takes its pods along', async () => {
    const name = await create(waiting());
    await expect.poll(() => target.pods(name)).toHaveLength(1);
    await target.batch.deleteNamespacedJob({ namespace: target.namespace, name, propagationPolicy: 'Background' });

    await expect.poll(() => target.pods(name)).toEqual([]);
    expect(await refusal(target.read(name))).toMatchObject({ code: 404 });
  });
});
