/**
 * Toil's side of launch-peers: the same one-line tasks and gather by its single-machine batch system.
 *
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../../../infra/local/tools/index.ts';
import { toil } from '../../../infra/local/tools/peers.ts';
import { expectedText } from './ours.ts';
import { type PeerRun, runPeer } from './process.ts';

const SCRIPT = `import os, subprocess, sys
from toil.common import Toil
from toil.job import Job

FOLDER, TASKS = os.environ["FOLDER"], int(os.environ["TASKS"])

def one(job, task):
    subprocess.check_call(["/bin/sh", "-c", f"echo {task} > {FOLDER}/{task}.txt"])

def gather(job, tasks):
    subprocess.check_call(["/bin/sh", "-c", "cat " + " ".join(f"{FOLDER}/{task}.txt" for task in tasks) + f" > {FOLDER}/all.txt"])

def fan(job, tasks):
    for task in tasks:
        job.addChildJobFn(one, task, memory="64M", cores=1, disk="1M")
    job.addFollowOnJobFn(gather, tasks, memory="64M", cores=1, disk="1M")

if __name__ == "__main__":
    options = Job.Runner.getDefaultArgumentParser().parse_args()
    with Toil(options) as flow:
        flow.start(Job.wrapJobFn(fan, [f"t{i}" for i in range(TASKS)], memory="64M", cores=1, disk="1M"))
`;

export async function runToil(tasks: number): Promise<PeerRun> {
  const { bin, python } = await toil(silent);
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-toil-'));
  try {
    await writeFile(join(folder, 'flow.py'), SCRIPT);
    const argv = [
      python,
      join(folder, 'flow.py'),
      join(folder, 'store'),
      '--batchSystem',
      'single_machine',
      '--maxCores',
      '2',
      '--caching=False',
      '--logWarning',
    ];
    const env = {
      PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
      HOME: folder,
      LANG: 'C.UTF-8',
      FOLDER: folder,
      TASKS: String(tasks),
    };
    const run = await runPeer(argv, { cwd: folder, env });
    if ((await readFile(join(folder, 'all.txt'), 'utf8')) !== expectedText(tasks))
      throw new Error('something else was gathered');
    return run;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
