/** Manifests and reports of S3 Batch Operations with keys of every kind, and what is made of the service's answers. */
import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import {
  type CreateJobCommand,
  DescribeJobCommand,
  JobStatusException,
  S3ControlClient,
  UpdateJobStatusCommand,
} from '@aws-sdk/client-s3-control';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readManifest } from '../../infra/local/aws/s3control/manifest.ts';
import {
  createBatchOperations,
  encodeManifestRow,
  type FailedTask,
  failedTasks,
  readReport,
} from '../../lib/restore/batch-operations.ts';
import { csvRows } from '../../lib/restore/csv.ts';

afterEach(() => vi.restoreAllMocks());

const key = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...'a/,"\'\n\r%+ ;=&?#é漢😀41'), minLength: 1, maxLength: 40 }),
);
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
/** A text in pieces of so many bytes, which cut characters in two. */
function* cut(text: string, size: number): Generator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`;

describe('CSV', () => {
  it('is read as it was written, in pieces of any size', async () => {
    const field = fc.string({ unit: fc.constantFrom(...'a,"\n\r é漢😀'), maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(field, { minLength: 1, maxLength: 5 }), { maxLength: 6 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        async (rows, lineEnd, endsWithLine, size) => {
          const text = rows.map((row) => row.map(quoted).join(',')).join(lineEnd) + (endsWithLine ? lineEnd : '');

          expect(await all(csvRows(cut(text, size)))).toEqual(rows);
        },
      ),
    );
  });

  it.each([
    [
      'a,b\nc,d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['a,,b,\r\n', [['a', '', 'b', '']]],
    ['\n\na\n\n', [['a']]],
    ['""\n', [['']]],
    ['', []],
    ['"a ""b"", c"', [['a "b", c']]],
  ])('%j', async (text, rows) => {
    expect(await all(csvRows([Buffer.from(text)]))).toEqual(rows);
  });
});

describe('a row of a manifest', () => {
  it('is one line of plain letters, and is read back as the object it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        key,
        fc.option(fc.stringMatching(/^[\w.-]{1,32}$/), { nil: undefined }),
        async (name, version) => {
          const row = encodeManifestRow('bucket', name, version);

          expect(row).toMatch(/^[\x21-\x7e]+\n$/);
          expect(row.split(',')).toHaveLength(version === undefined ? 2 : 3);
          const fields =
            version === undefined ? (['Bucket', 'Key'] as const) : (['Bucket', 'Key', 'VersionId'] as const);
          const [task, ...others] = await readManifest(Buffer.from(row), fields);
          expect(others).toEqual([]);
          expect(task).toMatchObject({ bucket: 'bucket', key: name, ...(version && { versionId: version }) });
        },
      ),
    );
  });

  it('leaves what a person can read', () => {
    expect(encodeManifestRow('b', 'runs/a b+c.bam', 'v1')).toBe('b,runs/a%20b%2Bc.bam,v1\n');
  });
});

describe('a report', () => {
  it('gives back every failed task, whatever its key and message', async () => {
    const task = fc.record({ key, message: key, code: fc.constantFrom('NoSuchKey', 'InvalidObjectState') });
    await fc.assert(
      fc.asyncProperty(fc.array(task, { maxLength: 5 }), fc.integer({ min: 1, max: 30 }), async (tasks, size) => {
        const text = tasks
          .map(({ key, message, code }) =>
            ['b', encodeURIComponent(key), '', 'failed', '403', code, message].map(quoted).join(','),
          )
          .join('\n');

        expect(await all(failedTasks(cut(text, size), 's3://b/r.csv'))).toEqual(
          tasks.map(({ key, message, code }) => ({ bucket: 'b', key, code, message })),
        );
      }),
    );
  });

  it.each([
    ['as AWS shows it', 'b,k,v,failed,409,RestoreAlreadyInProgress,going on', 'RestoreAlreadyInProgress'],
    ['as AWS announces it', 'b,k,v,failed,RestoreAlreadyInProgress,409,going on', 'RestoreAlreadyInProgress'],
    ['without a code', 'b,k,v,failed,500,,going on', '500'],
  ])('has the code, %s', async (_, row, code) => {
    expect(await all(failedTasks([Buffer.from(row)], 's3://b/r.csv'))).toEqual([
      { bucket: 'b', key: 'k', versionId: 'v', code, message: 'going on' },
    ]);
  });

  it('may have a blank as a plus, or a key that is not encoded', async () => {
    const text = 'b,a+b,,failed,404,NoSuchKey,\nb,100%,,failed,404,NoSuchKey,\nb,fine,,succeeded,200,,Successful\n';

    const tasks = await all(failedTasks([Buffer.from(text)], 's3://b/r.csv'));
    expect(tasks.map(({ key }) => key)).toEqual(['a b', '100%']);
  });

  it('is not believed where a row is none', async () => {
    await expect(all(failedTasks([Buffer.from('b,k,failed\n')], 's3://b/r.csv'))).rejects.toThrow(
      's3://b/r.csv has a row of 3 fields instead of 7',
    );
  });

  it.each([
    ['s3://bucket/reports/', 'reports/job-j/manifest.json'],
    ['s3://bucket/reports', 'reports/job-j/manifest.json'],
    ['s3://bucket', 'job-j/manifest.json'],
  ])('below %s is read by its manifest, and of its files only those of failures', async (address, manifest) => {
    const Results = [
      { TaskExecutionStatus: 'succeeded', Bucket: 'b', Key: 'one.csv' },
      { TaskExecutionStatus: 'failed', Bucket: 'b', Key: 'two.csv' },
    ];
    const objects: Record<string, string> = {
      [manifest]: JSON.stringify({ Format: 'Report_CSV_20180820', Results }),
      'two.csv': 'b,k,,failed,404,NoSuchKey,gone\n',
    };
    expect(await all(readReport(s3With(objects), address, 'j'))).toEqual([
      { bucket: 'b', key: 'k', code: 'NoSuchKey', message: 'gone' },
    ] satisfies FailedTask[]);
  });

  it.each([
    [{ Format: 'Report_CSV_20990101', Results: [] }, 'is not the manifest of a report'],
    [{ Format: 'Report_CSV_20180820', Results: [{ Bucket: 'b' }] }, 'without status, bucket or key'],
  ])('with another manifest than it should have is refused: %j', async (manifest, message) => {
    const s3 = s3With({ 'r/job-j/manifest.json': JSON.stringify(manifest) });

    await expect(all(readReport(s3, 's3://bucket/r/', 'j'))).rejects.toThrow(message);
  });
});

/** An S3 that has these objects. */
function s3With(objects: Record<string, string>): S3Client {
  const s3 = new S3Client({ region: 'us-east-1' });
  vi.spyOn(s3, 'send').mockImplementation((async ({ input }: { input: { Key: string } }) => {
    const text = objects[input.Key];
    if (text === undefined) throw new Error(`nobody should ask for ${input.Key}`);
    return { Body: Object.assign(Readable.from([Buffer.from(text)]), { transformToString: async () => text }) };
  }) as never);
  return s3;
}

describe('of S3 Batch Operations', () => {
  const client = new S3ControlClient({ region: 'us-east-1' });
  const operations = createBatchOperations(client);
  const answers = (answer: (command: object) => unknown) =>
    vi.spyOn(client, 'send').mockImplementation((async (command: object) => answer(command)) as never);
  const asked = (send: ReturnType<typeof answers>) =>
    (send.mock.calls.at(0)?.at(0) as unknown as CreateJobCommand | undefined)?.input;
  const options = {
    accountId: '123456789012',
    roleArn: 'arn:aws-cn:iam::123456789012:role/restore',
    manifest: { address: 's3://manifests/a/b.csv', etag: '"e"', versioned: true },
    tier: 'Standard' as const,
    report: 's3://results/reports/x/',
    token: 't',
    description: 'd',
    tags: { cost: 'lab' },
  };

  it('a job is asked for as it was wished, in the partition of its role', async () => {
    const send = answers(() => ({ JobId: 'j' }));

    expect(await operations.createRestoreJob({ ...options, days: 3 })).toBe('j');
    expect(asked(send)).toMatchObject({
      AccountId: '123456789012',
      ClientRequestToken: 't',
      ConfirmationRequired: false,
      Operation: { S3InitiateRestoreObject: { GlacierJobTier: 'STANDARD', ExpirationInDays: 3 } },
      Manifest: {
        Spec: { Fields: ['Bucket', 'Key', 'VersionId'] },
        Location: { ObjectArn: 'arn:aws-cn:s3:::manifests/a/b.csv', ETag: 'e' },
      },
      Report: { Bucket: 'arn:aws-cn:s3:::results', Prefix: 'reports/x', ReportScope: 'FailedTasksOnly' },
      Tags: [{ Key: 'cost', Value: 'lab' }],
    });
  });

  it('without days, or a folder for the report, none is sent', async () => {
    const send = answers(() => ({ JobId: 'j' }));
    await operations.createRestoreJob({ ...options, report: 's3://results', tier: 'Bulk' });

    expect(asked(send)?.Operation?.S3InitiateRestoreObject).toEqual({ GlacierJobTier: 'BULK' });
    expect(asked(send)?.Report).not.toHaveProperty('Prefix');
  });

  it('an answer without what was asked for is refused', async () => {
    answers(() => ({}));

    await expect(operations.createRestoreJob(options)).rejects.toThrow('gave a job no id');
    await expect(operations.describe('123456789012', 'j')).rejects.toThrow('gave job j no status');
  });

  it('a job that has not begun has run nothing, and reasons are words', async () => {
    answers(() => ({ Job: { Status: 'Failed', FailureReasons: [{ FailureCode: 'C', FailureReason: 'why' }, {}] } }));

    expect(await operations.describe('123456789012', 'j')).toEqual({
      status: 'Failed',
      total: 0,
      succeeded: 0,
      failed: 0,
      reasons: ['C: why', ''],
    });
  });

  it.each([
    ['Complete', true],
    ['Failing', true],
    ['Preparing', false],
  ])('of a job that is %s a cancellation that is refused is done: %s', async (Status, done) => {
    answers((command) => {
      if (command instanceof DescribeJobCommand) return { Job: { Status } };
      expect(command).toBeInstanceOf(UpdateJobStatusCommand);
      throw new JobStatusException({ message: 'no', $metadata: {} });
    });
    const outcome = await operations.cancel('123456789012', 'j').then(
      () => 'done',
      (error: Error) => error.message,
    );

    expect(outcome).toBe(done ? 'done' : 'no');
  });

  it('a cancellation that fails otherwise is told', async () => {
    answers(() => {
      throw new Error('the network is gone');
    });

    await expect(operations.cancel('123456789012', 'j')).rejects.toThrow('the network is gone');
  });
});
