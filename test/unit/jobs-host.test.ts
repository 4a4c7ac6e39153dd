/** `host`: a machine's share of a job: each item once, so many at a time, and none that has ended before. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runHost } from '../../jobs/host.ts';
import { formatEnding } from '../../lib/launch/endings.ts';
import { type HostJob, hostJobAddress, stopAddress } from '../../lib/launch/host-job.ts';
import { putJson, putText } from '../../lib/s3-objects.ts';
import { openStandIns, type StandIns, until } from '../support/stand-ins.ts';

const ENDINGS = 's3://longhaul/endings/lh-a-work-1-1-0/';
const JOB: HostJob = {
  id: 'lh-a-work-1-1-0-0123456789ab',
  name: 'lh-a-work-1-1-0',
  items: 7,
  hosts: 2,
  hostRetries: 1,
  argv: ['/bin/sh', 'it’s'],
  variables: { LONGHAUL_JOB_ENDING: ENDINGS, LONGHAUL_JOB_NAME: 'lh-a-work-1-1-0' },
  vcpus: 1,
  memoryMiB: 64,
  workflowId: 'launch/a',
  tags: {},
};
const ADDRESS = hostJobAddress('longhaul', JOB.id);
/** Notes when it begins and ends, and what it was given; runs until it may end, or is told to. */
const PROGRAM = `
const { appendFileSync, existsSync } = require('node:fs');
const { LONGHAUL_JOB_ID: id, LONGHAUL_JOB_INDEX: index, LONGHAUL_JOB_ATTEMPT: attempt, LONGHAUL_WORK: work, NOTES } = process.env;
const note = (what) => appendFileSync(NOTES, JSON.stringify({ what, id, index, attempt, work, argv: process.argv.slice(2) }) + '\\n');
const end = () => { note('end'); process.exit(7); };
process.on('SIGTERM', end);
note('begin');
setInterval(() => existsSync(NOTES + '.go') && end(), 10);
`;

let standIns: StandIns;
let directory: string;
beforeEach(async () => {
  standIns = await openStandIns();
  directory = await mkdtemp(join(tmpdir(), 'longhaul-host-'));
  await standIns.s3.send(new CreateBucketCommand({ Bucket: 'longhaul' }));
  await putJson(standIns.s3, ADDRESS, JOB);
  await writeFile(join(directory, 'jobs.cjs'), PROGRAM);
});
afterEach(async () => {
  await standIns.close();
  await rm(directory, { recursive: true });
});

interface Note {
  what: 'begin' | 'end';
  id: string;
  index: string;
  attempt: string;
  work: string;
  argv: string[];
}
const notes = async (): Promise<Note[]> =>
  (await readFile(join(directory, 'notes'), 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Note);
/** From now on items end as soon as they have begun. */
const go = () => writeFile(join(directory, 'notes.go'), '');
const run = (env: Record<string, string> = {}, signal = new AbortController().signal) =>
  runHost(standIns.s3, {
    env: {
      LONGHAUL_HOST_JOB: ADDRESS,
      LONGHAUL_HOST: '1',
      LONGHAUL_JOB_ATTEMPT: '2',
      LONGHAUL_HOST_SLOTS: '2',
      LONGHAUL_HOST_SCRATCH: directory,
      NOTES: join(directory, 'notes'),
      ...env,
    },
    say: () => {},
    signal,
    program: [process.execPath, join(directory, 'jobs.cjs')],
  });

it('runs its items, each once, as many at a time as it has room for', async () => {
  const ended = run();
  await until('two items that run', async () => (await notes()).length === 2);
  await go();
  expect(await ended).toBe(0);

  const all = await notes();
  const begun = all.filter(({ what }) => what === 'begin');
  expect(begun.map(({ index }) => index).sort()).toEqual(['1', '3', '5']);
  expect(begun.find(({ index }) => index === '1')).toEqual({
    what: 'begin',
    id: `${JOB.id}:1`,
    index: '1',
    attempt: '2',
    work: join(directory, `longhaul-${JOB.id}-1`),
    argv: ['run', '--', ...JOB.argv],
  });
  // The third begins when one of the first two has ended.
  expect(all.slice(0, 3).map(({ what }) => what)).toEqual(['begin', 'begin', 'end']);
});

it('runs again what only its last host’s end has ended, and nothing that ended by itself', async () => {
  const end = (index: number, way: 'exited' | 'stopped') =>
    putText(
      standIns.s3,
      `${ENDINGS}${JOB.id}/${formatEnding({ index, attempt: 1, container: 'main', exitCode: 143, way })}`,
      '\n',
      'text/plain',
    );
  await end(1, 'exited');
  await end(3, 'stopped');
  await go();
  await run();

  expect(
    (await notes())
      .filter(({ what }) => what === 'begin')
      .map(({ index }) => index)
      .sort(),
  ).toEqual(['3', '5']);
});

it('runs nothing when the job was ended while it started', async () => {
  await putJson(standIns.s3, stopAddress(ADDRESS), { reason: 'the launch was cancelled' });

  expect(await run()).toBe(0);
  expect(await notes()).toEqual([]);
});

it('hands on that it is to end, and begins nothing more', async () => {
  const stop = new AbortController();
  const ended = run({ LONGHAUL_HOST_SLOTS: '1' }, stop.signal);
  await until('an item that runs', async () => (await notes()).length > 0);
  stop.abort();

  expect(await ended).toBe(0);
  expect((await notes()).map(({ what, index }) => [what, index])).toEqual([
    ['begin', '1'],
    ['end', '1'],
  ]);
});

it('says what is missing when nobody has told it what it is', async () => {
  await expect(run({ LONGHAUL_HOST_JOB: '' })).rejects.toThrow('LONGHAUL_HOST_JOB is not set');
});
