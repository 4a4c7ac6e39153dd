/**
 * The end of a story on DynamoDB: priced, in the ledger, settled once, whatever dies in between; and who sees what it cost.
 *
 * @module
 */
import { DeleteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { createFinishActivities, type Finished } from '../../activities/story/finish.ts';
import { ofConsumers } from '../../clients/gateway/http/consumer-ledger.ts';
import { costReport } from '../../lib/cost/report.ts';
import { FamilyStore } from '../../lib/store/families.ts';
import { LedgerStore } from '../../lib/store/ledger.ts';
import { StoryStore } from '../../lib/store/stories.ts';
import type { Family, StoryRecord } from '../../lib/story/document.ts';
import type { FinishInput, Part, RecordPartInput } from '../../workflows/story/model.ts';
import { openApi } from '../support/api-app.ts';
import { freshTables } from '../support/fresh-tables.ts';
import { AT, itemOf, REGION, recordOf, storyPrices, USAGE, usageOf } from '../support/story-costs.ts';

const FAMILY = 'fox-family';
const NIGHT = '2026-11-26';
const ID = `${FAMILY}/${NIGHT}`;
const LEDGER_ID = `story/${ID}`;
const LATER = Date.parse('2026-11-26T19:20:00.000Z');
const LIMIT = 5_000_000;
const NOVEMBER = { from: '2026-11-01', to: '2026-11-30' };
const IN_NOVEMBER = 'from=2026-11-01&to=2026-11-30';

const tables = freshTables();
let stories: StoryStore;
let ledger: LedgerStore;
beforeEach(() => {
  stories = new StoryStore(tables.client, tables.names);
  ledger = new LedgerStore(tables.client, tables.names);
});

/** Begun, paid for, and readable but for the picture. */
async function made(usage: StoryRecord['usage'] = USAGE, parts: Partial<StoryRecord> = {}): Promise<void> {
  await stories.begin(itemOf(parts), recordOf(parts), LIMIT);
  const { family = FAMILY, night = NIGHT } = parts;
  for (const [stage, used] of Object.entries(usage)) await stories.keepUsage(family, night, stage, used);
  const id = `${family}/${night}`;
  await stories.keepText(id, { title: 'A Fox', paragraphs: ['Once'], words: 210, at: AT });
  await stories.keepPart(id, 'audio', { state: 'READY', key: 'a.mp3' }, AT);
  await stories.keepPart(id, 'mail', { state: 'NONE' }, AT);
  await stories.keepPart(id, 'event', { state: 'READY' }, AT);
}

interface Given {
  prices?: ReturnType<typeof storyPrices>;
  /** What dies, once, before or after it has done its work. */
  dies?: { at: 'ledger' | 'settle' | 'item'; when: 'before' | 'after' };
  now?: number;
}

function activities({ prices = storyPrices(), dies, now = LATER }: Given = {}) {
  let alive = dies === undefined;
  const dying = async <T>(at: string, run: () => Promise<T>): Promise<T> => {
    if (alive || dies?.at !== at) return run();
    alive = true;
    if (dies.when === 'after') await run();
    throw new Error(`the worker died ${dies.when} ${at}`);
  };
  const mortal = Object.assign(Object.create(stories) as StoryStore, {
    record: stories.record.bind(stories),
    get: stories.get.bind(stories),
    giveUpPart: stories.giveUpPart.bind(stories),
    settle: (...of: Parameters<StoryStore['settle']>) => dying('settle', () => stories.settle(...of)),
    keepEnd: (...of: Parameters<StoryStore['keepEnd']>) => dying('item', () => stories.keepEnd(...of)),
  });
  return createFinishActivities({
    stories: mortal,
    ledger: { replace: (...of) => dying('ledger', () => ledger.replace(...of)) },
    prices,
    region: async () => REGION,
    now: () => now,
  });
}

const finish = (of: ReturnType<typeof activities>, input: Partial<FinishInput> = {}): Promise<Finished> => {
  const asked: FinishInput = { storyId: ID, attempt: 1, status: 'COMPLETE', ...input };
  return new MockActivityEnvironment().run((one: FinishInput) => of.finishStory(one), asked);
};
const recordNow = () => stories.record(FAMILY, NIGHT);
const committed = () => stories.committed(FAMILY, '2026-11');

describe('a story that ends', () => {
  it('has its parts, title, words and cost in the record, lines and days in the ledger, the rest back in the month', async () => {
    await made();
    const finished = await finish(activities());

    expect(finished).toEqual({
      parts: { image: 'FAILED', audio: 'READY', mail: 'NONE', event: 'READY' },
      words: 210,
      cost: '0.0957',
    });
    expect(await recordNow()).toMatchObject({
      status: 'COMPLETE',
      title: 'A Fox',
      words: 210,
      cost: '0.0957',
      parts: finished.parts,
      settled: true,
      spent: 95_670,
      ended_at: '2026-11-26T19:20:00.000Z',
    });
    expect(await recordNow()).not.toHaveProperty('unpriced');
    expect(await committed()).toBe(95_670);
    expect(await stories.get(ID)).toMatchObject({
      status: 'COMPLETE',
      image: { state: 'FAILED' },
      audio: { key: 'a.mp3' },
    });
    expect(await ledger.lines(LEDGER_ID)).toHaveLength(8);
    expect(await ledger.daysOf(FAMILY, NOVEMBER.from, NOVEMBER.to)).toEqual([
      {
        launch_id: LEDGER_ID,
        attempt: 1,
        line: 'day#2026-11-26#USD',
        day: '2026-11-26',
        consumer: FAMILY,
        workflow_type: 'story',
        compute_service: 'openai+polly',
        currency: 'USD',
        total: '0.09567',
        components: { text: '0.00399', image: '0.05328', audio: '0.0384' },
        lost: '0.0018775',
        idle: '0',
        packing: '0',
      },
    ]);
  });

  it('ends the same when it is ended again, later, and otherwise', async () => {
    await made();
    const finished = await finish(activities());
    const before = { record: await recordNow(), lines: await ledger.lines(LEDGER_ID) };

    expect(await finish(activities({ now: LATER + 60_000 }), { status: 'CANCELLED' })).toEqual(finished);
    expect({ record: await recordNow(), lines: await ledger.lines(LEDGER_ID) }).toEqual(before);
    expect((await stories.get(ID))?.status).toBe('COMPLETE');
    expect(await committed()).toBe(95_670);
  });

  it.each([
    { at: 'ledger', when: 'before' },
    { at: 'ledger', when: 'after' },
    { at: 'settle', when: 'before' },
    { at: 'settle', when: 'after' },
    { at: 'item', when: 'before' },
    { at: 'item', when: 'after' },
  ] as const)('is ended by the next try when the worker dies $when it has written the $at', async (dies) => {
    await made();
    const mortal = activities({ dies });
    await expect(finish(mortal)).rejects.toThrow('the worker died');

    expect(await finish(mortal)).toMatchObject({ cost: '0.0957', words: 210 });
    expect(await recordNow()).toMatchObject({ settled: true, spent: 95_670, status: 'COMPLETE' });
    expect((await stories.get(ID))?.status).toBe('COMPLETE');
    expect(await committed()).toBe(95_670);
    expect(await ledger.lines(LEDGER_ID)).toHaveLength(8);
  });

  it('is tried again while prices cannot be had: nothing is written before', async () => {
    await made();
    const prices = storyPrices(undefined, {
      before: () => {
        throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
      },
    });
    await expect(finish(activities({ prices }))).rejects.toThrow('slow down');

    expect(await recordNow()).not.toHaveProperty('settled');
    expect(await ledger.lines(LEDGER_ID)).toEqual([]);
    expect(await committed()).toBe(400_000);
  });

  it('of what has no price keeps all that was reserved, and says what, why, and what to do', async () => {
    await made({ ...USAGE, 'text-1': usageOf({ model: 'gpt-9', outputTokens: 10 }) });
    await finish(activities());

    expect(await recordNow()).toMatchObject({
      cost: '0.0938',
      spent: 400_000,
      unpriced: [expect.stringMatching(/^gpt-9: there is no list price of output tokens.*costRates/) as string],
    });
    expect(await committed()).toBe(400_000);
  });

  it('by a failure has its reason, and costs what it cost', async () => {
    await stories.begin(itemOf(), recordOf(), LIMIT);
    await stories.keepUsage(FAMILY, NIGHT, 'text-1', usageOf({ outputTokens: 1_000 }));
    const error = { type: 'StoryTextError', message: 'neither draft could be kept' };
    const finished = await finish(activities(), { status: 'FAILED', error });

    expect(finished).toEqual({
      parts: { image: 'FAILED', audio: 'FAILED', mail: 'FAILED', event: 'FAILED' },
      cost: '0.0020',
    });
    expect(await recordNow()).toMatchObject({ status: 'FAILED', error, spent: 2_000 });
    expect(await stories.get(ID)).toMatchObject({
      status: 'FAILED',
      image: { state: 'FAILED', reason: 'the story has ended before' },
    });
  });

  it('before anything was paid costs nothing, and gives everything back', async () => {
    await stories.begin(itemOf(), recordOf(), LIMIT);
    expect(await finish(activities(), { status: 'CANCELLED' })).toMatchObject({ cost: '0.00' });
    expect(await committed()).toBe(0);
    expect(await ledger.lines(LEDGER_ID)).toEqual([]);
  });

  it('after its text has gone is ended by its record', async () => {
    await made();
    await DynamoDBDocumentClient.from(tables.client).send(
      new DeleteCommand({ TableName: tables.names.stories, Key: { story_id: ID } }),
    );

    expect(await finish(activities())).toMatchObject({ cost: '0.0957' });
    expect(await recordNow()).toMatchObject({ status: 'COMPLETE', settled: true });
    expect(await stories.get(ID)).toBeUndefined();
  });

  it('costs all attempts: the ledger is replaced, the month gets the rest', async () => {
    await made();
    await finish(activities(), { status: 'FAILED' });
    const known = await recordNow();
    if (!known) throw new Error('no record');
    const next = { run_id: 'run-2', attempt: 2, usage: known.usage, spent: known.spent ?? 0 };
    await stories.takeOver(itemOf({ run_id: 'run-2' }), recordOf(next), LIMIT, known);
    await stories.keepUsage(
      FAMILY,
      NIGHT,
      'image-2',
      usageOf({ model: 'gpt-image-2', outputTokens: 100, imageTokens: 100 }),
    );

    // The run before is over, and ends nothing any more.
    expect(await finish(activities(), { status: 'CANCELLED' })).not.toHaveProperty('cost');
    expect(await recordNow()).not.toHaveProperty('settled');
    expect(await finish(activities(), { attempt: 2 })).toMatchObject({ cost: '0.0987' });
    expect(await committed()).toBe(98_670);
    const lines = await ledger.lines(LEDGER_ID);
    expect(lines).toHaveLength(9);
    expect(lines.every(({ attempt }) => attempt === 2)).toBe(true);
  });

  it('nobody has begun ends in nothing', async () => {
    expect(await finish(activities())).toEqual({
      parts: { image: 'FAILED', audio: 'FAILED', mail: 'FAILED', event: 'FAILED' },
    });
    expect(await ledger.lines(LEDGER_ID)).toEqual([]);
    expect(await committed()).toBe(0);
  });
});

describe('a part that is given up', () => {
  it('is FAILED with its reason, unless it has come meanwhile', async () => {
    await made();
    const { recordPart } = activities();
    const given = (part: Part): RecordPartInput => ({ storyId: ID, part, state: 'FAILED', reason: 'gave up' });
    const run = (part: Part) => new MockActivityEnvironment().run(() => recordPart(given(part)));
    await run('image');
    await run('audio');

    const item = await stories.get(ID);
    expect(item?.image).toMatchObject({ state: 'FAILED', reason: 'gave up' });
    expect(item?.audio).toMatchObject({ state: 'READY', key: 'a.mp3' });
  });
});

describe('what a story has cost', () => {
  const family = { family: FAMILY, month_limit_usd: '5.00' } as Family;

  async function api() {
    const families = new FamilyStore(tables.client, tables.names);
    await families.put(family);
    return openApi({ stories, ledger, families });
  }
  const of = (...consumers: string[]) => ({ userId: 'u', role: 'viewer' as const, consumers });

  it('is told by the gateway to those of the family, by stage, beside the month', async () => {
    await made();
    await finish(activities());
    const answer = await (await api()).as(of(FAMILY)).get(`/costs/stories/${ID}`);

    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      storyId: ID,
      total: '0.0957',
      components: { text: '0.0040', image: '0.0533', audio: '0.0384' },
      lost: '0.0018775',
      month: { month: '2026-11', committed: '0.0957', limit: '5.00' },
      unpriced: [],
    });
    const { stages } = answer.json<{ stages: { stage: string; lost: boolean; usage: object; amount: string }[] }>();
    expect(stages.map(({ stage, lost, amount }) => [stage, lost, amount])).toEqual([
      ['text-1', true, '0.0018775'],
      ['text-2', false, '0.0021125'],
      ['audio', false, '0.0384'],
      ['image-1', false, '0.05328'],
    ]);
    expect(stages[3]?.usage).toMatchObject({ pictures: 1, imageTokens: 1_756 });
    expect(JSON.stringify(answer.json())).not.toContain('A Fox');
  });

  it('is nothing to others, as if there were no such story', async () => {
    await made();
    await finish(activities());
    const gateway = await api();

    expect((await gateway.as(of('owl-family')).get(`/costs/stories/${ID}`)).statusCode).toBe(404);
    expect((await gateway.as(of('owl-family')).get(`/costs/report?${IN_NOVEMBER}`)).json()).toMatchObject({
      rows: [],
    });
    expect((await gateway.as(of(FAMILY)).get(`/costs/report?${IN_NOVEMBER}`)).json()).toMatchObject({
      rows: [{ group: FAMILY, launches: 1, total: '0.0957' }],
    });
  });

  it('is not told before the story has ended, and of none', async () => {
    await made();
    const gateway = await api();
    const open = await gateway.get(`/costs/stories/${ID}`);

    expect(open.statusCode).toBe(409);
    expect(open.json()).toMatchObject({ error: { message: expect.stringContaining('up to 0.4000 USD') as string } });
    expect((await gateway.get('/costs/stories/fox-family/2026-11-27')).statusCode).toBe(404);
    expect((await gateway.get('/costs/stories/Fox/2026-11-27')).statusCode).toBe(400);
  });

  it('is in reports with launches, by consumer, type and day, and filtered by consumer', async () => {
    await made();
    await made(USAGE, { family: 'owl-family' });
    await finish(activities());
    await finish(activities(), { storyId: `owl-family/${NIGHT}` });
    const rows = async (by: 'consumer' | 'type' | 'day' | 'compute', consumer?: string) =>
      (await costReport({ ledger }, { by, ...NOVEMBER, ...(consumer && { consumer }) })).rows.map(
        ({ group, total, launches }) => [group, total, launches],
      );

    expect(await rows('consumer')).toEqual([
      [FAMILY, '0.0957', 1],
      ['owl-family', '0.0957', 1],
    ]);
    expect(await rows('type')).toEqual([['story', '0.1913', 2]]);
    expect(await rows('compute')).toEqual([['openai+polly', '0.1913', 2]]);
    expect(await rows('day', 'owl-family')).toEqual([['2026-11-26', '0.0957', 1]]);
    const seen = ofConsumers(ledger, ['owl-family']);
    expect((await costReport({ ledger: seen }, { by: 'consumer', ...NOVEMBER })).rows).toHaveLength(1);
  });

  it('is in FOCUS files of the gateway, sold by OpenAI and by AWS', async () => {
    await made();
    await finish(activities());
    const aws = { s3: { config: { credentials: async () => ({ accountId: '123456789012' }) } } } as never;
    const gateway = await openApi({ stories, ledger, aws });
    const answer = await gateway.as(of(FAMILY)).get(`/costs/report?format=focus&${IN_NOVEMBER}`);

    const lines = answer.body.trim().split('\n');
    expect(lines).toHaveLength(9);
    expect(lines.filter((line) => line.includes('OpenAI API'))).toHaveLength(7);
    expect(lines.filter((line) => line.includes('Amazon Polly'))).toHaveLength(1);
  });
});
