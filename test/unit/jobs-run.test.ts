/**
 * `run`: a whole job in one process, which ends as its command did.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Claim, Commit } from '../../jobs/commit.ts';
import { EXIT } from '../../jobs/exit-codes.ts';
import { readJob } from '../../jobs/job.ts';
import { startMain } from '../../jobs/main-process.ts';
import { inWork } from '../../jobs/runtime.ts';
import { runWhole } from '../../jobs/whole.ts';
import { encodeManifest, type ManifestRow } from '../../workflows/launch/manifest.ts';
import { BUCKET, CLAIM_KEY, COMMIT_KEY, type JobWorld, openJobWorld, ROW } from '../support/job-world.ts';
import { until } from '../support/stand-ins.ts';

let world: JobWorld;
beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  world = await openJobWorld();
  // No task of ECS is near.
  vi.stubEnv('ECS_CONTAINER_METADATA_URI_V4', '');
});
afterEach(() => world.close());
afterAll(() => vi.restoreAllMocks());

const SCRIPT = ['/bin/sh', '/longhaul/work/command.sh'];
const NAMES = { name: 'names', path: 'names' };

/** Runs a script as a job. */
async function run(
  script: string,
  {
    row = {},
    env = {},
    signal = new AbortController().signal,
    argv = SCRIPT,
  }: { row?: Partial<ManifestRow>; env?: Record<string, string>; signal?: AbortSignal; argv?: string[] } = {},
) {
  const body = `set -eu\ncd "$LONGHAUL_WORK/outputs"\n${script}\n`;
  const said: string[] = [];
  const job = await world.job({ script: body, ...row }, { say: (line) => void said.push(line) });
  const file = `${job.work}.end`;
  const variables = { PATH: process.env.PATH, LONGHAUL_JOB_ENDING: file, ...env };
  const code = await runWhole(world.s3, job, { argv, env: variables, signal });
  const { containers } = JSON.parse(await readFile(file, 'utf8')) as { containers: { name: string }[] };
  return { code, containers, job, said };
}

describe('a job in one process', () => {
  it('brings inputs, runs the command, commits, and leaves nothing on the disk', async () => {
    await world.put('data/a.txt', 'hello');
    const { code, containers, job } = await run('tr a-z A-Z < "$LONGHAUL_WORK"/inputs/text/a.txt > loud', {
      row: {
        inputs: [{ from: `s3://${BUCKET}/data/a.txt`, path: 'inputs/text/a.txt' }],
        outputs: [{ name: 'loud', path: 'loud' }],
      },
    });
    expect(code).toBe(0);
    expect(containers).toEqual(['stage', 'main', 'publish'].map((name) => ({ name, exitCode: 0 })));
    expect(await world.json<Commit>(COMMIT_KEY)).toMatchObject({ jobId: 'job-1', exitCode: 0 });
    expect(await world.text('results/work/a/job-1-1/loud')).toBe('HELLO');
    expect(existsSync(job.work)).toBe(false);
  });

  it.each([
    ['its own code', 'exit 3', 3],
    ['a code that stage also has', 'exit 64', 64],
    ['a signal, as shells tell it', 'kill -9 $$', 137],
  ])('ends with %s, and says that it was the command', async (_, script, code) => {
    const ended = await run(script);
    expect(ended.code).toBe(code);
    expect(ended.containers).toEqual([
      { name: 'stage', exitCode: 0 },
      { name: 'main', exitCode: code },
      { name: 'publish', exitCode: code },
    ]);
    expect(await world.keys(COMMIT_KEY)).toEqual([]);
  });

  it('finds nothing of what a killed attempt has left in its folder', async () => {
    const job = await world.job({
      script: 'cd "$LONGHAUL_WORK/outputs" && ls -A .. | sort > names\n',
      outputs: [NAMES],
    });
    await mkdir(`${job.work}/outputs`);
    await writeFile(`${job.work}/outputs/half`, 'a');
    await writeFile(`${job.work}/left.txt`, 'a');
    const signal = new AbortController().signal;

    expect(await runWhole(world.s3, job, { argv: SCRIPT, env: { PATH: process.env.PATH }, signal })).toBe(0);
    expect(await world.text('results/work/a/job-1-1/names')).toBe('.usage.json\ncommand.sh\noutputs\n');
    expect(existsSync(job.work)).toBe(false);
  });

  it('ends with 127 when the command is not there', async () => {
    const { code, said } = await run('', { argv: ['no-such-program-here'] });
    expect(code).toBe(127);
    expect(said).toContainEqual(expect.stringContaining('no-such-program-here cannot be started'));
  });

  it('does not run the command of an item that another job holds', async () => {
    await world.put(CLAIM_KEY, JSON.stringify({ jobId: 'job-9' } satisfies Claim));
    const { code, containers } = await run('exit 3');
    expect(code).toBe(EXIT.superseded);
    expect(containers).toEqual([{ name: 'stage', exitCode: EXIT.superseded }]);
  });

  it('says that publish has not found an output', async () => {
    const { code, containers } = await run('true', { row: { outputs: [{ name: 'x', path: 'x' }] } });
    expect(code).toBe(EXIT.outputsMissing);
    expect(containers.at(-1)).toEqual({ name: 'publish', exitCode: EXIT.outputsMissing });
  });

  it('passes the end of the host on to the command, and keeps the folder of a head', async () => {
    const stop = new AbortController();
    const state = { prefix: `s3://${BUCKET}/heads/work/`, keep: ['**'], leave: [], markers: [] };
    const running = run('sleep 60 & trap "kill $!; exit 7" TERM\necho half > part\nwait', {
      row: { state },
      signal: stop.signal,
    });
    await until('a snapshot', async () => (await world.keys('heads/work/snapshots/')).length > 0);
    stop.abort();
    const { code } = await running;
    expect(code).toBe(7);
    const [snapshot = ''] = await world.keys('heads/work/snapshots/');
    expect(await world.json(snapshot)).toMatchObject({ files: [{ path: 'part', bytes: 5 }] });
  });

  it('gives the command its own variables, and none of the job program', async () => {
    const { job } = await run('env > env.txt', {
      env: {
        LONGHAUL_MAIN_ENVIRONMENT: JSON.stringify({ GREETING: 'a "b" $c', PLACE: '/longhaul/work/inputs' }),
        LONGHAUL_MANIFEST: 's3://longhaul/manifest',
        LONGHAUL_JOB_INDEX: '4',
      },
      row: { outputs: [{ name: 'env', path: 'env.txt' }] },
    });
    const lines = (await world.text('results/work/a/job-1-1/env.txt')).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining(['GREETING=a "b" $c', `PLACE=${job.work}/inputs`, `LONGHAUL_WORK=${job.work}`]),
    );
    expect(lines.join('\n')).not.toMatch(/LONGHAUL_(MANIFEST|MAIN_ENVIRONMENT|JOB_ENDING)=/);
  });
});

describe('paths of the plan', () => {
  it.each([
    ['/longhaul/work', '/tmp/w'],
    ['/longhaul/work/inputs/a', '/tmp/w/inputs/a'],
    ['/longhaul/workshop', '/longhaul/workshop'],
    ['x/longhaul/work/a', 'x/longhaul/work/a'],
  ])('%s becomes %s', (word, expected) => expect(inWork('/tmp/w', word)).toBe(expected));
});

describe('what a job knows of itself', () => {
  it("is told by Longhaul's variables before those of AWS Batch", async () => {
    const { rowBytes, text } = encodeManifest([ROW, { ...ROW, item: 'b' }]);
    await world.put('manifest.jsonl', text);
    const env = {
      LONGHAUL_SUBMISSION: 'launch/run-1|1|work|1|0',
      LONGHAUL_MANIFEST: `s3://${BUCKET}/manifest.jsonl`,
      LONGHAUL_ROW_BYTES: String(rowBytes),
      LONGHAUL_WORK: '/w',
      AWS_BATCH_JOB_ID: 'batch-1',
      AWS_BATCH_JOB_ARRAY_INDEX: '0',
    };
    const job = await readJob(
      world.s3,
      { ...env, LONGHAUL_JOB_ID: '7:1', LONGHAUL_JOB_ATTEMPT: '2', LONGHAUL_JOB_INDEX: '1' },
      () => {},
    );
    expect(job).toMatchObject({ id: '7:1', attempt: 2, row: { item: 'b' } });
    expect(await readJob(world.s3, env, () => {})).toMatchObject({ id: 'batch-1', attempt: 1, row: { item: 'a' } });
  });
});

describe('the ending of an attempt', () => {
  const endings = { LONGHAUL_JOB_ENDING: `s3://${BUCKET}/endings/lh-1/` };
  const told = async () => (await world.keys('endings/')).map((key) => key.replace('endings/lh-1/', ''));

  it.each([
    ['success', 'true', {}, 'job-1/0.1.publish.0.exited'],
    ['its own code', 'exit 64', {}, 'job-1/0.1.main.64.exited'],
    ['the timeout', 'sleep 30', { LONGHAUL_TIMEOUT_SECONDS: '1' }, 'job-1/0.1.main.143.timeout'],
    [
      'too much memory',
      `exec "${process.execPath}" -e 'const held = []; setInterval(() => held.push(Buffer.alloc(1e7, 1)), 20)'`,
      { LONGHAUL_MEMORY_MIB: '96' },
      'job-1/0.1.main.137.memory',
    ],
  ])('says %s', async (_, script, env, expected) => {
    await runTelling(script, { ...endings, ...env });
    expect(await told()).toEqual([expected]);
  });

  it('says that it was asked to end', async () => {
    const stop = new AbortController();
    const running = runTelling('echo begun > "$LONGHAUL_WORK/begun"; sleep 30', endings, stop.signal);
    await until('a claim', async () => (await world.keys('launches/')).length > 0);
    stop.abort();
    await running;
    expect(await told()).toEqual([expect.stringMatching(/^job-1\/0\.1\.(stage|main)\.143\.stopped$/)]);
  });

  async function runTelling(script: string, env: Record<string, string>, signal = new AbortController().signal) {
    const job = await world.job({ script: `set -eu\n${script}\n` }, { say: () => {} });
    return runWhole(world.s3, job, { argv: SCRIPT, env: { PATH: process.env.PATH, ...env }, signal });
  }
});

describe('a command that does not heed SIGTERM', () => {
  /** Of slurm.conf, unless it says otherwise. */
  const KILL_WAIT_MS = 30_000;

  it('is killed while Slurm leaves time to say so', async () => {
    const job = await world.job();
    await mkdir(`${job.work}/outputs`);
    const lines: string[] = [];
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const argv = ['/bin/sh', '-c', "trap '' TERM; echo ready; while :; do sleep 0.1; done"];
      const main = startMain(job, argv, { PATH: process.env.PATH }, (line) => lines.push(line));
      await vi.waitUntil(() => lines.includes('ready'));
      main.terminate();
      await vi.advanceTimersByTimeAsync(KILL_WAIT_MS - 10_000);
      expect(await main.ended).toMatchObject({ exitCode: 137 });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('what a command leaves running', () => {
  it('ends with it', async () => {
    const { code } = await run('sleep 61 & echo $! > "$LONGHAUL_WORK/outputs/pid"', {
      row: { outputs: [{ name: 'pid', path: 'pid' }] },
    });
    expect(code).toBe(0);
    const pid = Number(await world.text('results/work/a/job-1-1/pid'));
    await until('its end', () => !existsSync(`/proc/${pid}`));
  });
});
