/**
 * Objects named in long files: lists of addresses, and the CSV files of an S3 Inventory; read as a stream.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { parseS3Address } from '../s3-address.ts';
import { unreadableReason } from '../s3-objects.ts';
import { csvRows, LongRowError } from './csv.ts';
import { RequestFileError } from './request-file.ts';
import { type ObjectName, readSources } from './sources.ts';
import { mayNeedRestore } from './state.ts';

/** Of a list, characters: no address is as long. */
const LONGEST_LINE = 64 * 1024;

/** An object, and the line or row it stands on, from 1. */
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

/**
 * What has a class that needs no restore, is not the current version, or is a delete marker, is left out.
 * @throws RequestFileError naming the row
 */
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
  let line = 0;
  for await (const cells of readRows(s3, address)) {
    line += 1;
    if (line <= afterLine) continue;
    const wrong = (what: string) => new RequestFileError(`${address}, row ${line}: ${what}`);
    if (cells.length !== columns.length)
      throw wrong(`${cells.length} fields, where the manifest names ${columns.length} columns`);
    const cell = (at: number) => (at < 0 ? undefined : cells[at]);
    if (cell(marker) === 'true' || cell(latest) === 'false') continue;
    const storageClass = cell(storage);
    if (storageClass && !mayNeedRestore(storageClass)) continue;
    const name = { bucket: cell(bucket) ?? '', key: decodeKey(cell(key) ?? '') };
    if (!name.bucket || !name.key) throw wrong('no bucket or no key');
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

async function* readRows(s3: S3Client, address: string): AsyncGenerator<string[]> {
  let rows = 0;
  try {
    for await (const cells of csvRows(readPieces(s3, address))) {
      rows += 1;
      yield cells;
    }
  } catch (error) {
    if (error instanceof LongRowError)
      throw new RequestFileError(`${address}, row ${rows + 1}: ${error.message}: it is no CSV file`);
    throw error;
  }
}

async function* readLines(s3: S3Client, address: string): AsyncGenerator<{ line: number; text: string }> {
  const decoder = new TextDecoder();
  let line = 0;
  let rest = '';
  for await (const piece of readPieces(s3, address)) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      line += 1;
      yield { line, text };
    }
    if (rest.length > LONGEST_LINE)
      throw new RequestFileError(`${address}, line ${line + 1}: longer than ${LONGEST_LINE} characters`);
  }
  rest += decoder.decode();
  if (rest !== '') yield { line: line + 1, text: rest };
}

/** @throws RequestFileError where the file is not there, may not be read, or is not what its name says */
async function* readPieces(s3: S3Client, address: string): AsyncGenerator<Buffer> {
  const { bucket, key } = parseS3Address(address);
  let body: Readable;
  try {
    body = (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body as Readable;
  } catch (error) {
    const reason = unreadableReason(error);
    throw reason === undefined ? error : new RequestFileError(`${address}: ${reason}`);
  }
  const input = key.endsWith('.gz') ? body.pipe(createGunzip()) : body;
  body.on('error', (error) => input.destroy(error));
  try {
    for await (const piece of input) yield piece as Buffer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'Z_DATA_ERROR')
      throw new RequestFileError(`${address}: is called .gz and is not gzip: ${(error as Error).message}`);
    throw error;
  } finally {
    body.destroy();
  }
}
