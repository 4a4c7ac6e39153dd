/**
 * From what is known of a launch to who used how much of what: pure. No money yet.
 *
 * @module
 */
import type { JobAttempt, RequestUsage, RestoreUsage, Unpriced, Usage } from '../../workflows/cost/model.ts';
import {
  type Allocation,
  type Consumed,
  type Consumption,
  countOf,
  gibOfBytes,
  gibOfMib,
  type Ratio,
  type Unit,
  WHOLE,
} from './consumption.ts';
import { groupBy } from './group.ts';
import { allocateInstances } from './instances.ts';
import { MINUTE_MS } from './intervals.ts';
import { allocateShared } from './shared-resources.ts';

/** All attempts of the launch together. The same usage, in whatever order, is the same allocation. */
export function allocate(usage: Usage): Allocation {
  const instances = allocateInstances(usage);
  return {
    consumptions: [
      ...instances.consumptions,
      ...usage.attempts.flatMap(ofTask),
      ...allocateShared(usage),
      ...usage.restores.flatMap(ofRestore),
      ...usage.requests.flatMap(ofRequests),
    ].filter(({ share, what }) => share.n > 0n && what.size.n > 0n),
    unpriced: [...instances.unpriced, ...unknownHosts(usage.attempts), ...usage.unknown],
  };
}

/** Fargate bills what the task is sized, the cluster what the job reserves. */
function ofTask({ on, step, outcome, vcpus, memoryMib, from, to, endKnownBy }: JobAttempt): Consumption[] {
  if (on.kind !== 'fargate' && on.kind !== 'on-premises') return [];
  const job = {
    component: 'instance' as const,
    step,
    outcome,
    ...(endKnownBy === 'bound' && { marks: ['end assumed'] }),
  };
  if (on.kind === 'on-premises') {
    const { cluster } = on;
    const thing = {
      ...job,
      purpose: 'use' as const,
      resource: cluster,
      resourceType: 'on-premises',
      region: 'on-premises',
      market: 'on-premises' as const,
      service: 'on-premises',
    };
    return sized({ vcpus, memoryMib }, (of, unit, size) =>
      lasting({ ...thing, unit, size: WHOLE, key: { kind: 'on-premises', cluster, of } }, size, from, to),
    );
  }
  const { region, architecture, spot, zone } = on;
  const thing = {
    ...job,
    resource: 'fargate',
    resourceType: `Fargate ${architecture}`,
    region,
    ...(zone !== undefined && { zone }),
    market: spot ? ('spot' as const) : ('on-demand' as const),
    service: 'AmazonECS',
  };
  const { step: _step, outcome: _outcome, marks: _marks, ...nobodys } = thing;
  // At least a minute: https://aws.amazon.com/fargate/pricing/.
  const until = Math.max(to, from + MINUTE_MS);
  return sized(on, (of, unit, size) => {
    const priced = { unit, size: WHOLE, key: { kind: 'fargate', region, architecture, of, spot } as const };
    return [
      ...lasting({ ...thing, ...priced, purpose: 'use' }, size, from, to),
      ...lasting({ ...nobodys, ...priced, purpose: 'idle' }, size, to, until),
    ];
  });
}

const sized = (
  { vcpus, memoryMib }: { vcpus: number; memoryMib: number },
  consume: (of: 'vcpu' | 'gb', unit: Unit, size: Ratio) => Consumption[],
): Consumption[] => [
  ...consume('vcpu', 'vCPU-Hours', countOf(vcpus)),
  ...consume('gb', 'GB-Hours', gibOfMib(memoryMib)),
];

const lasting = (what: Consumed, share: Ratio, from: number, to: number): Consumption[] =>
  from < to ? [{ what, share, from, to }] : [];

/** What is asked for is paid at once, the copies while they live. */
function ofRestore({ archive, tier, requests, bytes, at, region, copies }: RestoreUsage): Consumption[] {
  const thing = {
    component: 'restore' as const,
    purpose: 'use' as const,
    resource: archive,
    resourceType: `${archive} ${tier}`,
    region,
    service: 'AmazonS3',
    size: WHOLE,
  };
  const retrieval = { kind: 'retrieval', region, archive, tier } as const;
  const once = { from: at, to: at };
  const copy = { ...thing, resourceType: `${archive} copies`, unit: 'GB-Mo', key: { kind: 'copy', region } } as const;
  return [
    { what: { ...thing, unit: 'Requests', key: { ...retrieval, of: 'request' } }, share: countOf(requests), ...once },
    { what: { ...thing, unit: 'GB', key: { ...retrieval, of: 'gb' } }, share: gibOfBytes(bytes), ...once },
    ...(copies ? lasting(copy, gibOfBytes(copies.bytes), copies.from, copies.to) : []),
  ];
}

function ofRequests({ step, region, put, get, at }: RequestUsage): Consumption[] {
  const requests = (of: 'put' | 'get', count: number): Consumption => ({
    what: {
      component: 'request',
      purpose: 'use',
      step,
      resource: region,
      resourceType: of.toUpperCase(),
      region,
      service: 'AmazonS3',
      unit: 'Requests',
      size: WHOLE,
      key: { kind: 's3-request', region, of },
    },
    share: countOf(count),
    from: at,
    to: at,
  });
  return [requests('put', put), requests('get', get)];
}

function unknownHosts(attempts: readonly JobAttempt[]): Unpriced[] {
  const lost = attempts.flatMap(({ on, step }) => (on.kind === 'unknown' ? [{ step, reason: on.reason }] : []));
  return [...groupBy(lost, (each) => JSON.stringify(each)).values()].flatMap((alike) => {
    const [first] = alike;
    return first
      ? [
          {
            resource: `step ${first.step}`,
            component: 'instance' as const,
            reason: `what ${alike.length} attempt(s) of its jobs ran on is unknown: ${first.reason}`,
            remedy: 'let jobs write start records, which name what they run on',
          },
        ]
      : [];
  });
}
