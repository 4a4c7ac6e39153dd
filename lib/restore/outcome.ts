/**
 * What S3 answered to a request to restore one object, and what it means. Pure.
 *
 * @module
 */
import { S3ServiceException } from '@aws-sdk/client-s3';
import type { ObjectFailure } from '../../workflows/restore/model.ts';

/**
 * `initiated`: S3 has taken it. `extended`: a copy was there, and lives longer now. `inProgress`: somebody has asked for
 * it before, which is as good. `notArchived`: it can be read as it is.
 */
export type Outcome = 'initiated' | 'extended' | 'inProgress' | 'notArchived';

export type Answer =
  | { kind: 'done'; outcome: Outcome }
  /** No capacity for this tier now. */
  | { kind: 'noCapacity' }
  /** It may pass: throttling, an error of S3's own, the network. */
  | { kind: 'retry'; code: string }
  /** It will not: the object cannot be restored. */
  | ({ kind: 'failed' } & Pick<ObjectFailure, 'code' | 'reason'>);

const DONE: Readonly<Record<string, Outcome>> = {
  RestoreAlreadyInProgress: 'inProgress',
  // "Restore is not allowed for the object's current storage class": it has been overwritten or copied out since.
  InvalidObjectState: 'notArchived',
};

/** Codes that say something of the object, and what to do about it. */
const FAILED: Readonly<Record<string, string>> = {
  NoSuchKey: 'there is no such object any more: upload it again, or leave it out',
  NoSuchVersion: 'there is no such version any more: launch again, with the version that is there',
  NoSuchBucket: 'there is no such bucket: correct the address',
  MethodNotAllowed: 'it is a delete marker: remove the marker, or leave it out',
  AccessDenied: 'access denied: allow s3:RestoreObject, s3:GetObject and, where it is encrypted so, kms:Decrypt',
  'KMS.DisabledException': 'its KMS key is disabled: enable the key',
  'KMS.NotFoundException': 'its KMS key is gone: nobody can read it',
  'KMS.KMSInvalidStateException': 'its KMS key cannot be used (it is disabled or about to be deleted): mend the key',
  InvalidArgument: 'S3 refuses this tier or these days for it',
  BadRequest: 'S3 refuses the request: it may be encrypted with a key of the customer (SSE-C)',
};

export const remedyOf = (code: string, otherwise = 'S3 refuses it'): Pick<ObjectFailure, 'code' | 'reason'> => ({
  code,
  reason: FAILED[code] ?? otherwise,
});

/** @param status 202 where the restore was taken, 200 where a copy is there already */
export const answered = (status: number | undefined): Answer => ({
  kind: 'done',
  outcome: status === 200 ? 'extended' : 'initiated',
});

export function refused(error: unknown): Answer {
  const code = refusedCode(error);
  if (!(error instanceof S3ServiceException)) return { kind: 'retry', code };
  const outcome = DONE[code];
  if (outcome) return { kind: 'done', outcome };
  if (code === 'GlacierExpeditedRetrievalNotAvailable') return { kind: 'noCapacity' };
  const status = error.$metadata.httpStatusCode ?? 0;
  if (status === 0 || status === 408 || status === 429 || status >= 500) return { kind: 'retry', code };
  // The clock, the credentials, the endpoint: nothing of the object itself.
  if (['RequestTimeTooSkewed', 'ExpiredToken', 'RequestTimeout', 'InvalidAccessKeyId'].includes(code))
    return { kind: 'retry', code };
  return { kind: 'failed', ...remedyOf(code, `S3 refuses it: ${error.message}`) };
}

const refusedCode = (error: unknown): string => (error as Error).name;
