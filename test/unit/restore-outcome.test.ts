/** What S3's answers to RestoreObject mean, and what it says of the state of an object. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answered, refused, remedyOf } from '../../lib/restore/outcome.ts';
import { seenByHead, seenInListing } from '../../lib/restore/state.ts';

const s3Error = (name: string, httpStatusCode: number, message = 'no') =>
  new S3ServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode } });

describe('an answer to RestoreObject', () => {
  it.each([
    [202, 'initiated'],
    [200, 'extended'],
    [undefined, 'initiated'],
  ] as const)('of status %s is done: %s', (status, outcome) => {
    expect(answered(status)).toEqual({ kind: 'done', outcome });
  });

  it.each([
    ['RestoreAlreadyInProgress', 409, { kind: 'done', outcome: 'inProgress' }],
    ['InvalidObjectState', 403, { kind: 'done', outcome: 'notArchived' }],
    ['GlacierExpeditedRetrievalNotAvailable', 503, { kind: 'noCapacity' }],
    ['SlowDown', 503, { kind: 'retry', code: 'SlowDown' }],
    ['InternalError', 500, { kind: 'retry', code: 'InternalError' }],
    ['TooManyRequests', 429, { kind: 'retry', code: 'TooManyRequests' }],
    ['RequestTimeout', 400, { kind: 'retry', code: 'RequestTimeout' }],
    ['RequestTimeTooSkewed', 403, { kind: 'retry', code: 'RequestTimeTooSkewed' }],
    ['ExpiredToken', 400, { kind: 'retry', code: 'ExpiredToken' }],
    ['InvalidAccessKeyId', 403, { kind: 'retry', code: 'InvalidAccessKeyId' }],
  ])('%s (%i) is %j', (name, status, answer) => {
    expect(refused(s3Error(name, status))).toEqual(answer);
  });

  it.each(['NoSuchKey', 'NoSuchVersion', 'NoSuchBucket', 'MethodNotAllowed', 'AccessDenied', 'KMS.DisabledException'])(
    '%s is the end for the object, with what can be done about it',
    (name) => {
      expect(refused(s3Error(name, 403))).toEqual({ kind: 'failed', ...remedyOf(name) });
      expect(remedyOf(name).reason).not.toBe('S3 refuses it');
    },
  );

  it('of a code nobody knows is the end too, in the words of S3', () => {
    expect(refused(s3Error('Unheard', 400, 'not like this'))).toEqual({
      kind: 'failed',
      code: 'Unheard',
      reason: 'S3 refuses it: not like this',
    });
  });

  it.each([new Error('socket hang up'), Object.assign(new Error('no'), { name: 'TimeoutError' })])(
    'that never came may pass: %s',
    (error) => {
      expect(refused(error)).toEqual({ kind: 'retry', code: error.name });
    },
  );

  it('is the end only where S3 itself has said so, with a status of the caller', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 599 }), (name, status) => {
        const { kind } = refused(s3Error(name, status));
        if (kind === 'failed') expect(status >= 500 || status === 0 || status === 429 || status === 408).toBe(false);
      }),
    );
  });
});

const NOW = Date.UTC(2026, 10, 26, 12);
const LATER = NOW + 3_600_000;
const http = (time: number) => new Date(time).toUTCString();

describe('the state of an object', () => {
  const archived = { archive: 'GLACIER', state: 'archived', size: 7 };
  it.each([
    ['no restore', undefined, archived],
    ['a restore under way', { IsRestoreInProgress: true }, { ...archived, state: 'restoring' }],
    [
      'a copy',
      { IsRestoreInProgress: false, RestoreExpiryDate: new Date(LATER) },
      { ...archived, state: 'readable', expiresAt: LATER },
    ],
    ['a copy that has gone', { IsRestoreInProgress: false, RestoreExpiryDate: new Date(NOW) }, archived],
    ['neither', { IsRestoreInProgress: false }, archived],
  ])('in a listing, with %s', (_, RestoreStatus, seen) => {
    expect(seenInListing({ Size: 7, StorageClass: 'GLACIER', RestoreStatus }, NOW)).toEqual(seen);
  });

  it.each([
    ['no restore', undefined, archived],
    ['a restore under way', 'ongoing-request="true"', { ...archived, state: 'restoring' }],
    [
      'a copy',
      `ongoing-request="false", expiry-date="${http(LATER)}"`,
      { ...archived, state: 'readable', expiresAt: LATER },
    ],
    ['a copy that has gone', `ongoing-request="false", expiry-date="${http(NOW - 1_000)}"`, archived],
    ['a date that is none', 'ongoing-request="false", expiry-date="soon"', archived],
    ['no date', 'ongoing-request="false"', archived],
  ])('by HeadObject, with %s', (_, Restore, seen) => {
    expect(seenByHead({ ContentLength: 7, StorageClass: 'GLACIER', ...(Restore && { Restore }) }, NOW)).toEqual(seen);
  });

  it.each(['STANDARD', 'GLACIER_IR', 'INTELLIGENT_TIERING', undefined])(
    'of class %s: it can be read',
    (StorageClass) => {
      expect(seenByHead({ ContentLength: 7, StorageClass }, NOW)).toEqual({ size: 7, state: 'readable' });
      expect(seenInListing({ Size: 7, StorageClass }, NOW)).toEqual({ size: 7, state: 'readable' });
    },
  );

  it.each(['ARCHIVE_ACCESS', 'DEEP_ARCHIVE_ACCESS'])(
    'of Intelligent-Tiering stands in its archive status: %s',
    (status) => {
      const head = { ContentLength: 7, StorageClass: 'INTELLIGENT_TIERING', ArchiveStatus: status };
      expect(seenByHead(head, NOW)).toEqual({ size: 7, archive: status, state: 'archived' });
      expect(seenByHead({ ...head, Restore: 'ongoing-request="true"' }, NOW)).toMatchObject({ state: 'restoring' });
    },
  );
});
