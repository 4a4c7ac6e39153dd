import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient, FilterLogEventsCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient, PutEventsCommand, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEvents } from '../../infra/local/aws/events/service.ts';
import { createLogs } from '../../infra/local/aws/logs/service.ts';
import { LOCAL_PLACE, type LogPort, type Place } from '../../infra/local/aws/ports.ts';
import { createS3 } from '../../infra/local/aws/s3/service.ts';
import { createSqs } from '../../infra/local/aws/sqs/service.ts';
import { createKit, type FrontDoor, type Kit, openFrontDoor } from '../../infra/local/kit/front-door.ts';

interface Opened {
  door: FrontDoor;
  kit: Kit;
  s3: S3Client;
  sqs: SQSClient;
  bridge: EventBridgeClient;
  logs: CloudWatchLogsClient;
  logPort: LogPort;
}

let directory: string;
let opened: Opened[] = [];

/** Opens the four stand-ins on the same directory; the ones opened before are left as a killed process leaves them. */
async function open(place: Place = LOCAL_PLACE): Promise<Opened> {
  const kit = createKit();
  const at = (name: string) => ({ kit, place, directory: join(directory, name) });
  const sqs = await createSqs(at('sqs'));
  const events = await createEvents({ ...at('events'), queues: sqs.port });
  const logs = await createLogs(at('logs'));
  const s3 = await createS3({ ...at('s3'), queues: sqs.port, events: events.port });
  const door = await openFrontDoor(kit, [sqs.service, events.service, logs.service, s3.service]);
  const client = {
    region: place.region,
    endpoint: door.url,
    credentials: { accessKeyId: 'unit', secretAccessKey: 'unit' },
    maxAttempts: 1,
  };
  const all = {
    door,
    kit,
    s3: new S3Client(client),
    sqs: new SQSClient(client),
    bridge: new EventBridgeClient(client),
    logs: new CloudWatchLogsClient(client),
    logPort: logs.port,
  };
  opened.push(all);
  return all;
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'longhaul-survival-'));
});

afterEach(async () => {
  for (const { door, s3, sqs, bridge, logs } of opened) {
    for (const client of [s3, sqs, bridge, logs]) client.destroy();
    await door.close();
  }
  opened = [];
  rmSync(directory, { recursive: true, force: true });
});

const files = (path: string) =>
  readdirSync(path, { recursive: true }).filter((name) => statSync(join(path, String(name))).isFile());
const Bucket = 'survival';

describe('S3', () => {
  it('keeps objects, versions, settings and uploads under way', async () => {
    const first = await open();
    await first.s3.send(new CreateBucketCommand({ Bucket }));
    await first.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const big = Buffer.alloc(2_000_000, 'big');
    const written = await first.s3.send(new PutObjectCommand({ Bucket, Key: 'big', Body: big, Metadata: { a: 'b' } }));
    await first.s3.send(new PutObjectCommand({ Bucket, Key: 'small', Body: 'one' }));
    await first.s3.send(new PutObjectCommand({ Bucket, Key: 'small', Body: 'two' }));
    await first.s3.send(new DeleteObjectCommand({ Bucket, Key: 'small' }));
    const { UploadId } = await first.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'multi' }));
    const at = { Bucket, Key: 'multi', UploadId };
    const { ETag, ChecksumCRC32 } = await first.s3.send(new UploadPartCommand({ ...at, PartNumber: 1, Body: 'part' }));

    const { s3 } = await open();

    const read = await s3.send(new GetObjectCommand({ Bucket, Key: 'big' }));
    const versions = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'small' }));
    const Parts = [{ PartNumber: 1, ETag, ChecksumCRC32 }];
    await s3.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts } }));
    const multi = await s3.send(new GetObjectCommand({ Bucket, Key: 'multi' }));
    expect(read).toMatchObject({ ETag: written.ETag, VersionId: written.VersionId, Metadata: { a: 'b' } });
    expect(big.equals((await read.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
    expect(versions.Versions).toHaveLength(2);
    expect(versions.DeleteMarkers).toHaveLength(1);
    expect(await multi.Body?.transformToString()).toBe('part');
  });

  it('starts after a torn journal line and removes bytes nobody was told about', async () => {
    const first = await open();
    await first.s3.send(new CreateBucketCommand({ Bucket }));
    await first.s3.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'x'.repeat(4_000) }));
    appendFileSync(join(directory, 's3', 'buckets.jsonl'), '{"op":"put","bucket":"survival","versi');
    writeFileSync(join(directory, 's3', 'objects', 'ab', 'ab0123456789'), 'half an object');

    const { s3 } = await open();

    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(['kept']);
    expect(files(join(directory, 's3', 'objects'))).toHaveLength(1);
  });

  it('leaves no bytes behind after overwriting, deleting and failing', async () => {
    const { s3 } = await open();
    await s3.send(new CreateBucketCommand({ Bucket }));
    // Smaller ones have no file.
    const put = (word: string, more: object = {}) =>
      s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: word.repeat(1_000), ...more }));
    await put('one');
    await put('two');
    await put('three', { ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' }).catch(() => {});
    await put('four', { IfNoneMatch: '*' }).catch(() => {});
    const before = files(join(directory, 's3', 'objects')).length;

    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));

    expect([before, files(join(directory, 's3', 'objects')).length]).toEqual([1, 0]);
  });

  it('lets who has begun to read an object read it to its end, though it is deleted', async () => {
    const { s3 } = await open();
    await s3.send(new CreateBucketCommand({ Bucket }));
    const body = Buffer.alloc(8_000_000, 'slow');
    await s3.send(new PutObjectCommand({ Bucket, Key: 'slow', Body: body }));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'slow' }));

    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'slow' }));

    expect(body.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
  });

  it('takes signed chunks as well as unsigned ones', async () => {
    const { s3, door } = await open();
    await s3.send(new CreateBucketCommand({ Bucket }));
    const signature = `chunk-signature=${'0'.repeat(64)}`;
    const body = `5;${signature}\r\nhello\r\n6;${signature}\r\n world\r\n0;${signature}\r\n\r\n`;
    const send = (length: string) =>
      new Promise<number>((resolve, reject) => {
        const put = request(
          `${door.url}/${Bucket}/chunks`,
          {
            method: 'PUT',
            headers: {
              authorization:
                'AWS4-HMAC-SHA256 Credential=unit/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0',
              'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
              'x-amz-decoded-content-length': length,
              'content-encoding': 'aws-chunked,gzip',
              'content-length': Buffer.byteLength(body),
            },
          },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        put.on('error', reject);
        // In single bytes, so that every boundary is met.
        for (const char of body) put.write(char);
        put.end();
      });

    const taken = await send('11');
    const short = await send('12');

    const read = await s3.send(new GetObjectCommand({ Bucket, Key: 'chunks' }));
    expect([taken, short]).toEqual([200, 400]);
    expect(await read.Body?.transformToString()).toBe('hello world');
    expect(read.ContentEncoding).toBe('gzip');
  });

  it('answers the second making of a bucket as its Region does', async () => {
    const { s3 } = await open({ ...LOCAL_PLACE, region: 'eu-central-1' });
    await s3.send(new CreateBucketCommand({ Bucket }));

    const again = await s3.send(new CreateBucketCommand({ Bucket })).catch((error: Error) => error);

    expect(again).toMatchObject({ name: 'BucketAlreadyOwnedByYou' });
  });

  it('answers a repeated completion like the first: its answer may have been lost', async () => {
    const { s3, kit } = await open();
    await s3.send(new CreateBucketCommand({ Bucket }));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'm' }));
    const at = { Bucket, Key: 'm', UploadId };
    const { ETag, ChecksumCRC32 } = await s3.send(new UploadPartCommand({ ...at, PartNumber: 1, Body: 'part' }));
    const Parts = [{ PartNumber: 1, ETag, ChecksumCRC32 }];
    const complete = () => s3.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts } }));
    kit.faults.set([{ service: 's3', operation: 'CompleteMultipartUpload', effect: 'reset', when: 'after' }]);

    const lost = await complete().catch((error: Error) => error);
    const second = await complete();

    expect(lost).toBeInstanceOf(Error);
    expect(second.ETag).toMatch(/-1"$/);
  });
});

describe('SQS', () => {
  it('keeps messages, their counts and their handles; what was in flight comes again', async () => {
    const first = await open();
    const { QueueUrl = '' } = await first.sqs.send(new CreateQueueCommand({ QueueName: 'q' }));
    await first.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'done' }));
    const done = await first.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    await first.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: done.Messages?.[0]?.ReceiptHandle }));
    await first.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'in flight' }));
    // Taken while the clock was a week ahead; the next process starts at the real time.
    first.kit.clock.advance(7 * 86_400_000);
    await first.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'taken late' }));
    await first.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));

    const second = await open();
    const hidden = await second.sqs.send(new ReceiveMessageCommand({ QueueUrl: '/123456789012/q' }));
    second.kit.clock.advance(30_000);
    const ask = { QueueUrl: QueueUrl.replace(/\d+(?=\/123)/, String(second.door.port)), MaxNumberOfMessages: 10 };
    const { Messages = [] } = await second.sqs.send(
      new ReceiveMessageCommand({ ...ask, MessageSystemAttributeNames: ['ApproximateReceiveCount'] }),
    );

    expect(hidden.Messages).toBeUndefined();
    expect(Messages.map(({ Body }) => Body)).toContain('taken late');
    expect(Messages.map(({ Body }) => Body)).not.toContain('done');
    expect(Messages.at(-1)?.Attributes?.ApproximateReceiveCount).toBe('2');
  });
});

describe('EventBridge', () => {
  it('keeps rules, targets and what the queue lets in', async () => {
    const first = await open();
    const Arn = `arn:aws:sqs:us-east-1:${LOCAL_PLACE.accountId}:q`;
    const Statement = { Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: Arn };
    const Attributes = { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) };
    const { QueueUrl = '' } = await first.sqs.send(new CreateQueueCommand({ QueueName: 'q', Attributes }));
    await first.bridge.send(new PutRuleCommand({ Name: 'r', EventPattern: '{"source":["mine"]}' }));
    await first.bridge.send(new PutTargetsCommand({ Rule: 'r', Targets: [{ Id: 't', Arn }] }));

    const second = await open();
    await second.bridge.send(
      new PutEventsCommand({ Entries: [{ Source: 'mine', DetailType: 'd', Detail: '{"n":1}' }] }),
    );

    const url = QueueUrl.replace(first.door.url, second.door.url);
    const { Messages } = await second.sqs.send(new ReceiveMessageCommand({ QueueUrl: url }));
    expect(JSON.parse(Messages?.[0]?.Body ?? '{}')).toMatchObject({ source: 'mine', detail: { n: 1 } });
  });
});

describe('CloudWatch Logs', () => {
  it('keeps lines, without a torn last one, and goes on behind them', async () => {
    const first = await open();
    const now = Date.now();
    first.logPort.append('/g', 's', [{ timestamp: now, message: 'one' }]);
    const [file = ''] = files(join(directory, 'logs', 'lines'));
    appendFileSync(join(directory, 'logs', 'lines', String(file)), '{"t":1,"i":1,"m":"to');

    const second = await open();
    second.logPort.append('/g', 's', [{ timestamp: now + 1, message: 'two' }]);

    const { events } = await second.logs.send(new GetLogEventsCommand({ logGroupName: '/g', logStreamName: 's' }));
    expect(events?.map(({ message }) => message)).toEqual(['one', 'two']);
  });

  it('shows a hundred thousand lines page by page, also when they came out of order', async () => {
    const { logs, logPort } = await open();
    const now = Date.now() - 200_000;
    const lines = Array.from({ length: 100_000 }, (_, index) => ({ timestamp: now + index, message: `line ${index}` }));
    logPort.append('/g', 's', lines.slice(50_000));
    logPort.append('/g', 's', lines.slice(0, 50_000));

    let count = 0;
    let token: string | undefined;
    for (;;) {
      const ask = { logGroupName: '/g', logStreamName: 's', startFromHead: true, ...(token && { nextToken: token }) };
      const { events = [], nextForwardToken } = await logs.send(new GetLogEventsCommand(ask));
      for (const { message } of events) {
        if (message !== `line ${count}`) expect.fail(`${message} came where line ${count} belongs`);
        count += 1;
      }
      if (nextForwardToken === token) break;
      token = nextForwardToken;
    }
    const found = await logs.send(new FilterLogEventsCommand({ logGroupName: '/g', filterPattern: '"line 77777"' }));

    expect(count).toBe(100_000);
    expect(found.events?.map(({ message }) => message)).toEqual(['line 77777']);
  });
});
