/**
 * Longhaul beside its peers, in one run, alternating: see docs/performance.md.
 *
 *   npm run bench -- launch-peers [--only a,b,c,d] [--tasks 500] [--rounds 3] [--batch-tasks 50] [--plan-tasks 10000] [--json]
 *
 * @module
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';
import { installModuleHelpers, launchWide } from '../support/scale.ts';
import { checkGenome, genomeSheet, genomeSnakefile, genomeTasks, readIn } from './peers/genome.ts';
import { type OurRun, runFan, runLaunch } from './peers/ours.ts';
import type { PeerRun } from './peers/process.ts';
import { planOnly, runLocal, runOnBatch, runSnakefile } from './peers/snakemake.ts';
import { runToil } from './peers/toil.ts';
import { option, report } from './report.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const parts = (option('only') || 'a,b,c,d').split(',');
const tasks = Number(option('tasks') ?? 500);
const rounds = Number(option('rounds') ?? 3);
const result: Record<string, number> = { tasks };

if (parts.includes('a')) await shared();
if (parts.includes('b')) await onBatch(Number(option('batch-tasks') ?? 50));
if (parts.includes('c')) await planning(Number(option('plan-tasks') ?? 10_000));
if (parts.includes('d')) await genome(Number(option('genome-tasks') ?? 60));
report(result);
process.exit(0);

/** Each part has a platform of its own: what one leaves behind must not slow the next. */
async function onPlatform<T>(run: (longhaul: Longhaul) => Promise<T>): Promise<T> {
  const longhaul = await openLonghaul({ LONGHAUL_LOG_LEVEL: 'warn' });
  try {
    return await run(longhaul);
  } finally {
    await longhaul.close();
    // What it put there would mean to the next: use that server.
    for (const name of Object.keys(longhaul.env)) delete process.env[name];
  }
}

/** (a) The same two cores, nothing copied. `stage` and `publish` run inside the stand-in, commands as processes. */
async function shared(): Promise<void> {
  const ours: OurRun[] = [];
  const theirs: PeerRun[] = [];
  await onPlatform(async (longhaul) => {
    await installModuleHelpers(longhaul);
    // Both once before: what is loaded and compiled at first use is not the matter.
    await runFan(longhaul, 'warm', 10, 'shared');
    await runLocal(10);
    for (let round = 1; round <= rounds; round += 1) {
      const run = await runFan(longhaul, `shared-${round}`, tasks, 'shared');
      ours.push(run);
      const peer = await runLocal(tasks);
      theirs.push(peer);
      say(
        `a, round ${round}: ours ${seconds(run.seconds)} (processors ${seconds(run.cpuSeconds)}), Snakemake ${seconds(peer.seconds)} (${seconds(peer.cpuSeconds)})`,
      );
    }
  });
  result.secondsOurs = round2(median(ours.map((run) => run.seconds)));
  result.secondsSnakemake = round2(median(theirs.map((run) => run.seconds)));
  result.ratio = round2(result.secondsSnakemake / result.secondsOurs);
  result.cpuSecondsOurs = round2(median(ours.map((run) => run.cpuSeconds)));
  result.cpuSecondsSnakemake = round2(median(theirs.map((run) => run.cpuSeconds)));
  result.sharedCallsPerTaskOurs = round2(median(ours.map((run) => run.calls / tasks)));
  result.peakMiBSnakemake = median(theirs.map((run) => run.peakMiB));
  if (option('without-toil') === undefined) {
    result.secondsToil = round2((await runToil(tasks)).seconds);
    say(`a: Toil ${seconds(result.secondsToil)}`);
  }
}

/** (b) The same Batch, 50 SubmitJob a second, data in S3. */
async function onBatch(count: number): Promise<void> {
  await onPlatform(async (longhaul) => {
    await runFan(longhaul, 'warm', 4, 'staged');
    const ours = await runFan(longhaul, 'staged', count, 'staged');
    say(`b: ours ${seconds(ours.seconds)}, ${ours.calls} calls`);
    const theirs = await runOnBatch(longhaul, count);
    say(`b: Snakemake ${seconds(theirs.seconds)}, ${theirs.calls} calls`);
    result.batchTasks = count;
    result.batchSecondsOurs = round2(ours.seconds);
    result.batchSecondsSnakemake = round2(theirs.seconds);
    result.batchRatio = round2(theirs.seconds / ours.seconds);
    result.callsPerTaskOurs = round2(ours.calls / count);
    result.callsPerTaskSnakemake = round2(theirs.calls / count);
  });
}

/** (c) From the registered sheet to the first SubmitJob, preflight included, beside a dry run. */
async function planning(count: number): Promise<void> {
  const ours: number[] = [];
  const theirs: PeerRun[] = [];
  await onPlatform(async (longhaul) => {
    await installModuleHelpers(longhaul, 'instant:1');
    await launchWide(longhaul, 'plan-warm', { items: 10, failing: 0, image: 'instant:1', inputs: false });
    for (let round = 1; round <= Math.min(rounds, 3); round += 1) {
      const launchId = `plan-${round}`;
      // It is only planned: the items need not run.
      const ended = launchWide(longhaul, launchId, { items: count, failing: 0, image: 'instant:1', inputs: false });
      await submitted(longhaul, launchId);
      await longhaul.temporal.client.workflow.getHandle(`launch/${launchId}`).cancel();
      ours.push((await ended).plannedMs / 1000);
      theirs.push(await planOnly(count));
      say(`c, round ${round}: ours ${seconds(ours.at(-1) ?? 0)}, Snakemake ${seconds(theirs.at(-1)?.seconds ?? 0)}`);
    }
  });
  result.planTasks = count;
  result.planSecondsOurs = round2(median(ours));
  result.planSecondsSnakemake = round2(median(theirs.map((run) => run.seconds)));
  result.planRatio = round2(result.planSecondsSnakemake / result.planSecondsOurs);
  result.planPeakMiBSnakemake = median(theirs.map((run) => run.peakMiB));
}

async function submitted(longhaul: Longhaul, launchId: string): Promise<void> {
  while (!(await longhaul.steps.ofLaunch(launchId, 1)).some((row) => row.job_id !== undefined))
    await new Promise((resolve) => setTimeout(resolve, 50));
}

/** (d) A DAG with chains and joins instead of one wide step. */
async function genome(count: number): Promise<void> {
  const dag = await genomeTasks(count);
  const ours: number[] = [];
  const theirs: number[] = [];
  await onPlatform(async (longhaul) => {
    await installModuleHelpers(longhaul);
    await runFan(longhaul, 'warm', 10, 'shared');
    for (let round = 1; round <= rounds; round += 1) {
      const folder = await mkdtemp(join(tmpdir(), 'longhaul-shared-'));
      const launchId = `genome-${round}`;
      ours.push((await runLaunch(longhaul, launchId, genomeSheet(launchId, dag, folder))).seconds);
      const outputs = await launchOutputs(longhaul.aws.s3, longhaul.settings.bucket, launchId, dag.length);
      const files = new Map(outputs.map(({ step, address }) => [step, address.slice('shared:'.length)]));
      await checkGenome(dag, (name) => readFile(join(folder, files.get(name) ?? ''), 'utf8'));
      await rm(folder, { recursive: true });
      theirs.push((await runSnakefile(genomeSnakefile(dag), (place) => checkGenome(dag, readIn(place)))).seconds);
      say(`d, round ${round}: ours ${seconds(ours.at(-1) ?? 0)}, Snakemake ${seconds(theirs.at(-1) ?? 0)}`);
    }
  });
  result.genomeTasks = dag.length;
  result.genomeSecondsOurs = round2(median(ours));
  result.genomeSecondsSnakemake = round2(median(theirs));
  result.genomeRatio = round2(result.genomeSecondsSnakemake / result.genomeSecondsOurs);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

function round2(value: number): number {
  return Math.round(100 * value) / 100;
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function say(line: string): void {
  console.error(line);
}
