/**
 * The payload codec: AES-256-GCM over every payload, so that a server or its database shows nothing of inputs,
 * results, failures, summaries and details. Workflow ids and search attributes are never encrypted: they stay opaque.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { type DataConverter, type Payload, type PayloadCodec, ValueError } from '@temporalio/common';
import proto from '@temporalio/proto';

const ENCODING = 'binary/encrypted';
/** NIST SP 800-38D recommends 96-bit initialisation vectors and the full 128-bit tag for GCM. */
const IV_BYTES = 12;
const TAG_BYTES = 16;

export class EncryptionCodec implements PayloadCodec {
  readonly #key: Buffer;
  readonly #keyId: string;

  /** @param key 32 bytes */
  constructor(key: Buffer) {
    this.#key = key;
    // Says which key it was without saying anything of it.
    this.#keyId = createHash('sha256').update(key).digest('hex').slice(0, 12);
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
      const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
      const data = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return { metadata: { encoding: Buffer.from(ENCODING), 'encryption-key-id': Buffer.from(this.#keyId) }, data };
    });
  }

  /** @throws ValueError for a payload of another key, or one that was changed on its way */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      if (text(payload.metadata?.encoding) !== ENCODING || !payload.data) return payload;
      const keyId = text(payload.metadata?.['encryption-key-id']);
      if (keyId !== this.#keyId) {
        throw new ValueError(`the payload was encrypted with the key ${keyId}, LONGHAUL_PAYLOAD_KEY is ${this.#keyId}`);
      }
      return proto.temporal.api.common.v1.Payload.decode(this.#decrypt(Buffer.from(payload.data)));
    });
  }

  #decrypt(data: Buffer): Buffer {
    try {
      const options = { authTagLength: TAG_BYTES };
      const decipher = createDecipheriv('aes-256-gcm', this.#key, data.subarray(0, IV_BYTES), options);
      decipher.setAuthTag(data.subarray(IV_BYTES).subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(data.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch (error) {
      throw new ValueError('the payload was changed after it was encrypted, or cut off', error);
    }
  }
}

const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();

/**
 * @param payloadKey base64 of 32 bytes, or empty for no encryption
 * @param failureConverterPath the built failure-converter.ts
 */
export function dataConverter(payloadKey: string, failureConverterPath: string): DataConverter {
  if (payloadKey === '') return {};
  return { payloadCodecs: [new EncryptionCodec(Buffer.from(payloadKey, 'base64'))], failureConverterPath };
}
