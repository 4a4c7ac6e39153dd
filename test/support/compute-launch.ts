/**
 * One launch that every compute service of jobs in one process must bring to its end: items, a gather, logs.
 *
 * @module
 */
import { expect } from 'vitest';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import type { StepItem } from '../../lib/store/steps.ts';
import type { ComputeService } from '../../workflows/launch/model.ts';
import { sheet } from './live-sheet.ts';
import type { Longhaul } from './longhaul.ts';

const SAMPLES = ['a', 'b', 'c'];

/** @returns the row of the step that is scattered */
export async function launchThrough(
  longhaul: Longhaul,
  computeService: ComputeService,
  launchId: string,
): Promise<StepItem> {
  const text = sheet(
    launchId,
    {
      part: {
        scatter: ['sample'],
        command: 'echo working on ${{ sample }}\necho ${{ sample }} > ${{ outputs.part }}',
        outputs: { part: 'part' },
      },
      whole: {
        command: 'cat ${{ inputs.parts }} > ${{ outputs.whole }}',
        inputs: { parts: { from: 'part.part', gather: true } },
        outputs: { whole: 'whole' },
      },
    },
    { computeService, scatter: { sample: SAMPLES } },
  );
  await longhaul.put(`sheets/lab-a/${launchId}.yaml`, text);
  const progress = await longhaul.follow(launchId);

  expect(progress.error).toBeUndefined();
  expect(progress.status).toBe('COMPLETE');
  const outputs = await launchOutputs(longhaul.aws.s3, 'longhaul', launchId);
  expect(await longhaul.read(outputs.at(-1)?.address ?? '')).toBe(SAMPLES.map((sample) => `${sample}\n`).join(''));
  const logs = await longhaul.cli('launch', 'logs', launchId);
  expect(logs.code).toBe(0);
  for (const sample of SAMPLES) expect(logs.stdout).toContain(`working on ${sample}`);
  const [row] = await longhaul.steps.ofLaunch(launchId, 1);
  expect(row).toMatchObject({ compute_service: computeService, log_group: '/longhaul/jobs' });
  return row as StepItem;
}
