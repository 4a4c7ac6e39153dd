/** Jobs are found again by their names, so no two may have the same. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jobName, LONGEST_JOB_NAME, type NamedJob } from '../../lib/launch/job-name.ts';

/** Few letters, so that names which only look alike come up often. */
const words = (longest: number) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.stringMatching(/^[a1][a1_-]{0,5}$/) },
    { weight: 1, arbitrary: fc.stringMatching(new RegExp(`^[a1][a1-]{${longest - 2},${longest - 1}}$`)) },
  );
const count = (from: number) =>
  fc.oneof(fc.integer({ min: from, max: from + 11 }), fc.integer({ min: from, max: 99_999 }));
const job: fc.Arbitrary<NamedJob> = fc.record({
  launchId: words(64),
  step: words(48),
  attempt: count(1),
  generation: count(1),
  shard: count(0),
});

it('a launch and a step that end and begin alike are told apart', () => {
  const rest = { attempt: 1, generation: 1, shard: 0 };
  expect(jobName({ launchId: 'a-b', step: 'c', ...rest })).toBe('lh-a-b-c-1-1-0-1');
  expect(jobName({ launchId: 'a', step: 'b-c', ...rest })).toBe('lh-a-b-c-1-1-0-3');
});

it('every name is one that AWS Batch takes', () => {
  fc.assert(
    fc.property(job, (one) => {
      expect(jobName(one)).toMatch(/^[A-Za-z0-9][A-Za-z0-9_-]*$/);
      expect(jobName(one).length).toBeLessThanOrEqual(LONGEST_JOB_NAME);
    }),
    { numRuns: 500 },
  );
});

it('two jobs never have the same name', () => {
  // The hyphens of one launch and step put elsewhere: what a name alone could not tell.
  const shifted = fc.tuple(job, fc.nat(), fc.nat()).map(([one, where, other]): [NamedJob, NamedJob] => {
    const text = `${one.launchId}-${one.step}`;
    const places = [...text].flatMap((sign, place) => (sign === '-' && place > 0 ? [place] : []));
    const cut = (at: number): NamedJob => {
      const place = places[at % places.length] ?? 1;
      return { ...one, launchId: text.slice(0, place), step: text.slice(place + 1) };
    };
    return [cut(where), cut(other)];
  });
  fc.assert(
    fc.property(fc.oneof(fc.tuple(job, job), shifted), ([one, other]) => {
      const same = JSON.stringify(one) === JSON.stringify(other);
      expect(jobName(one) === jobName(other)).toBe(same);
    }),
    { numRuns: 2_000 },
  );
});
