/**
 * What a restore would cost and take, without asking for anything: the same survey, prices and planner as the workflow's.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { count } from '../../lib/restore/index-files.ts';
import { type RequestFile, readRequestFile } from '../../lib/restore/request-file.ts';
import { readSources } from '../../lib/restore/sources.ts';
import { find, partsOf } from '../../lib/restore/survey.ts';
import {
  type Amount,
  LIMITS,
  type ObjectFailure,
  type Quote,
  type RestorePlan,
  type Totals,
  type Wishes,
} from '../../workflows/restore/model.ts';
import { planRestore, quoteRestore } from '../../workflows/restore/plan.ts';
import type { RestorePrices } from '../../workflows/restore/prices.ts';

export interface PlannedRestore {
  totals: Totals;
  /** Not archived. */
  readable: Amount;
  missing: { count: number; first: ObjectFailure[] };
  quote: Quote;
  plan?: RestorePlan;
  /** Above the limit that was named. */
  needsApproval?: boolean;
  /** Why nothing meets the wishes. */
  problem?: string;
}

export interface PlanOptions {
  sources: readonly string[];
  /** `s3://` address of a request, a list or an inventory. */
  file?: string;
  wishes: Wishes;
  prices(): Promise<RestorePrices | { unknown: string }>;
  /** Told how many archived objects there are so far. */
  found(objects: number): void;
}

/** @throws Error naming every source that cannot be used; RequestFileError */
export async function planOf(s3: S3Client, options: PlanOptions): Promise<PlannedRestore> {
  const file: RequestFile | undefined =
    options.file === undefined ? undefined : await readRequestFile(s3, options.file);
  const request = file?.kind === 'request' ? file : undefined;
  const read = readSources([...options.sources, ...(request?.request.urls ?? [])]);
  if ('problems' in read) throw new Error(read.problems.map(({ place, message }) => `${place}: ${message}`).join('\n'));
  const sink = totalsSink();
  await find(s3, partsOf(read, file?.kind === 'request' ? undefined : file), sink, {
    beat: () => {},
    now: Date.now,
    found: options.found,
  });
  const wishes = { ...request?.wishes, ...options.wishes };
  const quote = quoteRestore(sink.totals, await options.prices(), wishes);
  const { totals, readable, missing } = sink;
  return { totals, readable, missing, quote, ...planRestore(quote, wishes) };
}

function totalsSink() {
  const sink = {
    totals: {} as Totals,
    readable: { objects: 0, bytes: 0 },
    missing: { count: 0, first: [] as ObjectFailure[] },
    objects: 0,
    add(_: string, entry: Parameters<typeof count>[1]) {
      count(sink.totals, entry);
      sink.objects += 1;
    },
    addReadable(size: number) {
      sink.readable.objects += 1;
      sink.readable.bytes += size;
    },
    addMissing(failure: ObjectFailure) {
      sink.missing.count += 1;
      if (sink.missing.first.length < LIMITS.failuresShown) sink.missing.first.push(failure);
    },
    reached: () => {},
  };
  return sink;
}
