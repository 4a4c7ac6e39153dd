/**
 * The manifests of a restore for S3 Batch Operations: one of each kind of objects that a job can hold, written from the
 * index while it is read.
 *
 * @module
 */
import { Readable } from 'node:stream';
import { HeadObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { type Archive, movesBack, type Tier } from '../../workflows/restore/model.ts';
import { parseS3Address } from '../s3-address.ts';
import { encodeManifestRow } from './batch-operations.ts';
import { type Entry, type RestoreIndex, readShard } from './index-files.ts';

/** What one job restores: of one archive, since the tier and whether there are days are the job's. */
export interface ManifestGroup {
  /** Of its file: number of the bucket in the index's order, archive, and whether rows have versions. */
  name: string;
  bucket: string;
  archive: Archive;
  tier: 'Standard' | 'Bulk';
  days: boolean;
  versioned: boolean;
  objects: number;
}

/** Of 10,000 parts at most: 50 million rows of 1,600 bytes. Two of them are in memory. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_A_TIME = 1;

/** What has to be asked for, in kinds. Objects whose tier jobs do not have are left out. */
export async function manifestGroups(
  s3: S3Client,
  place: string,
  index: RestoreIndex,
  tiers: Partial<Record<Archive, Tier>>,
  beat: () => void,
): Promise<ManifestGroup[]> {
  const buckets = [...new Set(index.shards.map(({ bucket }) => bucket))];
  const groups = new Map<string, ManifestGroup>();
  for (const [number, { bucket }] of index.shards.entries()) {
    beat();
    for (const entry of await readShard(s3, place, number)) {
      const { archive } = entry;
      const tier = tiers[archive];
      if (entry.state !== 'archived' || (tier !== 'Standard' && tier !== 'Bulk')) continue;
      const versioned = entry.version !== undefined;
      const name = `${buckets.indexOf(bucket)}-${archive}${versioned ? '-versions' : ''}`;
      const known = groups.get(name);
      if (known) known.objects += 1;
      else groups.set(name, { name, bucket, archive, tier, days: !movesBack(archive), versioned, objects: 1 });
    }
  }
  return [...groups.values()];
}

/**
 * One that is there already is left as it is: a second upload of the same rows may get another ETag, and a job that was
 * made with the first is then another job.
 * @returns ETag
 */
export async function putManifest(
  s3: S3Client,
  { place, address, index }: { place: string; address: string; index: RestoreIndex },
  group: ManifestGroup,
  beat: () => void,
): Promise<string> {
  const { bucket, key } = parseS3Address(address);
  const where = { Bucket: bucket, Key: key };
  const there = await etagOf(s3, where);
  if (there !== undefined) return there;
  const Body = Readable.from(rows(s3, place, index, group, beat), { objectMode: false });
  const upload = new Upload({
    client: s3,
    params: { ...where, Body, ContentType: 'text/csv' },
    partSize: PART_BYTES,
    queueSize: PARTS_AT_A_TIME,
  });
  const { ETag } = await upload.done();
  if (!ETag) throw new Error(`S3 gave ${address} no ETag`);
  return ETag;
}

async function etagOf(s3: S3Client, where: { Bucket: string; Key: string }): Promise<string | undefined> {
  try {
    return (await s3.send(new HeadObjectCommand(where))).ETag;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
    throw error;
  }
}

/** A piece for each shard. */
async function* rows(
  s3: S3Client,
  place: string,
  index: RestoreIndex,
  { bucket, archive, versioned }: ManifestGroup,
  beat: () => void,
): AsyncGenerator<Buffer> {
  const isOfGroup = (entry: Entry) =>
    entry.state === 'archived' && entry.archive === archive && (entry.version !== undefined) === versioned;
  for (const [number, shard] of index.shards.entries()) {
    if (shard.bucket !== bucket) continue;
    beat();
    const entries = (await readShard(s3, place, number)).filter(isOfGroup);
    if (entries.length > 0)
      yield Buffer.from(entries.map(({ key, version }) => encodeManifestRow(bucket, key, version)).join(''));
  }
}
