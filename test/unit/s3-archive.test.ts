/** Archived objects of the S3 stand-in: when they are there, when they expire, how many may be asked for. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expiryOf, isReadable, restoreState, retrievalMs } from '../../infra/local/aws/s3/archive.ts';
import { DueTimes } from '../../infra/local/aws/s3/due-times.ts';
import { type ObjectVersion, RETRIEVAL_TIERS } from '../../infra/local/aws/s3/model.ts';

const DAY = 86_400_000;
const version = (more: Partial<ObjectVersion>): ObjectVersion =>
  ({ storageClass: 'GLACIER', ...more }) as ObjectVersion;

it('a copy lives at least its days, at most one more, and ends at midnight UTC', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 42 }), fc.integer({ min: 1, max: 3650 }), (readyAt, days) => {
      const expiry = expiryOf(readyAt, days);
      expect(expiry % DAY).toBe(0);
      expect(expiry - readyAt).toBeGreaterThanOrEqual(days * DAY);
      expect(expiry - readyAt).toBeLessThan((days + 1) * DAY);
    }),
  );
});

it('an object can be read from its time on until its expiry', () => {
  const restored = version({ restore: { tier: 'Bulk', readyAt: 100, expiresAt: 200 } });
  expect([99, 100, 199, 200].map((now) => restoreState(restored, now))).toEqual([
    'ongoing',
    'restored',
    'restored',
    'none',
  ]);
  expect([99, 100, 199, 200].map((now) => isReadable(restored, now))).toEqual([false, true, true, false]);
  expect(isReadable(version({ storageClass: 'GLACIER_IR' }), 0)).toBe(true);
  expect(isReadable(version({ storageClass: 'INTELLIGENT_TIERING' }), 0)).toBe(true);
  expect(isReadable(version({ storageClass: 'INTELLIGENT_TIERING', archiveStatus: 'ARCHIVE_ACCESS' }), 0)).toBe(false);
});

it('a faster tier never takes longer', () => {
  for (const archive of ['GLACIER', 'DEEP_ARCHIVE', 'ARCHIVE_ACCESS', 'DEEP_ARCHIVE_ACCESS'] as const) {
    const longest = RETRIEVAL_TIERS.map((tier) => retrievalMs(archive, tier, 1)).filter((ms) => ms !== undefined);
    const shortest = RETRIEVAL_TIERS.map((tier) => retrievalMs(archive, tier, 0)).filter((ms) => ms !== undefined);
    for (const [place, most] of longest.slice(0, -1).entries())
      expect(most).toBeLessThanOrEqual(shortest[place + 1] ?? 0);
  }
});

it('what is due comes earliest first, and only what is due', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1000 })), fc.integer({ min: 0, max: 1000 }), (times, now) => {
      const due = new DueTimes<number>();
      for (const at of times) due.add(at, at);
      expect([...due.take(now)]).toEqual(times.filter((at) => at <= now).sort((a, b) => a - b));
      expect(due.next()).toBe(times.filter((at) => at > now).sort((a, b) => a - b)[0]);
    }),
  );
});
