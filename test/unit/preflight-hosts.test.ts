/** Whether a job fits: what it reserves, what hosts offer, and the words when it does not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PUBLISHED, shapesOf } from '../../infra/local/aws/batch/instance-types.ts';
import { fargateSize } from '../../lib/launch/fargate.ts';
import {
  type Host,
  type HostPool,
  largestHost,
  mostFor,
  offeredMiB,
  reserved,
  whyNoRoom,
} from '../../lib/launch/hosts.ts';
import { filterValues } from '../../lib/launch/instance-types.ts';

const M5_2XLARGE: Host = { type: 'm5.2xlarge', vcpus: 8, memoryMiB: 31_431 };
const M5_LARGE: Host = { type: 'm5.large', vcpus: 2, memoryMiB: 7764 };
const C5_9XLARGE: Host = { type: 'c5.9xlarge', vcpus: 36, memoryMiB: offeredMiB(73_728) };

const pool = (hosts: readonly Host[], more: Partial<HostPool> = {}): HostPool => ({
  environment: 'genomics',
  platform: 'EC2',
  maxVcpus: 256,
  mayExceed: true,
  hosts,
  ...more,
});

describe('what a host offers', () => {
  it.each([
    // aws/containers-roadmap#2231, ASFHyP3/hyp3#582, pytorch/torchx#795.
    [32_768, 31_431, 31_431],
    [32_768, 31_431, 31_672],
    [524_288, 504_765, 507_821],
  ])('of %i MiB is %i, no more than is known to be registered (%i)', (installed, offered, registered) => {
    expect(offeredMiB(installed)).toBe(offered);
    expect(offered).toBeLessThanOrEqual(registered);
  });

  it("is what Batch's stand-in places jobs by", () => {
    for (const { type, vcpus, memoryMiB } of PUBLISHED.values()) {
      expect(shapesOf(type)).toEqual([{ type, vcpus, memoryMiB: offeredMiB(memoryMiB) }]);
    }
  });
});

describe('a job that fits no host', () => {
  it('is told how much it asks for, by what, and what it may ask for', () => {
    expect(whyNoRoom({ vcpus: 2, memoryMiB: 32_000 }, [pool([M5_LARGE, M5_2XLARGE])])).toEqual({
      message:
        'asks for 4 vCPUs and 33,024 MiB (main 32,000, stage 512, publish 512), but the largest host of compute environment genomics (m5.2xlarge) offers 8 vCPUs and 31,431 MiB',
      remedy: 'ask for at most 30,407 MiB, or add a larger instance type',
    });
  });

  it('is told of vCPUs, or of both', () => {
    expect(whyNoRoom({ vcpus: 8, memoryMiB: 1024 }, [pool([M5_2XLARGE])])).toEqual({
      message:
        'asks for 10 vCPUs (main 8, stage 1, publish 1) and 2,048 MiB, but the largest host of compute environment genomics (m5.2xlarge) offers 8 vCPUs and 31,431 MiB',
      remedy: 'ask for at most 6 vCPUs, or add a larger instance type',
    });
    expect(whyNoRoom({ vcpus: 8, memoryMiB: 32_000 }, [pool([M5_2XLARGE])])?.remedy).toBe(
      'ask for at most 6 vCPUs and 30,407 MiB, or add a larger instance type',
    );
  });

  it('is compared with a host that has the vCPUs, where memory is what is missing', () => {
    const { message, remedy } = whyNoRoom({ vcpus: 16, memoryMiB: 80_000 }, [pool([C5_9XLARGE, M5_2XLARGE])]) ?? {};

    expect(message).toContain('c5.9xlarge');
    expect(remedy).toMatch(/^ask for at most 69,\d{3} MiB, or/);
  });

  it('is told when no job fits at all', () => {
    expect(whyNoRoom({ vcpus: 1, memoryMiB: 64 }, [pool([M5_LARGE])])?.remedy).toBe(
      'besides the command a job needs 2 vCPUs and 1,024 MiB for stage and publish, so no job fits, or add a larger instance type',
    );
  });

  it('is told when the Region has none of the types', () => {
    expect(whyNoRoom({ vcpus: 1, memoryMiB: 64 }, [pool([])])?.message).toMatch(/EC2 offers none .* of genomics/);
  });
});

describe('maxvCpus', () => {
  it('bounds the job', () => {
    expect(whyNoRoom({ vcpus: 4, memoryMiB: 64 }, [pool([M5_2XLARGE], { maxVcpus: 4 })])).toEqual({
      message:
        'asks for 6 vCPUs (main 4, stage 1, publish 1) and 1,088 MiB, but compute environment genomics has at most 4 vCPUs (maxvCpus)',
      remedy: 'ask for at most 2 vCPUs, or raise maxvCpus to 6 or more',
    });
  });

  it('bounds the host too, with BEST_FIT only', () => {
    const strict = pool([M5_2XLARGE], { maxVcpus: 4, mayExceed: false });

    expect(whyNoRoom({ vcpus: 1, memoryMiB: 64 }, [strict])).toEqual({
      message:
        'asks for 3 vCPUs and 1,088 MiB; the smallest host that holds it, m5.2xlarge, has 8 vCPUs, but compute environment genomics has at most 4 vCPUs (maxvCpus)',
      remedy: 'raise maxvCpus to 8 or more, or add a smaller instance type that holds the job',
    });
    expect(whyNoRoom({ vcpus: 1, memoryMiB: 64 }, [{ ...strict, mayExceed: true }])).toBeUndefined();
  });
});

describe('several environments', () => {
  it('need one that holds the job', () => {
    const small = pool([M5_LARGE], { environment: 'small' });
    expect(whyNoRoom({ vcpus: 1, memoryMiB: 64 }, [small, pool([M5_2XLARGE])])).toBeUndefined();
    expect(whyNoRoom({ vcpus: 8, memoryMiB: 64 }, [small, pool([M5_2XLARGE])])?.message).toContain('genomics');
  });

  it('have one largest host', () => {
    expect(largestHost([pool([M5_LARGE], { environment: 'small' }), pool([M5_2XLARGE, M5_LARGE])])).toEqual({
      ...M5_2XLARGE,
      environment: 'genomics',
    });
    expect(largestHost([pool([])])).toBeUndefined();
  });
});

describe('on Fargate', () => {
  const fargate = (maxVcpus = 64) => pool([], { platform: 'FARGATE', mayExceed: false, maxVcpus });

  it.each([
    [
      { vcpus: 1, memoryMiB: 512 },
      { vcpus: 1, memoryMiB: 2048 },
    ],
    [
      { vcpus: 1, memoryMiB: 8193 },
      { vcpus: 2, memoryMiB: 9216 },
    ],
    [
      { vcpus: 3, memoryMiB: 4096 },
      { vcpus: 4, memoryMiB: 8192 },
    ],
    [
      { vcpus: 5, memoryMiB: 20_000 },
      { vcpus: 8, memoryMiB: 20_480 },
    ],
    [
      { vcpus: 16, memoryMiB: 122_880 },
      { vcpus: 16, memoryMiB: 122_880 },
    ],
    [
      { vcpus: 17, memoryMiB: 70_000 },
      { vcpus: 32, memoryMiB: 122_880 },
    ],
    [{ vcpus: 2, memoryMiB: 249_857 }, undefined],
    [{ vcpus: 33, memoryMiB: 512 }, undefined],
  ])('%o becomes a task of %o', (asked, task) => expect(fargateSize(asked)).toEqual(task));

  it('a job may be too large for any task, or for maxvCpus', () => {
    expect(whyNoRoom({ vcpus: 4, memoryMiB: 4096 }, [fargate()])).toBeUndefined();
    expect(whyNoRoom({ vcpus: 31, memoryMiB: 4096 }, [fargate()])?.message).toMatch(
      /no task of Fargate \(compute environment genomics\) is that large: at most 32 vCPUs and 249,856 MiB$/,
    );
    expect(whyNoRoom({ vcpus: 4, memoryMiB: 4096 }, [fargate(4)])?.remedy).toBe(
      'ask for at most 2 vCPUs, or raise maxvCpus to 6 or more',
    );
  });
});

describe('for any demand and any hosts', () => {
  const host = fc.record({
    type: fc.constantFrom('a.large', 'b.large', 'c.large'),
    vcpus: fc.integer({ min: 1, max: 192 }),
    memoryMiB: fc.integer({ min: 512, max: 1_000_000 }),
  });
  const pools = fc.array(
    fc.record({
      environment: fc.constantFrom('one', 'two'),
      platform: fc.constant('EC2' as const),
      maxVcpus: fc.integer({ min: 0, max: 256 }),
      mayExceed: fc.boolean(),
      hosts: fc.array(host, { maxLength: 5 }),
    }),
    { minLength: 1, maxLength: 3 },
  );
  const demand = fc.record({
    vcpus: fc.integer({ min: 1, max: 256 }),
    memoryMiB: fc.integer({ min: 4, max: 1_000_000 }),
  });

  it('nothing is said exactly when some environment has room', () => {
    fc.assert(
      fc.property(demand, pools, (asked, some) => {
        const total = reserved(asked);
        const fits = some.some(
          ({ hosts, maxVcpus, mayExceed }) =>
            total.vcpus <= maxVcpus &&
            hosts.some(
              ({ vcpus, memoryMiB }) =>
                vcpus >= total.vcpus && memoryMiB >= total.memoryMiB && (mayExceed || vcpus <= maxVcpus),
            ),
        );
        expect(whyNoRoom(asked, some) === undefined).toBe(fits);
      }),
    );
  });

  it('what the remedy names fits that host', () => {
    fc.assert(
      fc.property(host, (one) => {
        const most = mostFor(one);
        fc.pre(most.vcpus >= 1 && most.memoryMiB >= 4);
        expect(whyNoRoom(most, [pool([one])])).toBeUndefined();
        expect(whyNoRoom({ ...most, memoryMiB: most.memoryMiB + 1 }, [pool([one])])).toBeDefined();
      }),
    );
  });
});

describe('names of instance types', () => {
  it.each([
    [['m5.large'], ['m5.large']],
    [
      ['m5', 'm5.large', 'm5'],
      ['m5.*', 'm5.large'],
    ],
    [['optimal'], ['m6i.*', 'c6i.*', 'r6i.*', 'c7i.*']],
    [['default_arm64'], ['m6g.*', 'c6g.*', 'r6g.*', 'c7g.*']],
    [['toString'], ['toString.*']],
  ])('%o are asked for as %o', (names, values) => expect(filterValues(names)).toEqual(values));
});
