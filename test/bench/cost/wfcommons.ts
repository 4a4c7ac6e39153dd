/**
 * Workflows by WfCommons, whose recipes have distributions of run times and file sizes that were fitted to traces of real
 * runs (doi.org/10.1016/j.future.2021.09.043). Nothing of our own model is in them.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { silent } from '../../../infra/local/tools/index.ts';
import { wfcommons } from '../../../infra/local/tools/peers.ts';

/** Each with a workflow of about a hundred tasks and up. */
export const RECIPES = [
  'Genome',
  'Bwa',
  'Blast',
  'Epigenomics',
  'Montage',
  'Seismology',
  'Cycles',
  'Soykb',
  'Srasearch',
] as const;
export type Recipe = (typeof RECIPES)[number];

/** Program, bytes of input, seconds. */
export type Task = readonly [program: string, bytes: number, seconds: number];

export interface Workflow {
  recipe: Recipe;
  /** Which one of the recipe. */
  nth: number;
  tasks: readonly Task[];
}

export interface Wanted {
  recipes: readonly Recipe[];
  /** Of each. */
  count: number;
  seed: number;
  mostTasks: number;
}

/** The smallest that all recipes can make. */
const LEAST_TASKS = 110;

/**
 * Sizes are spread evenly over their logarithm, and drawn by the same seed. Every program's runtime comes from the
 * recipe; a task without input has 0 bytes.
 */
const SCRIPT = `import json, math, random, sys
import numpy
import wfcommons.wfchef.recipes as recipes
from wfcommons import WorkflowGenerator
wanted = json.loads(sys.argv[1])
for place, name in enumerate(wanted["all"]):
    if name not in wanted["recipes"]: continue
    for nth in range(wanted["count"]):
        seed = (wanted["seed"] * 1000003 + place * 10007 + nth) % 2**31
        random.seed(seed); numpy.random.seed(seed)
        least, most = wanted["least"], wanted["most"]
        size = int(math.exp(random.uniform(math.log(least), math.log(most))))
        flow = WorkflowGenerator(getattr(recipes, name + "Recipe").from_num_tasks(size)).build_workflow()
        tasks = [flow.tasks[key] for key in flow.nodes]
        rows = sorted([t.program or t.name, sum(f.size for f in t.input_files), float(t.runtime or 0)] for t in tasks)
        print(json.dumps({"recipe": name, "nth": nth, "tasks": rows}), flush=True)
`;

/** The same for the same arguments, whatever the machine. */
export async function generate({ recipes, count, seed, mostTasks }: Wanted): Promise<Workflow[]> {
  const { python } = await wfcommons(silent);
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-cost-'));
  try {
    await writeFile(join(folder, 'make.py'), SCRIPT);
    const wanted = JSON.stringify({ all: RECIPES, recipes, count, seed, least: LEAST_TASKS, most: mostTasks });
    const { stdout } = await promisify(execFile)(python, [join(folder, 'make.py'), wanted], {
      cwd: folder,
      maxBuffer: 2 ** 30,
      env: { ...process.env, PYTHONHASHSEED: '0' },
    });
    const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as Workflow);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
