/** Families: what is refused before bedtime, what is made of one that is added, and that addresses stay with SNS. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addFamily,
  backfillFamily,
  listFamilies,
  pauseFamily,
  removeFamily,
  setFamily,
  showFamily,
  subscribeTo,
  subscriptionsOf,
} from '../../clients/story/families.ts';
import type { StoryProblem } from '../../clients/story/problem.ts';
import { masked, topicNameOf } from '../../clients/story/topic.ts';
import { defaultCast } from '../../lib/story/cast.ts';
import type { Family } from '../../lib/story/document.ts';
import { cardIdOf, checkLooks, checkName } from '../../lib/story/names.ts';
import { memoryWorld } from '../support/steering-world.ts';
import { familyItem } from '../support/story-family.ts';

const NOW = Date.parse('2026-11-26T12:00:00Z');
const BERLIN = { timeZone: 'Europe/Berlin' };
const ADDRESS = 'anna.secret@family.example';

const failureOf = async (run: Promise<unknown>): Promise<StoryProblem> =>
  run.then(
    () => Promise.reject(new Error('it was let through')),
    (error: unknown) => error as StoryProblem,
  );
const countsOf = ({ kept }: ReturnType<typeof memoryWorld>) => ({
  families: kept.families.size,
  characters: kept.cards.characters.size,
  scenes: kept.cards.scenes.size,
  schedules: kept.schedules.size,
  topics: kept.topics.size,
});
const NOTHING = { families: 0, characters: 0, scenes: 0, schedules: 0, topics: 0 };

describe('adding a family', () => {
  it('makes its topic, its cast and its schedule, by defaults', async () => {
    const world = memoryWorld();
    const added = await addFamily(world, 'moon', BERLIN, NOW);
    expect(added).toMatchObject({
      family: 'moon',
      at: '19:15',
      voice: 'Amy',
      warnings: [],
      schedule: { state: 'active' },
    });
    expect(world.kept.families.get('moon')).toEqual(
      familyItem({ topic_arn: 'arn:aws:sns:eu-central-1:123456789012:longhaul-story-moon' }),
    );
    expect(world.kept.cards.characters.has('moon/parker')).toBe(true);
    expect(world.kept.cards.characters.has('moon/jackson')).toBe(true);
    expect(world.kept.cards.scenes.has('moon/haunted-woods')).toBe(true);
    expect(world.kept.schedules.has('story/moon')).toBe(true);
  });

  it.each(['CreateTopic', 'createSchedule', 'put'])(
    'that was cut off at %s is completed by the next',
    async (place) => {
      const world = memoryWorld();
      world.fail.set(place, Object.assign(new Error('gone'), { name: 'TimeoutError' }));
      await failureOf(addFamily(world, 'moon', BERLIN, NOW));
      expect(world.kept.families.size).toBe(0);
      await addFamily(world, 'moon', BERLIN, NOW);
      expect(countsOf(world)).toMatchObject({ families: 1, schedules: 1, topics: 1 });
    },
  );

  it('twice is refused, and changes nothing', async () => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    const before = world.kept.families.get('moon');
    const problem = await failureOf(addFamily(world, 'moon', { ...BERLIN, at: '20:00' }, NOW));
    expect(problem).toMatchObject({ kind: 'conflict', message: 'there is a family moon already' });
    expect(world.kept.families.get('moon')).toBe(before);
    expect(world.kept.schedules.get('story/moon')?.spec.calendars).toMatchObject([{ hour: 19 }]);
  });

  it.each([
    ['a time zone there is not', { timeZone: 'Mars/Phobos' }, 'Mars/Phobos'],
    ['an offset, which knows no daylight saving', { timeZone: '+02:00' }, '+02:00'],
    ['no time zone', {}, 'is missing'],
    ['a time of day there is not', { ...BERLIN, at: '24:00' }, '24:00'],
    ['a time of day in other words', { ...BERLIN, at: '7:15pm' }, '7:15pm'],
    ['no language', { ...BERLIN, language: 'in English' }, 'in English'],
    ['a language without a usual voice', { ...BERLIN, language: 'cy-GB' }, 'cy-GB'],
    ['an engine without speech marks', { ...BERLIN, engine: 'generative' as never }, 'generative'],
    ['too many words', { ...BERLIN, minWords: 5_000 }, '5000'],
    ['half a word', { ...BERLIN, minWords: 200.5 }, '200.5'],
    ['no money', { ...BERLIN, storyLimitUsd: '0' }, '"0"'],
    ['money in other words', { ...BERLIN, storyLimitUsd: '1e3' }, '1e3'],
    ['a month for less than a story', { ...BERLIN, storyLimitUsd: '5', monthLimitUsd: '4' }, 'a whole month 4'],
    ['to catch up later than a day', { ...BERLIN, catchupMinutes: 10_000 }, '10000'],
    ['a voice that is none', { ...BERLIN, voice: '"; DROP' }, 'DROP'],
    ['a voice Polly does not have', { ...BERLIN, voice: 'Nobody' }, 'no voice Nobody'],
    ['a voice of another language', { ...BERLIN, voice: 'Vicki' }, 'does not speak en-GB, but German'],
    [
      'a voice without the engine',
      { ...BERLIN, voice: 'Ruth', engine: 'neural' as const },
      'engine neural, but long-form',
    ],
  ])('is refused with %s, before anything is made', async (_, settings, said) => {
    const world = memoryWorld();
    const problem = await failureOf(addFamily(world, 'moon', settings, NOW));
    expect(problem).toMatchObject({ name: 'StoryProblem', kind: 'input', message: expect.stringContaining(said) });
    expect(problem.remedy).not.toBe('');
    expect(countsOf(world)).toEqual(NOTHING);
  });

  it.each(['Moon', 'a b', '../x', '-moon', 'möön', '', 'x'.repeat(41), 'moon/2026-11-26'])(
    'is refused for the name %j, which is not repeated',
    async (name) => {
      const problem = await failureOf(addFamily(memoryWorld(), name, BERLIN, NOW));
      expect(problem).toMatchObject({ kind: 'input', message: 'this cannot be the name of a family' });
    },
  );

  it('tells whatever is refused in one harmless line', async () => {
    const world = memoryWorld();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('timeZone', 'at', 'language', 'voice', 'engine', 'storyLimitUsd'),
        fc.string({ unit: 'binary', minLength: 1 }),
        async (field, text) => {
          const problem = await failureOf(addFamily(world, 'moon', { ...BERLIN, [field]: `${text}\u202e<` }, NOW));
          expect(problem).toMatchObject({ name: 'StoryProblem', kind: 'input' });
          expect(problem.message).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
          expect(problem.message.length).toBeLessThan(200);
        },
      ),
    );
    expect(countsOf(world)).toEqual(NOTHING);
  });

  it('takes names as their databases write them, and a voice by the language', async () => {
    const world = memoryWorld();
    await addFamily(world, 'stern', { timeZone: 'europe/berlin', language: 'DE-de' }, NOW);
    expect(world.kept.families.get('stern')).toMatchObject({
      time_zone: 'Europe/Berlin',
      language: 'de-DE',
      voice: 'Vicki',
    });
    expect(world.kept.cards.scenes.has('stern/spukwald')).toBe(true);
    // Polly calls that language cmn-CN.
    await addFamily(world, 'yue', { timeZone: 'Asia/Kolkata', language: 'zh-CN', voice: 'zhiyu' }, NOW);
    expect(world.kept.families.get('yue')).toMatchObject({ time_zone: 'Asia/Kolkata', voice: 'Zhiyu' });
  });

  it('where Polly cannot be asked takes the voice as it is, and says so', async () => {
    const world = memoryWorld();
    world.fail.set('DescribeVoices', Object.assign(new Error(`at ${ADDRESS}`), { name: 'CredentialsProviderError' }));
    const { warnings } = await addFamily(world, 'moon', { ...BERLIN, voice: 'Brian' }, NOW);
    expect(warnings).toEqual([
      'Polly could not be asked about the voice Brian (CredentialsProviderError): it is taken as it is',
    ]);
  });

  it('warns of nights without that time', async () => {
    const { warnings } = await addFamily(memoryWorld(), 'owls', { ...BERLIN, at: '02:30' }, NOW);
    expect(warnings).toEqual([expect.stringMatching(/^on 2027-03-28 there is no 02:30 in Europe\/Berlin/)]);
  });

  it('says that SNS does not answer by what the failure is called alone', async () => {
    const world = memoryWorld();
    world.fail.set(
      'CreateTopic',
      Object.assign(new Error(`arn:aws:iam::1:user/${ADDRESS}`), { name: 'AuthorizationError' }),
    );
    const problem = await failureOf(addFamily(world, 'moon', BERLIN, NOW));
    expect(problem).toMatchObject({
      kind: 'unavailable',
      message: 'SNS did not make the topic longhaul-story-moon (AuthorizationError)',
    });
  });
});

describe('topics of two families', () => {
  it('are never one, whatever the prefixes', () => {
    const prefix = fc.stringMatching(/^[A-Za-z0-9_-]{0,6}$/);
    const family = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,6}$/);
    fc.assert(
      fc.property(prefix, family, prefix, family, (p, f, q, g) => {
        expect(topicNameOf(p, f) === topicNameOf(q, g)).toBe(p === q && f === g);
        expect(topicNameOf(p, f)).toMatch(/^longhaul-story-[A-Za-z0-9_-]+$/);
      }),
    );
    expect(topicNameOf('dev.', 'moon')).toBe('longhaul-story-dev__moon');
  });
});

describe('setting a family', () => {
  it('changes what is named, fits the schedule, and asks Polly only about speech', async () => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    world.calls.length = 0;
    await setFamily(world, 'moon', { at: '18:30', waitForAll: true, monthLimitUsd: '4' }, NOW);
    expect(world.kept.families.get('moon')).toMatchObject({
      at: '18:30',
      wait_for_all: true,
      month_limit_usd: '4',
      voice: 'Amy',
    });
    expect(world.kept.schedules.get('story/moon')?.spec.calendars).toMatchObject([{ hour: 18, minute: 30 }]);
    expect(world.calls).toEqual([]);
    await setFamily(world, 'moon', { language: 'de-DE' }, NOW);
    expect(world.kept.families.get('moon')).toMatchObject({ language: 'de-DE', voice: 'Vicki' });
  });

  it('makes what is missing', async () => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    world.kept.schedules.clear();
    const [{ topic_arn: _topic, ...bare } = {} as Family] = world.kept.families.values();
    world.kept.families.set('moon', bare);
    await setFamily(world, 'moon', {}, NOW);
    expect(world.kept.schedules.size).toBe(1);
    expect(world.kept.families.get('moon')?.topic_arn).toContain('longhaul-story-moon');
  });

  it('keeps everything as it was when Temporal refuses', async () => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    world.fail.set('updateSchedule', new TypeError('unknown time zone Asia/Tokyo'));
    expect(await failureOf(setFamily(world, 'moon', { timeZone: 'Asia/Tokyo' }, NOW))).toMatchObject({ kind: 'input' });
    expect(world.kept.families.get('moon')?.time_zone).toBe('Europe/Berlin');
  });

  it('of one that is not there says what to do', async () => {
    expect(await failureOf(setFamily(memoryWorld(), 'sun', {}, NOW))).toMatchObject({
      kind: 'unknown',
      message: 'there is no family sun',
      remedy: 'list the families, or add it first',
    });
  });
});

describe('removing a family', () => {
  it('leaves nothing of it, and of others everything', async () => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    await addFamily(world, 'stern', BERLIN, NOW);
    await removeFamily(world, 'moon');
    expect(countsOf(world)).toMatchObject({ families: 1, schedules: 1, topics: 1 });
    expect(world.kept.cards.characters.has('stern/parker')).toBe(true);
    expect(world.kept.cards.characters.has('moon/parker')).toBe(false);
    expect(await failureOf(removeFamily(world, 'moon'))).toMatchObject({ kind: 'unknown' });
  });

  it('that was cut off can be asked for again', async () => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    world.fail.set('DeleteTopic', Object.assign(new Error(), { name: 'InternalErrorException' }));
    expect(await failureOf(removeFamily(world, 'moon'))).toMatchObject({ kind: 'unavailable' });
    expect(world.kept.schedules.size).toBe(0);
    world.fail.set('DeleteTopic', Object.assign(new Error(), { name: 'NotFoundException' }));
    await removeFamily(world, 'moon');
    expect(countsOf(world)).toMatchObject({ families: 0, characters: 0, scenes: 0 });
  });
});

describe('who gets the mail', () => {
  it('is known to SNS alone, and shown masked', async () => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    for (const address of [ADDRESS, 'ben@example.org', 'left@example.org']) await subscribeTo(world, 'moon', address);
    // One has not answered, one has, one has left.
    expect(await subscriptionsOf(world, 'moon')).toEqual([
      { address: 'a***@f***.example', confirmed: false },
      { address: 'b***@e***.org', confirmed: true },
    ]);
    expect(JSON.stringify([...world.kept.families.values()])).not.toContain('@');
    expect(JSON.stringify(await showFamily(world, 'moon', NOW))).not.toContain('@');
  });

  it.each([
    '',
    'anna',
    'anna@',
    '@x.org',
    'a b@x.org',
    'a@x',
    'a@x.org,b@x.org',
    '<a@x.org>',
    `${'a'.repeat(250)}@x.org`,
    'a@x.org\n',
  ])('is not %j, which is neither repeated nor sent', async (address) => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    const problem = await failureOf(subscribeTo(world, 'moon', address));
    expect(problem).toMatchObject({ kind: 'input', message: 'this is no e-mail address' });
    expect(world.calls.map(({ name }) => name)).not.toContain('Subscribe');
  });

  it.each([
    ['InvalidParameterException', 'input', 'SNS does not take this address'],
    ['ThrottledException', 'unavailable', 'SNS did not take the subscription (ThrottledException)'],
  ])('is not in what is told of %s', async (name, kind, message) => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    world.fail.set('Subscribe', Object.assign(new Error(`Invalid parameter: ${ADDRESS}`), { name }));
    const problem = await failureOf(subscribeTo(world, 'moon', ADDRESS));
    expect(problem).toMatchObject({ kind, message });
    expect(JSON.stringify([problem, problem.message, problem.stack, problem.cause])).not.toContain('secret');
  });

  it('is masked so that nobody can be written to', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (address) => {
        const shown = masked(address);
        expect(shown).toMatch(/^.\*{3}@.\*{3}\.[^.]+$/u);
        expect(shown.length).toBeLessThanOrEqual('a***@e***.'.length + address.length - address.lastIndexOf('.') - 1);
      }),
    );
    expect(masked('no address')).toBe('***');
  });
});

describe('nights of a family', () => {
  it.each([
    ['2026-11-26', 'is not to come'],
    ['2026-11-01', 'is not to come'],
    ['2026-02-30', 'is no date'],
    ['soon', 'is no date'],
  ])('cannot be paused until %s', async (until, said) => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    const problem = await failureOf(pauseFamily(world, 'moon', until, NOW));
    expect(problem.message).toContain(said);
  });

  it('go by what day it is there', async () => {
    const world = memoryWorld();
    await addFamily(world, 'kiwi', { timeZone: 'Pacific/Auckland' }, NOW);
    // It is the 27th there.
    expect(await failureOf(pauseFamily(world, 'kiwi', '2026-11-27', NOW))).toMatchObject({ kind: 'input' });
    expect(await pauseFamily(world, 'kiwi', '2026-11-28', NOW)).toMatchObject({ until: '2026-11-28' });
  });

  it.each([
    [{ from: '2026-11-20', to: '2026-11-19' }, 'is before'],
    [{ from: '2026-11-20', to: '2026-11-27' }, 'has not come'],
    [{ from: '2026-01-01', to: '2026-11-20' }, 'these are 324 nights'],
    [{ from: 'x', to: '2026-11-20' }, 'the first night is no date'],
  ])('of %j are not made up for', async (range, said) => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    expect((await failureOf(backfillFamily(world, 'moon', range, NOW))).message).toContain(said);
    expect(world.kept.backfills).toEqual([]);
  });

  it('are counted, and each listed family is one of those wanted', async () => {
    const world = memoryWorld();
    await addFamily(world, 'moon', BERLIN, NOW);
    await addFamily(world, 'stern', BERLIN, NOW);
    expect(await backfillFamily(world, 'moon', { from: '2026-10-24', to: '2026-10-26' }, NOW)).toEqual({ nights: 3 });
    expect((await listFamilies(world, NOW, (name) => name !== 'moon')).map(({ family }) => family)).toEqual(['stern']);
  });
});

describe('the default cast', () => {
  it.each(['en-GB', 'de-DE', 'fr-FR'])(
    'in %s is large enough, has no two of a name, and would be taken by hand',
    (language) => {
      const cast = defaultCast('moon', language, '2026-11-26T12:00:00.000Z');
      for (const kind of ['characters', 'scenes'] as const) {
        expect(cast[kind].length).toBeGreaterThanOrEqual(12);
        expect(new Set(cast[kind].map(({ card }) => card)).size).toBe(cast[kind].length);
        for (const { name, looks, card } of cast[kind]) {
          expect(checkName(kind, name)).toBe(name);
          expect(checkLooks(looks)).toBe(looks);
          expect(cardIdOf(name)).toBe(card);
        }
      }
    },
  );
});
