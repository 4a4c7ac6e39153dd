import {
  CostExplorerClient,
  GetCostAndUsageCommand,
  type GetCostAndUsageCommandInput,
  GetDimensionValuesCommand,
  type ResultByTime,
} from '@aws-sdk/client-cost-explorer';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

let target: Target;
let explorer: CostExplorerClient;

const DAY_MS = 24 * 3600 * 1000;
const now = () => target.local?.kit.clock.now() ?? Date.now();
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);
/** So many days before today. */
const daysAgo = (days: number) => dayOf(now() - days * DAY_MS);

beforeAll(async () => {
  target = await openTarget();
  explorer = new CostExplorerClient({ ...target.client, region: 'us-east-1' });
});
// What earlier tests have used of the rate is there again.
beforeEach(() => target.local?.kit.clock.advance(10_000));
afterAll(async () => {
  explorer.destroy();
  await target.close();
});

const asked = (input: Partial<GetCostAndUsageCommandInput>): GetCostAndUsageCommandInput => ({
  TimePeriod: { Start: daysAgo(5), End: daysAgo(1) },
  Granularity: 'DAILY',
  Metrics: ['UnblendedCost'],
  ...input,
});
const ask = async (input: Partial<GetCostAndUsageCommandInput>) =>
  explorer.send(new GetCostAndUsageCommand(asked(input)));

describe('costs', () => {
  it.each<[string, Partial<GetCostAndUsageCommandInput>]>([
    ['a time that ends before it begins', { TimePeriod: { Start: '2026-09-02', End: '2026-09-01' } }],
    ['a date of another form', { TimePeriod: { Start: '1.9.2026', End: '2.9.2026' } }],
    ['a time that is far off', { TimePeriod: { Start: daysFrom(-5), End: daysFrom(90) } }],
    ['no metrics', { Metrics: [] }],
    ['a metric nobody has', { Metrics: ['Sympathy'] }],
    ['three groups', { GroupBy: ['a', 'b', 'c'].map((Key) => ({ Type: 'TAG' as const, Key })) }],
    ['a group by nothing there is', { GroupBy: [{ Type: 'DIMENSION', Key: 'WEATHER' }] }],
    [
      'two things in one expression',
      { Filter: { Tags: { Key: 'a', Values: ['b'] }, Dimensions: { Key: 'SERVICE', Values: ['c'] } } },
    ],
    ['an And of one', { Filter: { And: [{ Tags: { Key: 'a', Values: ['b'] } }] } }],
  ])('are refused for %s', async (_, input) => {
    await expect(ask(input)).rejects.toMatchObject({ name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
  });
});

/** By the real clock: before there is a target. */
function daysFrom(days: number): string {
  return dayOf(Date.now() + days * DAY_MS);
}

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  const EC2 = 'Amazon Elastic Compute Cloud - Compute';
  const put = (rows: unknown) => target.local?.kit.actions.get('POST billing-rows')?.(rows as Record<string, unknown>);
  const amounts = (results: readonly ResultByTime[] = []) => results.map(({ Total }) => Total?.UnblendedCost?.Amount);
  const groups = ([result]: readonly ResultByTime[] = []) =>
    Object.fromEntries(
      (result?.Groups ?? []).map(({ Keys, Metrics }) => [Keys?.join(), Metrics?.UnblendedCost?.Amount]),
    );

  it('has no data until there are rows', async () => {
    await expect(ask({})).rejects.toMatchObject({ name: 'DataUnavailableException' });
  });

  it('sums what was billed by day, exactly', async () => {
    put([
      { date: daysAgo(4), service: EC2, usageType: 'BoxUsage:m5.xlarge', tags: { launch: 'a' }, amount: '0.1' },
      { date: daysAgo(4), service: EC2, usageType: 'BoxUsage:m5.xlarge', tags: { launch: 'b' }, amount: '0.2' },
      {
        date: daysAgo(4),
        service: 'EC2 - Other',
        usageType: 'EBS:VolumeUsage.gp3',
        tags: { launch: 'a' },
        amount: '0.0000000007',
      },
      { date: daysAgo(3), service: 'AWS Cost Explorer', amount: '1', usageQuantity: '100' },
    ]);
    const { ResultsByTime } = await ask({});

    expect(ResultsByTime?.map(({ TimePeriod }) => TimePeriod?.Start)).toEqual([5, 4, 3, 2].map(daysAgo));
    expect(amounts(ResultsByTime)).toEqual(['0', '0.3000000007', '1', '0']);
    expect(ResultsByTime?.[1]?.Total).toEqual({ UnblendedCost: { Amount: '0.3000000007', Unit: 'USD' } });
    expect(ResultsByTime?.[1]?.Groups).toEqual([]);
  });

  it('groups by service and by tag', async () => {
    const day = { Start: daysAgo(4), End: daysAgo(3) };
    const byService = await ask({ TimePeriod: day, GroupBy: [{ Type: 'DIMENSION', Key: 'SERVICE' }] });
    const byTag = await ask({ TimePeriod: day, GroupBy: [{ Type: 'TAG', Key: 'launch' }] });
    const byBoth = await ask({
      TimePeriod: { Start: daysAgo(4), End: daysAgo(2) },
      Granularity: 'MONTHLY',
      GroupBy: [
        { Type: 'TAG', Key: 'launch' },
        { Type: 'DIMENSION', Key: 'SERVICE' },
      ],
    });

    expect(groups(byService.ResultsByTime)).toEqual({ [EC2]: '0.3', 'EC2 - Other': '0.0000000007' });
    expect(byService.ResultsByTime?.[0]?.Total).toEqual({});
    expect(groups(byTag.ResultsByTime)).toEqual({ launch$a: '0.1000000007', launch$b: '0.2' });
    const both = (byBoth.ResultsByTime ?? []).flatMap(({ Groups = [] }) => Groups.map(({ Keys }) => Keys?.join()));
    expect(both).toEqual(expect.arrayContaining([`launch$a,${EC2}`, 'launch$,AWS Cost Explorer']));
  });

  it('filters by tags and dimensions, and what is made of them', async () => {
    const TimePeriod = { Start: daysAgo(4), End: daysAgo(2) };
    const sum = async (Filter: GetCostAndUsageCommandInput['Filter']) => {
      const { ResultsByTime = [] } = await ask({ TimePeriod, Filter });
      return ResultsByTime.reduce((total, { Total }) => total + Number(Total?.UnblendedCost?.Amount), 0);
    };
    const ofA = { Tags: { Key: 'launch', Values: ['a'] } };
    const compute = { Dimensions: { Key: 'SERVICE' as const, Values: [EC2] } };

    expect(await sum(ofA)).toBeCloseTo(0.1, 6);
    expect(await sum({ And: [ofA, compute] })).toBe(0.1);
    expect(await sum({ Or: [ofA, compute] })).toBeCloseTo(0.3, 6);
    target.local?.kit.clock.advance(10_000);
    expect(await sum({ Not: compute })).toBeCloseTo(1, 6);
    expect(await sum({ Tags: { Key: 'launch', MatchOptions: ['ABSENT'] } })).toBe(1);
  });

  it('knows a day once it is over, and estimates until the month is closed', async () => {
    const kit = target.local?.kit;
    const today = daysAgo(0);
    put({ rows: [{ date: today, service: 'Amazon FSx', amount: '5.5' }] });
    const TimePeriod = { Start: today, End: dayOf(now() + DAY_MS) };
    const before = await ask({ TimePeriod });
    kit?.clock.advance(DAY_MS);
    const after = await ask({ TimePeriod });
    kit?.clock.advance(40 * DAY_MS);
    const closed = await ask({ TimePeriod });

    expect([before, after, closed].map(({ ResultsByTime }) => amounts(ResultsByTime)[0])).toEqual(['0', '5.5', '5.5']);
    expect([after, closed].map(({ ResultsByTime }) => ResultsByTime?.[0]?.Estimated)).toEqual([true, false]);
  });

  it('goes on by a token, of the same question only', async () => {
    const TimePeriod = { Start: daysAgo(60), End: daysAgo(0) };
    const first = await ask({ TimePeriod });
    const second = await ask({ TimePeriod, NextPageToken: first.NextPageToken });

    expect((first.ResultsByTime?.length ?? 0) + (second.ResultsByTime?.length ?? 0)).toBe(60);
    expect(second.NextPageToken).toBeUndefined();
    await expect(ask({ NextPageToken: first.NextPageToken })).rejects.toMatchObject({
      name: 'InvalidNextTokenException',
    });
  });

  it('keeps its rows over a restart', async () => {
    const input = { TimePeriod: { Start: daysAgo(60), End: daysAgo(30) }, Granularity: 'MONTHLY' as const };
    const before = await ask(input);
    const offset = now() - Date.now();
    await target.restart?.('stand-ins', async () => {});
    target.local?.kit.clock.advance(offset);

    expect((await ask(input)).ResultsByTime).toEqual(before.ResultsByTime);
  });

  it.each([{}, [{ service: EC2, amount: '1' }], [{ date: '2026-11-26', service: EC2, amount: 'much' }]])(
    'takes no rows that are none: %o',
    (rows) => {
      expect(() => put(rows)).toThrow();
    },
  );

  it('throttles, and answers again a little later', async () => {
    const impatient = new CostExplorerClient({ ...target.client, maxAttempts: 1 });
    const send = () => impatient.send(new GetCostAndUsageCommand(asked({})));

    const answers = await Promise.allSettled(Array.from({ length: 10 }, send));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    target.local?.kit.clock.advance(1_000);

    expect(refused.length).toBeGreaterThanOrEqual(4);
    expect(refused[0]).toMatchObject({ name: 'LimitExceededException', $metadata: { httpStatusCode: 400 } });
    await expect(send()).resolves.toHaveProperty('ResultsByTime');
    impatient.destroy();
  });

  it('refuses what it does not have', async () => {
    const values = new GetDimensionValuesCommand({ TimePeriod: asked({}).TimePeriod, Dimension: 'SERVICE' });

    await expect(explorer.send(values)).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });
});
