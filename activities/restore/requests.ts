/**
 * Asking for objects, looking at them, and listing those that cannot be restored.
 *
 * @module
 */
import { activityInfo, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import { mapLimited } from '../../lib/concurrency.ts';
import { type RestoreIndex, readIndex } from '../../lib/restore/index-files.ts';
import { addCounts, noCounts, processShard, readFailures, type ShardCounts } from '../../lib/restore/requester.ts';
import { putJson, putText, readJson, UnreadableObjectError } from '../../lib/s3-objects.ts';
import { LIMITS, type RestorePlan } from '../../workflows/restore/model.ts';
import { beat } from './beat.ts';
import type { RestoreDependencies } from './dependencies.ts';

export interface RequestsInput extends Pick<RestorePlan, 'tiers' | 'days'> {
  place: string;
  /** Shards from this one to before that. */
  from: number;
  to: number;
}

export interface SweepInput extends Pick<RestorePlan, 'tiers' | 'days'> {
  place: string;
  /** Which look this is, from 1. */
  pass: number;
  /** Epoch ms. */
  extendBefore: number;
}

/** How far a batch of requests is: everything before it is done, and counted. */
interface RequestCursor {
  shard: number;
  chunks: number;
  counts: ShardCounts;
}

/** Shards a sweep looks at at a time: listings of one prefix come one after the other. */
const SWEEPING = 4;
const REQUESTING = 64;
const SETTLED_LIMIT = 64 * 1024 * 1024;
/** A restore of fewer shards looks at all of them each time: that is a few calls. */
const REMEMBERED_FROM = 8;
/** The list for people is cut here; each shard's own list is whole. */
const LISTED = 100_000;

export function createRequestActivities({ s3, now = Date.now }: RestoreDependencies) {
  return {
    /** Goes on where an earlier try was cut off, and looks first at what that may have asked for. */
    async requestRestores({ place, from, to, tiers, days }: RequestsInput): Promise<ShardCounts> {
      const index = await wholeIndex(place);
      const before = activityInfo().heartbeatDetails as RequestCursor | undefined;
      const again = activityInfo().attempt > 1;
      const sum = before?.counts ?? noCounts();
      let cursor: RequestCursor = before ?? { shard: from, chunks: 0, counts: sum };
      const tell = () => {
        heartbeat(cursor);
        cancellationSignal().throwIfAborted();
      };
      for (let number = cursor.shard; number < to; number += 1) {
        const shard = shardOf(index, number);
        const skipChunks = number === before?.shard ? before.chunks : 0;
        const earlier = structuredClone(sum);
        const counts = await processShard(s3, place, number, shard, {
          tiers,
          days,
          pass: 0,
          // Of this batch an earlier try may have asked for some already.
          look: again,
          width: REQUESTING,
          skipChunks,
          beat: tell,
          now,
          done(chunks, sofar) {
            cursor = { shard: number, chunks, counts: addCounts(structuredClone(earlier), sofar) };
            tell();
          },
        });
        addCounts(sum, counts);
        cursor = { shard: number + 1, chunks: 0, counts: structuredClone(sum) };
        tell();
      }
      log.info('asked for objects', { place, from, to, requested: sum.requested, failed: sum.failed });
      return sum;
    },

    /**
     * Looks at every object, asks again for what has been lost, and extends copies that would go. Of large restores a shard
     * that has been seen whole is looked at again only when its copies are to be extended.
     */
    async sweepRestores({ place, tiers, days, pass, extendBefore }: SweepInput): Promise<ShardCounts> {
      const index = await wholeIndex(place);
      const sum = noCounts();
      const remembers = index.shards.length >= REMEMBERED_FROM;
      const settled = remembers ? await readSettled(s3, place) : {};
      const numbers = index.shards.map((_, number) => number);
      await mapLimited(numbers, SWEEPING, async (number) => {
        const known = settled[number];
        if (known && (known.firstExpiry ?? extendBefore) >= extendBefore) {
          addCounts(sum, known);
          return;
        }
        const shard = shardOf(index, number);
        const options = { tiers, days, pass, look: true, extendBefore, beat, now, width: REQUESTING / SWEEPING };
        const counts = await processShard(s3, place, number, shard, options);
        addCounts(sum, counts);
        if (counts.readable + counts.failed === shard.objects)
          settled[number] = { ...counts, requested: 0, extended: 0 };
        else delete settled[number];
      });
      if (remembers) await putJson(s3, settledAddress(place), settled);
      const { missing } = index;
      sum.failed += missing.count;
      sum.failures.unshift(...missing.first.slice(0, Math.max(0, LIMITS.failuresShown - sum.failures.length)));
      log.info('looked at objects', {
        place,
        pass,
        readable: sum.readable,
        restoring: sum.restoring,
        failed: sum.failed,
      });
      return sum;
    },

    /** One file with all that failed, for people. */
    async collectFailures({ place }: { place: string }): Promise<void> {
      const index = await wholeIndex(place);
      const lines = index.missing.first.map((failure) => JSON.stringify(failure));
      for (const number of index.shards.keys()) {
        beat();
        if (lines.length >= LISTED) break;
        lines.push(...(await readFailures(s3, place, number)).map((failure) => JSON.stringify(failure)));
      }
      await putText(s3, `${place}failures.ndjson`, lines.map((line) => `${line}\n`).join(''), 'application/x-ndjson');
    },
  };

  async function wholeIndex(place: string): Promise<RestoreIndex> {
    const index = await readIndex(s3, place);
    if (!index?.complete) throw new Error(`there is no whole index at ${place}`);
    return index;
  }
}

/** Shards every object of which has been seen to be readable, or to have failed. */
type Settled = Record<number, ShardCounts>;

const settledAddress = (place: string): string => `${place}settled.json`;

async function readSettled(s3: RestoreDependencies['s3'], place: string): Promise<Settled> {
  try {
    return await readJson<Settled>(s3, settledAddress(place), SETTLED_LIMIT);
  } catch (error) {
    if (error instanceof UnreadableObjectError) return {};
    throw error;
  }
}

function shardOf(index: RestoreIndex, number: number): RestoreIndex['shards'][number] {
  const shard = index.shards[number];
  if (!shard) throw new Error(`the index has no shard ${number}`);
  return shard;
}
