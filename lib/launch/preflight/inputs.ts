/**
 * Can every input from outside be read? As planning looks for them: in few calls where many lie in one folder.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Finding } from '../../../workflows/launch/preflight.ts';
import { formatBytes } from '../../../workflows/restore/details.ts';
import { type Inventory, takeInventory } from '../inventory.ts';
import type { CheckInput } from './check.ts';

export async function checkInputs({ plan, beat }: CheckInput, s3: S3Client): Promise<Finding[]> {
  const { inventory, missing } = await takeInventory(s3, plan, beat);
  return [
    ...missing.map(
      ({ at, message }): Finding => ({
        level: 'error',
        check: 'inputs',
        at,
        message,
        remedy: message.includes('access denied')
          ? 'let the worker read it (s3:GetObject, s3:ListBucket)'
          : 'upload it, or correct the path',
      }),
    ),
    ...archived(inventory),
  ];
}

/** Whether there is a copy already, or whether the items that need them will run at all, the launch itself finds out. */
function archived({ objects }: Inventory): Finding[] {
  const classes = ['GLACIER', 'DEEP_ARCHIVE'].flatMap((name) => {
    const some = Object.values(objects).filter(({ storageClass }) => storageClass === name);
    return some.length === 0
      ? []
      : [{ name, objects: some.length, bytes: some.reduce((sum, { size }) => sum + size, 0) }];
  });
  if (classes.length === 0) return [];
  const counts = classes.map((one) => `${one.objects} in ${one.name} (${formatBytes(one.bytes)})`);
  const most = classes.some(({ name }) => name === 'DEEP_ARCHIVE') ? 48 : 12;
  return [
    {
      level: 'warning',
      check: 'inputs',
      at: 'dataPath',
      message: `inputs are archived: ${counts.join(', ')}`,
      remedy: `the launch restores those it needs first, which takes up to ${most} h by the cheapest tier; "restore" in the sheet chooses another, and "longhaul restore plan" names prices`,
    },
  ];
}
