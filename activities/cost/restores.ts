/**
 * What the restores of a launch have asked for: by their own files of requests, of every attempt.
 *
 * @module
 */

import type { S3Client } from '@aws-sdk/client-s3';
import { heartbeat } from '@temporalio/activity';
import { readIndex, readShard } from '../../lib/restore/index-files.ts';
import { addressOf, parseLines, type RequestLine, requestsFolder } from '../../lib/restore/requester.ts';
import { formatS3Address, parseS3Address } from '../../lib/s3-address.ts';
import { listObjects, readObject } from '../../lib/s3-objects.ts';
import type { RestoreItem } from '../../lib/store/restores.ts';
import type { RestoreUsage, Unpriced } from '../../workflows/cost/model.ts';
import { DEFAULT_DAYS, movesBack, restoreState } from '../../workflows/restore/model.ts';
import type { CostDependencies } from './dependencies.ts';

const DAY_MS = 86_400_000;
const FILE_LIMIT = 64 * 1024 * 1024;

/** By archive and tier; the copies of one attempt live as long as its last extension lets them. */
export async function findRestores(
  { s3, restores, settings, region }: Pick<CostDependencies, 's3' | 'restores' | 'settings' | 'region'>,
  launchId: string,
  attempts: number,
): Promise<{ restores: RestoreUsage[]; unknown: Unpriced[] }> {
  const item = await restores.get(launchId);
  if (!item) return { restores: [], unknown: [] };
  const at = await region();
  const found: RestoreUsage[] = [];
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const place = restoreState(settings.bucket, launchId, `attempt-${attempt}`);
    found.push(...(await ofPlace(s3, place, item, at)));
  }
  const otherwise = found.length === 0 && (item.counts?.requested ?? 0) > 0;
  return { restores: found, unknown: otherwise ? [byBatchOperations(launchId)] : [] };
}

const byBatchOperations = (launchId: string): Unpriced => ({
  resource: `restore/${launchId}`,
  component: 'restore',
  reason: 'its objects were asked for by S3 Batch Operations, which keeps no list here of what it has asked for',
  remedy: `"longhaul restore show ${launchId}" has the estimate; the bill has the rest`,
});

async function ofPlace(s3: S3Client, place: string, item: RestoreItem, region: string): Promise<RestoreUsage[]> {
  const index = await readIndex(s3, place);
  if (!index) return [];
  const days = item.plan?.days ?? DEFAULT_DAYS;
  const ready = item.place === place && item.statuses.READY ? Date.parse(item.statuses.READY) : undefined;
  const sums = new Map<string, RestoreUsage & { copied: number; until: number }>();
  for (const [number, { bucket }] of index.shards.entries()) {
    const entries = new Map((await readShard(s3, place, number)).map((entry) => [addressOf(bucket, entry), entry]));
    for await (const { lines, modifiedAt } of requestFiles(s3, place, number)) {
      heartbeat();
      for (const { address, tier, outcome } of lines) {
        const entry = entries.get(address);
        // Extending a copy is a request too, and retrieves nothing; what S3 refused it does not bill.
        if (!entry || (outcome !== 'initiated' && outcome !== 'extended')) continue;
        const key = `${entry.archive} ${tier}`;
        const sum = sums.get(key) ?? {
          archive: entry.archive,
          tier,
          requests: 0,
          bytes: 0,
          at: modifiedAt,
          region,
          copied: 0,
          until: 0,
        };
        sum.requests += 1;
        if (outcome === 'initiated') sum.bytes += entry.size;
        if (outcome === 'initiated' && !movesBack(entry.archive)) sum.copied += entry.size;
        sum.until = Math.max(sum.until, goneBy(outcome === 'extended' ? modifiedAt : (ready ?? modifiedAt), days));
        sums.set(key, sum);
      }
    }
  }
  return [...sums.values()].map(({ copied, until, ...usage }) => ({
    ...usage,
    ...(copied > 0 && { copies: { from: ready ?? usage.at, to: Math.max(until, ready ?? usage.at), bytes: copied } }),
  }));
}

/** S3 rounds the expiry up to the next midnight UTC (RestoreObject in the API reference). */
const goneBy = (from: number, days: number): number => Math.ceil((from + days * DAY_MS) / DAY_MS) * DAY_MS;

async function* requestFiles(s3: S3Client, place: string, shard: number) {
  const folder = requestsFolder(place, shard);
  const { bucket } = parseS3Address(folder);
  for await (const page of listObjects(s3, folder)) {
    for (const { key, modifiedAt } of page) {
      const { bytes } = await readObject(s3, formatS3Address({ bucket, key }), { limit: FILE_LIMIT });
      yield { modifiedAt, lines: parseLines<RequestLine>(bytes) };
    }
  }
}
