/**
 * The payload codec: what goes in comes out, and only with the same key and untouched.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { type Payload, ValueError } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataConverter, EncryptionCodec } from '../../lib/temporal/codec.ts';

const codec = new EncryptionCodec(Buffer.alloc(32, 1));
const bytes = fc.uint8Array({ maxLength: 200 });
const payload: fc.Arbitrary<Payload> = fc.record({
  metadata: fc.dictionary(fc.string({ minLength: 1 }), bytes, { noNullPrototype: true }),
  data: bytes,
});
const plain = (text: string): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(text)),
});
const asText = (value: Payload | undefined) => ({
  data: Buffer.from(value?.data ?? []).toString('hex'),
  metadata: Object.fromEntries(
    Object.entries(value?.metadata ?? {}).map(([key, entry]) => [key, Buffer.from(entry).toString('hex')]),
  ),
});

describe('the payload codec', () => {
  it('gives back every payload as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { maxLength: 4 }), async (payloads) => {
        const back = await codec.decode(await codec.encode(payloads));
        expect(back.map(asText)).toEqual(payloads.map(asText));
      }),
    );
  });

  it('shows nothing of the payload, nor that two are the same', async () => {
    const [first, second] = await codec.encode([plain('hunter2canary'), plain('hunter2canary')]);
    expect(Buffer.from(first?.data ?? []).toString('latin1')).not.toContain('hunter2canary');
    expect(asText(first).data).not.toBe(asText(second).data);
    expect(Buffer.from(first?.metadata?.encoding ?? []).toString()).toBe('binary/encrypted');
  });

  it('lets payloads pass that were never encrypted', async () => {
    expect(await codec.decode([plain('old history')])).toEqual([plain('old history')]);
  });

  it('refuses a payload of another key, naming both keys by their ids only', async () => {
    const key = randomBytes(32);
    const encoded = await new EncryptionCodec(key).encode([plain('x')]);
    const decoding = codec.decode(encoded);
    await expect(decoding).rejects.toThrow(ValueError);
    await expect(decoding).rejects.toThrow(
      /encrypted with the key [0-9a-f]{12}, LONGHAUL_PAYLOAD_KEY is [0-9a-f]{12}$/,
    );
    await expect(decoding).rejects.not.toThrow(new RegExp(key.toString('hex')));
  });

  it('refuses a payload of which any bit was changed, or any end cut off', async () => {
    const [encoded] = await codec.encode([plain('some text')]);
    const data = Buffer.from(encoded?.data ?? []);
    for (let bit = 0; bit < data.length * 8; bit += 1) {
      const changed = Buffer.from(data);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(codec.decode([{ ...encoded, data: changed }])).rejects.toThrow(ValueError);
    }
    for (let length = 1; length < data.length; length += 1)
      await expect(codec.decode([{ ...encoded, data: data.subarray(0, length) }])).rejects.toThrow(ValueError);
  });
});

describe('the data converter', () => {
  it('encrypts only with a key', async () => {
    expect(dataConverter('', '/x.js')).toEqual({});
    const converter = dataConverter(Buffer.alloc(32, 1).toString('base64'), '/x.js');
    expect(converter.failureConverterPath).toBe('/x.js');
    const [encoded] = (await converter.payloadCodecs?.[0]?.encode([plain('x')])) ?? [];
    expect(await codec.decode(encoded ? [encoded] : [])).toHaveLength(1);
  });
});
