/**
 * What lies outside a launch and goes into it: looked up once, before anything is submitted, and kept. Jobs fetch just
 * these versions, and keys are made of them.
 *
 * @module
 */

import type { S3Client } from '@aws-sdk/client-s3';
import { expandPath } from '../../workflows/launch/manifest.ts';
import { itemsOf, type Plan, type TreeFile } from '../../workflows/launch/plan.ts';
import type { Problem } from '../../workflows/launch/sheet/problems.ts';
import { resolveS3Address } from '../s3-address.ts';
import { identify, type ObjectIdentity } from '../s3-identify.ts';
import { listMatches } from '../s3-patterns.ts';

export interface Inventory {
  version: 1;
  /** By `s3://` address. */
  objects: Record<string, ObjectIdentity>;
  /** By expanded pattern: what it stands for, in S3's order. */
  patterns: Record<string, { address: string; name: string }[]>;
}

/**
 * @param beat called while it goes on
 * @returns what was found, and a problem for each input that was not
 */
export async function takeInventory(
  s3: S3Client,
  plan: Plan,
  beat: () => void,
): Promise<{ inventory: Inventory; missing: Problem[] }> {
  const inventory: Inventory = { version: 1, objects: {}, patterns: {} };
  const missing: Problem[] = [];
  // On a shared file system only the jobs can see the inputs; stage says what is missing there.
  if (plan.sharedFileSystem) return { inventory, missing };
  const wanted = wantedInputs(plan);
  const addresses = new Map<string, string>();
  for (const [path, { at, wildcard }] of wanted) {
    if (!wildcard) {
      addresses.set(resolveS3Address(plan.dataPath, path), at);
      continue;
    }
    const found: Inventory['patterns'][string] = [];
    for await (const { address, name } of listMatches(s3, plan.dataPath, path)) {
      beat();
      found.push({ address, name });
      addresses.set(address, at);
    }
    inventory.patterns[path] = found;
    if (found.length === 0)
      missing.push({
        kind: 'missing',
        at,
        message: `${resolveS3Address(plan.dataPath, path)}: nothing matches this pattern`,
      });
  }
  const identified = await identify(s3, addresses.keys(), beat);
  for (const [address, at] of addresses) {
    const found = identified.get(address);
    if (!found || 'reason' in found)
      missing.push({ kind: 'missing', at, message: `${address}: ${found?.reason ?? 'there is no such object'}` });
    else inventory.objects[address] = found;
  }
  return { inventory, missing };
}

/** The files of one entry of a tree: addresses, and names that keep their places. */
export function treeNames(
  inventory: Inventory,
  { dataPath }: Pick<Plan, 'dataPath'>,
  { path, wildcard, base }: Pick<TreeFile, 'path' | 'wildcard' | 'base'>,
): { address: string; name: string }[] {
  const own = path.startsWith('s3://');
  const start = base ?? (own ? 's3://' : dataPath);
  const addresses = wildcard
    ? (inventory.patterns[path] ?? []).map(({ address }) => address)
    : [resolveS3Address(dataPath, path)];
  return addresses.map((address) => ({ address, name: address.slice(start.length) }));
}

/** Expanded paths of all outside inputs, each with the place in the sheet that asks for it first. */
function wantedInputs(plan: Plan): Map<string, { at: string; wildcard: boolean }> {
  const wanted = new Map<string, { at: string; wildcard: boolean }>();
  for (const step of plan.steps) {
    for (const input of step.inputs)
      if (input.kind === 'tree') for (const { path, wildcard, at } of input.files) wanted.set(path, { at, wildcard });
    const outside = step.inputs.filter((input) => input.kind === 'path');
    if (outside.length === 0) continue;
    for (const item of itemsOf(plan, step)) {
      for (const input of outside) {
        const path = expandPath(plan, step, item, input.path);
        if (!wanted.has(path))
          wanted.set(path, { at: `steps.${step.name}.inputs.${input.name}`, wildcard: input.wildcard });
      }
    }
  }
  return wanted;
}
