/**
 * Snakemake's side of launch-peers: the same one-line tasks and gather, on local cores, as a dry run, and on the Batch
 * stand-in.
 *
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent, tools } from '../../../infra/local/tools/index.ts';
import { snakemakeOnBatch } from '../../../infra/local/tools/peers.ts';
import type { Longhaul } from '../../support/longhaul.ts';
import { expectedText } from './ours.ts';
import { type PeerRun, runPeer } from './process.ts';

const snakefile = (tasks: number) => `TASKS = [f"t{i}" for i in range(${tasks})]
rule all:
    input: "all.txt"
rule one:
    output: "one/{task}.txt"
    shell: "echo {wildcards.task} > {output}"
rule gather:
    input: expand("one/{task}.txt", task=TASKS)
    output: "all.txt"
    shell: "cat {input} > {output}"
`;

/** @param check what the folder must hold in the end */
async function inFolder<T>(text: string, run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-peer-'));
  try {
    await writeFile(join(folder, 'Snakefile'), text);
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const environment = (bin: string, home: string) => ({
  PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
  HOME: home,
  LANG: 'C.UTF-8',
});

export async function runLocal(tasks: number): Promise<PeerRun> {
  const { bin } = await tools.snakemake(silent);
  return inFolder(snakefile(tasks), async (folder) => {
    const run = await runPeer([join(bin, 'snakemake'), '--cores', '2', '--quiet', 'all'], {
      cwd: folder,
      env: environment(bin, folder),
    });
    if ((await readFile(join(folder, 'all.txt'), 'utf8')) !== expectedText(tasks))
      throw new Error('something else was gathered');
    return run;
  });
}

/** Builds the DAG and tells what would run. */
export async function planOnly(tasks: number): Promise<PeerRun> {
  const { bin } = await tools.snakemake(silent);
  return inFolder(snakefile(tasks), (folder) =>
    runPeer([join(bin, 'snakemake'), '--cores', '2', '--dry-run', '--quiet', 'all'], {
      cwd: folder,
      env: environment(bin, folder),
    }),
  );
}

/** Any Snakefile on two local cores; `check` looks at its folder. */
export async function runSnakefile(text: string, check: (folder: string) => Promise<void>): Promise<PeerRun> {
  const { bin } = await tools.snakemake(silent);
  return inFolder(text, async (folder) => {
    const run = await runPeer([join(bin, 'snakemake'), '--cores', '2', '--quiet', 'all'], {
      cwd: folder,
      env: environment(bin, folder),
    });
    await check(folder);
    return run;
  });
}

const IMAGE = 'snakemake/peer:1';

/** By snakemake-executor-plugin-aws-batch on the same stand-in; calls of its jobs are left out, as ours are. */
export async function runOnBatch(longhaul: Longhaul, tasks: number): Promise<PeerRun & { calls: number }> {
  const { bin } = await snakemakeOnBatch(silent);
  const file = join(longhaul.directory, 'state/images.json');
  const images = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify({ ...images, [IMAGE]: { path: [bin] } }));
  const { AWS_ENDPOINT_URL: endpoint = '', AWS_REGION: region = '' } = longhaul.env;
  const queues = (await longhaul.action('GET calls?service=none')) as { lastSeq: number };
  return inFolder(snakefile(tasks), async (folder) => {
    const argv = [
      join(bin, 'snakemake'),
      ...['--jobs', String(tasks), '--quiet', 'all'],
      ...['--executor', 'aws-batch', '--container-image', IMAGE],
      ...[
        '--aws-batch-region',
        region,
        '--aws-batch-job-queue',
        'longhaul',
        '--aws-batch-job-role',
        longhaul.settings.jobRole,
      ],
      ...['--default-storage-provider', 's3', '--default-storage-prefix', `s3://longhaul/peer-${Date.now()}`],
      ...['--storage-s3-endpoint-url', endpoint, '--default-resources', 'mem_mb=256'],
    ];
    const aws = Object.fromEntries(Object.entries(longhaul.env).filter(([name]) => name.startsWith('AWS_')));
    const run = await runPeer(argv, {
      cwd: folder,
      env: { ...environment(bin, folder), ...aws, AWS_DEFAULT_REGION: region },
    });
    const { calls } = (await longhaul.action(`GET calls?after=${queues.lastSeq}`)) as {
      calls: { principal: string; operation: string }[];
    };
    const theirs = calls.filter(({ principal, operation }) => principal !== 'job' && operation !== 'ReceiveMessage');
    return { ...run, calls: theirs.length };
  });
}
