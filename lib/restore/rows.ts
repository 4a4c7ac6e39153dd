/**
 * Objects named in long files: lists of addresses, and the CSV files of an S3 Inventory; read as a stream.
 *
 * @module
 */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { parseS3Address } from '../s3-address.ts';
import { RequestFileError } from './request-file.ts';
import { type ObjectName, readSources } from './sources.ts';

/** An object, and the line it stands on, from 1. */
export interface Row extends ObjectName {
  line: number;
}

/** @throws RequestFileError naming the line */
export async function* readList(s3: S3Client, address: string, afterLine: number): AsyncGenerator<Row> {
  for await (const { line, text } of readLines(s3, address)) {
    const name = text.trim().replace(/^"(.*)"$/, '$1');
    if (line <= afterLine || name === '' || name.startsWith('#')) continue;
    const read = readSources([name]);
    if ('problems' in read) throw new RequestFileError(`${address}, line ${line}: ${read.problems[0]?.message ?? ''}`);
    const [object] = read.objects;
    if (!object)
      throw new RequestFileError(`${address}, line ${line}: a list holds objects; name prefixes and patterns directly`);
    yield { line, ...object };
  }
}

/** What has a class that needs no restore, is not the current version, or is a delete marker, is left out. */
export async function* readInventoryFile(
  s3: S3Client,
  address: string,
  columns: readonly string[],
  afterLine: number,
): AsyncGenerator<Row> {
  const place = (name: string) => columns.indexOf(name);
  const [bucket, key, version, latest, marker, storage] = [
    place('Bucket'),
    place('Key'),
    place('VersionId'),
    place('IsLatest'),
    place('IsDeleteMarker'),
    place('StorageClass'),
  ] as const;
  for await (const { line, text } of readLines(s3, address)) {
    if (line <= afterLine || text === '') continue;
    const cells = readCsvLine(text);
    const cell = (at: number) => (at < 0 ? undefined : cells[at]);
    if (cell(marker) === 'true' || cell(latest) === 'false') continue;
    const storageClass = cell(storage);
    if (storageClass && !['GLACIER', 'DEEP_ARCHIVE', 'INTELLIGENT_TIERING'].includes(storageClass)) continue;
    const name = { bucket: cell(bucket) ?? '', key: decodeKey(cell(key) ?? '') };
    if (!name.bucket || !name.key) throw new RequestFileError(`${address}, line ${line}: no bucket or no key`);
    const id = cell(version);
    yield { line, ...name, ...(id && id !== 'null' && { version: id }) };
  }
}

/** Keys in inventories are URL-encoded. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}

/** One line of RFC 4180; line breaks in keys are URL-encoded, so a line is a row. */
export function readCsvLine(text: string): string[] {
  const cells: string[] = [];
  const pattern = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const [, quoted, plain = ''] of text.matchAll(pattern)) cells.push(quoted?.replaceAll('""', '"') ?? plain);
  return cells;
}

async function* readLines(s3: S3Client, address: string): AsyncGenerator<{ line: number; text: string }> {
  const { bucket, key } = parseS3Address(address);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const body = Body as Readable;
  const input = key.endsWith('.gz') ? body.pipe(createGunzip()) : body;
  body.on('error', (error) => input.destroy(error));
  let line = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      line += 1;
      yield { line, text };
    }
  } finally {
    body.destroy();
  }
}
