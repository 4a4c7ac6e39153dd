import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

const MIB = 1024 * 1024;
let target: Target;
let s3: S3Client;
let bucket: string;
const keys = new Set(['copied']);

async function put(Key: string, Body: string | Buffer): Promise<void> {
  keys.add(Key);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
}
const md5 = (data: string | Buffer) => createHash('md5').update(data).digest('hex');
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: Error) => error,
  );

beforeAll(async () => {
  target = await openTarget();
  s3 = new S3Client(target.client);
  bucket = target.unique('parts');
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
});

afterAll(async () => {
  const Objects = [...keys].map((Key) => ({ Key }));
  await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
  await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
  s3.destroy();
  await target.close();
});

describe('parts copied from objects', () => {
  const source = Buffer.concat([Buffer.alloc(5 * MIB, 'head'), Buffer.from('the tail')]);
  const Key = 'copied';
  let CopySource: string;

  async function begin(settings: object = {}) {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key, ...settings }));
    const at = { Bucket: bucket, Key, UploadId };
    const copy = async (PartNumber: number, more: object = {}) => {
      const copied = await s3.send(new UploadPartCopyCommand({ ...at, CopySource, PartNumber, ...more }));
      const { ETag, ChecksumSHA256 } = copied.CopyPartResult ?? {};
      return { PartNumber, ETag, ChecksumSHA256 };
    };
    const complete = (Parts: Awaited<ReturnType<typeof copy>>[]) =>
      s3.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts } }));
    const abort = () => s3.send(new AbortMultipartUploadCommand(at));
    return { copy, complete, abort };
  }

  beforeAll(async () => {
    await put('copy source+ü', source);
    CopySource = `${bucket}/${encodeURIComponent('copy source+ü')}`;
  });

  it('make an object, whole and by range', async () => {
    const upload = await begin();

    const parts = [
      await upload.copy(1),
      await upload.copy(2, { CopySourceRange: `bytes=0-${5 * MIB - 1}` }),
      await upload.copy(3, { CopySourceRange: `bytes=${5 * MIB + 4}-${5 * MIB + 7}` }),
    ];
    await upload.complete(parts);

    const read = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    const bytes = Buffer.from((await read.Body?.transformToByteArray()) ?? []);
    expect(parts[0]?.ETag).toBe(`"${md5(source)}"`);
    expect(parts[2]?.ETag).toBe(`"${md5('tail')}"`);
    expect(md5(bytes)).toBe(md5(Buffer.concat([source, source.subarray(0, 5 * MIB), Buffer.from('tail')])));
    expect(read.ETag).toMatch(/-3"$/);
  });

  it('have the checksum the upload was begun with, and are told of afterwards', async () => {
    const upload = await begin({ ChecksumAlgorithm: 'SHA256' });
    const parts = [await upload.copy(1), await upload.copy(2, { CopySourceRange: 'bytes=0-3' })];
    await upload.complete(parts);

    const told = await s3.send(
      new GetObjectAttributesCommand({
        Bucket: bucket,
        Key,
        ObjectAttributes: ['ETag', 'Checksum', 'ObjectParts', 'ObjectSize', 'StorageClass'],
      }),
    );

    const sha256 = (data: Buffer) => createHash('sha256').update(data).digest();
    const sums = [sha256(source), sha256(source.subarray(0, 4))];
    expect(parts.map(({ ChecksumSHA256 }) => ChecksumSHA256)).toEqual(sums.map((sum) => sum.toString('base64')));
    expect(told).toMatchObject({
      ETag: expect.stringMatching(/^[0-9a-f]{32}-2$/),
      ObjectSize: source.length + 4,
      StorageClass: 'STANDARD',
      Checksum: { ChecksumSHA256: expect.stringContaining(sha256(Buffer.concat(sums)).toString('base64')) },
      ObjectParts: {
        TotalPartsCount: 2,
        Parts: [
          { PartNumber: 1, Size: source.length, ChecksumSHA256: sums[0]?.toString('base64') },
          { PartNumber: 2, Size: 4, ChecksumSHA256: sums[1]?.toString('base64') },
        ],
      },
    });
  });

  it('refuse ranges that are not in the source, sources that are not there, and conditions that do not hold', async () => {
    const upload = await begin();
    const refused = (more: object) => failure(upload.copy(1, more));

    const errors = [
      await refused({ CopySourceRange: `bytes=0-${source.length}` }),
      await refused({ CopySourceRange: 'bytes=5-' }),
      await refused({ CopySource: `${bucket}/nothing` }),
      await refused({ CopySourceIfMatch: '"0123456789abcdef0123456789abcdef"' }),
    ];
    await upload.abort();
    errors.push(await refused({}));

    expect(errors.map(({ name }) => name)).toEqual([
      'InvalidArgument',
      'InvalidArgument',
      'NoSuchKey',
      'PreconditionFailed',
      'NoSuchUpload',
    ]);
  });
});

describe('attributes', () => {
  it('are those asked for, also of objects put in one piece', async () => {
    await put('plain', 'xyz');

    const told = await s3.send(
      new GetObjectAttributesCommand({
        Bucket: bucket,
        Key: 'plain',
        ObjectAttributes: ['ETag', 'ObjectSize', 'ObjectParts'],
      }),
    );
    const missing = await failure(
      s3.send(new GetObjectAttributesCommand({ Bucket: bucket, Key: 'none', ObjectAttributes: ['ETag'] })),
    );

    expect(told).toMatchObject({ ETag: md5('xyz'), ObjectSize: 3 });
    expect([told.ObjectParts, told.StorageClass, told.Checksum]).toEqual([undefined, undefined, undefined]);
    expect(told.LastModified).toBeInstanceOf(Date);
    expect(missing.name).toBe('NoSuchKey');
  });
});
