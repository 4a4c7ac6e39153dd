/**
 * What an estimate is asked of a plan: items of each step, and the sizes of those inputs that are there already.
 *
 * @module
 */
import type { StepQuestion } from '../../lib/cost/estimate/model.ts';
import { workOf } from '../../lib/cost/history.ts';
import { type Inventory, treeNames } from '../../lib/launch/inventory.ts';
import { resolveS3Address } from '../../lib/s3-address.ts';
import { expandPath } from '../../workflows/launch/manifest.ts';
import { itemsOf, type Plan, type PlannedInput, type PlannedStep, type StepItem } from '../../workflows/launch/plan.ts';

/**
 * @param cached items whose results are known, by step
 * @returns in the plan's order
 */
export const questionsOf = (
  plan: Plan,
  inventory: Inventory,
  cached: Readonly<Record<string, number>> = {},
): StepQuestion[] =>
  plan.steps.map((step) => {
    const known = Math.min(cached[step.name] ?? 0, step.items);
    return {
      step: step.name,
      after: step.after,
      work: workOf(plan.workflowType, step.name, step.image),
      items: step.items - known,
      cached: known,
      // Which items are cached is not told: their sizes are those of the first ones.
      inputBytes: itemsOf(plan, step)
        .slice(known)
        .flatMap((item) => bytesOf(plan, inventory, step, item) ?? []),
      vcpus: step.vcpus,
      memoryMib: step.memoryMiB,
    };
  });

/** @returns undefined where some input is made by an earlier step, or is not there: its size is not known */
function bytesOf(plan: Plan, inventory: Inventory, step: PlannedStep, item: StepItem): number | undefined {
  let bytes = 0;
  for (const input of step.inputs) {
    const addresses = addressesOf(plan, inventory, step, item, input);
    for (const address of addresses ?? [undefined]) {
      const object = address === undefined ? undefined : inventory.objects[address];
      if (!object) return undefined;
      bytes += object.size;
    }
  }
  return bytes;
}

function addressesOf(
  plan: Plan,
  inventory: Inventory,
  step: PlannedStep,
  item: StepItem,
  input: PlannedInput,
): string[] | undefined {
  if (plan.sharedFileSystem || input.kind === 'from') return undefined;
  if (input.kind === 'tree')
    return input.files.flatMap((file) => treeNames(inventory, plan, file).map(({ address }) => address));
  const path = expandPath(plan, step, item, input.path);
  return input.wildcard
    ? (inventory.patterns[path] ?? []).map(({ address }) => address)
    : [resolveS3Address(plan.dataPath, path)];
}
