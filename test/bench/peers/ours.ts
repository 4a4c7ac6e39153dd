/**
 * Longhaul's side of launch-peers: one-line tasks and a gather through Temporal and the Batch stand-in.
 *
 * @module
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchOutputs } from '../../../clients/launch/outputs.ts';
import { workflowIdOf } from '../../../workflows/launch/model.ts';
import type { SheetStep } from '../../../workflows/launch/sheet/sheet.ts';
import { sheet } from '../../support/live-sheet.ts';
import type { Longhaul } from '../../support/longhaul.ts';
import { cpuSecondsBelow } from './process.ts';

/** Access key of jobs: their calls are told apart by it. */
const JOB_PRINCIPAL = 'job';
const IMAGE = 'longhaul/genomics:1';

export interface OurRun {
  /** From the sheet's upload until the workflow's end. */
  seconds: number;
  /** From the launch's registration until its first job was submitted: read, checked, planned, looked up. */
  planSeconds: number;
  /** By workers and clients; waiting for messages is left out. */
  calls: number;
  /** Processor time of workers, servers, stand-ins and the tasks themselves. */
  cpuSeconds: number;
}

/** @throws Error when the launch did not end well */
export async function runLaunch(longhaul: Longhaul, launchId: string, text: string): Promise<OurRun> {
  const { temporal, put } = longhaul;
  const { lastSeq } = await longhaul.action('GET calls?service=none');
  const cpuBefore = await cpuSecondsBelow();
  const begun = performance.now();
  await put(`sheets/lab-a/${launchId}.yaml`, text);
  const handle = temporal.client.workflow.getHandle(workflowIdOf(launchId));
  // By Temporal alone: who watches makes calls too. The event has to come from S3 first.
  while (!(await handle.describe().catch(() => undefined))) await new Promise((resolve) => setTimeout(resolve, 20));
  await handle.result();
  const seconds = (performance.now() - begun) / 1000;
  const cpuSeconds = (await cpuSecondsBelow()) - cpuBefore;
  const { calls } = (await longhaul.action(`GET calls?after=${String(lastSeq)}`)) as {
    calls: { principal: string; operation: string; at: string }[];
  };
  const mine = calls.filter((call) => call.principal !== JOB_PRINCIPAL && call.operation !== 'ReceiveMessage');
  const submitted = mine.find(({ operation }) => operation === 'SubmitJob');
  const item = await longhaul.launches.get(launchId);
  return {
    seconds,
    planSeconds: (Date.parse(submitted?.at ?? '') - Date.parse(item?.statuses.PREPARING ?? '')) / 1000,
    calls: mine.length,
    cpuSeconds,
  };
}

/** The tasks' names: the same for every peer. */
export const taskNames = (tasks: number): string[] => Array.from({ length: tasks }, (_, index) => `t${index}`);

/** One line a task, then all lines in one file: what a peer must have written too. */
export const expectedText = (tasks: number): string => `${taskNames(tasks).join('\n')}\n`;

/** Staged: outputs go to S3. Shared: nothing is copied. */
export function fanSheet(launchId: string, tasks: number, shared: string | undefined): string {
  const step = (more: Partial<SheetStep>): Partial<SheetStep> => ({
    image: IMAGE,
    resources: { vcpus: 1, memoryMiB: 64 },
    ...more,
  });
  return sheet(
    launchId,
    {
      one: step({ scatter: ['task'], outputs: { o: 'o.txt' }, command: 'echo ${{ task }} > ${{ outputs.o }}' }),
      gather: step({
        inputs: { all: { from: 'one.o', gather: true } },
        outputs: { all: 'all.txt' },
        command: 'cat ${{ inputs.all }} > ${{ outputs.all }}',
      }),
    },
    {
      scatter: { task: taskNames(tasks) },
      cache: false,
      ...(shared !== undefined && { sharedFileSystem: { type: 'host', hostPath: shared } }),
    },
  );
}

/** Runs the fan-out and compares what it has gathered. */
export async function runFan(
  longhaul: Longhaul,
  launchId: string,
  tasks: number,
  mode: 'shared' | 'staged',
): Promise<OurRun> {
  const shared = mode === 'shared' ? await mkdtemp(join(tmpdir(), 'longhaul-shared-')) : undefined;
  try {
    const run = await runLaunch(longhaul, launchId, fanSheet(launchId, tasks, shared));
    const [output] = (await launchOutputs(longhaul.aws.s3, longhaul.settings.bucket, launchId)).filter(
      ({ step }) => step === 'gather',
    );
    const address = output?.address ?? '';
    const text =
      shared === undefined
        ? await longhaul.read(address)
        : await readFile(join(shared, address.slice('shared:'.length)), 'utf8');
    if (text !== expectedText(tasks)) throw new Error(`${launchId} has gathered something else`);
    return run;
  } finally {
    if (shared !== undefined) await rm(shared, { recursive: true, force: true });
  }
}
