/**
 * What S3 does for S3 Batch Operations: its tasks, and reading and writing of manifests and reports.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ObjectPort } from '../ports.ts';
import type { S3Context } from './call.ts';
import { checkReadable, findVersion } from './reads.ts';
import { initiate, type Restores } from './restores.ts';
import { newVersion } from './writes.ts';

/** The session of the job's role. */
const CALLER = { accessKeyId: 'batchoperations.s3.amazonaws.com' };

export function createObjectPort(context: S3Context, restores: Restores): ObjectPort {
  const { store, notifier } = context;
  return {
    restore(object, asked) {
      initiate(restores, context, object, { ...asked, byBatch: true }, CALLER);
    },
    async read(bucket, key) {
      const version = findVersion(store.bucket(bucket), key, undefined);
      checkReadable(version, store.clock.now());
      const body = store.blobs.read(version.segments, 0, version.size - 1);
      const pieces: Buffer[] = [];
      for await (const piece of Buffer.isBuffer(body) ? Readable.from([body]) : body) pieces.push(piece as Buffer);
      return { etag: version.etag, bytes: Buffer.concat(pieces) };
    },
    write(name, key, { bytes, contentType }) {
      const bucket = store.bucket(name);
      const segments = store.blobs.put(bytes);
      const version = newVersion(context, bucket, {
        key,
        size: bytes.length,
        etag: createHash('md5').update(bytes).digest('hex'),
        segments,
        storageClass: 'STANDARD',
        headers: { 'content-type': contentType },
        metadata: {},
        tags: {},
      });
      store.record({ op: 'put', bucket: name, version });
      notifier.tell(bucket, 'ObjectCreated:Put', version, CALLER);
    },
  };
}
