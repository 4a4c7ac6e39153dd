/**
 * What S3 says of an archived object, in a listing or by HeadObject. Pure.
 *
 * @module
 */
import { ARCHIVES, type Archive, type ObjectState } from '../../workflows/restore/model.ts';

/** What is seen of one object. Without `archive` it is not archived, so it can be read. */
export interface Seen {
  size: number;
  state: ObjectState;
  archive?: Archive;
  /** Epoch ms: when the restored copy goes. */
  expiresAt?: number;
}

/** An object of which only HeadObject tells whether it is archived. */
export const UNTOLD = 'INTELLIGENT_TIERING';

/** By its storage class alone: whether it may be archived. */
export const mayNeedRestore = (storageClass = ''): boolean =>
  ['GLACIER', 'DEEP_ARCHIVE', UNTOLD].includes(storageClass);

interface Listed {
  Size?: number | undefined;
  StorageClass?: string | undefined;
  RestoreStatus?: { IsRestoreInProgress?: boolean | undefined; RestoreExpiryDate?: Date | undefined } | undefined;
}

/** @param now epoch ms: a copy that has expired by then is none */
export function seenInListing({ Size: size = 0, StorageClass, RestoreStatus: restore }: Listed, now: number): Seen {
  const archive = archiveNamed(StorageClass);
  if (!archive) return { size, state: 'readable' };
  if (restore?.IsRestoreInProgress) return { size, archive, state: 'restoring' };
  return { size, archive, ...copyUntil(restore?.RestoreExpiryDate?.getTime(), now) };
}

interface Headed {
  ContentLength?: number | undefined;
  StorageClass?: string | undefined;
  ArchiveStatus?: string | undefined;
  /** `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"` */
  Restore?: string | undefined;
}

export function seenByHead(answer: Headed, now: number): Seen {
  const size = answer.ContentLength ?? 0;
  const archive = archiveNamed(answer.StorageClass) ?? archiveNamed(answer.ArchiveStatus);
  if (!archive) return { size, state: 'readable' };
  if (answer.Restore?.includes('ongoing-request="true"')) return { size, archive, state: 'restoring' };
  const [, date = ''] = /expiry-date="([^"]+)"/.exec(answer.Restore ?? '') ?? [];
  return { size, archive, ...copyUntil(Date.parse(date), now) };
}

function copyUntil(expiresAt: number | undefined, now: number): Pick<Seen, 'state' | 'expiresAt'> {
  if (expiresAt === undefined || Number.isNaN(expiresAt) || expiresAt <= now) return { state: 'archived' };
  return { state: 'readable', expiresAt };
}

const archiveNamed = (name: string | undefined): Archive | undefined => ARCHIVES.find((archive) => archive === name);
