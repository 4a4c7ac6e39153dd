/**
 * Sheets that come by the API: their text, or where they lie. A gateway may read and write more than its callers may, so
 * nobody is lent its rights: see docs/security.md.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { parseDocument } from 'yaml';
import { formatS3Address, parseS3Address } from '../../../lib/s3-address.ts';
import { readObject } from '../../../lib/s3-objects.ts';
import { LIMITS } from '../../../workflows/launch/model.ts';
import { launchIdIn } from '../../../workflows/launch/sheet/parse.ts';
import { checkSheet } from '../../launch/sheets.ts';
import { launchIdFor, type SheetInS3 } from '../../launch/start.ts';
import type { SheetBody } from '../../live/api.ts';
import type { Principal } from '../principal.ts';
import type { ApiDependencies } from './dependencies.ts';
import { ApiProblem } from './errors.ts';
import { requireConsumer } from './guard.ts';
import { body, id, type Schema, s3Address } from './schemas.ts';

/** JSON escapes make text longer. */
export const SHEET_BODY_LIMIT = 4 * LIMITS.sheetBytes;

const sheetText: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: LIMITS.sheetBytes,
  description: 'YAML or JSON: the text of a sheet.',
};
export const sheetFields = { sheet: sheetText, configurationFile: s3Address };
export const sheetBody: Schema = body(
  {},
  { ...sheetFields, launchId: id('launch'), noCache: { type: 'boolean', description: 'Run everything.' } },
);

export interface GivenSheet {
  text: string;
  /** What its sender knows it by. */
  file: string;
  consumer: string;
  /** Of one that lies in S3 already. */
  stored?: SheetInS3;
}

type Dependencies = Pick<ApiDependencies, 'aws' | 'settings'>;

/**
 * Reads and checks it, as far as that goes without looking at data.
 * @throws ApiProblem, SheetError, UnreadableObjectError
 */
export async function readSheet(
  deps: Dependencies,
  principal: Principal,
  { sheet, configurationFile }: Pick<SheetBody, 'sheet' | 'configurationFile'>,
): Promise<GivenSheet> {
  if ((sheet === undefined) === (configurationFile === undefined))
    throw new ApiProblem('bad-request', 'body names no sheet, or two', 'give either "sheet" or "configurationFile"');
  const stored = configurationFile === undefined ? undefined : await readStored(deps, principal, configurationFile);
  const text = sheet ?? stored?.bytes.toString('utf8') ?? '';
  const file = configurationFile ?? 'sheet';
  const { consumer } = checkSheet(text, file).sheet;
  requireConsumer(principal, consumer);
  return { text, file, consumer, ...(stored && { stored }) };
}

async function readStored({ aws, settings }: Dependencies, principal: Principal, address: string): Promise<SheetInS3> {
  requireOwnPlace(principal, address, { bucket: settings.bucket, folder: 'sheets' });
  const { bytes, etag, version } = await readObject(aws.s3, address, { limit: LIMITS.sheetBytes });
  return { address, bytes, etag, ...(version !== undefined && { version }) };
}

/**
 * Below `<folder>/<consumer>/` of Longhaul's bucket, which only that consumer can write to. Who may see everything may
 * name any place, as one who may start workflows by hand.
 * @throws ApiProblem 403
 */
export function requireOwnPlace(
  principal: Principal,
  address: string,
  { bucket, folder }: { bucket: string; folder: string },
): void {
  if (principal.consumers === '*') return;
  const place = parseS3Address(address);
  const own = principal.consumers.some(
    (consumer) => place.bucket === bucket && place.key.startsWith(`${folder}/${consumer}/`),
  );
  if (own) return;
  throw new ApiProblem(
    'forbidden',
    `${address} is no place of yours`,
    `put it below ${formatS3Address({ bucket, key: `${folder}/<consumer>/` })}, or send its content`,
  );
}

/**
 * A sheet sent as text gets an id in its text, where it has none: so that sending it again is the same launch, and so
 * that the event of its upload starts no other.
 * @throws ApiProblem 400 when it has another id than the one asked for
 */
export function withLaunchId({ text, consumer, stored }: GivenSheet, wanted: string | undefined) {
  const own = stored ? launchIdFor(stored) : launchIdIn(text);
  if (wanted !== undefined && own !== undefined && wanted !== own)
    throw new ApiProblem(
      'bad-request',
      `body.launchId is ${wanted}, but this sheet is launched as ${own}`,
      'leave "launchId" out, or change the sheet',
    );
  if (own !== undefined) return { launchId: own, bytes: stored?.bytes ?? Buffer.from(text) };
  const launchId = wanted ?? `sheet-${digestOf(`${consumer}\n${text}`).slice(0, 20)}`;
  const document = parseDocument(text);
  document.set('launchId', launchId);
  return { launchId, bytes: Buffer.from(document.toString({ lineWidth: 0 })) };
}

export const digestOf = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
