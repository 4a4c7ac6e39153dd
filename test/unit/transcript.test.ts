import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scrub } from '../contract/scrub.ts';
import { nameOf, pathsOf, recordingHandler } from '../contract/transcript.ts';

/** Texts of `length` letters out of `alphabet`. */
const letters = (alphabet: string, length: number) =>
  fc.array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length }).map((chars) => chars.join(''));
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const HEX = '0123456789abcdef';
const account = letters('0123456789', 12);
const name = fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/);
/** What may stand around it: nothing that would make it part of a longer word. */
const around = fc.constantFrom('"', ' ', '/', ':', ',', '\n', '>', '=');

function vanishes(what: fc.Arbitrary<{ secret: string; text: string }>): void {
  fc.assert(
    fc.property(what, around, around, ({ secret, text }, before, after) => {
      expect(scrub(`x${before}${text}${after}y`)).not.toContain(secret);
    }),
  );
}
const alone = (secret: fc.Arbitrary<string>) => secret.map((text) => ({ secret: text, text }));

describe('scrubbing takes out', () => {
  it('account ids', () => vanishes(alone(account)));

  it('the account in an ARN', () => {
    vanishes(
      fc
        .tuple(account, fc.constantFrom('sqs', 'batch', 'events', 'iam', 'ecs'), name)
        .map(([secret, service, what]) => ({ secret, text: `arn:aws:${service}:us-east-1:${secret}:${what}/${what}` })),
    );
  });

  it('access keys', () => {
    vanishes(
      alone(
        fc.tuple(fc.constantFrom('AKIA', 'ASIA', 'AROA', 'AIDA'), letters(UPPER, 16)).map((parts) => parts.join('')),
      ),
    );
  });

  it('secret keys, session tokens and receipt handles', () => {
    const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    vanishes(alone(letters(base64, 40)));
    vanishes(alone(letters(`${base64}=`, 300)));
  });

  it('signatures', () => {
    vanishes(alone(letters(HEX, 64)));
    vanishes(name.map((secret) => ({ secret: `=${secret}`, text: `X-Amz-Signature=${secret}` })));
  });

  it('what looks like an e-mail address', () => {
    vanishes(
      fc
        .tuple(name, name, name)
        .map(([who, host, top]) => ({ secret: `${who}@${host}`, text: `${who}@${host}.${top}` })),
    );
  });

  it('request ids, job ids and task ids', () => {
    vanishes(alone(fc.uuid()));
    vanishes(alone(letters(HEX, 32)));
    vanishes(alone(letters(UPPER, 15).map((text) => `${text}7`)));
  });

  it('addresses', () => {
    vanishes(alone(fc.ipV4()));
    vanishes(alone(fc.ipV6().filter((text) => text.split(':').length === 8 && !text.includes('.'))));
  });

  it.each([
    ['longhaul-contract-queue-0a1b2c3d', '<name>'],
    ['/longhaul-contract-batch-events-0a1b2c3d/key', '/<name>/key'],
    ['https://sqs.eu-west-1.amazonaws.com/123456789012/q', '<address>/<account>/q'],
    ['http://127.0.0.1:4566', '<address>'],
    ['mine.s3.eu-west-1.amazonaws.com', '<address>'],
    ['2026-01-31T12:00:00.123Z', '<time>'],
    ['20260131T120000Z', '<time>'],
    ['Sat, 31 Jan 2026 12:00:00 GMT', '<time>'],
    ['1769860800', '<time>'],
    ['1769860800123', '<time>'],
    ['i-0123456789abcdef0 in subnet-0123abcd', '<id> in <id>'],
  ])('%s', (text, scrubbed) => {
    expect(scrub(text)).toBe(scrubbed);
  });

  it('and nothing else: what the services call their things stays', () => {
    const kept = {
      service: 's3',
      operation: 'GET /{bucket}/{key}?x-id=GetObject',
      status: 200,
      error: 'AWS.SimpleQueueService.NonExistentQueue',
      members: ['ListBucketResult.Contents.ETag', 'jobs.ecsProperties.taskProperties.containers.exitCode'],
      headers: ['x-amz-checksum-crc64nvme', 'x-amz-server-side-encryption', 'content-type'],
    };

    expect(JSON.parse(scrub(JSON.stringify(kept)))).toEqual(kept);
  });
});

describe('an operation is named', () => {
  const call = (service: string, path: string, more: object = {}) =>
    nameOf({
      method: 'GET',
      hostname: '127.0.0.1',
      path,
      headers: { Authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/${service}/aws4_request, Signed` },
      ...more,
    });

  const signed = 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request, Signed';
  const control = call('s3', '/v20180820/jobs/0a1b', {
    hostname: '123456789012.s3-control.us-east-1.amazonaws.com',
    headers: { Authorization: signed, 'x-amz-account-id': '123456789012' },
  });

  it.each([
    [
      'by its target',
      call('sqs', '/', { headers: { 'X-Amz-Target': 'AmazonSQS.SendMessage' } }).operation,
      'AmazonSQS.SendMessage',
    ],
    ['without what follows the verb', call('batch', '/v1/tags/arn%3Aaws').operation, 'GET /v1/tags'],
    ['without bucket and key', call('s3', '/mine/a/b.csv').operation, 'GET /{bucket}/{key}'],
    [
      'alike for a bucket in the host',
      call('s3', '/a/b.csv', { hostname: 'mine.s3.amazonaws.com' }).operation,
      'GET /{bucket}/{key}',
    ],
    [
      'for a bucket in the host alone',
      call('s3', '/', { hostname: 'mine.s3.amazonaws.com' }).operation,
      'GET /{bucket}',
    ],
    ['for all buckets', call('s3', '/', { hostname: 's3.eu-west-1.amazonaws.com' }).operation, 'GET /'],
    [
      'with the names in its query',
      call('s3', '/mine', { query: { prefix: 'secret', 'list-type': '2', 'x-id': 'X' } }).operation,
      'GET /{bucket}?list-type&prefix&x-id=X',
    ],
    ['with its signing name', call('batch', '/v1/submitjob').service, 'batch'],
    ['as S3 Control, which signs as S3', control.service, 's3control'],
    ['of S3 Control without ids', control.operation, 'GET /v20180820/jobs'],
  ])('%s', (_, named, expected) => {
    expect(named).toBe(expected);
  });

  it('and its members by their paths, each once, without what users named', () => {
    const answer = {
      jobs: [
        { id: 1, tags: { mine: 'x' } },
        { id: 2, at: { a: [] } },
      ],
      nextToken: null,
    };

    expect(pathsOf(answer)).toEqual(['jobs.at.a', 'jobs.id', 'jobs.tags', 'nextToken']);
  });
});

describe('a recorded client', () => {
  let directory: string;
  let server: Server;
  let settings: { region: string; endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  const bodies = new Map([
    ['/b/o', '<not-to-be-read>'],
    ['/b', '<?xml version="1.0"?><ListBucketResult><Contents><Key>mine</Key></Contents></ListBucketResult>'],
  ]);

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'longhaul-transcript-'));
    server = createServer((request, response) => {
      request.resume();
      const { pathname } = new URL(String(request.url), 'http://x');
      const body = bodies.get(pathname.replace(/\/$/, ''));
      if (request.method === 'HEAD') response.writeHead(404).end();
      else if (body !== undefined) response.writeHead(200, { etag: '"e"', 'x-amz-id-2': 'z' }).end(body);
      else {
        response.writeHead(400, { 'x-amzn-errortype': 'com.amazonaws.sqs#QueueDoesNotExist:http://x/' });
        response.end('{"__type":"x","message":"no queue in 123456789012"}');
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    settings = { region: 'us-east-1', endpoint, credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'x' } };
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });

  it('answers as without, and leaves a line for each call in the file of its service and test', async () => {
    const handler = () => recordingHandler(directory, '/x/one.test.ts', 'us-east-1');
    const s3 = new S3Client({ ...settings, requestHandler: handler(), maxAttempts: 1 });
    const sqs = new SQSClient({ ...settings, requestHandler: handler(), maxAttempts: 1 });

    const list = await s3.send(new ListObjectsV2Command({ Bucket: 'b' }));
    const object = await s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'o' }));
    const bytes = await object.Body?.transformToString();
    await expect(s3.send(new HeadObjectCommand({ Bucket: 'b', Key: 'gone' }))).rejects.toThrow();
    await expect(sqs.send(new GetQueueUrlCommand({ QueueName: 'q' }))).rejects.toThrow('no queue in 123456789012');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(sqs.send(new GetQueueUrlCommand({ QueueName: 'q' }))).rejects.toThrow();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    s3.destroy();
    sqs.destroy();

    const lines = (file: string) =>
      readFileSync(join(directory, file), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    expect([list.Contents?.[0]?.Key, bytes]).toEqual(['mine', '<not-to-be-read>']);
    expect(readdirSync(directory).sort()).toEqual(['s3.one.jsonl', 'sqs.one.jsonl']);
    expect(lines('s3.one.jsonl')).toMatchObject([
      {
        operation: 'GET /{bucket}?list-type',
        status: 200,
        error: '',
        members: ['ListBucketResult.Contents.Key'],
        headers: ['etag'],
      },
      { operation: 'GET /{bucket}/{key}?x-id=GetObject', status: 200, members: [] },
      { operation: 'HEAD /{bucket}/{key}', status: 404, error: '' },
    ]);
    expect(lines('sqs.one.jsonl')).toMatchObject([
      { operation: 'AmazonSQS.GetQueueUrl', status: 400, error: 'QueueDoesNotExist', members: ['__type', 'message'] },
      { operation: 'AmazonSQS.GetQueueUrl', status: 0 },
    ]);
  });
});
