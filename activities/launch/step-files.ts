/**
 * What a step keeps in S3 between its activities: its items with their keys, and what each generation left undone.
 * docs/job-contract.md specifies both.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { heartbeat } from '@temporalio/activity';
import { listKeys, putJson, readJson } from '../../lib/s3-objects.ts';
import type { JobFailure } from '../../lib/store/steps.ts';
import type { CauseName } from '../../workflows/launch/causes.ts';
import { commitAddress } from '../../workflows/launch/manifest.ts';
import { launchState, stepState } from '../../workflows/launch/places.ts';
import type { StepItem } from '../../workflows/launch/plan.ts';
import type { ItemReview } from '../../workflows/launch/retries.ts';
import { Kept } from './kept.ts';

/** An item that needs no job, and where its commit lies. */
export interface DoneItem {
  how: 'earlier' | 'cached';
  launch: string;
  step: string;
  item: string;
  /** Of its outputs, where it is known already. */
  digest?: string;
}

export interface StepItems {
  version: 1;
  stepKey: string;
  /** One for each item, in the order of the plan. */
  keys: string[];
  /** By place in the plan. */
  done: Record<number, DoneItem>;
}

export interface GenerationReview {
  version: 1;
  again: (ItemReview & { nextMemoryMiB: number })[];
  final: ItemReview[];
  /** Jobs and children that failed so far, by cause. */
  failures: Partial<Record<CauseName, number>>;
  /** Those of this and earlier generations that were looked at closely. */
  examined: JobFailure[];
}

export interface StepPlace {
  launchId: string;
  attempt: number;
  step: string;
}

const REVIEW_LIMIT = 256 * 1024 * 1024;
const kept = new Kept<StepItems>(32);

export const createStepFiles = (s3: S3Client, bucket: string) => {
  const folder = ({ launchId, attempt, step }: StepPlace) => stepState(bucket, launchId, attempt, step);
  return {
    items: (place: StepPlace): Promise<StepItems> => kept.read(s3, `${folder(place)}items.json`),

    async keepItems(place: StepPlace, items: StepItems): Promise<void> {
      const address = `${folder(place)}items.json`;
      await putJson(s3, address, items);
      kept.set(address, items);
    },

    /** @returns undefined for generation 0, before which there was none */
    async review(place: StepPlace, generation: number): Promise<GenerationReview | undefined> {
      if (generation === 0) return undefined;
      return readJson<GenerationReview>(s3, `${folder(place)}${generation}.review.json`, REVIEW_LIMIT);
    },

    keepReview: (place: StepPlace, generation: number, review: GenerationReview): Promise<void> =>
      putJson(s3, `${folder(place)}${generation}.review.json`, review),

    /** What has been committed of a step, by any attempt: `<item>/<key>`. One page of a listing tells a thousand. */
    async committed({ launchId, step }: StepPlace): Promise<Set<string>> {
      const prefix = `${launchState(bucket, launchId)}commits/${step}/`;
      const start = prefix.length - `s3://${bucket}/`.length;
      const found = new Set<string>();
      for await (const keys of listKeys(s3, prefix)) {
        heartbeat();
        for (const key of keys) found.add(key.slice(start).replace(/\.json$/, ''));
      }
      return found;
    },

    manifest: (place: StepPlace, generation: number, shard: number): string =>
      `${folder(place)}${generation}-${shard}.jsonl`,

    /** Where the commit of an item lies: this launch's own, or that of the launch that did it. */
    commitOf(place: StepPlace, items: StepItems, index: number, item: StepItem): string {
      const done = items.done[index];
      const key = items.keys[index] ?? '';
      const own = { launch: place.launchId, step: place.step, item: item.key };
      const at = done ?? own;
      return commitAddress(launchState(bucket, at.launch), at.step, at.item, key);
    },
  };
};

export type StepFiles = ReturnType<typeof createStepFiles>;
