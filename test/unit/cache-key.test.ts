/** Keys: the same exactly if every listed part is the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemKey, type KeyInput, type KeyParts, keyParts, stepKey } from '../../activities/launch/cache-key.ts';
import { outputsDigest } from '../../jobs/commit.ts';
import { canonicalJson } from '../../lib/digest.ts';
import { itemsOf, type PlannedStep, type StepItem } from '../../workflows/launch/plan.ts';
import { planOf, sheetOf } from '../support/sheets.ts';

/** Few values, so that equal parts come up often. */
const word = fc.constantFrom('', 'a', 'b', 'a b', 'a"b', '日', '__proto__');
const record = fc.dictionary(word, word, { maxKeys: 2 });
const input: fc.Arbitrary<KeyInput> = fc.oneof(
  fc.record(
    { name: word, address: word, version: word, etag: word, size: fc.nat(2) },
    { requiredKeys: ['name', 'address'] },
  ),
  fc.record({ name: word, step: word, item: word, digest: word }),
);
const parts: fc.Arbitrary<KeyParts> = fc.record({
  contract: fc.constantFrom(1, 2),
  consumer: word,
  image: word,
  main: fc.oneof(fc.record({ script: word }), fc.record({ argv: fc.array(word, { maxLength: 2 }) })),
  environment: record,
  outputs: fc.array(fc.record({ name: word, path: word }), { maxLength: 2 }),
  inputs: fc.array(input, { maxLength: 2 }),
});

/** The same content with the fields of every object in another order. */
function reordered<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reordered) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .reverse()
    .map(([name, field]) => [name, reordered(field as unknown)]);
  return Object.fromEntries(entries) as T;
}

const same = (a: unknown, b: unknown): boolean => {
  try {
    expect(a).toEqual(b);
    return true;
  } catch {
    return false;
  }
};

describe('the key of an item', () => {
  it('is equal exactly if the parts are equal', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(itemKey(a) === itemKey(b)).toBe(same(a, b));
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not depend on the order fields were written in', () => {
    fc.assert(fc.property(parts, (one) => itemKey(reordered(one)) === itemKey(one)));
  });

  it('changes with every single part', () => {
    const base: KeyParts = {
      contract: 2,
      consumer: 'lab-a',
      image: 'sha256:1',
      main: { script: 'run' },
      environment: { A: '1' },
      outputs: [{ name: 'bam', path: 'x.bam' }],
      inputs: [{ name: 'reads', address: 's3://b/x', version: 'v1', etag: 'e1', size: 1 }],
    };
    const [only] = base.inputs;
    const others: Partial<KeyParts>[] = [
      { contract: 3 },
      { consumer: 'lab-b' },
      { image: 'sha256:2' },
      { main: { script: 'run ' } },
      { main: { argv: ['run'] } },
      { environment: { A: '2' } },
      { environment: {} },
      { outputs: [{ name: 'bam', path: 'y.bam' }] },
      { inputs: [] },
      { inputs: [{ ...only, version: 'v2' } as KeyInput] },
      { inputs: [{ ...only, etag: 'e2' } as KeyInput] },
      { inputs: [{ ...only, size: 2 } as KeyInput] },
      { inputs: [{ name: 'reads', step: 'align.bam', item: 'a', digest: 'd1' }] },
      { inputs: [{ name: 'reads', step: 'align.bam', item: 'a', digest: 'd2' }] },
    ];
    const keys = [base, ...others.map((other) => ({ ...base, ...other }))].map(itemKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('the parts of a key', () => {
  const plan = planOf(
    sheetOf(
      {
        work: {
          image: 'tools:1',
          command: 'tool -q ${{ parameters.q }} ${{ sample }}',
          scatter: ['sample'],
          outputs: { out: '${{ sample }}.txt' },
        },
      },
      { scatter: { sample: ['a', 'b'] }, parameters: { q: 20, unused: 1 } },
    ),
  );
  const step = plan.steps[0] as PlannedStep;
  const of = (item: number, image = 'sha256:1') =>
    keyParts(plan, step, itemsOf(plan, step)[item] as StepItem, { image, sources: {}, inputs: [] });

  it('hold the command as expanded, not as written', () => {
    expect(of(0)).toMatchObject({
      main: { script: expect.stringContaining('tool -q 20 a') },
      outputs: [{ path: 'a.txt' }],
    });
    expect(itemKey(of(0))).not.toBe(itemKey(of(1)));
  });

  it('leave out what the command does not use, and the memory it is given', () => {
    const other = { ...plan, parameters: { q: 20, unused: 2 } };
    const richer = { ...step, memoryMiB: 9_999, vcpus: 8 };
    const item = itemsOf(plan, step)[0] as StepItem;
    expect(itemKey(keyParts(other, richer, item, { image: 'sha256:1', sources: {}, inputs: [] }))).toBe(itemKey(of(0)));
  });

  it('are grouped by what all items of the step share', () => {
    expect(stepKey(plan, step, 'sha256:1')).toBe(stepKey({ ...plan, launchId: 'run-2' }, step, 'sha256:1'));
    expect(stepKey(plan, step, 'sha256:1')).not.toBe(stepKey({ ...plan, consumer: 'lab-b' }, step, 'sha256:1'));
    expect(stepKey(plan, step, 'sha256:1')).not.toBe(stepKey(plan, step, 'sha256:2'));
  });
});

describe('the digest of outputs', () => {
  const file = (path: string, sha256: string) => ({
    path,
    address: `s3://b/${path}-${Math.random()}`,
    bytes: 1,
    sha256,
  });

  it('says what was put out, not where it lies or in which order', () => {
    const one = outputsDigest({ bam: [file('a', '1'), file('b', '2')], bai: [file('c', '3')] });
    expect(outputsDigest({ bai: [file('c', '3')], bam: [file('b', '2'), file('a', '1')] })).toBe(one);
    expect(outputsDigest({ bam: [file('a', '1'), file('b', '2')], bai: [file('c', '4')] })).not.toBe(one);
    expect(outputsDigest({ bam: [file('a', '1')], bai: [file('b', '2'), file('c', '3')] })).not.toBe(one);
  });
});

it('canonical JSON parses back to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
