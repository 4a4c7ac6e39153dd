/**
 * A file in S3 that says what to restore: the seed's JSON (launch id and S3 URLs), a list with one address a line, or the
 * manifest.json of an S3 Inventory.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { schemaCheck } from '../../workflows/kit/schema.ts';
import type { Wishes } from '../../workflows/restore/model.ts';
import { parseDuration } from '../../workflows/restore/plan.ts';
import schema from '../../workflows/restore/request.schema.json' with { type: 'json' };
import { formatS3Address, parseS3Address } from '../s3-address.ts';
import { readObject, UnreadableObjectError } from '../s3-objects.ts';

/** As {@link schema} has it. */
export interface RestoreRequest {
  launchId?: string;
  restoreId?: string;
  urls: string[];
  tier?: Wishes['tier'];
  deadline?: string;
  days?: number;
  limitUsd?: number;
}

export type RequestFile =
  | { kind: 'request'; request: RestoreRequest; wishes: Wishes }
  /** Read line by line: it may be of any size. */
  | { kind: 'list'; address: string }
  | { kind: 'inventory'; files: string[]; columns: string[] };

/** The message names the file, the place in it and the remedy. */
export class RequestFileError extends Error {
  override readonly name = 'RequestFileError';
}

const JSON_LIMIT = 4 * 1024 * 1024;
const check = schemaCheck<RestoreRequest>(schema, { allErrors: true });

/** @throws RequestFileError */
export async function readRequestFile(s3: S3Client, address: string, version?: string): Promise<RequestFile> {
  if (!address.endsWith('.json')) {
    if (/\.(txt|csv|list)(\.gz)?$/.test(address)) return { kind: 'list', address };
    throw new RequestFileError(
      `${address}: expected a .json file (a request, or the manifest.json of an S3 Inventory), or a list of addresses, one a line, as .txt or .csv, also with .gz`,
    );
  }
  let text: string;
  try {
    const { bytes } = await readObject(s3, address, { limit: JSON_LIMIT, ...(version !== undefined && { version }) });
    text = bytes.toString('utf8');
  } catch (error) {
    if (error instanceof UnreadableObjectError) throw new RequestFileError(error.message);
    throw error;
  }
  return parseRequest(text, address);
}

/** @throws RequestFileError */
export function parseRequest(text: string, address: string): Exclude<RequestFile, { kind: 'list' }> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RequestFileError(`${address}: not valid JSON: ${(error as Error).message.replace(/".*"/s, '…')}`);
  }
  if (typeof value === 'object' && value !== null && 'fileSchema' in value) return readInventory(value, address);
  const validate = check();
  if (!validate(value)) {
    const lines = (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const name = 'additionalProperty' in params ? `: ${String(params.additionalProperty)}` : '';
      return `${instancePath.slice(1).replaceAll('/', '.') || 'the file'}: ${message ?? 'is wrong'}${name}`;
    });
    throw new RequestFileError(`${address}:\n${lines.map((line) => `  ${line}`).join('\n')}`);
  }
  return { kind: 'request', request: value, wishes: wishesOf(value) };
}

export function wishesOf({ tier, deadline, days, limitUsd }: Omit<RestoreRequest, 'urls'>): Wishes {
  const deadlineSeconds = deadline === undefined ? undefined : parseDuration(deadline);
  return {
    ...(tier && { tier }),
    ...(deadlineSeconds !== undefined && { deadlineSeconds }),
    ...(days !== undefined && { days }),
    ...(limitUsd !== undefined && { limitUsd }),
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html */
function readInventory(value: object, address: string): Extract<RequestFile, { kind: 'inventory' }> {
  const wrong = (what: string) => new RequestFileError(`${address}: ${what}`);
  const { fileFormat, fileSchema, files, destinationBucket } = value as Record<string, unknown>;
  if (fileFormat !== 'CSV')
    throw wrong(`an S3 Inventory in ${String(fileFormat)}: only CSV is read; configure the inventory for CSV`);
  const columns = String(fileSchema)
    .split(',')
    .map((column) => column.trim());
  for (const needed of ['Bucket', 'Key'])
    if (!columns.includes(needed)) throw wrong(`the inventory has no column ${needed}`);
  const bucket = String(destinationBucket).replace(/^arn:aws[a-z-]*:s3:::/, '');
  if (!Array.isArray(files) || files.length === 0) throw wrong('the inventory names no files');
  const addresses = files.map((file: unknown) => {
    const key = typeof file === 'object' && file !== null ? (file as { key?: unknown }).key : undefined;
    if (typeof key !== 'string' || key === '') throw wrong('a file of the inventory has no key');
    return formatS3Address({ bucket, key });
  });
  // Checked here, where the manifest can be named.
  for (const file of addresses) parseS3Address(file);
  return { kind: 'inventory', files: addresses, columns };
}
