/**
 * Reading a sheet: what is accepted, which line a problem is on, and what never shows in a message.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { LAUNCH_ID_PATTERN } from '../../workflows/launch/model.ts';
import { launchIdIn, parseSheet } from '../../workflows/launch/sheet/parse.ts';
import { SheetError } from '../../workflows/launch/sheet/problems.ts';
import schema from '../../workflows/launch/sheet/sheet.schema.json' with { type: 'json' };
import { problemsOf, sheetOf, tryPlan } from '../support/sheets.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const exampleSheets = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.yaml') && readFileSync(join(EXAMPLES, name), 'utf8').includes('apiVersion: longhaul/v1'),
);

const STEP = { image: 'tools:1', command: 'run' };

function refusal(text: string): SheetError {
  try {
    parseSheet(text, 'sheet.yaml');
  } catch (error) {
    if (error instanceof SheetError) return error;
    throw error;
  }
  throw new Error('the sheet was accepted');
}

describe('sheets that are accepted', () => {
  it('are there as examples', () => expect(exampleSheets.length).toBeGreaterThan(0));

  it.each(exampleSheets)('examples/%s', (name) => {
    const { sheet } = parseSheet(readFileSync(join(EXAMPLES, name), 'utf8'), name);
    const dimensions = Object.entries(sheet.scatter ?? {}).filter(([, source]) => !Array.isArray(source));
    const discovered = Object.fromEntries(dimensions.map(([dimension]) => [dimension, ['one', 'two']]));
    expect(tryPlan(sheet, discovered)).toHaveProperty('plan');
  });

  it('may be JSON', () => {
    const sheet = sheetOf({ one: STEP }, { parameters: { q: 20 } });
    expect(parseSheet(JSON.stringify(sheet), 'sheet.json').sheet).toEqual(sheet);
    expect(parseSheet(JSON.stringify(sheet, null, 2), 'sheet.json').lineOf(['parameters', 'q'])).toBe(8);
  });

  it('may use anchors and aliases, comments, block texts and Windows line ends', () => {
    const text = `# a cohort
apiVersion: longhaul/v1
workflowType: steps
consumer: lab-a
dataPath: s3://data/cohort/
steps:
  a: &tool
    image: tools:1
    command: |
      run one
      run two
  b: *tool
`;
    for (const ends of [text, text.replaceAll('\n', '\r\n')]) {
      const { sheet } = parseSheet(ends, 'sheet.yaml');
      expect(sheet.steps?.b?.command).toBe('run one\nrun two\n');
      expect(sheet).not.toHaveProperty('launchId');
    }
  });

  it('give back exactly what was written, for every value a parameter can have', () => {
    const scalar = fc.oneof(
      fc.string({ unit: 'grapheme' }).filter((text) => !/[\0\uFFFD]/.test(text)),
      fc.integer(),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,20}$/), scalar), (parameters) => {
        const sheet = sheetOf({ one: STEP }, { parameters: { ...parameters } });
        expect(parseSheet(stringify(sheet), 'sheet.yaml').sheet).toEqual(sheet);
      }),
    );
  });
});

describe('the examples in the schema', () => {
  /** Every example with the path of the property it stands at. */
  function examplesIn(node: unknown, path: string[] = []): { path: string[]; example: unknown }[] {
    if (typeof node !== 'object' || node === null) return [];
    const own = Array.isArray((node as { examples?: unknown }).examples)
      ? (node as { examples: unknown[] }).examples.map((example) => ({ path, example }))
      : [];
    return [...own, ...Object.entries(node).flatMap(([key, value]) => examplesIn(value, [...path, key]))];
  }

  /** Puts an example into an otherwise good sheet. */
  function sheetWith(path: readonly string[], example: unknown) {
    const name = path.at(-1) ?? '';
    if (name === 'discover') return sheetOf({ one: STEP }, { scatter: { sample: { discover: String(example) } } });
    if (name === 'from') {
      const inputs = { used: { from: String(example) } };
      return sheetOf({ align: { ...STEP, outputs: { bam: 'a.bam' } }, one: { ...STEP, inputs } });
    }
    if (name === 'deadline') return { ...sheetOf({ one: STEP }), restore: { deadline: example } };
    return { ...sheetOf({ one: STEP }), [name]: example };
  }

  it.each(examplesIn(schema).map(({ path, example }) => [path.join('.'), path, example] as const))(
    'at %s is valid',
    (_, path, example) => {
      const { sheet } = parseSheet(stringify(sheetWith(path, example)), 'sheet.yaml');
      expect(problemsOf(sheet).filter(({ kind }) => kind === 'invalid')).toEqual([]);
    },
  );

  it('are all of a kind this test knows where to put', () => {
    const places = examplesIn(schema).map(({ path }) => path.at(-1));
    expect([...new Set(places)].sort()).toEqual([
      'consumer',
      'dataPath',
      'deadline',
      'discover',
      'from',
      'launchId',
      'parameters',
      'scatter',
    ]);
  });

  it('say the same of a launch id as the model', () => {
    expect(schema.properties.launchId.pattern).toBe(LAUNCH_ID_PATTERN.source);
  });
});

describe('the launch id of a sheet', () => {
  it.each([
    ['that is good', stringify(sheetOf({ one: STEP })), 'run-1'],
    ['that lacks everything else', 'launchId: run-9\n', 'run-9'],
    ['that has wrong values', 'launchId: run-9\nsteps: 7\nconsumer: [x]\n', 'run-9'],
    ['that has a malformed id', 'launchId: "run 9/.."\n', 'run 9/..'],
    ['that is JSON', '{"launchId": "run-9"}', 'run-9'],
    ['that has none', 'consumer: lab-a\n', undefined],
    ['that has a number', 'launchId: 9\n', undefined],
    ['that is a list', '- launchId: run-9\n', undefined],
    ['that is no YAML', 'launchId: run-9\nsteps: [a, b', 'run-9'],
    ['that is larger than a sheet may be', `launchId: run-9\n# ${'x'.repeat(1_100_000)}\n`, undefined],
    ['that is empty', '', undefined],
    ['that is binary', '\u0000launchId: run-9\n', undefined],
    ['that is two documents', 'launchId: run-9\n---\nlaunchId: run-8\n', 'run-9'],
    ['that names it twice', 'launchId: run-9\nlaunchId: run-8\n', 'run-9'],
  ])('%s', (_, text, id) => expect(launchIdIn(text)).toBe(id));

  it('is looked for in any text without failing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(['string', 'undefined']).toContain(typeof launchIdIn(text));
      }),
    );
  });
});

describe('the line of a problem', () => {
  const HEAD = 'apiVersion: longhaul/v1\nworkflowType: steps\nconsumer: lab-a\ndataPath: s3://data/x/\n';

  it.each([
    [
      'deep in a step',
      `${HEAD}steps:\n  a:\n    image: i\n    command: c\n    resources:\n      vcpus: 1\n      memoryMiB: x\n`,
      11,
    ],
    ['in a list', `${HEAD}steps:\n  a:\n    image: i\n    argv:\n      - ok\n      - 5\n`, 10],
    ['of a field that is missing: where its parent stands', `${HEAD}steps:\n  a:\n    command: c\n`, 6],
    [
      'of a name that cannot be used',
      `${HEAD}steps:\n  a:\n    image: i\n    command: c\n    inputs:\n      9x: y\n`,
      10,
    ],
    ['in flow style over lines', `${HEAD}steps: { a: {\n image: i,\n command: c,\n retries: 99 } }\n`, 8],
  ])('%s', (_, text, line) => {
    expect(refusal(text).problems.map((problem) => problem.line)).toEqual([line]);
  });

  it('that only the plan finds can be asked for', () => {
    const { lineOf } = parseSheet(`${HEAD}steps:\n  a:\n    image: i\n    argv:\n      - x\n      - y\n`, 'sheet.yaml');
    expect(lineOf(['steps', 'a', 'argv', '1'])).toBe(10);
    expect(lineOf(['steps', 'a', 'command'])).toBe(6);
  });

  it('is named for every problem at once', () => {
    const error = refusal(
      `${HEAD}computeService: x\nsteps:\n  a: { image: i, command: c, retries: 99 }\n  b: { command: c }\n`,
    );
    expect(error.message.split('\n').map((line) => line.slice(0, 13))).toEqual([
      'sheet.yaml:5:',
      'sheet.yaml:7:',
      'sheet.yaml:8:',
    ]);
  });
});

describe('what people put into parameters and environments', () => {
  const CANARY = 'hunter2canary';
  const step = (rest: string) => `steps:\n  a:\n    image: i\n    command: c\n${rest}`;
  const HEAD = 'apiVersion: longhaul/v1\nworkflowType: steps\nconsumer: lab-a\ndataPath: s3://data/x/\n';

  it.each([
    ['a list', `${HEAD}parameters: { token: [${CANARY}] }\n${step('')}`],
    ['a mapping', `${HEAD}parameters: { token: { value: ${CANARY} } }\n${step('')}`],
    ['parameters as a text', `${HEAD}parameters: ${CANARY}\n${step('')}`],
    ['parameters as a list', `${HEAD}parameters: [${CANARY}]\n${step('')}`],
    ['an environment as a text', `${HEAD}${step(`    environment: ${CANARY}\n`)}`],
    ['a list in an environment', `${HEAD}${step(`    environment: { TOKEN: [${CANARY}] }\n`)}`],
    ['a variable under a name of ours', `${HEAD}${step(`    environment: { LONGHAUL_X: ${CANARY} }\n`)}`],
    ['a parameter under an impossible name', `${HEAD}parameters: { 1x: ${CANARY} }\n${step('')}`],
    ['text after a closing quote', `${HEAD}parameters:\n  token: "x" ${CANARY}\n${step('')}`],
    ['an alias to nothing', `${HEAD}parameters:\n  token: *${CANARY}\n${step('')}`],
    ['a quote that is not closed', `${HEAD}parameters:\n  token: "${CANARY}\n${step('')}`],
    ['a colon too many', `${HEAD}parameters:\n  token: ${CANARY}: ${CANARY}\n${step('')}`],
    ['a reserved letter', `${HEAD}parameters:\n  token: @${CANARY}\n${step('')}`],
    ['an unknown tag', `${HEAD}parameters:\n  token: !${CANARY} [x]\n${step('')}`],
    ['an escape that is none', `${HEAD}parameters:\n  token: "\\q${CANARY}"\n${step('')}`],
    ['a bad block header', `${HEAD}parameters:\n  token: |${CANARY}\n${step('')}`],
    ['broken JSON', `{"parameters": {"token": "x" "${CANARY}"}}`],
    ['JSON cut off', `{"parameters": {"token": "${CANARY}`],
  ])('never shows in a message: %s', (_, text) => {
    const { message } = refusal(text);
    expect(message).not.toContain(CANARY);
    expect(message).not.toBe('');
  });

  it('never shows in what the plan says either', () => {
    const sheet = sheetOf(
      {
        one: {
          ...STEP,
          command: 'run "${{ parameters.token }}" ${{ parameters.other }} ${{ launch.token }}',
          environment: { TOKEN: CANARY, OTHER: `${CANARY}\${{ parameters.nothing }}` },
        },
      },
      { parameters: { token: CANARY } },
    );
    const problems = problemsOf(sheet);
    expect(problems.length).toBeGreaterThan(3);
    expect(JSON.stringify(problems)).not.toContain(CANARY);
  });

  it('never shows however the sheet is damaged', () => {
    const good = `${HEAD}parameters:\n  token: ${CANARY}\n  other: "${CANARY}"\n${step(`    environment:\n      TOKEN: '${CANARY}'\n`)}`;
    const damage = fc.record({
      at: fc.integer({ min: HEAD.length, max: good.length }),
      remove: fc.integer({ min: 0, max: 3 }),
      insert: fc.constantFrom(
        '',
        ' ',
        '\n',
        '"',
        "'",
        ':',
        ': ',
        '{',
        '}',
        '[',
        ']',
        '*',
        '&',
        '!',
        '|',
        '>',
        '%',
        '@',
        '\t',
        '- ',
      ),
    });
    const whole = (at: number) => {
      // Only damage outside the secret: half of it is not the secret any more.
      for (let from = good.indexOf(CANARY); from >= 0; from = good.indexOf(CANARY, from + 1))
        if (at > from && at < from + CANARY.length) return from;
      return at;
    };
    fc.assert(
      fc.property(damage, ({ at, remove, insert }) => {
        const place = whole(at);
        const kept = good.slice(place).startsWith(CANARY) ? 0 : remove;
        const text = good.slice(0, place) + insert + good.slice(place + kept);
        try {
          parseSheet(text, 'sheet.yaml');
        } catch (error) {
          expect(error).toBeInstanceOf(SheetError);
          expect((error as SheetError).message).not.toContain(CANARY);
        }
      }),
      { numRuns: 1500 },
    );
  });
});
