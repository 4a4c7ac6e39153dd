/**
 * Which items of a step have to run: keys of all of them, and which are done already, by an earlier attempt of this launch
 * or by the cache. Settled once an attempt, before the first job is submitted.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { UnreadableObjectError } from '../../lib/s3-objects.ts';
import type { Plan, PlannedStep, StepItem } from '../../workflows/launch/plan.ts';
import { lookUp } from './cache.ts';
import { itemKey, keyParts, stepKey } from './cache-key.ts';
import type { SourceFinder } from './sources.ts';
import type { StepFiles, StepItems, StepPlace } from './step-files.ts';

export interface Settling {
  place: StepPlace & { generation: number };
  plan: Plan;
  step: PlannedStep;
  all: readonly StepItem[];
  finder: SourceFinder;
  /** Its digest, where that is known. */
  image: string;
  /** Somebody may have settled them before. */
  again: boolean;
}

export async function settleItems(
  { s3, bucket, files }: { s3: S3Client; bucket: string; files: StepFiles },
  { place, plan, step, all, finder, image, again }: Settling,
): Promise<StepItems> {
  if (place.generation > 1) return files.items(place);
  const known = again ? await settledBefore(files, place) : undefined;
  if (known) return known;
  const items = await decideItems({ s3, bucket, files }, { place, plan, step, all, finder, image });
  await files.keepItems(place, items);
  return items;
}

/**
 * Keys and what is done, as it is now; changes nothing.
 * @param only places in the plan of the items that can be decided; all of them when left out
 */
export async function decideItems(
  { s3, bucket, files }: { s3: S3Client; bucket: string; files: StepFiles },
  { place, plan, step, all, finder, image }: Omit<Settling, 'place' | 'again'> & { place: StepPlace },
  only?: ReadonlySet<number>,
): Promise<StepItems> {
  const items: StepItems = { version: 1, stepKey: stepKey(plan, step, image), keys: [], done: {} };
  const decided = [...all.entries()].filter(([index]) => only?.has(index) ?? true);
  await finder.prepare(decided.map(([, item]) => item));
  for (const [index, item] of decided) {
    const sources = await finder.sources(item);
    const inputs = await finder.keyInputs(item, sources);
    items.keys[index] = itemKey(keyParts(plan, step, item, { image, sources, inputs }));
  }
  // Nobody can have committed in a first attempt.
  if (place.attempt > 1) {
    const committed = await files.committed(place);
    for (const [index, item] of decided) {
      if (committed.has(`${item.key}/${items.keys[index]}`))
        items.done[index] = { how: 'earlier', launch: place.launchId, step: step.name, item: item.key };
    }
  }
  if (plan.cache && leavesResults(step)) {
    const open = new Map(
      decided.flatMap(([index]) => (items.done[index] ? [] : [[index, items.keys[index] ?? ''] as const])),
    );
    const hits = await lookUp(s3, { bucket, consumer: plan.consumer, stepKey: items.stepKey }, open);
    for (const [index, hit] of hits) items.done[index] = hit;
  }
  return items;
}

/** A step without outputs is run for what else it does; nobody can tell whether that is still done. */
export const leavesResults = (step: PlannedStep): boolean => step.outputs.length > 0;

async function settledBefore(files: StepFiles, place: StepPlace): Promise<StepItems | undefined> {
  try {
    return await files.items(place);
  } catch (error) {
    if (error instanceof UnreadableObjectError) return undefined;
    throw error;
  }
}
