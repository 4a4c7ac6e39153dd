/**
 * What has been paid for, kept in S3 as soon as it is there: a stage looks here before it pays, so whatever dies after that
 * pays nothing again. Keys are named by what a stage was made from, so there is nothing to compare and nothing to outdate.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';

export interface Staged {
  bytes: Buffer;
  contentType: string;
  /** Of the user's own, of S3: names in lower case, values in ASCII, 2 KB in all. */
  metadata: Readonly<Record<string, string>>;
}

export interface StageCache {
  find(key: string): Promise<Staged | undefined>;
  /**
   * What is there already stays.
   * @returns what is there now: this, or what somebody else was first with
   */
  keep(
    key: string,
    bytes: Uint8Array,
    contentType: string,
    metadata?: Readonly<Record<string, string>>,
  ): Promise<Staged>;
  /** Does nothing when it is not there. */
  remove(key: string): Promise<void>;
}

/** Of S3's answers to a put with If-None-Match: there is one; somebody else is writing at this moment. */
const EXISTS = 412;
const CONFLICT = 409;
/** A put that fails would throw away what was paid for: it is tried for about half a minute, beyond what the SDK does. */
const TRIES = 6;
const FIRST_PAUSE_MS = 1_000;

/** @param options.pauseMs before the second try of a put; it doubles */
export function openStageCache(s3: S3Client, bucket: string, options: { pauseMs?: number } = {}): StageCache {
  const { pauseMs = FIRST_PAUSE_MS } = options;

  const find = async (key: string): Promise<Staged | undefined> => {
    try {
      const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return {
        bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []),
        contentType: answer.ContentType ?? 'application/octet-stream',
        metadata: answer.Metadata ?? {},
      };
    } catch (error) {
      if (error instanceof S3ServiceException && error.name === 'NoSuchKey') return undefined;
      throw error;
    }
  };

  return {
    find,

    async keep(key, bytes, contentType, metadata = {}) {
      for (let tried = 1; ; tried += 1) {
        try {
          await s3.send(
            new PutObjectCommand({
              Bucket: bucket,
              Key: key,
              Body: bytes,
              ContentType: contentType,
              Metadata: { ...metadata },
              IfNoneMatch: '*',
            }),
          );
          return { bytes: Buffer.from(bytes), contentType, metadata };
        } catch (error) {
          const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
          // A conflict may end with nothing there, when the other one has failed.
          const there = status === EXISTS || status === CONFLICT ? await find(key) : undefined;
          if (there) return there;
          const mended = status === undefined || status === CONFLICT || status === EXISTS || status >= 500;
          if (!mended || tried === TRIES) throw error;
        }
        await delay(pauseMs * 2 ** (tried - 1));
      }
    },

    async remove(key) {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
  };
}
