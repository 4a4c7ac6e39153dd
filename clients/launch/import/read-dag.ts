/**
 * Asking Snakemake for the jobs of a Snakefile. Its Python code is run, as Snakemake does: only import what you trust.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { packageRoot } from '../../../infra/local/platform/root.ts';
import { type DagJob, ImportError } from './from-snakemake.ts';

export interface DagRequest {
  snakefile: string;
  directory: string;
  configfiles: readonly string[];
  targets: readonly string[];
  /** A Python that has Snakemake; found when absent. */
  python?: string;
}

const SCRIPT = 'clients/launch/import/snakemake_dag.py';
/** A DAG of 100,000 jobs. */
const MOST_BYTES = 512 * 1024 * 1024;

/** @throws ImportError with what Snakemake says of the file, or when there is no Snakemake */
export async function readDag(request: DagRequest): Promise<DagJob[]> {
  const python = request.python ?? (await findPython());
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-import-'));
  try {
    const file = join(folder, 'request.json');
    const absolute = (path: string) => resolve(request.directory, path);
    await writeFile(
      file,
      JSON.stringify({
        ...request,
        snakefile: resolve(request.snakefile),
        directory: resolve(request.directory),
        configfiles: request.configfiles.map(absolute),
      }),
    );
    const text = await run(python, [join(packageRoot(), SCRIPT), file]);
    return (JSON.parse(text.trim().split('\n').at(-1) ?? '') as { jobs: DagJob[] }).jobs;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(python: string, args: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    execFile(python, args, { maxBuffer: MOST_BYTES }, (error, stdout, stderr) => {
      if (!error) done(stdout);
      else fail(new ImportError(`Snakemake cannot read it: ${lastOf(stderr) || error.message}`));
    });
  });
}

const lastOf = (text: string): string => text.trim().split('\n').slice(-12).join('\n');

/** The interpreter of the `snakemake` on PATH: its first line names it. */
async function findPython(): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const text = await readFile(join(folder, 'snakemake'), 'utf8').catch(() => '');
    const [, python] = /^#!(\S*python\S*)/.exec(text) ?? [];
    if (python) return python;
  }
  throw new ImportError(
    'there is no snakemake on PATH: install it ("pip install snakemake==9.27.1"), or say --python <a Python that has it>',
  );
}
