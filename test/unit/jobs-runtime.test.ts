/** How main is started: what Docker and Apptainer are told, and what main finds inside. */
import { mkdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandOf, type Launching } from '../../jobs/runtime.ts';
import { stage } from '../../jobs/stage.ts';
import { type JobWorld, openJobWorld } from '../support/job-world.ts';

const LAUNCHING: Launching = {
  runtime: 'docker',
  argv: ['/bin/sh', '/longhaul/work/command.sh', 'a b'],
  environment: { PATH: '/opt/tools', INDEX: '/longhaul/work/inputs/index' },
  inherited: { PATH: '/usr/bin', SECRET: 'x' },
  image: 'tools:1',
  work: '/scratch/longhaul-12-n1',
  name: 'longhaul-12-1',
};
const MEASURE = { memoryMiB: 1024, vcpus: 2 };

describe('without a container', () => {
  it('the command has the real folder wherever it begins with the one of containers', () => {
    expect(commandOf({ ...LAUNCHING, ...MEASURE, runtime: 'none' })).toEqual({
      program: '/bin/sh',
      args: ['/scratch/longhaul-12-n1/command.sh', 'a b'],
      env: {
        PATH: '/opt/tools',
        SECRET: 'x',
        INDEX: '/scratch/longhaul-12-n1/inputs/index',
        LONGHAUL_WORK: '/scratch/longhaul-12-n1',
      },
    });
  });
});

describe('with Docker', () => {
  it('the image gets its folder, its limits and its variables, and the words behind its ENTRYPOINT', () => {
    expect(commandOf({ ...LAUNCHING, ...MEASURE })).toEqual({
      program: 'docker',
      args: [
        ...['run', '--name', 'longhaul-12-1', '--volume', '/scratch/longhaul-12-n1:/longhaul/work'],
        ...['--memory', '1024m', '--memory-swap', '1024m', '--cpus', '2'],
        ...['--env', 'PATH=/opt/tools', '--env', 'INDEX=/longhaul/work/inputs/index'],
        ...['--env', 'LONGHAUL_WORK=/longhaul/work'],
        ...['tools:1', '/bin/sh', '/longhaul/work/command.sh', 'a b'],
      ],
      // Docker's own: a step's PATH is not Docker's.
      env: { PATH: '/usr/bin', SECRET: 'x' },
    });
  });

  it('nothing is limited that is not known', () => {
    const { args } = commandOf(LAUNCHING);
    expect(args).not.toEqual(expect.arrayContaining([expect.stringMatching(/^--(memory|memory-swap|cpus)$/)]));
  });

  it('its ENTRYPOINT is nobody else’s', () => {
    expect(commandOf(LAUNCHING).args).not.toContain('--entrypoint');
  });
});

describe('with Apptainer', () => {
  it('the image gets its folder and its variables, none of the host, and the words behind its ENTRYPOINT', () => {
    expect(commandOf({ ...LAUNCHING, ...MEASURE, runtime: 'apptainer' })).toEqual({
      program: 'apptainer',
      args: [
        // Not `exec`, which would leave the ENTRYPOINT out.
        ...['run', '--contain', '--cleanenv', '--no-home', '--writable-tmpfs'],
        ...['--bind', '/scratch/longhaul-12-n1:/longhaul/work'],
        ...['docker://tools:1', '/bin/sh', '/longhaul/work/command.sh', 'a b'],
      ],
      env: {
        PATH: '/usr/bin',
        SECRET: 'x',
        APPTAINERENV_PATH: '/opt/tools',
        APPTAINERENV_INDEX: '/longhaul/work/inputs/index',
        APPTAINERENV_LONGHAUL_WORK: '/longhaul/work',
      },
    });
  });

  it.each([
    ['tools:1', 'docker://tools:1'],
    ['registry.example:5000/lab/tools@sha256:0', 'docker://registry.example:5000/lab/tools@sha256:0'],
    ['/images/tools.sif', '/images/tools.sif'],
    ['oras://registry.example/lab/tools:1', 'oras://registry.example/lab/tools:1'],
  ])('the image %s is %s', (image, expected) => {
    expect(commandOf({ ...LAUNCHING, runtime: 'apptainer', image }).args).toContain(expected);
  });
});

describe('a shared file system', () => {
  let world: JobWorld;
  beforeAll(async () => {
    world = await openJobWorld();
  });
  afterAll(() => world.close());

  /** Where the container has what lies at a path of the host. */
  const inside = (args: readonly string[], path: string): string[] =>
    args.flatMap((mount) => {
      const [, from = '', to = ''] = /^(\/[^:]*):(\/[^:]*)$/.exec(mount) ?? [];
      return from !== '' && (path === from || path.startsWith(`${from}/`)) ? [to + path.slice(from.length)] : [];
    });

  it.each(['docker', 'apptainer'] as const)('is where the links of stage lead, inside %s too', async (runtime) => {
    const shared = await world.sharedFolder({ 'study/reads.txt': 'ACGT\n' });
    const row = {
      item: runtime,
      commit: `s3://longhaul/commits/${runtime}.json`,
      claim: `s3://longhaul/claims/${runtime}`,
      inputs: [{ from: 'shared:study/reads.txt', path: 'inputs/reads/reads.txt' }],
      sharedOutputs: `longhaul/run-1/work/${runtime}`,
    };
    const job = await world.job(row, { shared, say: () => {} });
    await mkdir(job.work, { recursive: true });
    expect(await stage(world.s3, job)).toBe(0);
    const links = await Promise.all(
      ['inputs/reads/reads.txt', 'outputs'].map((link) => readlink(join(job.work, link))),
    );

    const { args } = commandOf({ ...LAUNCHING, runtime, work: job.work, shared });

    for (const target of links) expect(inside(args, target)).toContain(target);
    // As on every other service.
    expect(inside(args, shared)).toContain('/longhaul/shared');
  });

  it('that already lies where containers have it is mounted once', () => {
    const { args } = commandOf({ ...LAUNCHING, shared: '/longhaul/shared' });
    expect(args.filter((word) => word.startsWith('/longhaul/shared'))).toEqual(['/longhaul/shared:/longhaul/shared']);
  });
});
