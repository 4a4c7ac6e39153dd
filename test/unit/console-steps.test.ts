import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pileUp, stacksOf } from '../../clients/console/src/views/cost-stacks.ts';
import { shorten } from '../../clients/console/src/views/shorten.ts';
import {
  type Arrangement,
  arrangeSteps,
  countStates,
  FIRST_ARRANGEMENT,
  SORTS,
} from '../../clients/console/src/views/steps-order.ts';
import { lookOf } from '../../clients/console/src/views/tones.ts';
import { STEP_STATES, type StepView } from '../../workflows/progress/model.ts';

const NOW = Date.UTC(2026, 10, 26);
const steps = fc
  .array(
    fc.record(
      {
        state: fc.constantFrom(...STEP_STATES),
        startedAt: fc.integer({ min: NOW - 1_000_000, max: NOW }),
        attempt: fc.integer({ min: 1, max: 4 }),
        cause: fc.constantFrom('OutOfMemory', 'exit code 1'),
        stuck: fc.constant({ reason: 'no capacity', remedy: 'other types', since: NOW }),
      },
      { requiredKeys: ['state'] },
    ),
    { maxLength: 40 },
  )
  .map((drawn) => drawn.map((step, place): StepView => ({ name: `step_${place}`, ...step })));

describe('the order of steps', () => {
  it('has all that fit, once each, in the order asked for; what has no value comes last', () => {
    fc.assert(
      fc.property(
        steps,
        fc.constantFrom(...SORTS),
        fc.boolean(),
        fc.constantFrom('', 'memory', 'STEP_1'),
        (all, sort, descending, text) => {
          const arrangement: Arrangement = { sort, descending, text, state: 'all' };
          const shown = arrangeSteps(all, arrangement, NOW);
          const wanted = all.filter((step) =>
            `${step.name}\n${step.cause ?? ''}`.toLowerCase().includes(text.toLowerCase()),
          );
          expect(new Set(shown)).toEqual(new Set(wanted));
          expect(shown).toHaveLength(wanted.length);
          if (sort === 'started') {
            const times = shown.map((step) => step.startedAt);
            const known = times.filter((time) => time !== undefined);
            expect(times.slice(0, known.length)).toEqual(known);
            expect(known).toEqual([...known].sort((a, b) => (descending ? b - a : a - b)));
          }
        },
      ),
    );
  });

  it('has failed steps first, then those that are stuck, then those that run, each in the order of the plan', () => {
    const all: StepView[] = [
      { name: 'done', state: 'SUCCEEDED' },
      { name: 'runs', state: 'RUNNING' },
      { name: 'stuck', state: 'RUNNABLE', stuck: { reason: 'r', remedy: 'm', since: 1 } },
      { name: 'failed', state: 'FAILED' },
      { name: 'failed too', state: 'FAILED' },
    ];

    expect(arrangeSteps(all, FIRST_ARRANGEMENT, NOW).map((step) => step.name)).toEqual([
      'failed',
      'failed too',
      'stuck',
      'runs',
      'done',
    ]);
    expect(arrangeSteps(all, { ...FIRST_ARRANGEMENT, state: 'stuck' }, NOW).map((step) => step.name)).toEqual([
      'stuck',
    ]);
    expect(countStates(all)).toEqual(
      new Map([
        ['SUCCEEDED', 1],
        ['RUNNING', 1],
        ['RUNNABLE', 1],
        ['stuck', 1],
        ['FAILED', 2],
      ]),
    );
  });

  it('counts in names: 2 comes before 10', () => {
    const all = ['map_10', 'map_2', 'map_1'].map((name): StepView => ({ name, state: 'PENDING' }));

    expect(arrangeSteps(all, { ...FIRST_ARRANGEMENT, sort: 'name' }, NOW).map((step) => step.name)).toEqual([
      'map_1',
      'map_2',
      'map_10',
    ]);
  });
});

describe('names that have to fit', () => {
  it('keep their beginning and their end', () => {
    expect(shorten('map_0017', 8)).toBe('map_0017');
    expect(shorten('alignReadsOfSample_0017', 12)).toBe('alignRe…0017');
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 30 }), (name, length) => {
        expect(shorten(name, length).length).toBeLessThanOrEqual(length);
      }),
    );
  });
});

describe('what a state looks like', () => {
  it('has an icon and a word beside its colour, for every state and for words no one has thought of', () => {
    for (const state of [...STEP_STATES, 'COMPLETE', 'RESTORING', 'SOMETHING_ELSE', '', 'toString']) {
      const look = lookOf(state);
      expect(look.icon).not.toBe('');
      expect(typeof look.label).toBe('string');
    }
    expect(lookOf('FAILED').tone).toBe('bad');
    expect(lookOf('SOMETHING_ELSE').label).toBe('Something else');
    const icons = STEP_STATES.map((state) => lookOf(state).icon);
    expect(new Set(icons).size).toBe(icons.length);
  });
});

describe('stacked costs', () => {
  const row = (group: string, currency: string, components: Record<string, string>) => ({
    group,
    currency,
    launches: 1,
    total: '3.00',
    components,
    lost: '0',
    idle: '0',
    packing: '0',
    exact: { total: '3', components, lost: '0', idle: '0', packing: '0' },
  });

  it('are one picture a currency, the dearest component at the bottom, absent ones nothing', () => {
    const stacks = stacksOf({
      rows: [
        row('2026-11-01', 'USD', { storage: '1.5', compute: '1.5' }),
        row('2026-11-02', 'USD', { compute: '3' }),
        row('2026-11-02', 'EUR', { compute: 'x' }),
      ],
    });

    expect(stacks.map((stack) => stack.currency)).toEqual(['USD', 'EUR']);
    expect(stacks[0]).toMatchObject({
      groups: ['2026-11-01', '2026-11-02'],
      components: ['compute', 'storage'],
      amounts: [
        [1.5, 3],
        [1.5, 0],
      ],
    });
    expect(stacks[1]?.amounts).toEqual([[0]]);
  });

  it('pile up to their sums, the highest first', () => {
    expect(
      pileUp([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    ).toEqual([
      [9, 12],
      [4, 6],
      [1, 2],
    ]);
  });
});
