/**
 * `publish`: ends as the command ended, keeps declared outputs only, and commits an item once.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Commit } from '../../jobs/commit.ts';
import type { Job } from '../../jobs/job.ts';
import { publish } from '../../jobs/publish.ts';
import { stage } from '../../jobs/stage.ts';
import { COMMIT_KEY, type JobWorld, jobError, openJobWorld, writeFiles } from '../support/job-world.ts';

let world: JobWorld;
const errors: string[] = [];
beforeEach(async () => {
  errors.length = 0;
  vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.spyOn(console, 'log').mockImplementation((line: string) => void errors.push(line));
  world = await openJobWorld();
});
afterEach(() => world.close());
afterAll(() => vi.restoreAllMocks());

/** A job whose command has written these files. */
async function jobWith(
  files: Record<string, string>,
  outputs: Record<string, string>,
  more: Partial<Job> = {},
): Promise<Job> {
  const declared = Object.entries(outputs).map(([name, path]) => ({ name, path }));
  const job = await world.job({ outputs: declared }, more);
  await mkdir(join(job.work, 'outputs'));
  await writeFiles(join(job.work, 'outputs'), files);
  return job;
}
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const results = () => world.keys('results/');

describe('the exit code', () => {
  it.each([1, 2, 64, 127, 137, 255])('is the one of the command: %d', async (code) => {
    world.main = [{ KnownStatus: 'STOPPED', ExitCode: code }];
    const job = await jobWith({ 'x.txt': 'half' }, { out: 'x.txt' });
    expect(await publish(world.s3, job)).toBe(code);
    expect(errors).toEqual([`item a: the command exited with ${code}`]);
    expect(await world.keys()).toEqual([]);
  });

  it('is 70 when the command was killed and has none', async () => {
    world.main = [{ KnownStatus: 'STOPPED', ExitCode: null }];
    expect(await publish(world.s3, await jobWith({}, {}))).toBe(70);
  });

  it('is waited for while the agent has not heard of the end yet', async () => {
    world.main = [{ KnownStatus: 'RUNNING' }, { KnownStatus: 'RUNNING' }, { KnownStatus: 'STOPPED', ExitCode: 3 }];
    expect(await publish(world.s3, await jobWith({}, {}))).toBe(3);
  });

  it('is found under the name ECS gives the container', async () => {
    world.main = [{ KnownStatus: 'STOPPED', ExitCode: 5, Name: 'ecs-longhaul-main' }];
    expect(await publish(world.s3, await jobWith({}, {}))).toBe(5);
  });

  it('cannot be known outside of a task', async () => {
    vi.stubEnv('ECS_CONTAINER_METADATA_URI_V4', '');
    const job = await jobWith({}, {});
    expect(await jobError(publish(world.s3, job))).toMatchObject({ exitCode: 67 });
  });
});

describe('outputs', () => {
  it('that are declared are stored and committed with checksum and size; others are not', async () => {
    const job = await jobWith(
      { 'a.bam': 'BAM', 'sub/b.txt': '', 'scratch.tmp': 'x' },
      { bam: 'a.bam', log: 'sub/b.txt' },
    );
    expect(await publish(world.s3, job)).toBe(0);
    expect(await results()).toEqual(['results/work/a/job-1-1/a.bam', 'results/work/a/job-1-1/sub/b.txt']);
    expect(await world.text('results/work/a/job-1-1/a.bam')).toBe('BAM');
    const commit = await world.json<Commit>(COMMIT_KEY);
    expect(commit).toMatchObject({
      version: 2,
      step: 'work',
      item: 'a',
      key: 'k1',
      jobId: 'job-1',
      jobAttempt: 1,
      generation: 1,
      exitCode: 0,
    });
    expect(commit.startedAt).toBe('2026-03-02T08:15:01.5Z');
    expect(commit.outputs).toEqual({
      bam: [{ path: 'a.bam', address: 's3://longhaul/results/work/a/job-1-1/a.bam', bytes: 3, sha256: sha256('BAM') }],
      log: [
        { path: 'sub/b.txt', address: 's3://longhaul/results/work/a/job-1-1/sub/b.txt', bytes: 0, sha256: sha256('') },
      ],
    });
  });

  it('by a pattern are all that match, in order', async () => {
    const job = await jobWith(
      { 'b.fq': '2', 'a.fq': '1', 'x/c.fq': '3', 'x/y/d.fq': '4' },
      { flat: '*.fq', deep: '**/*.fq' },
    );
    await publish(world.s3, job);
    const { outputs } = await world.json<Commit>(COMMIT_KEY);
    expect(outputs.flat?.map(({ path }) => path)).toEqual(['a.fq', 'b.fq']);
    expect(outputs.deep?.map(({ path }) => path)).toEqual(['a.fq', 'b.fq', 'x/c.fq', 'x/y/d.fq']);
  });

  it('that are missing end the job with 65, every one named, and nothing is committed', async () => {
    const job = await jobWith({ 'a.bam': 'BAM' }, { bam: 'a.bam', bai: 'a.bai', all: '*.vcf' });
    expect(await jobError(publish(world.s3, job))).toMatchObject({
      exitCode: 65,
      message: 'item a: not there after the command: bai (a.bai), all (*.vcf)',
    });
    expect(await world.keys()).toEqual([]);
  });

  it('that are directories are missing', async () => {
    const job = await jobWith({ 'a.bam/x': '' }, { bam: 'a.bam' });
    expect(await jobError(publish(world.s3, job))).toMatchObject({ exitCode: 65 });
  });

  it('may be links inside the folder', async () => {
    const job = await jobWith({ 'real.txt': 'text' }, { out: 'link.txt' });
    await symlink('real.txt', join(job.work, 'outputs/link.txt'));
    await publish(world.s3, job);
    expect(await world.text('results/work/a/job-1-1/link.txt')).toBe('text');
  });

  it.each([
    ['a file outside', '/etc/passwd'],
    ['a relative path outside', '../inputs/secret'],
    ['a folder outside', '/etc'],
    ['a folder whose name only begins like it', '../outputs-of-others/x'],
    ['nothing', 'nowhere'],
  ])('may not be links to %s', async (_, target) => {
    const job = await jobWith({ 'out.txt': 'fine' }, { out: 'out.txt' });
    await writeFiles(job.work, { 'inputs/secret': 's', 'outputs-of-others/x': 's' });
    await mkdir(join(job.work, 'outputs/sub'));
    await symlink(target.startsWith('..') ? `../${target}` : target, join(job.work, 'outputs/sub/link'));
    expect(await jobError(publish(world.s3, job))).toMatchObject({
      exitCode: 65,
      message: 'sub/link is a link that leads out of the outputs; write a file',
    });
    expect(await world.keys()).toEqual([]);
  });

  it('larger than one part arrive whole', async () => {
    const text = 'ACGTTGCA'.repeat(800_000);
    await publish(world.s3, await jobWith({ 'big.txt': text }, { out: 'big.txt' }));
    expect(sha256(await world.text('results/work/a/job-1-1/big.txt'))).toBe(sha256(text));
    expect((await world.json<Commit>(COMMIT_KEY)).outputs.out?.[0]).toMatchObject({
      bytes: text.length,
      sha256: sha256(text),
    });
  });
});

describe('the commit', () => {
  it('of the first job stays; a second job is superseded', async () => {
    await publish(world.s3, await jobWith({ x: 'first' }, { out: 'x' }));
    const error = await jobError(publish(world.s3, await jobWith({ x: 'second' }, { out: 'x' }, { id: 'job-2' })));
    expect(error).toMatchObject({
      exitCode: 64,
      message: 'item a was committed by job job-1: this attempt is not needed',
    });
    expect((await world.json<Commit>(COMMIT_KEY)).outputs.out?.[0]?.sha256).toBe(sha256('first'));
  });

  it('of an earlier attempt of the same job stays too', async () => {
    await publish(world.s3, await jobWith({ x: 'first' }, { out: 'x' }));
    const second = publish(world.s3, await jobWith({ x: 'second' }, { out: 'x' }, { attempt: 2 }));
    expect(await jobError(second)).toMatchObject({ exitCode: 64 });
    expect(await results()).toContain('results/work/a/job-1-2/x');
  });

  it('whose answer was lost is success', async () => {
    world.kit.faults.set([
      { service: 's3', operation: 'PutObject', subject: 'commits/', effect: 'reset', when: 'after' },
    ]);
    expect(await publish(world.s3, await jobWith({ x: 'text' }, { out: 'x' }))).toBe(0);
    const puts = world.kit.calls.list({ operation: 'PutObject' }).filter(({ subject }) => subject.includes('commits/'));
    expect(puts.map(({ status }) => status)).toEqual([0, 412]);
  });

  it('goes to exactly one of many that come at once', async () => {
    const jobs = await Promise.all(
      Array.from({ length: 5 }, (_, nth) => jobWith({ x: `${nth}` }, { out: 'x' }, { id: `job-${nth}` })),
    );
    const ends = await Promise.allSettled(jobs.map((job) => publish(world.s3, job)));
    const winners = ends.flatMap((end, nth) => (end.status === 'fulfilled' ? [`job-${nth}`] : []));
    expect(winners).toEqual([(await world.json<Commit>(COMMIT_KEY)).jobId]);
  });

  it('is not written when an output cannot be stored', async () => {
    const job = await jobWith({ x: 'text' }, { out: 'x' });
    world.kit.faults.set([
      { service: 's3', subject: 'results/', times: 50, effect: 'error', status: 403, code: 'AccessDenied' },
    ]);
    await expect(publish(world.s3, job)).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(await world.keys()).toEqual([]);
  });
});

describe('with a shared file system', () => {
  it('outputs stay where they are, and only the commit goes to S3', async () => {
    const shared = await world.sharedFolder();
    const outputs = [{ name: 'out', path: '*.txt' }];
    const job = await world.job({ outputs, sharedOutputs: 'longhaul/run-1/work/a' }, { shared });
    await stage(world.s3, job);
    await writeFiles(join(job.work, 'outputs'), { 'x.txt': 'text' });
    expect(await publish(world.s3, job)).toBe(0);
    expect((await world.json<Commit>(COMMIT_KEY)).outputs.out).toEqual([
      { path: 'x.txt', address: 'shared:longhaul/run-1/work/a/job-1-1/x.txt', bytes: 4, sha256: sha256('text') },
    ]);
    expect(await results()).toEqual([]);
  });
});
