/**
 * Stories and their records on DynamoDB: begun once, within the month's limit, ended once, and never back after they have
 * gone.
 *
 * @module
 */
import { DeleteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { StoryStore } from '../../lib/store/stories.ts';
import { freshTables } from '../support/fresh-tables.ts';
import { AT, itemOf, recordOf, usageOf } from '../support/story-costs.ts';

const FAMILY = 'fox-family';
const NIGHT = '2026-11-26';
const ID = `${FAMILY}/${NIGHT}`;
const LATER = '2026-11-26T19:20:00.000Z';
const LIMIT = 1_000_000;

const tables = freshTables();
let stories: StoryStore;
beforeEach(() => {
  stories = new StoryStore(tables.client, tables.names);
});

const begin = (night = NIGHT, reserved = 400_000, limit = LIMIT) =>
  stories.begin(itemOf({ night }), recordOf({ night, reserved }), limit);
/** As the time to live does it, days later. */
const expire = (storyId = ID) =>
  DynamoDBDocumentClient.from(tables.client).send(
    new DeleteCommand({ TableName: tables.names.stories, Key: { story_id: storyId } }),
  );
const committed = () => stories.committed(FAMILY, '2026-11');
async function recordNow(night = NIGHT) {
  const record = await stories.record(FAMILY, night);
  if (!record) throw new Error(`no record of ${night}`);
  return record;
}
const text = { title: 'A Fox in the Woods', paragraphs: ['Once', 'Twice'], words: 2, at: LATER };
const end = { status: 'COMPLETE', ended_at: LATER, cost: '0.10', words: 2 } as const;

describe('a story', () => {
  it('is begun with its item, its record and its reservation', async () => {
    expect(await begin()).toEqual({ outcome: 'new' });

    expect(await stories.get(ID)).toEqual(itemOf());
    expect(await recordNow()).toEqual(recordOf());
    expect(await committed()).toBe(400_000);
  });

  it('is begun once: the second finds the first, and takes nothing from the month', async () => {
    await begin();
    const second = await stories.begin(itemOf({ run_id: 'run-2' }), recordOf({ run_id: 'run-2' }), LIMIT);

    expect(second).toEqual({ outcome: 'existing', record: recordOf() });
    expect((await stories.get(ID))?.run_id).toBe('run-1');
    expect(await committed()).toBe(400_000);
  });

  it('whose text has expired has its night still', async () => {
    await begin();
    await expire();

    expect(await begin()).toEqual({ outcome: 'existing', record: recordOf() });
    expect(await stories.get(ID)).toBeUndefined();
  });

  it('that the month has no room for leaves nothing behind', async () => {
    expect(await begin('2026-11-25', 700_000)).toEqual({ outcome: 'new' });
    expect(await begin()).toEqual({ outcome: 'over-limit', left: 300_000 });

    expect(await stories.get(ID)).toBeUndefined();
    expect(await stories.record(FAMILY, NIGHT)).toBeUndefined();
    expect(await committed()).toBe(700_000);
  });

  it('that alone is more than the month may cost is refused in an empty month', async () => {
    expect(await begin(NIGHT, 1_000_001)).toEqual({ outcome: 'over-limit', left: 1_000_000 });
    expect(await begin(NIGHT, 1_000_000)).toEqual({ outcome: 'new' });
  });

  it('begun twice and over the limit has been begun', async () => {
    await begin(NIGHT, 600_000);
    expect(await begin(NIGHT, 600_000)).toMatchObject({ outcome: 'existing' });
  });

  it('of another family, or another month, has a limit of its own', async () => {
    await begin(NIGHT, 900_000);
    const others = [{ family: 'owl-family' }, { night: '2026-12-01', month: '2026-12' }];
    for (const parts of others) {
      const { month: _, ...item } = { month: '', ...parts };
      expect(await stories.begin(itemOf(item), recordOf({ ...parts, reserved: 900_000 }), LIMIT)).toEqual({
        outcome: 'new',
      });
    }
  });
});

describe('a story whose run is over', () => {
  const next = { run_id: 'run-2', attempt: 2 };

  it('is gone on with by another: what was reserved and not settled stays reserved', async () => {
    await begin();
    const known = await recordNow();

    expect(await stories.takeOver(itemOf(next), recordOf(next), LIMIT, known)).toEqual({ outcome: 'new' });
    expect(await recordNow()).toMatchObject(next);
    expect(await committed()).toBe(400_000);
    // Nobody who looked before.
    expect(await stories.takeOver(itemOf(next), recordOf(next), LIMIT, known)).toMatchObject({ outcome: 'existing' });
  });

  it('is reserved for anew once it was settled, within the month', async () => {
    await begin();
    await stories.settle(await recordNow(), { ...end, status: 'FAILED' }, 100_000);
    const known = await recordNow();
    expect(known).toMatchObject({ settled: true, spent: 100_000 });

    const record = recordOf({ ...next, spent: 100_000 });
    expect(await stories.takeOver(itemOf(next), record, 450_000, known)).toEqual({
      outcome: 'over-limit',
      left: 350_000,
    });
    expect(await stories.takeOver(itemOf(next), record, LIMIT, known)).toEqual({ outcome: 'new' });
    expect(await committed()).toBe(500_000);
    // All attempts cost 0.25: the month has 0.1 of it already.
    await stories.settle(await recordNow(), end, 250_000);
    expect(await committed()).toBe(250_000);
  });

  it('is not ended by the run before', async () => {
    await begin();
    const known = await recordNow();
    await stories.takeOver(itemOf(next), recordOf(next), LIMIT, known);

    expect(await stories.settle(known, { ...end, status: 'CANCELLED' }, 0)).toBe(false);
    expect(await stories.keepEnd(ID, 'run-1', 'CANCELLED', LATER)).toBe(false);
    expect(await recordNow()).not.toHaveProperty('settled');
    expect((await stories.get(ID))?.status).toBe('WRITING');
    expect(await committed()).toBe(400_000);
  });
});

describe('two stories at once', () => {
  it('never commit more than the month may cost, whatever they reserve', async () => {
    let nth = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 700_000 }), { minLength: 2, maxLength: 4 }),
        async (amounts) => {
          nth += 1;
          const family = `family-${nth}`;
          const ask = async (reserved: number, place: number) => {
            const night = `2026-11-0${place + 1}`;
            // DynamoDB refuses transactions that meet; the activity is tried again.
            for (;;) {
              try {
                return await stories.begin(itemOf({ family, night }), recordOf({ family, night, reserved }), LIMIT);
              } catch (error) {
                if (!/TransactionConflict/.test(String(error))) throw error;
              }
            }
          };
          const answers = await Promise.all(amounts.map(ask));
          const begun = amounts.filter((_, place) => answers[place]?.outcome === 'new');
          const sum = begun.reduce((all, one) => all + one, 0);

          expect(await stories.committed(family, '2026-11')).toBe(sum);
          expect(sum).toBeLessThanOrEqual(LIMIT);
          // And none was refused that there was room for in the end.
          amounts.forEach((amount, place) => {
            if (answers[place]?.outcome === 'over-limit') expect(sum + amount).toBeGreaterThan(LIMIT);
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('of the same night are one', async () => {
    const runs = Array.from({ length: 8 }, (_, nth) => `run-${nth}`);
    const answers = await Promise.allSettled(
      runs.map((run_id) => stories.begin(itemOf({ run_id }), recordOf({ run_id }), LIMIT)),
    );
    const begun = answers.filter((answer) => answer.status === 'fulfilled' && answer.value.outcome === 'new');
    expect(begun).toHaveLength(1);
    expect(await committed()).toBe(400_000);
    expect((await stories.get(ID))?.run_id).toBe((await recordNow()).run_id);
  });
});

describe('a text', () => {
  it('makes a story READY, also once more', async () => {
    await begin();
    expect(await stories.keepText(ID, text)).toBe(true);
    expect(await stories.keepText(ID, text)).toBe(true);

    const { at: _, ...kept } = text;
    expect(await stories.get(ID)).toMatchObject({ ...kept, status: 'READY', updated_at: LATER });
    expect(await stories.get(ID)).not.toHaveProperty('at');
  });

  it.each(['COMPLETE', 'FAILED', 'CANCELLED'] as const)('comes too late for a story that is %s', async (status) => {
    await begin();
    await stories.keepEnd(ID, 'run-1', status, LATER);

    expect(await stories.keepText(ID, text)).toBe(false);
    expect(await stories.get(ID)).not.toHaveProperty('title');
  });
});

describe('parts', () => {
  it('of a story are claimed by one sender of the mail among many', async () => {
    await begin();
    const claims = await Promise.all(Array.from({ length: 10 }, () => stories.claimMail(ID, LATER)));

    expect(claims.filter(Boolean)).toHaveLength(1);
    expect((await stories.get(ID))?.mail).toEqual({
      state: 'UNCERTAIN',
      at: LATER,
      claim: expect.any(String) as string,
    });
    await stories.keepPart(ID, 'mail', { state: 'PENDING' }, LATER);
    expect(await stories.claimMail(ID, LATER)).toBe(true);
  });

  it('are claimed also where the answer is lost, and by nobody else then', async () => {
    await begin();
    tables.kit.faults.set([{ service: 'dynamodb', operation: 'UpdateItem', effect: 'reset', when: 'after' }]);

    expect(await stories.claimMail(ID, LATER)).toBe(true);
    expect(tables.kit.faults.hits()).toEqual([1]);
    expect(await stories.claimMail(ID, LATER)).toBe(false);
  });

  it('are given up only while nothing has become of them', async () => {
    await begin();
    await stories.keepPart(ID, 'image', { state: 'READY', key: 'a.webp', media_type: 'image/webp' }, AT);

    expect(await stories.giveUpPart(ID, 'image', 'too late', LATER)).toBe(false);
    expect(await stories.giveUpPart(ID, 'audio', 'no voice', LATER)).toBe(true);
    expect(await stories.giveUpPart(ID, 'audio', 'again', LATER)).toBe(false);
    const item = await stories.get(ID);
    expect(item?.image).toMatchObject({ state: 'READY', key: 'a.webp' });
    expect(item?.audio).toEqual({ state: 'FAILED', reason: 'no voice', at: LATER });
  });
});

describe('nothing comes back to life', () => {
  it('after the item has gone: no text, part, claim or end makes it anew', async () => {
    await begin();
    await expire();

    expect(await stories.keepText(ID, text)).toBe(false);
    expect(await stories.keepPart(ID, 'image', { state: 'READY' }, LATER)).toBe(false);
    expect(await stories.giveUpPart(ID, 'audio', 'gone', LATER)).toBe(false);
    expect(await stories.claimMail(ID, LATER)).toBe(false);
    expect(await stories.keepEnd(ID, 'run-1', 'COMPLETE', LATER)).toBe(false);
    expect(await stories.get(ID)).toBeUndefined();
  });

  it('where there is no record: verdicts and usage are refused, and nothing is settled', async () => {
    const verdict = { model: 'omni', flagged: false, categories: [], hash: 'h', at: AT };
    await expect(stories.keepVerdict(FAMILY, NIGHT, 'prompt', verdict)).rejects.toThrow('conditional');
    await expect(stories.keepUsage(FAMILY, NIGHT, 'text-1', usageOf())).rejects.toThrow('conditional');
    expect(await stories.settle(recordOf(), end, 0)).toBe(false);
    expect(await stories.record(FAMILY, NIGHT)).toBeUndefined();
    expect(await committed()).toBe(0);
  });
});

describe('a record', () => {
  it('outlives the text, with verdicts and what was paid', async () => {
    await begin();
    const verdict = { model: 'omni', flagged: false, categories: [], hash: 'h', at: AT };
    await stories.keepVerdict(FAMILY, NIGHT, 'text-1', verdict);
    await stories.keepUsage(FAMILY, NIGHT, 'text-1', usageOf({ outputTokens: 10 }));
    await stories.keepUsage(FAMILY, NIGHT, 'text-1', usageOf({ outputTokens: 10 }));
    await expire();

    expect(await recordNow()).toMatchObject({
      verdicts: { 'text-1': verdict },
      usage: { 'text-1': usageOf({ outputTokens: 10 }) },
    });
  });

  it('forgets nothing that was paid: the same stage made of something else is kept beside it', async () => {
    await begin();
    const again = usageOf({ outputTokens: 20, hash: 'feedface'.repeat(4) });
    await stories.keepUsage(FAMILY, NIGHT, 'text-1', usageOf({ outputTokens: 10 }));
    await stories.keepUsage(FAMILY, NIGHT, 'text-1', again);
    await stories.keepUsage(FAMILY, NIGHT, 'text-1', again);

    expect((await recordNow()).usage).toEqual({ 'text-1': usageOf({ outputTokens: 10 }), 'text-1@feedface': again });
  });

  it('is settled once: what was not spent goes back to the month', async () => {
    await begin();
    const record = await recordNow();
    const answers = await Promise.allSettled(
      Array.from({ length: 5 }, (_, nth) => stories.settle(record, { ...end, cost: String(nth) }, 100_000 + nth)),
    );
    const settled = answers.flatMap((answer, nth) => (answer.status === 'fulfilled' && answer.value ? [nth] : []));

    expect(settled).toHaveLength(1);
    const [winner = 0] = settled;
    expect(await committed()).toBe(100_000 + winner);
    expect(await recordNow()).toMatchObject({ status: 'COMPLETE', settled: true, spent: 100_000 + winner });
    expect(await stories.settle(await recordNow(), end, 0)).toBe(false);
    expect(await committed()).toBe(100_000 + winner);
  });

  it('may cost more than was reserved: the month has the truth', async () => {
    await begin();
    await stories.settle(await recordNow(), end, 500_000);
    expect(await committed()).toBe(500_000);
  });

  it('is in the book, the newest first, page after page, without months', async () => {
    const nights = ['2026-11-21', '2026-11-22', '2026-11-23', '2026-11-24', '2026-11-25'];
    for (const night of nights) {
      const created_at = `${night}T19:15:00.000Z`;
      await stories.begin(itemOf({ night, created_at }), recordOf({ night, created_at, reserved: 1 }), LIMIT);
    }
    await stories.begin(itemOf({ family: 'owl-family' }), recordOf({ family: 'owl-family' }), LIMIT);

    const pages: string[][] = [];
    let before: string | undefined;
    do {
      const page = await stories.book(FAMILY, { limit: 2, ...(before !== undefined && { before }) });
      pages.push(page.records.map(({ night }) => night));
      before = page.before;
    } while (before !== undefined);
    expect(pages.flat()).toEqual(nights.toReversed());
    expect(pages[0]).toEqual(['2026-11-25', '2026-11-24']);
    expect(await stories.book('nobody', { limit: 2 })).toEqual({ records: [] });
  });
});
