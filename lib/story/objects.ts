/**
 * Pictures, sound and speech marks of stories in the bucket: addresses for readers, and the bytes themselves.
 *
 * @module
 */
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { SpeechMarks } from './document.ts';
import { extensionOf } from './media-types.ts';
import type { StoryObject } from './read.ts';

/** An address that outlives the reading of a story; with temporary credentials it ends with them, if that is sooner. */
export const SIGNED_SECONDS = 3_600;

/** More than any picture or sound of a story has. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_MARKS_BYTES = 8 * 1024 * 1024;

/** An object is larger than any of a story, or is not what its key says. */
export class StoryObjectError extends Error {
  override readonly name = 'StoryObjectError';
}

export class StoryObjects {
  readonly #s3: S3Client;
  readonly #bucket: string;
  #origin: string | undefined;

  constructor(s3: S3Client, bucket: string) {
    this.#s3 = s3;
    this.#bucket = bucket;
  }

  /** Signed here and now, without asking S3. What it is served as is part of what is signed. */
  sign({ key, mediaType }: StoryObject): Promise<string> {
    // A drawing that is opened by itself could run a script in the bucket's name.
    const disposition = mediaType === 'image/svg+xml' ? 'attachment' : 'inline';
    return getSignedUrl(
      this.#s3,
      new GetObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        ResponseContentType: mediaType,
        ResponseContentDisposition: `${disposition}; filename="story.${extensionOf(mediaType)}"`,
      }),
      { expiresIn: SIGNED_SECONDS },
    );
  }

  /** Where signed addresses lead to: `https://<bucket>.s3.<region>.amazonaws.com` */
  async origin(): Promise<string> {
    this.#origin ??= new URL(await this.sign({ key: 'stories/', mediaType: 'image/png' })).origin;
    return this.#origin;
  }

  /** @throws StoryObjectError, or what the SDK throws */
  async bytes(key: string, most = MOST_BYTES): Promise<Uint8Array> {
    const { Body, ContentLength } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
    if (!Body || ContentLength === undefined || ContentLength > most) {
      (Body as { destroy?(): void } | undefined)?.destroy?.();
      throw new StoryObjectError(
        `an object of a story has ${ContentLength ?? 'unknown'} bytes; at most ${most} are read`,
      );
    }
    return Body.transformToByteArray();
  }

  /** @throws StoryObjectError when it is no version that is known here */
  async marks(key: string): Promise<SpeechMarks> {
    const text = new TextDecoder().decode(await this.bytes(key, MOST_MARKS_BYTES));
    const marks = parseJson(text) as Partial<SpeechMarks> | undefined;
    if (marks?.version !== 1 || !Array.isArray(marks.words) || typeof marks.seconds !== 'number')
      throw new StoryObjectError('the speech marks of a story are not of version 1');
    return marks as SpeechMarks;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
