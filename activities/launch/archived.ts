/**
 * Which archived objects a launch needs: of the inputs of items that will run. Items whose results are known need none,
 * however deep theirs lie.
 *
 * @module
 */
import { heartbeat, log } from '@temporalio/activity';
import type { Inventory } from '../../lib/launch/inventory.ts';
import { IndexWriter, readIndex } from '../../lib/restore/index-files.ts';
import { mayNeedRestore, UNTOLD } from '../../lib/restore/state.ts';
import { find, type Sink } from '../../lib/restore/survey.ts';
import { parseS3Address } from '../../lib/s3-address.ts';
import type { ObjectIdentity } from '../../lib/s3-identify.ts';
import { compareKeys } from '../../lib/s3-order.ts';
import { inventoryAddress } from '../../workflows/launch/places.ts';
import { itemsOf, type Plan, type PlannedStep, type StepItem, upstreamItems } from '../../workflows/launch/plan.ts';
import { restoreState } from '../../workflows/restore/model.ts';
import type { LaunchDependencies } from './dependencies.ts';
import { imageDigests, inventories, plans } from './plan-reader.ts';
import { decideItems } from './settle.ts';
import { SourceFinder } from './sources.ts';
import { createStepFiles, type StepFiles, type StepItems } from './step-files.ts';

export interface ArchivedInput {
  launchId: string;
  attempt: number;
  planAddress: string;
}

/** Whether any input may be: else nothing has to be looked up. */
export const mayBeArchived = ({ objects }: Inventory): boolean =>
  Object.values(objects).some(({ storageClass }) => mayNeedRestore(storageClass));

export function createArchivedActivities({ s3, settings: { bucket } }: Pick<LaunchDependencies, 's3' | 'settings'>) {
  const files = createStepFiles(s3, bucket);
  return {
    /** @returns where the index of them lies, for the restore; undefined when the launch needs none */
    async findArchivedInputs(input: ArchivedInput): Promise<{ place: string; objects: number } | undefined> {
      const plan = await plans.read(s3, input.planAddress);
      const inventory = await inventories.read(s3, inventoryAddress(bucket, input.launchId, input.attempt));
      const candidates = Object.entries(inventory.objects).filter(([, { storageClass }]) =>
        mayNeedRestore(storageClass),
      );
      if (candidates.length === 0) return undefined;
      const place = restoreState(bucket, input.launchId, `attempt-${input.attempt}`);
      const before = await readIndex(s3, place);
      if (before?.complete) return { place, objects: before.shards.reduce((sum, { objects }) => sum + objects, 0) };
      const needed = await neededInputs(input, plan, inventory);
      const objects = await writeIndex(
        place,
        candidates.filter(([address]) => needed.has(address)),
      );
      log.info('archived inputs', { launchId: input.launchId, objects });
      return objects === 0 ? undefined : { place, objects };
    },
  };

  /** Addresses of the outside inputs of every item that has to run, as far as can be told before any has run. */
  async function neededInputs(input: ArchivedInput, plan: Plan, inventory: Inventory): Promise<Set<string>> {
    const images = await imageDigests(s3, bucket, input);
    const decided = new Map<string, StepItems>();
    // What is not decided yet is not written down; the steps below ask for it here.
    const asDecided: StepFiles = { ...files, items: async ({ step }) => decided.get(step) as StepItems };
    const needed = new Set<string>();
    for (const step of plan.steps) {
      heartbeat();
      const all = itemsOf(plan, step);
      const finder = new SourceFinder({ s3, bucket, files: asDecided, plan, inventory }, step);
      const decidable = decidableItems(plan, step, decided);
      const known = new Set([...all.keys()].filter((index) => decidable(all[index] as StepItem)));
      const items = await decideItems(
        { s3, bucket, files },
        { place: { ...input, step: step.name }, plan, step, all, finder, image: images[step.image] ?? step.image },
        known,
      );
      decided.set(step.name, items);
      for (const [index, item] of all.entries())
        if (!items.done[index]) for (const { from } of finder.outsideSources(item)) needed.add(from);
    }
    return needed;
  }

  async function writeIndex(place: string, needed: readonly [string, ObjectIdentity][]): Promise<number> {
    const writer = new IndexWriter(s3, place);
    const objects = needed.map(([address, { version, storageClass }]) => ({
      ...parseS3Address(address),
      ...(version !== undefined && { version }),
      untold: storageClass === UNTOLD,
    }));
    const sink: Sink = {
      add: (name, entry) => writer.add(name, entry),
      addReadable: () => {},
      // What is gone since the inventory was taken, the job that needs it says best.
      addMissing: () => {},
      reached: () => {},
      objects: 0,
    };
    const inOrder = objects.toSorted((one, other) => compareKeys(one.bucket, other.bucket));
    await find(s3, [{ kind: 'objects', objects: inOrder }], sink, { beat: heartbeat, now: Date.now });
    await writer.close();
    return writer.objects;
  }
}

/** Whether the key of an item can be told now: everything it takes from other steps is done. */
function decidableItems(
  plan: Plan,
  step: PlannedStep,
  decided: ReadonlyMap<string, StepItems>,
): (item: StepItem) => boolean {
  const upstreams = step.inputs.flatMap((input) => {
    const upstream = input.kind === 'from' ? plan.steps.find(({ name }) => name === input.step) : undefined;
    if (!upstream) return [];
    const done = decided.get(upstream.name)?.done ?? {};
    const keys = new Set(itemsOf(plan, upstream).flatMap(({ key }, index) => (done[index] ? [key] : [])));
    return [{ upstream, keys }];
  });
  return (item) =>
    upstreams.every(({ upstream, keys }) => upstreamItems(plan, item, upstream).every(({ key }) => keys.has(key)));
}
