/** News of the shards of a generation, in any order: ended when all are, never twice, never backwards. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JOB_STATUSES, type JobChange } from '../../workflows/launch/model.ts';
import { StepJobs } from '../../workflows/launch/step-jobs.ts';

const SHARDS = 3;
const submitted = Array.from({ length: SHARDS }, (_, shard) => ({ shard, jobId: `job-${shard}`, items: 10 }));
const change = (shard: number, more: Partial<JobChange> = {}): JobChange => ({
  attempt: 1,
  step: 'a',
  generation: 1,
  shard,
  jobId: `job-${shard}`,
  status: 'RUNNING',
  attempts: 0,
  ...more,
});

/** What a job really goes through, with up to two attempts lost with their hosts: each news of it, in order. */
const life = (shard: number): fc.Arbitrary<JobChange[]> =>
  fc
    .tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom('SUCCEEDED' as const, 'FAILED' as const))
    .map(([lost, end]) => [
      change(shard, { status: 'SUBMITTED' }),
      ...Array.from({ length: lost + 1 }, (_, attempts) =>
        (['RUNNABLE', 'STARTING', 'RUNNING'] as const).map((status) => change(shard, { status, attempts })),
      ).flat(),
      change(shard, { status: end, attempts: lost + 1 }),
    ]);
/** The lives of all shards: shuffled, with parts of it twice, and the submission's answer anywhere in between. */
const story = fc
  .tuple(...submitted.map(({ shard }) => life(shard)))
  .map((lives) => lives.flat())
  .chain((news) =>
    fc.record({
      news: fc.constant(news),
      told: fc
        .tuple(fc.shuffledSubarray(news, { minLength: news.length }), fc.subarray(news))
        .chain(([once, again]) => fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length })),
      answer: fc.nat(),
    }),
  );

describe('the jobs of a generation', () => {
  it('have ended exactly when every one has been reported ended and the submission has answered', () => {
    fc.assert(
      fc.property(story, ({ told, answer }) => {
        const jobs = new StepJobs();
        const ended = new Set<number>();
        let answered = false;
        for (const [nth, news] of told.entries()) {
          if (nth === answer % told.length) {
            jobs.submitted(submitted);
            answered = true;
          }
          jobs.observe(news);
          if (news.status === 'SUCCEEDED' || news.status === 'FAILED') ended.add(news.shard);
          expect(jobs.ended()).toBe(answered && ended.size === SHARDS);
        }
        if (!answered) jobs.submitted(submitted);
        expect(jobs.ended()).toBe(true);
      }),
    );
  });

  it('are at the same point whatever order the same news came in', () => {
    fc.assert(
      fc.property(story, ({ news, told }) => {
        const after = (list: readonly JobChange[]) => {
          const jobs = new StepJobs();
          jobs.submitted(submitted);
          for (const one of list) jobs.observe(one);
          return [jobs.status(), jobs.ended(), jobs.counts()];
        };
        expect(after(told)).toEqual(after(news));
      }),
    );
  });

  it('tell nothing new when the same is told again', () => {
    fc.assert(
      fc.property(story, ({ told }) => {
        const jobs = new StepJobs();
        jobs.submitted(submitted);
        for (const news of told) {
          jobs.observe(news);
          expect(jobs.observe(news)).toBeUndefined();
        }
      }),
    );
  });

  it('of which one is unknown, or another job has its number, are not waited for', () => {
    const jobs = new StepJobs();
    jobs.observe(change(7));
    jobs.submitted(submitted.slice(0, 1));
    expect(jobs.observe(change(7, { status: 'FAILED' }))).toBeUndefined();
    expect(jobs.observe(change(0, { status: 'FAILED', jobId: 'somebody' }))).toBeUndefined();
    jobs.observe(change(0, { status: 'SUCCEEDED' }));
    expect(jobs.ended()).toBe(true);
  });

  it('add their counts up', () => {
    const jobs = new StepJobs();
    jobs.submitted(submitted);
    for (const { shard } of submitted)
      jobs.observe(change(shard, { status: 'PENDING', counts: { running: shard, succeeded: 2, failed: 1 } }));
    expect(jobs.counts()).toEqual({ running: 3, succeeded: 6, failed: 3 });
    expect(JOB_STATUSES).toContain(jobs.status());
  });
});
