/** EC2 as a compute service: what is started, told and ended, by what the instances and the items' records say. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  assess,
  failedChildrenOf,
  isLive,
  toEnd,
  toStart,
  viewOf,
} from '../../activities/launch/compute/ec2/assess.ts';
import type { HostInstance } from '../../activities/launch/compute/ec2/instances.ts';
import { fitting, hostsFor, slotsOf } from '../../activities/launch/compute/ec2/shape.ts';
import { lifetimeMinutes } from '../../activities/launch/compute/ec2/starting.ts';
import { userData } from '../../activities/launch/compute/ec2/user-data.ts';
import { hasEnded } from '../../activities/launch/compute/service.ts';
import { endingOf } from '../../activities/launch/failures.ts';
import type { AttemptEnding } from '../../lib/launch/endings.ts';
import { type HostJob, itemsOfHost } from '../../lib/launch/host-job.ts';
import { causeOf } from '../../workflows/launch/causes.ts';

const JOB: HostJob = {
  id: 'lh-a-work-1-1-0-0123456789ab',
  name: 'lh-a-work-1-1-0',
  items: 1,
  hosts: 1,
  hostRetries: 0,
  argv: ['true'],
  variables: {},
  vcpus: 1,
  memoryMiB: 1024,
  workflowId: 'launch/a',
  tags: {},
};
const STATES = ['pending', 'running', 'stopping', 'shutting-down', 'terminated', 'stopped'];
const NOW = 1_800_000_000_000;

const instance = (host: number, attempt: number, state: string, more: Partial<HostInstance> = {}): HostInstance => ({
  id: `i-${host}${attempt}`,
  job: JOB.id,
  workflowId: JOB.workflowId,
  host,
  attempt,
  slots: 1,
  state,
  launchedAt: NOW - 60_000,
  ...more,
});
const ending = (index: number, more: Partial<AttemptEnding> = {}): AttemptEnding => ({
  index,
  attempt: 1,
  container: 'publish',
  exitCode: 0,
  way: 'exited',
  ...more,
});
const byIndex = (...endings: AttemptEnding[]) => new Map(endings.map((one) => [one.index, one]));

/** Any job, with any instances and records there may be of it. */
const world = fc
  .record({
    items: fc.integer({ min: 1, max: 12 }),
    hosts: fc.integer({ min: 1, max: 4 }),
    hostRetries: fc.integer({ min: 0, max: 2 }),
  })
  .chain(({ items, hosts: most, hostRetries }) => {
    const hosts = Math.min(items, most);
    return fc.record({
      job: fc.constant({ ...JOB, items, hosts, hostRetries }),
      instances: fc.uniqueArray(
        fc
          .tuple(
            fc.integer({ min: 0, max: hosts - 1 }),
            fc.integer({ min: 1, max: hostRetries + 1 }),
            fc.constantFrom(...STATES),
          )
          .map(([host, attempt, state]) => instance(host, attempt, state)),
        { selector: ({ host, attempt }) => `${host}/${attempt}`, maxLength: 8 },
      ),
      endings: fc
        .uniqueArray(
          fc.record({
            index: fc.integer({ min: 0, max: items - 1 }),
            attempt: fc.integer({ min: 1, max: hostRetries + 1 }),
            container: fc.constantFrom('stage' as const, 'main' as const, 'publish' as const),
            exitCode: fc.constantFrom(0, 1, 143),
            way: fc.constantFrom('exited' as const, 'memory' as const, 'timeout' as const, 'stopped' as const),
          }),
          { selector: ({ index }) => index },
        )
        .map((all) => byIndex(...all)),
      stopped: fc.option(fc.constant('the launch was cancelled'), { nil: undefined }),
    });
  });

describe('a job of instances', () => {
  it('has ended exactly when nothing of it runs and nothing will', () => {
    fc.assert(
      fc.property(world, ({ job, instances, endings, stopped }) => {
        const seen = assess(job, instances, endings);
        const view = viewOf(job, seen, stopped === undefined ? {} : { stopped });
        const busy = seen.shares.some(({ live, open }) => live && open.length > 0);
        const due = stopped === undefined && toStart(job, seen).length > 0;
        expect(hasEnded(view)).toBe(!busy && !due);
      }),
    );
  });

  it('counts each item once, and tells of each that failed', () => {
    fc.assert(
      fc.property(world, ({ job, instances, endings, stopped }) => {
        const seen = assess(job, instances, endings);
        const view = viewOf(job, seen, stopped === undefined ? {} : { stopped });
        expect(view.counts === undefined).toBe(job.items === 1);
        if (job.items === 1) return;
        const { running = 0, succeeded = 0, failed = 0 } = view.counts ?? {};
        expect(running + succeeded + failed).toBeLessThanOrEqual(job.items);
        if (!hasEnded(view)) return;
        expect(succeeded + failed).toBe(job.items);
        expect(failedChildrenOf(job, seen, stopped)).toHaveLength(failed);
        expect(view.status).toBe(failed > 0 ? 'FAILED' : 'SUCCEEDED');
      }),
    );
  });

  it('is started at most as often as its retries allow, never twice at a time, never for nothing', () => {
    fc.assert(
      fc.property(world, ({ job, instances, endings }) => {
        for (const { host, open, tries } of toStart(job, assess(job, instances, endings))) {
          expect(tries).toBeLessThanOrEqual(job.hostRetries);
          expect(open.length).toBeGreaterThan(0);
          expect(instances.some((one) => one.host === host && isLive(one))).toBe(false);
        }
      }),
    );
  });

  it('ends what is left of it, and what is overdue', () => {
    const array = { ...JOB, items: 2, hosts: 2 };
    const instances = [instance(0, 1, 'running'), instance(1, 1, 'terminated')];
    const done = assess(array, instances, byIndex(ending(0), ending(1)));
    expect(toEnd(done, true, 3_600_000, NOW)).toEqual([instances[0]]);
    const open = assess(array, instances, byIndex(ending(1)));
    expect(toEnd(open, false, 3_600_000, NOW)).toEqual([]);
    expect(toEnd(open, false, 59_999, NOW)).toEqual([instances[0]]);
  });

  it('tells a lost host, somebody’s word and a time that is over from each other', () => {
    const lost = assess(JOB, [instance(0, 1, 'terminated')], byIndex());
    expect(causeOf(endingOf(viewOf(JOB, lost, {})))).toBe('HOST_LOST');
    expect(causeOf(endingOf(viewOf(JOB, lost, { stopped: 'the launch was cancelled' })))).toBe('TERMINATED');
    // A machine that is switched off tells its processes to end, and they may say so.
    const told = byIndex(ending(0, { container: 'main', exitCode: 143, way: 'stopped' }));
    const switchedOff = assess(JOB, [instance(0, 1, 'terminated')], told);
    expect(causeOf(endingOf(viewOf(JOB, switchedOff, {})))).toBe('HOST_LOST');
    expect(causeOf(endingOf(viewOf(JOB, switchedOff, { stopped: 'the launch was cancelled' })))).toBe('TERMINATED');
    const late = assess(JOB, [], byIndex(ending(0, { container: 'main', exitCode: 143, way: 'timeout' })));
    expect(causeOf(endingOf(viewOf(JOB, late, {})))).toBe('TIMEOUT');
  });

  it('goes by its records when EC2 has forgotten its instances', () => {
    expect(viewOf(JOB, assess(JOB, [], byIndex(ending(0))), {})).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('the items of a job', () => {
  it('are spread over its hosts, each to one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 40 }), (items, hosts) => {
        const shares = Array.from({ length: hosts }, (_, host) => itemsOfHost({ items, hosts }, host));
        expect(shares.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: items }, (_, index) => index));
        const sizes = shares.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('instance types', () => {
  const hosts = [
    { type: 'm7i.2xlarge', vcpus: 8, memoryMiB: 30_000 },
    { type: 'm7i.large', vcpus: 2, memoryMiB: 7_500 },
    { type: 'r7i.large', vcpus: 2, memoryMiB: 15_000 },
  ];

  it('are those that hold the job, the smallest first', () => {
    const types = (vcpus: number, memoryMiB: number) => fitting(hosts, { vcpus, memoryMiB }).map(({ type }) => type);
    expect(types(1, 1024)).toEqual(['m7i.large', 'r7i.large', 'm7i.2xlarge']);
    expect(types(2, 8_000)).toEqual(['r7i.large', 'm7i.2xlarge']);
    expect(types(16, 1024)).toEqual([]);
  });

  it('hold as many items as fit beside their helpers, and no more are started than there are items', () => {
    fc.assert(
      fc.property(
        fc.record({ vcpus: fc.integer({ min: 1, max: 192 }), memoryMiB: fc.integer({ min: 1, max: 800_000 }) }),
        fc.record({ vcpus: fc.integer({ min: 1, max: 64 }), memoryMiB: fc.integer({ min: 64, max: 100_000 }) }),
        fc.integer({ min: 1, max: 10_000 }),
        (size, job, items) => {
          const slots = slotsOf({ type: 'x', ...size }, job);
          expect(slots * job.vcpus).toBeLessThanOrEqual(size.vcpus);
          expect(slots * (job.memoryMiB + 512)).toBeLessThanOrEqual(size.memoryMiB);
          if (slots === 0) return;
          const count = hostsFor(items, { type: 'x', ...size, slots }, 20);
          expect(count).toBeGreaterThan(0);
          expect(count).toBeLessThanOrEqual(Math.min(items, 20));
        },
      ),
    );
  });

  it('live as long as their rounds may take, and not without end', () => {
    const job = { ...JOB, items: 10, hosts: 2, timeoutSeconds: 600 };
    expect(lifetimeMinutes(job, 2, { ec2MaxHours: 72 })).toBe(3 * 10 + 30);
    expect(lifetimeMinutes(job, 1, { ec2MaxHours: 1 })).toBe(60);
    const { timeoutSeconds: _, ...endless } = job;
    expect(lifetimeMinutes(endless, 2, { ec2MaxHours: 72 })).toBe(72 * 60);
  });
});

describe('user data', () => {
  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), 'longhaul-user-data-'));
    onTestFinished(() => rmSync(made, { recursive: true }));
    return made;
  };
  const of = (program: string, variables: Record<string, string> = {}) =>
    userData({
      jobAddress: "s3://longhaul/jobs/it's $(here)/job.json",
      host: 1,
      attempt: 2,
      slots: 3,
      program,
      scratch: '/fast disk',
      lifetimeMinutes: 90,
      variables,
    });
  const run = (directory: string, script: string) => {
    writeFileSync(join(directory, 'shutdown'), '#!/bin/sh\necho "shutdown $*"\n', { mode: 0o755 });
    const env = { PATH: `${directory}:${process.env.PATH}` };
    return execFileSync('/bin/sh', ['-c', script], { env }).toString();
  };

  it('has the instance end before anything else, and again at the end', () => {
    const directory = folder();
    expect(run(directory, of('echo run')).trim().split('\n')).toEqual([
      'shutdown -P +90',
      'run host',
      'shutdown -P now',
    ]);
  });

  it('has it end also when the program is not there or fails', () => {
    const directory = folder();
    expect(run(directory, `(${of('/nowhere/at/all').replace('#!/bin/sh\n', '')}) 2>&1 || true`)).toContain(
      'shutdown -P now',
    );
    expect(run(directory, `(${of('false').replace('#!/bin/sh\n', '')}) || true`)).toContain('shutdown -P now');
  });

  it('gives every value as it is, in few bytes', () => {
    const directory = folder();
    writeFileSync(join(directory, 'probe.cjs'), 'console.log(JSON.stringify(process.env))');
    const value = fc
      .string({ unit: 'binary', maxLength: 40 })
      .filter((text) => !text.includes('\0') && Buffer.from(text).toString() === text);
    fc.assert(
      fc.property(value, (hostile) => {
        const script = of(`${process.execPath} ${join(directory, 'probe.cjs')}`, { HOSTILE: hostile });
        const said =
          run(directory, script)
            .split('\n')
            .find((line) => line.startsWith('{')) ?? '{}';
        expect(JSON.parse(said)).toMatchObject({
          HOSTILE: hostile,
          LONGHAUL_HOST_JOB: "s3://longhaul/jobs/it's $(here)/job.json",
          LONGHAUL_HOST: '1',
          LONGHAUL_JOB_ATTEMPT: '2',
          LONGHAUL_HOST_SLOTS: '3',
          LONGHAUL_HOST_SCRATCH: '/fast disk',
        });
      }),
      { numRuns: 40 },
    );
    // EC2 takes 16 KiB.
    expect(of('node /opt/longhaul/jobs.cjs').length).toBeLessThan(2_000);
  });
});
