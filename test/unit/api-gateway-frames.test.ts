import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameMeter } from '../../infra/local/aws/apigateway/frames.ts';

const lengths = fc.array(fc.oneof(fc.nat(130), fc.constantFrom(125, 126, 127, 65_535, 65_536, 40_000)), {
  minLength: 1,
  maxLength: 6,
});

/** A masked text frame, as a browser sends it. */
function frameOf(length: number): Buffer {
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + extended + 4);
  header.writeUInt8(0x81, 0);
  header.writeUInt8(0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127), 1);
  if (extended === 2) header.writeUInt16BE(length, 2);
  if (extended === 8) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, Buffer.alloc(length, 'x')]);
}

it('finds the longest frame, however the bytes are cut', () => {
  fc.assert(
    fc.property(lengths, fc.infiniteStream(fc.integer({ min: 1, max: 70_000 })), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map(frameOf));
      const meter = new FrameMeter();
      let longest = 0;
      for (let from = 0; from < bytes.length; ) {
        const to = from + (cuts.next().value ?? 1);
        longest = Math.max(longest, meter.take(bytes.subarray(from, to)));
        from = to;
      }
      expect(longest).toBe(Math.max(...sent));
    }),
    { numRuns: 200 },
  );
});
