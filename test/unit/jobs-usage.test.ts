/**
 * What a job says of what it has moved and of its command's own figures.
 *
 * @module
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Commit } from '../../jobs/commit.ts';
import type { Job } from '../../jobs/job.ts';
import { METRICS_FILE } from '../../jobs/metrics.ts';
import { publish } from '../../jobs/publish.ts';
import { stage } from '../../jobs/stage.ts';
import { countRequests } from '../../jobs/usage.ts';
import { BUCKET, COMMIT_KEY, type JobWorld, openJobWorld, writeFiles } from '../support/job-world.ts';

let world: JobWorld;
const lines: string[] = [];
beforeEach(async () => {
  lines.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  world = await openJobWorld();
  world.main = [{ KnownStatus: 'STOPPED', ExitCode: 0 }];
});
afterEach(() => world.close());
afterAll(() => vi.restoreAllMocks());

async function commitOf(job: Job, files: Record<string, string>): Promise<Commit> {
  await mkdir(join(job.work, 'outputs'), { recursive: true });
  await writeFiles(join(job.work, 'outputs'), files);
  expect(await publish(world.s3, job)).toBe(0);
  return world.json<Commit>(COMMIT_KEY);
}

it('the commit has the bytes moved and every request S3 bills, those of the commit itself included', async () => {
  await world.put('in/reads', 'ACGT');
  const { lastSeq } = world.kit.calls;
  const requests = countRequests(world.s3);
  const inputs = [{ from: `s3://${BUCKET}/in/reads`, path: 'inputs/reads' }];
  const job = await world.job({ inputs, outputs: [{ name: 'out', path: 'out.txt' }] }, { requests });
  await stage(world.s3, job);
  const { usage } = await commitOf(job, { 'out.txt': 'twelve bytes' });
  expect(usage).toMatchObject({ inputBytes: 4, outputBytes: 12 });
  const made = world.kit.calls.list({ service: 's3', afterSeq: lastSeq });
  // The test itself has read the commit by now.
  expect(usage?.requests).toEqual({
    put: made.filter(({ operation }) => operation.startsWith('Put')).length,
    get: made.filter(({ operation }) => /^(Get|Head)/.test(operation)).length - 1,
  });
});

it('figures of the command become a part of the commit', async () => {
  const metrics = { 'iterations/s': 12.5, threads: { node1: 8, node2: 7 } };
  const commit = await commitOf(await world.job({ outputs: [] }), { [METRICS_FILE]: JSON.stringify(metrics) });
  expect(commit.metrics).toEqual(metrics);
});

it.each([
  ['no JSON', '{', /longhaul-metrics\.json is left out/],
  ['a text', '{"speed":"fast"}', /speed: expected an object of numbers/],
  ['no number', '{"threads":{"a":null}}', /threads\.a: expected a number/],
  ['a list', '[1]', /the file: expected an object of numbers/],
  ['an odd name', '{"<b>":1}', /a name has letters/],
  [
    'too many',
    JSON.stringify(Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`m${n}`, n]))),
    /51 names; at most 50/,
  ],
  ['too large', `{"a":1${' '.repeat(70_000)}}`, /at most 65536 bytes/],
])('figures that are %s are left out, and the job succeeds', async (_, text, said) => {
  const commit = await commitOf(await world.job({ outputs: [] }), { [METRICS_FILE]: text });
  expect(commit).not.toHaveProperty('metrics');
  expect(lines.join('\n')).toMatch(said);
});
