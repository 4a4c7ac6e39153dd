/**
 * What a head job's workflow type makes of the sheet, put into S3 and entered as inputs of the head.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type Inventory, treeNames } from '../../lib/launch/inventory.ts';
import { parseS3Address } from '../../lib/s3-address.ts';
import { hasWildcard } from '../../workflows/launch/patterns.ts';
import { artifactFolder } from '../../workflows/launch/places.ts';
import type { Plan, PlannedStep, TreeFile } from '../../workflows/launch/plan.ts';
import type { Sheet } from '../../workflows/launch/sheet/sheet.ts';
import type { PlannedHead } from '../../workflows/launch/types/head.ts';
import type { Found } from '../../workflows/launch/types/plugin.ts';

/** Where they lie in the job: `inputs/made/`, {@link MADE} of the plug-ins. */
const INPUT = 'made';

/** Adds the files to the head's inputs and to the inventory; the same content has the same address and key. */
export async function keepArtifacts(
  { s3, bucket }: { s3: S3Client; bucket: string },
  plan: Plan,
  sheet: Sheet,
  inventory: Inventory,
  artifacts: PlannedHead['artifacts'],
): Promise<void> {
  const head = plan.steps[0] as PlannedStep;
  const files: TreeFile[] = [];
  for (const { name, text } of artifacts(found(plan, head, sheet, inventory))) {
    const digest = createHash('sha256').update(text).digest('hex');
    const base = artifactFolder(bucket, plan.consumer, digest);
    const { bucket: Bucket, key: Key } = parseS3Address(`${base}${name}`);
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: text, ContentType: 'text/plain' }));
    // By ETag, not by version: putting the same again makes another version of the same thing.
    inventory.objects[`${base}${name}`] = { size: Buffer.byteLength(text), etag: ETag ?? '' };
    files.push({ path: `${base}${name}`, wildcard: false, at: 'steps', base });
  }
  if (files.length > 0) head.inputs = [...head.inputs, { name: INPUT, kind: 'tree', files }];
}

function found(plan: Plan, head: PlannedStep, sheet: Sheet, inventory: Inventory): Found {
  const names = (path: string) =>
    treeNames(inventory, plan, { path, wildcard: hasWildcard(path) }).map(({ name }) => name);
  const trees = head.inputs.flatMap((input) => (input.kind === 'tree' && input.name === 'data' ? input.files : []));
  return {
    inputs: Object.fromEntries(Object.entries(sheet.inputs ?? {}).map(([name, path]) => [name, names(path)])),
    patterns: Object.fromEntries(trees.flatMap(({ path, wildcard }) => (wildcard ? [[path, names(path)]] : []))),
  };
}
