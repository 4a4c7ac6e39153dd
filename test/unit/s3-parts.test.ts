import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS, createHasher } from '../../infra/local/aws/s3/checksums.ts';
import { urlEncode } from '../../infra/local/aws/s3/describe.ts';
import { compareUtf8, SortedKeys } from '../../infra/local/aws/s3/keys.ts';

const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));

describe('keys', () => {
  const key = fc.string({
    unit: fc.constantFrom('a', 'b', '/', 'é', '\uD7FF', '\uE000', '\uFF5E', '\u{1F600}', '\u{10FFFD}'),
  });

  it('compare as their UTF-8 bytes do', () => {
    fc.assert(
      fc.property(key, key, (one, other) => Math.sign(compareUtf8(one, other)) === Math.sign(byBytes(one, other))),
    );
  });

  it('are walked in order from anywhere, after any additions and removals', () => {
    const change = fc.record({ key, add: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), key, (changes, start) => {
        const sorted = new SortedKeys();
        const model = new Set<string>();
        for (const { key: changed, add } of changes) {
          if (add) sorted.add(changed);
          else sorted.delete(changed);
          if (add) model.add(changed);
          else model.delete(changed);
        }

        const expected = [...model].sort(byBytes).filter((one) => byBytes(one, start) >= 0);
        expect([...sorted.from(start)]).toEqual(expected);
      }),
    );
  });

  it('stay in order over many blocks, and the walk can jump', () => {
    const sorted = new SortedKeys();
    const all = Array.from({ length: 20_000 }, (_, index) => String((index * 7919) % 20_000).padStart(6, '0'));
    for (const one of all) sorted.add(one);
    for (const one of all) if (Number(one) % 3 === 0) sorted.delete(one);
    const walk = sorted.from('');
    walk.next();

    const jumped = walk.next('015000').value;

    expect([...sorted.from('')]).toEqual([...all].sort().filter((one) => Number(one) % 3 !== 0));
    expect(jumped).toBe('015001');
    expect(walk.next().value).toBe('015002');
  });

  it('are encoded in event messages as S3 does it', () => {
    expect(urlEncode("a b+c/ü(1)'~!*.csv")).toBe('a+b%2Bc/%C3%BC%281%29%27%7E%21*.csv');
  });
});

describe('checksums', () => {
  // The check values of the standards, over "123456789".
  const CHECKS = {
    CRC32: 'cbf43926',
    CRC32C: 'e3069283',
    CRC64NVME: 'ae8b14860a799888',
    SHA1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
    SHA256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  };

  it.each(ALGORITHMS)('%s has its known value, in one piece or in many', (algorithm) => {
    const whole = createHasher(algorithm);
    const pieces = createHasher(algorithm);

    whole.update(Buffer.from('123456789'));
    for (const piece of ['12', '', '3456', '789']) pieces.update(Buffer.from(piece));

    expect(whole.digest().toString('hex')).toBe(CHECKS[algorithm]);
    expect(pieces.digest().toString('hex')).toBe(CHECKS[algorithm]);
  });
});
