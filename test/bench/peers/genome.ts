/**
 * A DAG of WfCommons, fitted to traces of the 1000Genome workflow, as a sheet and as a Snakefile. Its tasks sleep for their
 * run times, scaled down, and write what they have read.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { silent } from '../../../infra/local/tools/index.ts';
import { wfcommons } from '../../../infra/local/tools/peers.ts';
import type { SheetStep } from '../../../workflows/launch/sheet/sheet.ts';
import { sheet } from '../../support/live-sheet.ts';

export interface Task {
  name: string;
  /** Seconds, scaled. */
  sleep: number;
  parents: string[];
}

/** The longest task sleeps so long. */
const LONGEST_SECONDS = 0.1;

const SCRIPT = `import json, pathlib, random, sys
import numpy
random.seed(7); numpy.random.seed(7)
from wfcommons.wfchef.recipes import GenomeRecipe
from wfcommons import WorkflowGenerator
flow = WorkflowGenerator(GenomeRecipe.from_num_tasks(int(sys.argv[1]))).build_workflow()
tasks = [{"name": name, "runtime": float(flow.tasks[name].runtime or 0), "parents": sorted(flow.predecessors(name))} for name in flow.nodes]
print(json.dumps(sorted(tasks, key=lambda t: t["name"])))
`;

export async function genomeTasks(tasks: number): Promise<Task[]> {
  const { python } = await wfcommons(silent);
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-genome-'));
  try {
    await writeFile(join(folder, 'make.py'), SCRIPT);
    const { stdout } = await promisify(execFile)(python, [join(folder, 'make.py'), String(tasks)], {
      cwd: folder,
      maxBuffer: 2 ** 26,
    });
    const made = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
      name: string;
      runtime: number;
      parents: string[];
    }[];
    const longest = Math.max(...made.map(({ runtime }) => runtime), 1e-9);
    return made.map(({ name, runtime, parents }) => ({
      name: plain(name),
      sleep: Math.round((1000 * LONGEST_SECONDS * runtime) / longest) / 1000,
      parents: parents.map(plain),
    }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const plain = (name: string): string => `g_${name.replaceAll(/[^A-Za-z0-9_]/g, '_')}`.slice(0, 48);

export function genomeSheet(launchId: string, tasks: readonly Task[], hostPath: string): string {
  const steps = tasks.map(({ name, sleep, parents }): [string, Partial<SheetStep>] => [
    name,
    {
      image: 'longhaul/genomics:1',
      resources: { vcpus: 1, memoryMiB: 64 },
      inputs: Object.fromEntries(parents.map((parent, nth) => [`in${nth}`, { from: `${parent}.o` }])),
      outputs: { o: `${name}.txt` },
      command: `sleep ${sleep}; cat ${parents.map((_, nth) => `\${{ inputs.in${nth} }}`).join(' ')} </dev/null > \${{ outputs.o }}; echo ${name} >> \${{ outputs.o }}`,
    },
  ]);
  return sheet(launchId, Object.fromEntries(steps), { cache: false, sharedFileSystem: { type: 'host', hostPath } });
}

export function genomeSnakefile(tasks: readonly Task[]): string {
  const rules = tasks.map(
    ({ name, sleep, parents }) =>
      `rule ${name}:\n    input: ${parents.map((parent) => `"${parent}.txt"`).join(', ') || '[]'}\n    output: "${name}.txt"\n    shell: "sleep ${sleep}; cat {input} </dev/null > {output}; echo ${name} >> {output}"`,
  );
  return `rule all:\n    input: ${tasks.map(({ name }) => `"${name}.txt"`).join(', ')}\n\n${rules.join('\n\n')}\n`;
}

/** What the file of a task holds: what its parents hold, and its name. */
export function genomeText(tasks: readonly Task[]): Map<string, string> {
  const texts = new Map<string, string>();
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const textOf = (name: string): string => {
    const known = texts.get(name);
    if (known !== undefined) return known;
    const made = `${(byName.get(name)?.parents ?? []).map(textOf).join('')}${name}\n`;
    texts.set(name, made);
    return made;
  };
  for (const { name } of tasks) textOf(name);
  return texts;
}

export async function checkGenome(tasks: readonly Task[], read: (name: string) => Promise<string>): Promise<void> {
  for (const [name, text] of genomeText(tasks))
    if ((await read(name)) !== text) throw new Error(`${name} has written something else`);
}

export const readIn =
  (folder: string) =>
  (name: string): Promise<string> =>
    readFile(join(folder, `${name}.txt`), 'utf8');
