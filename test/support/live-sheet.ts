/**
 * Sheets that really run on the embedded platform: the parts that matter stand in the test, the rest here.
 *
 * @module
 */
import { stringify } from 'yaml';
import type { Sheet, SheetStep } from '../../workflows/launch/sheet/sheet.ts';

/** On the embedded platform: a plain environment with sh and the machine's own tools. */
const IMAGE = 'longhaul/genomics:1';

export function sheet(
  launchId: string | undefined,
  steps: Record<string, Partial<SheetStep>>,
  rest: Partial<Sheet> = {},
): string {
  const filled = Object.entries(steps).map(([name, step]) => [
    name,
    { image: IMAGE, resources: { vcpus: 1, memoryMiB: 128 }, ...step },
  ]);
  return stringify({
    apiVersion: 'longhaul/v1',
    ...(launchId !== undefined && { launchId }),
    workflowType: 'steps',
    consumer: 'lab-a',
    dataPath: 's3://longhaul/data/',
    ...rest,
    steps: Object.fromEntries(filled) as Sheet['steps'],
  });
}
