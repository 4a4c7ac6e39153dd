/**
 * Where the attempts of a launch log: by their start records in S3, whatever the compute service has forgotten.
 *
 * @module
 */
import type { StartRecord } from '../../jobs/commit.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { formatS3Address, parseS3Address } from '../../lib/s3-address.ts';
import { readObject } from '../../lib/s3-objects.ts';
import { launchState } from '../../workflows/launch/places.ts';
import { type Attempt, parseStart, type Start } from './log-lines.ts';
import { patiently } from './log-reader.ts';
import { keysUnder, type LogSources } from './log-steps.ts';

const RECORD_LIMIT = 65_536;
const READING = 16;
/** Up to so many items are listed one by one, more by listing their step. */
const LISTED_ALONE = 20;

/** What has started of a launch, or of one step; no record is read. A page tells of 1,000. */
export async function listStarts(
  { s3, bucket }: Pick<LogSources, 's3' | 'bucket'>,
  launchId: string,
  of: { step?: string | undefined; items?: readonly string[] | undefined } = {},
  signal?: AbortSignal,
): Promise<Start[]> {
  const folder = `${launchState(bucket, launchId)}starts/`;
  const { key: start } = parseS3Address(folder);
  const alone = of.step !== undefined && of.items !== undefined && of.items.length <= LISTED_ALONE;
  const prefixes = alone
    ? (of.items ?? []).map((item) => `${folder}${of.step}/${item}/`)
    : [of.step === undefined ? folder : `${folder}${of.step}/`];
  const found = await mapLimited(prefixes, READING, (prefix) => patiently(() => keysUnder(s3, prefix), signal));
  return found
    .flat()
    .flatMap((key) => parseStart(key, start) ?? [])
    .filter(({ item }) => of.items === undefined || of.items.includes(item));
}

/** Reads start records; the streams of one that does not tell of them are empty. */
export async function readStarts(
  { s3, bucket }: Pick<LogSources, 's3' | 'bucket'>,
  starts: readonly Start[],
  signal?: AbortSignal,
): Promise<Attempt[]> {
  return mapLimited(starts, READING, async ({ key, ...start }) => {
    const address = formatS3Address({ bucket, key });
    const { bytes } = await patiently(() => readObject(s3, address, { limit: RECORD_LIMIT }), signal);
    const { generation, startedAt, logs } = JSON.parse(bytes.toString('utf8')) as StartRecord;
    return {
      ...start,
      ...(generation !== undefined && { generation }),
      startedAt,
      group: logs?.group ?? '',
      streams: logs?.streams ?? {},
    };
  });
}
