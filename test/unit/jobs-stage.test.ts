/**
 * `stage`: one attempt an item works, its inputs are there whole, and nothing leaves its folder.
 *
 * @module
 */

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Claim, Commit, StartRecord } from '../../jobs/commit.ts';
import { readJob } from '../../jobs/job.ts';
import { stage } from '../../jobs/stage.ts';
import { encodeManifest } from '../../workflows/launch/manifest.ts';
import { BUCKET, CLAIM_KEY, COMMIT_KEY, type JobWorld, jobError, openJobWorld, ROW } from '../support/job-world.ts';

let world: JobWorld;
beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  world = await openJobWorld();
});
afterEach(() => world.close());
afterAll(() => vi.restoreAllMocks());

const s3 = (path: string) => `s3://${BUCKET}/${path}`;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
/** What is committed of the files these tests put into S3. */
const SHA256_OF: Record<string, string> = {
  [`s3://${BUCKET}/results/x.bam`]: sha256('BAM'),
  [`s3://${BUCKET}/results/x.bai`]: sha256('BAI'),
};
const commitOf = (outputs: Record<string, string>): string =>
  JSON.stringify({
    version: 2,
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, address]) => [
        name,
        [{ path: 'x', address, bytes: 3, sha256: SHA256_OF[address] ?? '' }],
      ]),
    ),
  } satisfies Pick<Commit, 'version' | 'outputs'>);

describe('the claim', () => {
  it('is taken by the first job, and kept from every other', async () => {
    expect(await stage(world.s3, await world.job())).toBe(0);
    expect(await world.json<Claim>(CLAIM_KEY)).toEqual({ jobId: 'job-1' });
    const error = await jobError(stage(world.s3, await world.job({}, { id: 'job-2' })));
    expect(error).toMatchObject({ exitCode: 64, message: 'item a is worked on by job job-1: nothing to do' });
    expect(await world.json<Claim>(CLAIM_KEY)).toEqual({ jobId: 'job-1' });
  });

  it('is taken over by another attempt of the same job', async () => {
    await stage(world.s3, await world.job());
    expect(await stage(world.s3, await world.job({}, { attempt: 2 }))).toBe(0);
  });

  it('goes to exactly one of many that come at once', async () => {
    const jobs = await Promise.all(Array.from({ length: 6 }, (_, nth) => world.job({}, { id: `job-${nth}` })));
    const ends = await Promise.allSettled(jobs.map((job) => stage(world.s3, job)));
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ exitCode: 64 });
  });

  it('whose answer was lost is still ours', async () => {
    world.kit.faults.set([
      { service: 's3', operation: 'PutObject', subject: 'claims/', effect: 'reset', when: 'after' },
    ]);
    expect(await stage(world.s3, await world.job())).toBe(0);
  });

  it('is not needed for an item that is committed', async () => {
    await world.put(COMMIT_KEY, commitOf({}));
    const error = await jobError(stage(world.s3, await world.job()));
    expect(error).toMatchObject({ exitCode: 64, message: 'item a is committed already: nothing to do' });
    expect(await world.keys('launches/run-1/claims/')).toEqual([]);
  });
});

describe('the volume', () => {
  it('gets inputs, script, and a folder for outputs that any user may write to', async () => {
    await world.put('data/reads 1.fq', 'ACGT');
    await world.put('data/empty', '');
    const job = await world.job({
      inputs: [
        { from: s3('data/reads 1.fq'), path: 'inputs/reads/reads 1.fq' },
        { from: s3('data/empty'), path: 'inputs/all/deep/er/empty' },
      ],
      script: 'set -eu\nrun\n',
    });
    expect(await stage(world.s3, job)).toBe(0);
    expect(await readFile(join(job.work, 'inputs/reads/reads 1.fq'), 'utf8')).toBe('ACGT');
    expect(await readFile(join(job.work, 'inputs/all/deep/er/empty'), 'utf8')).toBe('');
    expect(await readFile(join(job.work, 'command.sh'), 'utf8')).toBe('set -eu\nrun\n');
    expect((await stat(join(job.work, 'outputs'))).mode & 0o777).toBe(0o777);
    const files = await readdir(job.work, { recursive: true });
    expect(files.filter((file) => file.endsWith('.part'))).toEqual([]);
  });

  it('gets no script when the command is an argv', async () => {
    const job = await world.job();
    await stage(world.s3, job);
    expect(await readdir(job.work)).toEqual(['.usage.json', 'outputs']);
  });

  it('gets outputs of earlier steps by their commits, each read once', async () => {
    await world.put('results/x.bam', 'BAM');
    await world.put('results/x.bai', 'BAI');
    const commit = 'launches/run-1/commits/align/a.json';
    await world.put(commit, commitOf({ bam: s3('results/x.bam'), bai: s3('results/x.bai') }));
    const job = await world.job({
      inputs: [
        { from: `commit:${s3(commit)}#bam`, path: 'inputs/bam/a.bam' },
        { from: `commit:${s3(commit)}#bai`, path: 'inputs/bai/a.bai' },
      ],
    });
    await stage(world.s3, job);
    expect(await readFile(join(job.work, 'inputs/bam/a.bam'), 'utf8')).toBe('BAM');
    expect(await readFile(join(job.work, 'inputs/bai/a.bai'), 'utf8')).toBe('BAI');
    expect(
      world.kit.calls.list({ operation: 'GetObject' }).filter(({ subject }) => subject.includes(commit)),
    ).toHaveLength(1);
  });
});

describe('an input that is not there', () => {
  it.each([
    ['in S3', { from: 's3://longhaul/data/none.fq' }, 's3://longhaul/data/none.fq cannot be read: NoSuchKey'],
    ['in a bucket that is not there', { from: 's3://nobody/x' }, 's3://nobody/x cannot be read: NoSuchBucket'],
    [
      'because its commit is not',
      { from: 'commit:s3://longhaul/c.json#bam' },
      's3://longhaul/c.json cannot be read: NoSuchKey',
    ],
    ['in its commit', { from: 'commit:s3://longhaul/known.json#cram' }, 's3://longhaul/known.json has no output cram'],
  ])('%s ends the job with 66 and says which', async (_, { from }, message) => {
    await world.put('known.json', commitOf({ bam: 's3://longhaul/x.bam' }));
    const job = await world.job({ inputs: [{ from, path: 'inputs/x/x' }] });
    expect(await jobError(stage(world.s3, job))).toMatchObject({ exitCode: 66, message });
    expect(await readdir(join(job.work, 'inputs/x')).catch(() => [])).toEqual([]);
  });

  it.each(['../x', 'inputs/../../x', '/etc/x', '.', 'inputs/..'])(
    'because its path leaves the volume: %s',
    async (path) => {
      await world.put('data/x', 'X');
      const job = await world.job({ inputs: [{ from: s3('data/x'), path }] });
      expect(await jobError(stage(world.s3, job))).toMatchObject({
        exitCode: 66,
        message: `${path} leads out of its folder`,
      });
    },
  );

  it('is no reason to give up when S3 only falters', async () => {
    await world.put('data/x', 'X');
    world.kit.faults.set([{ service: 's3', operation: 'GetObject', subject: 'data/x', effect: 'throttle' }]);
    const job = await world.job({ inputs: [{ from: s3('data/x'), path: 'inputs/x/x' }] });
    expect(await stage(world.s3, job)).toBe(0);
  });
});

describe('the start record', () => {
  it('is written also when the inputs cannot be brought in', async () => {
    const job = await world.job({ inputs: [{ from: s3('data/none'), path: 'inputs/x/x' }] });
    expect(await jobError(stage(world.s3, job))).toMatchObject({ exitCode: 66 });
    expect(await world.keys('launches/run-1/starts/')).toHaveLength(1);
  });

  it('that cannot be written fails the attempt by its own reason', async () => {
    world.kit.faults.set([
      { service: 's3', operation: 'PutObject', subject: 'starts/', effect: 'error', status: 403, code: 'AccessDenied' },
    ]);
    await expect(stage(world.s3, await world.job())).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('is written for every attempt, with where it runs', async () => {
    await stage(world.s3, await world.job({}, { id: 'job-1:7' }));
    await stage(world.s3, await world.job({}, { id: 'job-1:7', attempt: 2 }));
    const keys = await world.keys('launches/run-1/starts/');
    expect(keys).toEqual([
      'launches/run-1/starts/work/a/job-1_7-1.json',
      'launches/run-1/starts/work/a/job-1_7-2.json',
    ]);
    const record = await world.json<StartRecord>(keys[1] ?? '');
    expect(record).toMatchObject({ item: 'a', jobId: 'job-1:7', jobAttempt: 2 });
    expect(Date.parse(record.startedAt)).toBeGreaterThan(Date.now() - 60_000);
  });
});

describe('where a job logs', () => {
  const awslogs = (stream: string) => ({
    LogDriver: 'awslogs',
    LogOptions: {
      'awslogs-create-group': 'true',
      'awslogs-group': '/aws/batch/job',
      'awslogs-region': 'us-east-1',
      'awslogs-stream': stream,
    },
  });
  const recorded = async (logging: JobWorld['logging']) => {
    world.logging = logging;
    await stage(world.s3, await world.job());
    return (await world.json<StartRecord>('launches/run-1/starts/work/a/job-1-1.json')).logs;
  };

  it.each([
    ['tools/stage/0a1b', 'tools/main/0a1b', 'tools/publish/0a1b'],
    ['a-stage/b/tools-stage/0a1b', 'a-stage/b/tools-main/0a1b', 'a-stage/b/tools-publish/0a1b'],
  ])('is derived from its own stream, %s', async (own, main, publish) => {
    expect(await recorded(awslogs(own))).toEqual({
      group: '/aws/batch/job',
      streams: { stage: own, main, publish },
    });
  });

  it.each([
    ['the endpoint does not tell', {}],
    ['the job logs elsewhere', { LogDriver: 'splunk', LogOptions: { 'splunk-url': 'https://splunk.invalid' } }],
    ['its stream is named otherwise', awslogs('custom')],
  ])('is left out where %s', async (_, logging) => {
    expect(await recorded(logging)).toBeUndefined();
  });

  it('is left out where there is no endpoint, and stops no job', async () => {
    vi.stubEnv('ECS_CONTAINER_METADATA_URI_V4', 'http://127.0.0.1:9/v4/none');
    expect(await recorded(awslogs('tools/stage/0a1b'))).toBeUndefined();
  });
});

describe('with a shared file system', () => {
  const shared = { sharedOutputs: 'longhaul/run-1/work/a' };

  it('inputs are links and outputs lie on it, a folder for each attempt', async () => {
    const folder = await world.sharedFolder({ 'cohort/reads.fq': 'ACGT' });
    const job = await world.job(
      { ...shared, inputs: [{ from: 'shared:cohort/reads.fq', path: 'inputs/reads/reads.fq' }] },
      { shared: folder },
    );
    await stage(world.s3, job);
    expect(await readlink(join(job.work, 'inputs/reads/reads.fq'))).toBe(join(folder, 'cohort/reads.fq'));
    expect(await readlink(join(job.work, 'outputs'))).toBe(join(folder, 'longhaul/run-1/work/a/job-1-1'));
    expect((await stat(join(job.work, 'outputs'))).mode & 0o777).toBe(0o777);
    expect((await world.keys('results/')).length).toBe(0);
  });

  it('a file that is not on it ends the job with 66 and says which', async () => {
    const job = await world.job(
      { ...shared, inputs: [{ from: 'shared:cohort/none.fq', path: 'inputs/x/x' }] },
      { shared: await world.sharedFolder() },
    );
    const error = await jobError(stage(world.s3, job));
    expect(error).toMatchObject({ exitCode: 66, message: 'cohort/none.fq is not on the shared file system' });
  });

  it('a path that leads out of it is refused', async () => {
    const job = await world.job(
      { ...shared, inputs: [{ from: 'shared:../../etc/passwd', path: 'inputs/x/x' }] },
      { shared: await world.sharedFolder() },
    );
    expect(await jobError(stage(world.s3, job))).toMatchObject({ exitCode: 66 });
  });
});

const quiet = () => {};

describe('what a job knows of itself', () => {
  const env = (rowBytes: number, more: Record<string, string> = {}) => ({
    LONGHAUL_SUBMISSION: 'launch/run-1|1|work|3|0',
    LONGHAUL_MANIFEST: s3('manifest.jsonl'),
    LONGHAUL_ROW_BYTES: String(rowBytes),
    LONGHAUL_WORK: '/longhaul/work',
    AWS_BATCH_JOB_ID: 'job-1:1',
    ...more,
  });

  it('is its own row of the manifest, by its index, and nothing else is read', async () => {
    const rows = ['a', 'b ü🧬', 'c'].map((item) => ({ ...ROW, item }));
    const { rowBytes, text } = encodeManifest(rows);
    await world.put('manifest.jsonl', text);
    for (const [index, row] of rows.entries()) {
      const job = await readJob(world.s3, env(rowBytes, { AWS_BATCH_JOB_ARRAY_INDEX: String(index) }), quiet);
      expect(job).toMatchObject({ row, generation: 3, id: 'job-1:1', attempt: 1 });
      expect(job).not.toHaveProperty('shared');
    }
    expect(
      await readJob(world.s3, env(rowBytes, { AWS_BATCH_JOB_ATTEMPT: '4', LONGHAUL_SHARED: '/x' }), quiet),
    ).toMatchObject({
      row: rows[0],
      attempt: 4,
      shared: '/x',
    });
  });

  it.each(Object.keys(env(1)))('needs %s, and says so with 67', async (name) => {
    const { rowBytes, text } = encodeManifest([ROW]);
    await world.put('manifest.jsonl', text);
    const error = await jobError(readJob(world.s3, { ...env(rowBytes), [name]: undefined }, quiet));
    expect(error).toMatchObject({ exitCode: 67 });
    expect(error.message).toContain(`${name} is not set`);
  });

  it('is refused when its submission key is no key of ours', async () => {
    const error = await jobError(readJob(world.s3, { ...env(1), LONGHAUL_SUBMISSION: 'x' }, quiet));
    expect(error).toMatchObject({ exitCode: 67 });
  });
});

it('a volume that holds an old outputs folder is used again', async () => {
  const job = await world.job();
  await mkdir(join(job.work, 'outputs'));
  expect(await stage(world.s3, job)).toBe(0);
});
