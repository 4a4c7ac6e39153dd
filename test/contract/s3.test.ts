import { createHash, createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

const MIB = 1024 * 1024;
let target: Target;
let s3: S3Client;
let bucket: string;
const buckets: string[] = [];

async function newBucket(what: string): Promise<string> {
  const name = target.unique(what);
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  buckets.push(name);
  return name;
}

async function empty(Bucket: string): Promise<void> {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  const Objects = [...Versions, ...DeleteMarkers].map(({ Key = '', VersionId }) => ({ Key, VersionId }));
  if (Objects.length > 0) await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
}

const put = (Key: string, Body: string | Buffer, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ...more }));
const textOf = async (Key: string, more: object = {}) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, ...more }));
  return Body?.transformToString();
};
const md5 = (data: string | Buffer) => createHash('md5').update(data).digest('hex');
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: Error & { $metadata: { httpStatusCode: number } }) => error,
  );

beforeAll(async () => {
  target = await openTarget();
  s3 = new S3Client(target.client);
  bucket = await newBucket('s3');
});

afterAll(async () => {
  for (const name of buckets) {
    await empty(name);
    await s3.send(new DeleteBucketCommand({ Bucket: name }));
  }
  s3.destroy();
  await target.close();
});

describe('buckets', () => {
  it('are made, found, listed and refused under bad names', async () => {
    const name = await newBucket('made');

    await s3.send(new HeadBucketCommand({ Bucket: name }));
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({ Prefix: name }));
    const missing = await failure(s3.send(new HeadBucketCommand({ Bucket: target.unique('missing') })));
    const bad = await failure(s3.send(new CreateBucketCommand({ Bucket: 'Bad_Name' })));

    expect(Buckets.map(({ Name }) => Name)).toEqual([name]);
    expect(missing.$metadata.httpStatusCode).toBe(404);
    expect(missing.name).toBe('NotFound');
    expect(bad.name).toBe('InvalidBucketName');
  });

  it('are not deleted while they hold objects', async () => {
    const name = await newBucket('full');
    await s3.send(new PutObjectCommand({ Bucket: name, Key: 'one', Body: 'x' }));

    const refused = await failure(s3.send(new DeleteBucketCommand({ Bucket: name })));

    expect(refused.name).toBe('BucketNotEmpty');
    expect(refused.$metadata.httpStatusCode).toBe(409);
  });
});

describe('objects', () => {
  it('come back as they were put, with metadata, type and MD5 as ETag', async () => {
    const body = 'sample sheet\n';

    const written = await put('plain', body, {
      ContentType: 'text/csv',
      Metadata: { run: '42' },
      CacheControl: 'no-store',
    });
    const read = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'plain' }));

    expect(written.ETag).toBe(`"${md5(body)}"`);
    expect(await read.Body?.transformToString()).toBe(body);
    expect(read).toMatchObject({
      ContentType: 'text/csv',
      CacheControl: 'no-store',
      Metadata: { run: '42' },
      ContentLength: 13,
      AcceptRanges: 'bytes',
    });
    expect(Math.abs(Date.now() - (read.LastModified?.getTime() ?? 0))).toBeLessThan(300_000);
  });

  it.each(['a b+c', 'x/../y', 'x/./y', '//double', 'per%20cent%', 'ünï/ç☃😀', "q?&=#'()*!~", '<&">', 'trailing/'])(
    'keep the key %s',
    async (key) => {
      await put(`keys/${key}`, key);

      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `keys/${key}` }));

      expect(await textOf(`keys/${key}`)).toBe(key);
      expect(Contents.map(({ Key }) => Key)).toContain(`keys/${key}`);
    },
  );

  it('say NoSuchKey, NoSuchBucket and KeyTooLongError', async () => {
    const noKey = await failure(textOf('nothing-here'));
    const noBucket = await failure(s3.send(new GetObjectCommand({ Bucket: target.unique('none'), Key: 'k' })));
    const tooLong = await failure(put('k'.repeat(1025), 'x'));
    const noHead = await failure(s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'nothing-here' })));

    expect([noKey.name, noBucket.name, tooLong.name, noHead.name]).toEqual([
      'NoSuchKey',
      'NoSuchBucket',
      'KeyTooLongError',
      'NotFound',
    ]);
  });

  it('are read by range, also by suffix, and refuse ranges behind the end', async () => {
    await put('range', '0123456789');

    const part = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'range', Range: 'bytes=2-4' }));
    const beyond = await failure(textOf('range', { Range: 'bytes=10-' }));

    expect(part.ContentRange).toBe('bytes 2-4/10');
    expect(await part.Body?.transformToString()).toBe('234');
    expect(await textOf('range', { Range: 'bytes=-3' })).toBe('789');
    expect(await textOf('range', { Range: 'bytes=8-99' })).toBe('89');
    expect(beyond.name).toBe('InvalidRange');
    expect(beyond.$metadata.httpStatusCode).toBe(416);
  });

  it('are put once only under If-None-Match: *', async () => {
    const attempts = await Promise.allSettled(
      ['a', 'b', 'c', 'd'].map((body) => put('claim', body, { IfNoneMatch: '*' })),
    );

    const lost = attempts.filter((attempt) => attempt.status === 'rejected').map(({ reason }) => reason.name);

    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    // A real bucket may also tell racing writers ConditionalRequestConflict.
    for (const name of lost) expect(['PreconditionFailed', 'ConditionalRequestConflict']).toContain(name);
  });

  it('are replaced only under the right If-Match', async () => {
    const { ETag } = await put('swap', 'one');

    const wrong = await failure(put('swap', 'two', { IfMatch: `"${md5('other')}"` }));
    await put('swap', 'three', { IfMatch: ETag });
    const absent = await failure(put('never-put', 'x', { IfMatch: ETag }));

    expect(wrong.name).toBe('PreconditionFailed');
    expect(await textOf('swap')).toBe('three');
    expect(absent.$metadata.httpStatusCode).toBe(404);
  });

  it('answer conditional reads', async () => {
    const { ETag } = await put('conditional', 'body');

    const same = await failure(textOf('conditional', { IfNoneMatch: ETag }));
    const other = await failure(textOf('conditional', { IfMatch: '"00000000000000000000000000000000"' }));

    expect(same.$metadata.httpStatusCode).toBe(304);
    expect(other.$metadata.httpStatusCode).toBe(412);
    expect(await textOf('conditional', { IfMatch: ETag })).toBe('body');
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'are checked and given back with %s',
    async (algorithm) => {
      if (algorithm === 'CRC32C' || algorithm === 'CRC64NVME') {
        // The SDK reckons these itself only with an optional module: the check values of the standards stand in.
        const value = algorithm === 'CRC32C' ? '4waSgw==' : 'rosUhgp5mIg=';
        await put(`sum/${algorithm}`, '123456789', { [`Checksum${algorithm}`]: value });
      } else await put(`sum/${algorithm}`, '123456789', { ChecksumAlgorithm: algorithm });

      const head = await s3.send(
        new HeadObjectCommand({ Bucket: bucket, Key: `sum/${algorithm}`, ChecksumMode: 'ENABLED' }),
      );
      const name = `Checksum${algorithm}` as const;
      const broken = await failure(
        put('sum/broken', 'abc', {
          [name]: Buffer.alloc(Buffer.from(head[name] ?? '', 'base64').length, 1).toString('base64'),
        }),
      );

      expect(head[name]).toMatch(/=$/);
      expect(broken.name).toBe('BadDigest');
    },
  );

  it('refuse a wrong Content-MD5', async () => {
    const wrong = await failure(put('md5', 'abc', { ContentMD5: createHash('md5').update('abd').digest('base64') }));
    const invalid = await failure(put('md5', 'abc', { ContentMD5: 'bm90IGFuIG1kNQ==' }));

    expect([wrong.name, invalid.name]).toEqual(['BadDigest', 'InvalidDigest']);
  });

  it('stream in with a trailing checksum, and out', async () => {
    const body = Buffer.alloc(3 * MIB + 17, 'streamed ');
    const pieces = Array.from({ length: 13 }, (_, index) => body.subarray(index * 262_144, (index + 1) * 262_144));

    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: 'streamed',
        Body: Readable.from(pieces),
        ContentLength: body.length,
        ChecksumAlgorithm: 'CRC32',
      }),
    );
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'streamed' }));

    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    expect(bytes.length).toBe(body.length);
    expect(md5(bytes)).toBe(md5(body));
  });

  it('are copied, with their metadata or with new', async () => {
    await put('copy/from me', 'copied', { Metadata: { a: '1' }, ContentType: 'text/x' });
    const CopySource = `${bucket}/${encodeURIComponent('copy/from me')}`;

    await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy/kept', CopySource }));
    const again = { MetadataDirective: 'REPLACE', Metadata: { b: '2' } } as const;
    await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy/new', CopySource, ...again }));
    const onItself = await failure(s3.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy/from me', CopySource })));
    const unlike = { CopySourceIfMatch: '"0"' };
    const unmatched = await failure(
      s3.send(new CopyObjectCommand({ Bucket: bucket, Key: 'x', CopySource, ...unlike })),
    );

    const kept = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'copy/kept' }));
    const replaced = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'copy/new' }));
    expect(kept).toMatchObject({ Metadata: { a: '1' }, ContentType: 'text/x' });
    expect(replaced.Metadata).toEqual({ b: '2' });
    expect(await textOf('copy/new')).toBe('copied');
    expect(onItself.name).toBe('InvalidRequest');
    expect(unmatched.name).toBe('PreconditionFailed');
  });

  it('are deleted one by one and together, also when they are not there', async () => {
    await Promise.all(['del/a', 'del/b', 'del/c&d'].map((key) => put(key, key)));

    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'del/a' }));
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'del/a' }));
    const Objects = [{ Key: 'del/b' }, { Key: 'del/c&d' }, { Key: 'del/none' }];
    const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));

    const left = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'del/' }));
    expect(Deleted?.map(({ Key }) => Key).sort()).toEqual(['del/b', 'del/c&d', 'del/none']);
    expect(left.KeyCount).toBe(0);
  });

  it('carry tags', async () => {
    await put('tagged', 'x', { Tagging: 'project=a%20b' });

    const first = await s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: 'tagged' }));
    const TagSet = [
      { Key: 'one', Value: '1' },
      { Key: 'two', Value: '' },
    ];
    await s3.send(new PutObjectTaggingCommand({ Bucket: bucket, Key: 'tagged', Tagging: { TagSet } }));
    const second = await s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: 'tagged' }));

    expect(first.TagSet).toEqual([{ Key: 'project', Value: 'a b' }]);
    expect(second.TagSet).toEqual(TagSet);
  });

  it('of an archive class can be described but not read', async () => {
    await put('archived', 'frozen', { StorageClass: 'DEEP_ARCHIVE' });

    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'archived' }));
    const refused = await failure(textOf('archived'));
    const invalid = await failure(put('class', 'x', { StorageClass: 'FROZEN' }));

    expect(head.StorageClass).toBe('DEEP_ARCHIVE');
    expect(refused).toMatchObject({ name: 'InvalidObjectState', StorageClass: 'DEEP_ARCHIVE' });
    expect(refused.$metadata.httpStatusCode).toBe(403);
    expect(invalid.name).toBe('InvalidStorageClass');
  });

  it('are read by a presigned URL until it expires', async () => {
    await put('presigned/a b', 'by url');
    const fresh = await presign('presigned/a b', new Date(), 60);
    const stale = await presign('presigned/a b', new Date(Date.now() - 120_000), 60);

    const read = await fetch(fresh);
    const refused = await fetch(stale);

    expect(await read.text()).toBe('by url');
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('<Message>Request has expired</Message>');
  });
});

describe('listing', () => {
  it('is in UTF-8 order, in pages, without gaps', async () => {
    const keys = ['b', 'a', 'a/1', 'é', '\uFF5E', '\u{1F600}', 'a!', 'Z'].map((key) => `order/${key}`);
    await Promise.all(keys.map((key) => put(key, 'x')));

    const seen: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: 'order/', MaxKeys: 3, ContinuationToken }),
      );
      seen.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);

    expect(seen).toEqual([...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  });

  it('folds by delimiter, counts folds as keys, goes on behind them', async () => {
    const keys = ['fold/a/1', 'fold/a/2', 'fold/b', 'fold/c/1', 'fold/d'];
    await Promise.all(keys.map((key) => put(key, 'x')));
    const query = { Bucket: bucket, Prefix: 'fold/', Delimiter: '/', MaxKeys: 2 };

    const first = await s3.send(new ListObjectsV2Command(query));
    const second = await s3.send(
      new ListObjectsV2Command({ ...query, ContinuationToken: first.NextContinuationToken }),
    );
    const after = await s3.send(new ListObjectsV2Command({ ...query, StartAfter: 'fold/a/1', MaxKeys: 1000 }));

    expect(first).toMatchObject({ KeyCount: 2, IsTruncated: true, CommonPrefixes: [{ Prefix: 'fold/a/' }] });
    expect(first.Contents?.map(({ Key }) => Key)).toEqual(['fold/b']);
    expect(second).toMatchObject({ KeyCount: 2, IsTruncated: false, CommonPrefixes: [{ Prefix: 'fold/c/' }] });
    expect(after.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(['fold/a/', 'fold/c/']);

    const behind = await s3.send(new ListObjectsV2Command({ ...query, StartAfter: 'fold/c/1' }));
    expect([behind.CommonPrefixes, behind.Contents?.map(({ Key }) => Key)]).toEqual([undefined, ['fold/d']]);
  });

  it('encodes keys when asked to', async () => {
    await put('encoded/a b+ü/x', 'x');

    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'encoded/', EncodingType: 'url' }));

    expect(page.Contents?.map(({ Key }) => Key)).toEqual(['encoded/a+b%2B%C3%BC/x']);
  });
});

describe('versioning', () => {
  it('keeps every version and hides behind delete markers', async () => {
    const Bucket = await newBucket('versions');
    const Key = 'k';
    const write = (Body: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
    const before = await write('before');
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const { Status } = await s3.send(new GetBucketVersioningCommand({ Bucket }));

    const second = await write('second');
    const third = await write('third');
    const removed = await s3.send(new DeleteObjectCommand({ Bucket, Key }));

    const hidden = await failure(s3.send(new GetObjectCommand({ Bucket, Key })));
    const old = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId: second.VersionId }));
    const unversioned = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId: 'null' }));
    const marker = await failure(s3.send(new GetObjectCommand({ Bucket, Key, VersionId: removed.VersionId })));
    const listed = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const current = await s3.send(new ListObjectsV2Command({ Bucket }));
    expect([Status, before.VersionId, removed.DeleteMarker]).toEqual(['Enabled', undefined, true]);
    expect(hidden.name).toBe('NoSuchKey');
    expect(await old.Body?.transformToString()).toBe('second');
    expect(await unversioned.Body?.transformToString()).toBe('before');
    expect(marker.$metadata.httpStatusCode).toBe(405);
    expect(listed.Versions?.map(({ VersionId }) => VersionId)).toEqual([third.VersionId, second.VersionId, 'null']);
    expect(listed.DeleteMarkers).toMatchObject([{ Key, VersionId: removed.VersionId, IsLatest: true }]);
    expect(current.KeyCount).toBe(0);

    await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: removed.VersionId }));

    const again = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(again.VersionId).toBe(third.VersionId);
    expect(await again.Body?.transformToString()).toBe('third');
  });
});

describe('multipart uploads', () => {
  it('by lib-storage come back whole, with the ETag of their parts', async () => {
    const body = Buffer.alloc(11 * MIB, 'multipart');
    const upload = new Upload({
      client: s3,
      params: {
        Bucket: bucket,
        Key: 'multi',
        Body: Readable.from([body.subarray(0, 7 * MIB), body.subarray(7 * MIB)]),
      },
      partSize: 5 * MIB,
    });

    await upload.done();

    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'multi' }));
    const read = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'multi' }));
    const bytes = Buffer.from((await read.Body?.transformToByteArray()) ?? []);
    const across = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: 'multi', Range: `bytes=${5 * MIB - 4}-${5 * MIB + 3}` }),
    );
    expect(head.ContentLength).toBe(body.length);
    expect(head.ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
    expect(md5(bytes)).toBe(md5(body));
    expect(await across.Body?.transformToString()).toBe(body.subarray(5 * MIB - 4, 5 * MIB + 4).toString());
  });

  it('refuse missing, unordered and small parts, and are listed until they end', async () => {
    const Key = 'parts';
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    const at = { Bucket: bucket, Key, UploadId };
    const one = await s3.send(new UploadPartCommand({ ...at, PartNumber: 1, Body: 'small' }));
    const two = await s3.send(new UploadPartCommand({ ...at, PartNumber: 2, Body: 'last' }));
    const of = (PartNumber: number, { ETag, ChecksumCRC32 }: typeof one) => ({ PartNumber, ETag, ChecksumCRC32 });
    const complete = (Parts: ReturnType<typeof of>[]) =>
      s3.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts } }));

    const small = await failure(complete([of(1, one), of(2, two)]));
    const unordered = await failure(complete([of(2, two), of(1, one)]));
    const missing = await failure(complete([of(3, two)]));
    const parts = await s3.send(new ListPartsCommand(at));
    const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: Key }));
    const done = await complete([of(2, two)]);
    const after = await failure(s3.send(new ListPartsCommand(at)));

    expect([small.name, unordered.name, missing.name]).toEqual(['EntityTooSmall', 'InvalidPartOrder', 'InvalidPart']);
    expect(parts.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 5],
      [2, 4],
    ]);
    expect(uploads.Uploads?.map((upload) => upload.UploadId)).toEqual([UploadId]);
    expect(done.ETag).toMatch(/-1"$/);
    expect(await textOf(Key)).toBe('last');
    expect(after.name).toBe('NoSuchUpload');
  });
});

describe('notifications', () => {
  it('reach the queue that asked for them, filtered, with the key encoded', async () => {
    const sqs = new SQSClient(target.client);
    const Bucket = await newBucket('notify');
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: target.unique('notify') }));
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    const QueueArn = Attributes?.QueueArn as string;
    await allowS3(sqs, QueueUrl as string, QueueArn);
    const next = async () => {
      for (;;) {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
        const [message] = Messages;
        if (!message) continue;
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
        return JSON.parse(message.Body ?? '');
      }
    };

    const Filter = {
      Key: {
        FilterRules: [
          { Name: 'prefix' as const, Value: 'in/' },
          { Name: 'suffix' as const, Value: '.csv' },
        ],
      },
    };
    const NotificationConfiguration = {
      QueueConfigurations: [{ QueueArn, Events: ['s3:ObjectCreated:*' as const], Filter }],
    };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
    const test = await next();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'out/no.csv', Body: 'x' }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'in/a b+ü.csv', Body: 'xyz' }));
    const event = await next();
    const unknown = {
      QueueConfigurations: [{ QueueArn: `${QueueArn}-none`, Events: ['s3:ObjectCreated:*' as const] }],
    };
    const refused = await failure(
      s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: unknown })),
    );
    const kept = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    sqs.destroy();

    expect(test).toMatchObject({ Event: 's3:TestEvent', Bucket });
    expect(event.Records).toMatchObject([
      {
        eventName: 'ObjectCreated:Put',
        eventSource: 'aws:s3',
        s3: { bucket: { name: Bucket }, object: { key: 'in/a+b%2B%C3%BC.csv', size: 3, eTag: md5('xyz') } },
      },
    ]);
    expect(event.Records[0].eventVersion).toMatch(/^2\.\d+$/);
    expect(refused.name).toBe('InvalidArgument');
    expect(kept.QueueConfigurations).toMatchObject([{ QueueArn, Events: ['s3:ObjectCreated:*'] }]);
  });
});

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  it('says NotImplemented for what it does not have', async () => {
    const refused = await failure(s3.send(new GetBucketAclCommand({ Bucket: bucket })));

    expect(refused.name).toBe('NotImplemented');
  });
});

async function allowS3(sqs: SQSClient, QueueUrl: string, QueueArn: string): Promise<void> {
  const Statement = [
    { Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: QueueArn },
  ];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
}

/** SigV4 in the query, as the presigner does it. */
async function presign(key: string, date: Date, expires: number): Promise<string> {
  const credentials = await s3.config.credentials();
  const { region } = target.client;
  const base = new URL(target.client.endpoint ?? `https://s3.${region}.amazonaws.com`);
  const now = date.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${now.slice(0, 8)}/${region}/s3/aws4_request`;
  const path = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const query = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scope}`],
    ['X-Amz-Date', now],
    ['X-Amz-Expires', String(expires)],
    ...(credentials.sessionToken ? [['X-Amz-Security-Token', credentials.sessionToken]] : []),
    ['X-Amz-SignedHeaders', 'host'],
  ]
    .map(([name = '', value = '']) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  const canonical = ['GET', path, query, `host:${base.host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const hmac = (secret: string | Buffer, data: string) => createHmac('sha256', secret).update(data).digest();
  const signing = [now.slice(0, 8), region, 's3', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = hmac(signing as Buffer, ['AWS4-HMAC-SHA256', now, scope, hash].join('\n')).toString('hex');
  return `${base.origin}${path}?${query}&X-Amz-Signature=${signature}`;
}
