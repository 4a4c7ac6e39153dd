/** What sbatch and SSH are given: whatever a sheet says stays one word. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JobRequest } from '../../activities/launch/compute/service.ts';
import { batchScript, sbatchArguments } from '../../activities/launch/compute/slurm/script.ts';
import { onThisMachine, overSsh, SlurmUnreachableError } from '../../activities/launch/compute/slurm/transport.ts';
import { readSettings } from '../../lib/settings.ts';

const REQUEST: JobRequest = {
  name: 'lh-run-1-work-1-1-0',
  items: 1,
  image: 'tools:1',
  argv: ['/bin/sh', '/longhaul/work/command.sh'],
  vcpus: 2,
  memoryMiB: 1024,
  hostRetries: 0,
  environment: {},
  contract: { LONGHAUL_MANIFEST: 's3://longhaul/m' },
  tags: { 'longhaul:launch': 'run-1', 'longhaul:consumer': 'lab-a' },
};
/** Prints its arguments and the variables of the job, with an end that no text has. */
const PROBE = `process.stdout.write(JSON.stringify({ argv: process.argv.slice(2), env: process.env }))`;

function probe(): { jobs: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-script-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'probe.cjs'), PROBE);
  return { jobs: `${process.execPath} ${join(folder, 'probe.cjs')}`, folder };
}

function runScript(script: string, env: Record<string, string>): { argv: string[]; env: Record<string, string> } {
  return JSON.parse(
    execFileSync('/bin/sh', { input: script, env: { PATH: process.env.PATH ?? '', ...env } }).toString(),
  ) as never;
}

const text = fc
  .string({ unit: 'binary', maxLength: 60 })
  .filter((value) => !value.includes('\0') && Buffer.from(value, 'utf8').toString('utf8') === value);

describe('the script', () => {
  const { jobs } = (() => {
    const folder = mkdtempSync(join(tmpdir(), 'longhaul-script-'));
    writeFileSync(join(folder, 'probe.cjs'), PROBE);
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    return { jobs: `${process.execPath} ${join(folder, 'probe.cjs')}` };
  })();
  const settings = readSettings({ LONGHAUL_SLURM_HOST: 'local', LONGHAUL_SLURM_JOBS: jobs });

  it('gives the job program every word and every value as it is', () => {
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[A-Z]{1,8}$/), text),
        (argv, environment) => {
          const script = batchScript({ ...REQUEST, argv, environment }, settings, { SECRET: argv[0] ?? '' });
          const seen = runScript(script, { SLURM_JOB_ID: '12' });
          expect(seen.argv).toEqual(['run', '--', ...argv]);
          expect(JSON.parse(seen.env.LONGHAUL_MAIN_ENVIRONMENT ?? '')).toEqual(environment);
          expect(seen.env.SECRET).toBe(argv[0]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('tells a single job and a child of an array who they are', () => {
    const single = runScript(batchScript(REQUEST, settings, {}), {
      SLURM_JOB_ID: '12',
      SLURMD_NODENAME: 'n1',
      TMPDIR: '/scratch',
    });
    expect(single.env).toMatchObject({
      LONGHAUL_JOB_ID: '12',
      LONGHAUL_JOB_INDEX: '0',
      LONGHAUL_JOB_ATTEMPT: '1',
      LONGHAUL_WORK: '/scratch/longhaul-12-n1',
      LONGHAUL_JOB_ENDING: 's3://longhaul/endings/lh-run-1-work-1-1-0/',
      LONGHAUL_MEMORY_MIB: '1024',
    });
    const child = runScript(batchScript({ ...REQUEST, items: 4 }, settings, {}), {
      SLURM_JOB_ID: '15',
      SLURM_ARRAY_JOB_ID: '12',
      SLURM_ARRAY_TASK_ID: '3',
      SLURM_RESTART_COUNT: '1',
    });
    expect(child.env).toMatchObject({ LONGHAUL_JOB_ID: '12:3', LONGHAUL_JOB_INDEX: '3', LONGHAUL_JOB_ATTEMPT: '2' });
  });

  it('gives the attempts of a job one folder on each node, which each of them makes anew', () => {
    const script = batchScript({ ...REQUEST, hostRetries: 1 }, settings, {});
    const folder = (SLURM_RESTART_COUNT: string, SLURMD_NODENAME: string, SLURM_JOB_ID = '12') =>
      runScript(script.replace(/^.*scontrol.*$/m, ''), { SLURM_JOB_ID, SLURM_RESTART_COUNT, SLURMD_NODENAME }).env
        .LONGHAUL_WORK;

    expect(folder('1', 'n1')).toBe(folder('0', 'n1'));
    expect(folder('1', 'n2')).not.toBe(folder('0', 'n1'));
    expect(folder('0', 'n1', '13')).not.toBe(folder('0', 'n1'));
  });

  it('lets Slurm requeue no more often than the step says', () => {
    const { folder } = probe();
    const scontrol = join(folder, 'scontrol');
    writeFileSync(scontrol, `#!/bin/sh\necho "$@" > ${folder}/called\n`);
    chmodSync(scontrol, 0o755);
    const script = batchScript({ ...REQUEST, hostRetries: 1 }, settings, {});
    const PATH = `${folder}:${process.env.PATH}`;
    const called = () => execFileSync('/bin/sh', ['-c', `cat ${folder}/called 2>/dev/null || true`]).toString();

    runScript(script, { SLURM_JOB_ID: '12', PATH });
    expect(called()).toBe('');
    runScript(script, { SLURM_JOB_ID: '12', SLURM_RESTART_COUNT: '1', PATH });
    expect(called()).toBe('update JobId=12 Requeue=0\n');
  });
});

describe('the options of sbatch', () => {
  const settings = readSettings({ LONGHAUL_SLURM_HOST: 'local', LONGHAUL_SLURM_PARTITION: 'long' });

  it('ask for what the step asks for, and room for the job program', () => {
    expect(sbatchArguments({ ...REQUEST, items: 5, timeoutSeconds: 90, hostRetries: 2 }, settings)).toEqual([
      '--parsable',
      '--job-name=lh-run-1-work-1-1-0',
      '--mem=1536M',
      '--cpus-per-task=2',
      '--ntasks=1',
      '--time=7',
      '--array=0-4',
      '--requeue',
      '--partition=long',
      '--comment=longhaul:launch=run-1 longhaul:consumer=lab-a',
      '--chdir=/',
      '--output=/dev/null',
    ]);
    expect(sbatchArguments(REQUEST, settings)).toEqual(expect.arrayContaining(['--no-requeue']));
  });
});

describe('over SSH', () => {
  /** Does what sshd does: hands the command to the user's shell. */
  function withSsh(body: string) {
    const { folder } = probe();
    const ssh = join(folder, 'ssh');
    writeFileSync(ssh, `#!/bin/sh\nprintf '%s\\n' "$@" > ${folder}/args\nfor last; do :; done\n${body}\n`);
    chmodSync(ssh, 0o755);
    const env = { PATH: `${folder}:${process.env.PATH}` };
    return { folder, run: overSsh({ host: 'head.internal', user: 'lab' }, env) };
  }

  it('every word arrives as it is', async () => {
    const { run } = withSsh('exec /bin/sh -c "$last"');
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 4 }), text, async (words, stdin) => {
        const script =
          'const [, ...words] = process.argv; let input = ""; process.stdin.on("data", (part) => (input += part)).on("end", () => process.stdout.write(JSON.stringify({ words, input })))';
        const ran = await run([process.execPath, '-e', script, '--', ...words], stdin);
        expect(JSON.parse(ran.stdout)).toEqual({ words, input: stdin });
      }),
      { numRuns: 15 },
    );
  });

  it('the host must be known, and nothing is asked', async () => {
    const { folder, run } = withSsh('exec /bin/sh -c "$last"');
    expect((await run(['printenv', 'SLURM_TIME_FORMAT'])).stdout).toBe('%s\n');
    const args = execFileSync('cat', [join(folder, 'args')]).toString();
    expect(args).toMatch(
      /BatchMode=yes[\s\S]*StrictHostKeyChecking=yes[\s\S]*ControlMaster=auto[\s\S]*-l\nlab\n--\nhead\.internal\n/,
    );
  });

  it('a host that is not reached is another thing than a job that is refused', async () => {
    const { run } = withSsh('echo "Connection refused" >&2; exit 255');
    await expect(run(['squeue'])).rejects.toThrow(SlurmUnreachableError);
  });
});

describe('on this machine', () => {
  it("Slurm's programs get none of the worker's variables", async () => {
    const run = onThisMachine({
      PATH: process.env.PATH,
      LONGHAUL_PAYLOAD_KEY: 'secret',
      AWS_SECRET_ACCESS_KEY: 'secret',
      SLURM_CONF: '/etc/slurm.conf',
    });
    const { stdout } = await run(['env']);
    expect(stdout).toContain('SLURM_CONF=/etc/slurm.conf');
    expect(stdout).not.toContain('secret');
  });

  it('a program that is not there says so', async () => {
    const run = onThisMachine({ PATH: process.env.PATH });
    expect(await run(['no-such-program-of-slurm'])).toMatchObject({
      code: 127,
      stderr: expect.stringContaining('no-such-program'),
    });
  });
});
