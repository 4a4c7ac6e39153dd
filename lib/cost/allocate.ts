/**
 * From what was used to what is billed for: each resource is shared out among purposes, steps and outcomes. Pure; the
 * rules are in docs/cost.md.
 *
 * @module
 */
import type { Instance, JobAttempt, Unpriced, Usage, Volume } from '../../workflows/cost/model.ts';
import { type Consumption, GIB, lasts, MINUTE_MS } from './consumption.ts';
import { exact } from './money.ts';
import { sharedConsumptions } from './shared-resources.ts';
import { type Slice, slicesOf } from './shares.ts';

export interface Allocated {
  consumptions: Consumption[];
  /** Attempts that ran nobody knows where. */
  unpriced: Unpriced[];
}

/** What gp3 has in its price: aws.amazon.com/ebs/pricing. */
const GP3_FREE = { iops: 3_000, throughput: 125 } as const;
const HOUR = 'hour';
const MONTH = 'month';
const WHOLE = exact(1);

export function allocate(usage: Usage): Allocated {
  const consumptions: Consumption[] = [];
  const unpriced: Unpriced[] = [];
  const byInstance = new Map<string, JobAttempt[]>();
  for (const attempt of usage.attempts) {
    const { on } = attempt;
    if (on.kind === 'instance') byInstance.set(on.id, [...(byInstance.get(on.id) ?? []), attempt]);
    else if (on.kind === 'fargate') consumptions.push(...fargate(attempt, on));
    else if (on.kind === 'on-premises') consumptions.push(...onPremises(attempt, on.cluster));
    else unpriced.push(nowhere(attempt, on.reason));
  }
  const instances = new Map(usage.instances.map((instance) => [instance.id, instance]));
  const slices = new Map<string, Slice[]>();
  for (const [id, attempts] of byInstance) {
    const instance = instances.get(id);
    if (!instance) {
      for (const attempt of attempts) unpriced.push(nowhere(attempt, `nothing is known of its instance ${id}`));
      continue;
    }
    const own = slicesOf(instance, attempts);
    slices.set(id, own);
    consumptions.push(...own.map((slice) => ofInstance(instance, slice)));
  }
  for (const volume of usage.volumes)
    consumptions.push(...ofVolume(volume, slices.get(volume.instanceId) ?? [], instances.get(volume.instanceId)));
  consumptions.push(...sharedConsumptions(usage), ...restores(usage), ...requests(usage));
  return { consumptions: consumptions.filter((one) => one.per === 'once' || lasts(one)), unpriced };
}

const nowhere = ({ step, item, jobId, jobAttempt }: JobAttempt, reason: string): Unpriced => ({
  resource: `${jobId}-${jobAttempt}`,
  component: 'instance',
  reason: `item ${item} of step ${step}: ${reason}`,
  remedy: 'let jobs reach the instance metadata service (IMDSv2, hop limit 2), or name what they ran on in the rates',
});

/** What a line says of whose it is. */
function whose({ purpose, attempt }: Pick<Slice, 'purpose' | 'attempt'>) {
  return {
    purpose,
    ...(attempt && { step: attempt.step, outcome: attempt.outcome }),
    marks: attempt?.endKnownBy === 'bound' ? ['end assumed'] : [],
  };
}

function ofInstance(instance: Instance, slice: Slice): Consumption {
  const { id, type, market, region, zone, commitment, vcpus, memoryMib } = instance;
  const { marks, ...of } = whose(slice);
  const unsized = vcpus === undefined || memoryMib === undefined;
  return {
    from: slice.from,
    to: slice.to,
    component: 'instance',
    ...of,
    resource: id,
    resourceType: type,
    market,
    region,
    zone,
    price:
      market === 'spot'
        ? { kind: 'spot', region, zone, type }
        : { kind: 'instance', region, type, market: 'on-demand' },
    capacity: WHOLE,
    share: slice.share,
    per: HOUR,
    marks: [
      ...marks,
      ...(commitment ? [`${commitment} at list price`] : []),
      ...(unsized ? ['shared by number of jobs'] : []),
    ],
  };
}

/** Shared like its instance; before and after that it is idle. EBS bills a minute at least. */
function ofVolume(volume: Volume, slices: readonly Slice[], instance: Instance | undefined): Consumption[] {
  const { from, region } = volume;
  const to = Math.max(volume.to, from + MINUTE_MS);
  const begin = slices[0]?.from ?? to;
  const end = slices.at(-1)?.to ?? to;
  const outside: Slice[] = [
    { from, to: Math.min(to, begin), purpose: 'idle', share: WHOLE },
    { from: Math.max(from, end), to, purpose: 'idle', share: WHOLE },
  ];
  const inside = slices.map((slice) => ({ ...slice, from: Math.max(slice.from, from), to: Math.min(slice.to, to) }));
  return [...inside, ...outside].filter(lasts).flatMap((slice) => {
    const { marks, ...of } = whose(slice);
    return billedOf(volume).map(
      ({ of: what, capacity }): Consumption => ({
        from: slice.from,
        to: slice.to,
        component: 'volume',
        ...of,
        resource: volume.id,
        resourceType: what === 'storage' ? volume.type : `${volume.type} ${what}`,
        region,
        ...(instance && { zone: instance.zone }),
        price: { kind: 'volume', region, type: volume.type, of: what },
        capacity: exact(capacity),
        share: slice.share,
        per: MONTH,
        marks: [...marks, ...(volume.assumed ? ['volume assumed'] : [])],
      }),
    );
  });
}

function billedOf({ type, gib, iops = 0, throughput = 0 }: Volume) {
  const provisioned = type === 'gp3' ? iops - GP3_FREE.iops : /^io\d/.test(type) ? iops : 0;
  const faster = type === 'gp3' ? throughput - GP3_FREE.throughput : 0;
  return [
    { of: 'storage' as const, capacity: gib },
    { of: 'iops' as const, capacity: provisioned },
    { of: 'throughput' as const, capacity: faster },
  ].filter(({ capacity }) => capacity > 0);
}

/** Of a task the vCPUs and the memory are billed apart, a minute at least. */
function fargate(attempt: JobAttempt, on: Extract<JobAttempt['on'], { kind: 'fargate' }>): Consumption[] {
  const { architecture, spot, zone } = on;
  const region = on.region;
  const to = Math.max(attempt.to, attempt.from + MINUTE_MS);
  return perVcpuAndGb(on).map(({ of, capacity }) => ({
    from: attempt.from,
    to,
    component: 'instance',
    ...whose({ purpose: 'use', attempt }),
    resource: `${attempt.jobId}-${attempt.jobAttempt}`,
    resourceType: `Fargate ${architecture} ${of === 'vcpu' ? 'vCPU' : 'GB'}`,
    market: spot ? 'spot' : 'on-demand',
    region,
    ...(zone !== undefined && { zone }),
    price: { kind: 'fargate', region, architecture, of, spot },
    capacity,
    share: WHOLE,
    per: HOUR,
  }));
}

function onPremises(attempt: JobAttempt, cluster: string): Consumption[] {
  return perVcpuAndGb(attempt).map(({ of, capacity }) => ({
    from: attempt.from,
    to: attempt.to,
    component: 'instance',
    ...whose({ purpose: 'use', attempt }),
    resource: cluster,
    resourceType: of === 'vcpu' ? 'vCPU' : 'GB',
    market: 'on-premises',
    region: 'on-premises',
    price: { kind: 'on-premises', cluster, of },
    capacity,
    share: WHOLE,
    per: HOUR,
  }));
}

const perVcpuAndGb = ({ vcpus, memoryMib }: { vcpus: number; memoryMib: number }) => [
  { of: 'vcpu' as const, capacity: exact(vcpus) },
  { of: 'gb' as const, capacity: exact(memoryMib).div(1024) },
];

/** Requests and bytes when they were asked for; copies for as long as they live. */
function restores({ restores: all }: Usage): Consumption[] {
  return all.flatMap(({ archive, tier, requests: asked, bytes, at, region, copies }): Consumption[] => {
    const common = {
      component: 'restore' as const,
      purpose: 'use' as const,
      resource: archive,
      region,
      share: WHOLE,
      marks: [],
    };
    const once = { ...common, from: at, to: at, per: 'once' as const, resourceType: `${archive} ${tier}` };
    const key = { kind: 'retrieval' as const, region, archive, tier };
    return [
      { ...once, price: { ...key, of: 'request' as const }, capacity: exact(asked) },
      { ...once, price: { ...key, of: 'gb' as const }, capacity: exact(bytes).div(GIB) },
      ...(copies
        ? [
            {
              ...common,
              from: copies.from,
              to: copies.to,
              per: MONTH as 'month',
              resourceType: 'temporary copy',
              price: { kind: 'copy' as const, region },
              capacity: exact(copies.bytes).div(GIB),
            },
          ]
        : []),
    ].filter(({ capacity }) => capacity.gt(0));
  });
}

function requests({ requests: all }: Usage): Consumption[] {
  return all.flatMap(({ step, region, put, get, at }) =>
    [
      { of: 'put' as const, number: put },
      { of: 'get' as const, number: get },
    ]
      .filter(({ number }) => number > 0)
      .map(
        ({ of, number }): Consumption => ({
          from: at,
          to: at,
          component: 'request',
          purpose: 'use',
          step,
          resource: region,
          resourceType: of.toUpperCase(),
          region,
          price: { kind: 's3-request', region, of },
          capacity: exact(number),
          share: WHOLE,
          per: 'once',
          marks: [],
        }),
      ),
  );
}
