/**
 * A head job without a compute service: its folders laid out as `stage` does, its command run as `main` is, its working
 * folder kept and brought back by the product's own code. For what engines do, killed and started again.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Job } from '../../jobs/job.ts';
import { restoreState, StateKeeper } from '../../jobs/state.ts';
import { expandScript } from '../../workflows/launch/manifest.ts';
import type { Plan, PlannedStep } from '../../workflows/launch/plan.ts';
import { planLaunch } from '../../workflows/launch/plan-launch.ts';
import type { Sheet } from '../../workflows/launch/sheet/sheet.ts';
import { pluginOf } from '../../workflows/launch/types/index.ts';
import type { LogParser, LogPicture } from '../../workflows/launch/types/plugin.ts';

export interface HeadRun {
  process: ChildProcess;
  lines: string[];
  picture(): LogPicture;
  ended: Promise<number>;
  kill(): Promise<void>;
}

export interface EngineWorld {
  folder: string;
  outputs: string;
  plan: Plan;
  start(): HeadRun;
  /** Runs to the end. */
  run(): Promise<HeadRun & { code: number }>;
  /** Stores the working folder as head number `nth`. */
  save(nth: number): Promise<number | undefined>;
  /** Empties the working folder, as a new host has it, and brings back what was kept. */
  restore(nth: number): Promise<void>;
  read(path: string): Promise<string>;
  close(): Promise<void>;
}

const BUCKET = 'longhaul';

export async function openEngine(
  s3: S3Client,
  bin: string,
  sheet: Omit<Sheet, 'apiVersion' | 'consumer' | 'dataPath'>,
  files: { data?: Record<string, string>; workflow?: Record<string, string> },
): Promise<EngineWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-engine-'));
  const outputs = join(folder, 'outputs');
  const put = async (top: string, some: Record<string, string> = {}) => {
    for (const [name, text] of Object.entries(some)) {
      await mkdir(dirname(join(folder, top, name)), { recursive: true });
      await writeFile(join(folder, top, name), text);
    }
  };
  const planned = planLaunch(
    { apiVersion: 'longhaul/v1', consumer: 'lab-a', dataPath: 's3://longhaul/data/', ...sheet },
    { launchId: 'run-1', attempt: 1, computeService: 'batch', defaultResultsPath: 's3://longhaul/r/', discovered: {} },
  );
  if ('problems' in planned) throw new Error(JSON.stringify(planned.problems));
  const step = planned.plan.steps[0] as PlannedStep;
  const names = Object.keys(files.data ?? {}).sort();
  const matching = (pattern: string) =>
    names.filter((name) => name === pattern || new RegExp(`^${pattern.replaceAll('*', '[^/]*')}$`).test(name));
  const made = planned.artifacts?.({
    inputs: Object.fromEntries(Object.entries(sheet.inputs ?? {}).map(([name, path]) => [name, matching(path)])),
    patterns: {},
  });
  await mkdir(outputs, { recursive: true });
  await put('inputs/data', files.data);
  await put('inputs/workflow', files.workflow);
  await put('inputs/made', Object.fromEntries((made ?? []).map(({ name, text }) => [name, text])));
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET })).catch(() => {});
  const prefix = `s3://${BUCKET}/launches/run-1/heads/${folder.split('/').at(-1)}/`;
  const state = { ...(step.head?.state ?? { keep: [], leave: [], markers: [] }), prefix };
  const job = (nth: number): Job =>
    ({
      row: { item: 'all', state },
      launchAttempt: 1,
      generation: nth,
      attempt: 1,
      id: `job-${nth}`,
      say: () => {},
    }) as unknown as Job;

  const start = (): HeadRun => {
    const text = step.main.kind === 'command' ? step.main.script : '';
    const script = expandScript(planned.plan, step, { key: 'all', values: {} }, {}, text);
    // As the Batch stand-in does: paths in variables are those of the container.
    const variables = Object.entries(step.environment).map(([name, value]) => [
      name,
      value.replaceAll('/longhaul/work', folder),
    ]);
    const child = spawn('/bin/sh', ['-c', script], {
      cwd: outputs,
      detached: true,
      env: {
        PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
        HOME: folder,
        LANG: 'C.UTF-8',
        LONGHAUL_WORK: folder,
        ...(Object.fromEntries(variables) as Record<string, string>),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: string[] = [];
    const parser: LogParser = pluginOf(step.head?.type ?? 'command').parser();
    const read = [child.stdout, child.stderr].map(async (stream) => {
      for await (const line of createInterface({ input: stream })) {
        lines.push(line);
        parser.read(line);
      }
    });
    const ended = once(child, 'exit').then(async ([code]) => {
      await Promise.all(read);
      return (code as number | null) ?? 137;
    });
    return {
      process: child,
      lines,
      picture: () => parser.picture(),
      ended,
      async kill() {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        await ended;
      },
    };
  };
  const keepers = new Map<number, StateKeeper>();
  return {
    folder,
    outputs,
    plan: planned.plan,
    start,
    async run() {
      const run = start();
      return { ...run, code: await run.ended };
    },
    async save(nth) {
      const keeper = keepers.get(nth) ?? new StateKeeper(s3, job(nth), state, outputs);
      keepers.set(nth, keeper);
      return keeper.save();
    },
    async restore(nth) {
      await rm(outputs, { recursive: true, force: true });
      await mkdir(outputs);
      await restoreState(s3, job(nth), state, outputs);
    },
    read: (path) => readFile(join(outputs, path), 'utf8'),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
