/**
 * EventBridge Pipes from a DynamoDB stream into a queue. On a real account LONGHAUL_VERIFY_PIPE_ROLE is the ARN of a
 * role that pipes may take, with leave to read the streams and fill the queues whose names start with
 * longhaul-contract-; without it only refusals are tried.
 *
 * @module
 */
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import {
  CreatePipeCommand,
  type CreatePipeCommandInput,
  DeletePipeCommand,
  DescribePipeCommand,
  ListPipesCommand,
  PipesClient,
  StartPipeCommand,
  StopPipeCommand,
} from '@aws-sdk/client-pipes';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

const REAL = process.env.LONGHAUL_VERIFY_AWS === '1';
const ROLE = process.env.LONGHAUL_VERIFY_PIPE_ROLE;
const RoleArn = ROLE || 'arn:aws:iam::123456789012:role/longhaul-launches';
/** A pipe takes a minute or two to come up on AWS. */
const PATIENCE_MS = REAL ? 300_000 : 60_000;

let target: Target;
let pipes: PipesClient;
let dynamodb: DynamoDBClient;
let sqs: SQSClient;
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  target = await openTarget({ dynamodb: true });
  pipes = new PipesClient(target.client);
  dynamodb = new DynamoDBClient(target.client);
  sqs = new SQSClient(target.client);
});

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
}, PATIENCE_MS);

afterAll(async () => {
  pipes.destroy();
  dynamodb.destroy();
  sqs.destroy();
  await target.close();
});

interface Table {
  TableName: string;
  streamArn: string;
  /** Writes the item `id` with this status and number. */
  put(id: string, status: string, n?: number, client?: DynamoDBClient): Promise<void>;
}

async function newTable(): Promise<Table> {
  const TableName = target.unique('pipes');
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  undo.push(() => dynamodb.send(new DeleteTableCommand({ TableName })));
  await waitUntilTableExists({ client: dynamodb, maxWaitTime: 60, minDelay: 1 }, { TableName });
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
  return {
    TableName,
    streamArn: Table?.LatestStreamArn ?? '',
    async put(id, status, n = 0, client = dynamodb) {
      const Item = { id: { S: id }, status: { S: status }, n: { N: String(n) } };
      await client.send(new PutItemCommand({ TableName, Item }));
    },
  };
}

async function newQueue(QueueName = target.unique('pipes')): Promise<{ QueueUrl: string; Arn: string }> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName }));
  undo.push(() => sqs.send(new DeleteQueueCommand({ QueueUrl })));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  return { QueueUrl, Arn: Attributes?.QueueArn ?? '' };
}

const describePipe = (Name: string) => pipes.send(new DescribePipeCommand({ Name }));
const reaches = (Name: string, state: string) =>
  expect.poll(async () => (await describePipe(Name)).CurrentState, { timeout: PATIENCE_MS }).toBe(state);

type More = Partial<Pick<CreatePipeCommandInput, 'Description' | 'SourceParameters' | 'Tags'>>;
const wanted = (Source: string, Target: string, more: More = {}) => ({
  Name: target.unique('pipe'),
  RoleArn,
  Source,
  SourceParameters: { DynamoDBStreamParameters: { StartingPosition: 'TRIM_HORIZON' as const } },
  Target,
  ...more,
});

/** Only what is asked for is to come through. */
const onlyRetry = (StartingPosition: 'TRIM_HORIZON' | 'LATEST' = 'TRIM_HORIZON') => ({
  DynamoDBStreamParameters: { StartingPosition },
  FilterCriteria: { Filters: [{ Pattern: '{"dynamodb": {"NewImage": {"status": {"S": ["RETRY"]}}}}' }] },
});

/** A pipe that runs. */
async function newPipe(Source: string, Target: string, more: More = {}): Promise<string> {
  const input = wanted(Source, Target, more);
  await pipes.send(new CreatePipeCommand(input));
  undo.push(() => pipes.send(new DeletePipeCommand({ Name: input.Name })));
  await reaches(input.Name, 'RUNNING');
  return input.Name;
}

interface Change {
  eventID: string;
  dynamodb: {
    /** Epoch seconds. */
    ApproximateCreationDateTime: number;
    NewImage: { id: { S: string }; status: { S: string }; n: { N: string } };
  };
  [member: string]: unknown;
}

/** The next `count` messages, taken out one by one. */
async function receive(QueueUrl: string, count: number): Promise<Change[]> {
  const bodies: Change[] = [];
  while (bodies.length < count) {
    const ask = { QueueUrl, WaitTimeSeconds: 10, MaxNumberOfMessages: Math.min(10, count - bodies.length) };
    for (const { Body = '', ReceiptHandle } of (await sqs.send(new ReceiveMessageCommand(ask))).Messages ?? []) {
      bodies.push(JSON.parse(Body) as Change);
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
  return bodies;
}
const numbers = (changes: readonly Change[]) => changes.map(({ dynamodb }) => Number(dynamodb.NewImage.n.N));

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: Error & { $metadata: { httpStatusCode: number } }) => error,
  );

const STREAM = 'arn:aws:dynamodb:us-east-1:123456789012:table/Launches/stream/2026-03-02T08:00:00.000';
const QUEUE = 'arn:aws:sqs:us-east-1:123456789012:longhaul-contract-none';
const filter = (Pattern: string) => ({ ...onlyRetry(), FilterCriteria: { Filters: [{ Pattern }] } });
const start = (more: object) => ({ DynamoDBStreamParameters: { StartingPosition: 'LATEST' as const, ...more } });

describe('a pipe that is wrong', () => {
  it.each<[string, object]>([
    ['a name with a space', { Name: 'not a name' }],
    ['a name that is too long', { Name: 'x'.repeat(65) }],
    ['a role that is none', { RoleArn: 'longhaul-launches' }],
    ['a source that is no ARN', { Source: 'Launches' }],
    ['a target that is no ARN', { Target: 'longhaul-events' }],
    ['no starting position', { SourceParameters: { DynamoDBStreamParameters: {} } }],
    ['an unknown starting position', { SourceParameters: start({ StartingPosition: 'AT_TIMESTAMP' }) }],
    ['a filter that is not JSON', { SourceParameters: filter('status = RETRY') }],
    ['a filter with a text for a list', { SourceParameters: filter('{"eventName": "INSERT"}') }],
    [
      'too many filters',
      {
        SourceParameters: {
          ...start({}),
          FilterCriteria: { Filters: Array.from({ length: 6 }, () => ({ Pattern: '{"eventName": ["INSERT"]}' })) },
        },
      },
    ],
    ['batches larger than a queue takes', { SourceParameters: start({ BatchSize: 11 }) }],
    ['an unknown state', { DesiredState: 'PAUSED' }],
  ])('is refused: %s', async (_, more) => {
    const error = await failure(pipes.send(new CreatePipeCommand({ ...wanted(STREAM, QUEUE), ...more })));

    expect([error.name, error.$metadata.httpStatusCode]).toEqual(['ValidationException', 400]);
  });

  it('and one that is not there cannot be described, stopped or deleted', async () => {
    const Name = target.unique('none');

    const errors = [
      await failure(describePipe(Name)),
      await failure(pipes.send(new StopPipeCommand({ Name }))),
      await failure(pipes.send(new DeletePipeCommand({ Name }))),
    ];

    for (const { name, $metadata } of errors)
      expect([name, $metadata.httpStatusCode]).toEqual(['NotFoundException', 404]);
  });
});

describe.skipIf(REAL && !ROLE)('a pipe', { timeout: REAL ? 900_000 : 60_000 }, () => {
  it('is described, listed, made once, and gone when it is deleted', async () => {
    const table = await newTable();
    const queue = await newQueue();
    const Tags = { purpose: 'contract' };
    const SourceParameters = onlyRetry();
    const input = wanted(table.streamArn, queue.Arn, { Description: 'retries', SourceParameters, Tags });

    const made = await pipes.send(new CreatePipeCommand(input));
    await reaches(input.Name, 'RUNNING');
    const again = await failure(pipes.send(new CreatePipeCommand(input)));
    const described = await describePipe(input.Name);
    const { Pipes } = await pipes.send(new ListPipesCommand({ NamePrefix: input.Name, CurrentState: 'RUNNING' }));
    const deleted = await pipes.send(new DeletePipeCommand({ Name: input.Name }));

    expect(made).toMatchObject({ Name: input.Name, DesiredState: 'RUNNING', CurrentState: 'CREATING' });
    expect(made.Arn).toMatch(new RegExp(`^arn:aws:pipes:[\\w-]+:\\d{12}:pipe/${input.Name}$`));
    expect([again.name, again.$metadata.httpStatusCode]).toEqual(['ConflictException', 409]);
    const { $metadata: _, Arn, CreationTime, ...rest } = made;
    expect(described).toMatchObject({ ...input, Arn, CreationTime, DesiredState: rest.DesiredState });
    expect(made.CreationTime?.getTime()).toBeGreaterThan(Date.now() - PATIENCE_MS);
    expect(Pipes).toMatchObject([{ Name: input.Name, Arn, Source: table.streamArn, Target: queue.Arn }]);
    expect(deleted).toMatchObject({ DesiredState: 'DELETED', CurrentState: 'DELETING' });
    await expect
      .poll(() => describePipe(input.Name).catch((error: Error) => error.name), { timeout: PATIENCE_MS })
      .toBe('NotFoundException');
  });

  it('brings the changes that its filter lets through, whole', async () => {
    const table = await newTable();
    const queue = await newQueue();
    await newPipe(table.streamArn, queue.Arn, { SourceParameters: onlyRetry() });
    await table.put('run-1', 'FAILED', 1);
    await table.put('run-1', 'RETRY', 2);
    await table.put('run-1', 'PREPARING', 3);
    await table.put('run-2', 'RETRY', 4);

    const changes = await receive(queue.QueueUrl, 2);

    const first = changes.find(({ dynamodb }) => dynamodb.NewImage.id.S === 'run-1');
    expect(numbers(changes).sort()).toEqual([2, 4]);
    expect(first).toEqual({
      eventID: expect.any(String),
      eventName: 'MODIFY',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: target.client.region,
      dynamodb: {
        ApproximateCreationDateTime: expect.any(Number),
        Keys: { id: { S: 'run-1' } },
        NewImage: { id: { S: 'run-1' }, status: { S: 'RETRY' }, n: { N: '2' } },
        OldImage: { id: { S: 'run-1' }, status: { S: 'FAILED' }, n: { N: '1' } },
        SequenceNumber: expect.stringMatching(/^\d+$/),
        SizeBytes: expect.any(Number),
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
      eventSourceARN: table.streamArn,
    });
    const created = first?.dynamodb.ApproximateCreationDateTime ?? 0;
    expect(Math.abs(created - Date.now() / 1000)).toBeLessThan(PATIENCE_MS / 1000 + 60);
  });

  it('begins with the oldest record, or with what comes', async () => {
    const table = await newTable();
    const [all, latest] = [await newQueue(), await newQueue()];
    await table.put('run-1', 'RETRY', 1);
    await newPipe(table.streamArn, all.Arn, { SourceParameters: onlyRetry('TRIM_HORIZON') });
    await newPipe(table.streamArn, latest.Arn, { SourceParameters: onlyRetry('LATEST') });
    await table.put('run-1', 'RETRY', 2);

    const fromTheFirst = numbers(await receive(all.QueueUrl, 2));
    const fromNow = numbers(await receive(latest.QueueUrl, 1));

    expect([fromTheFirst.sort(), fromNow]).toEqual([[1, 2], [2]]);
  });

  it('that is stopped goes on, when it is started, where it was', async () => {
    const table = await newTable();
    const queue = await newQueue();
    const Name = await newPipe(table.streamArn, queue.Arn, { SourceParameters: onlyRetry('LATEST') });
    await table.put('run-1', 'RETRY', 1);
    const before = await receive(queue.QueueUrl, 1);

    const stopping = await pipes.send(new StopPipeCommand({ Name }));
    await reaches(Name, 'STOPPED');
    await table.put('run-1', 'RETRY', 2);
    const twice = await failure(pipes.send(new StopPipeCommand({ Name })));
    const starting = await pipes.send(new StartPipeCommand({ Name }));
    const after = await receive(queue.QueueUrl, 1);

    expect(stopping).toMatchObject({ DesiredState: 'STOPPED', CurrentState: 'STOPPING' });
    expect(twice.name).toBe('ConflictException');
    expect(starting).toMatchObject({ DesiredState: 'RUNNING', CurrentState: 'STARTING' });
    expect(numbers([...before, ...after])).toEqual([1, 2]);
  });
});

describe.skipIf(REAL)('the stand-in', () => {
  const count = 40;
  const expected = Array.from({ length: count }, (_, n) => n);

  it('keeps the order, for several pipes on one stream', async () => {
    const table = await newTable();
    const queues = [await newQueue(), await newQueue()];
    for (const { Arn } of queues) await newPipe(table.streamArn, Arn, { SourceParameters: onlyRetry('LATEST') });
    for (const n of expected) await table.put('run-1', 'RETRY', n);

    for (const { QueueUrl } of queues) expect(numbers(await receive(QueueUrl, count))).toEqual(expected);
  });

  it('loses nothing when it is started again in the middle, and brings nothing from before', async () => {
    const table = await newTable();
    const queue = await newQueue();
    await table.put('run-1', 'RETRY', -1);
    const Name = await newPipe(table.streamArn, queue.Arn, { SourceParameters: onlyRetry('LATEST') });
    for (const part of [expected.slice(0, 10), expected.slice(10, 20), expected.slice(20, 30)]) {
      await target.restart?.('stand-ins', async (endpoint) => {
        const direct = new DynamoDBClient({ ...target.client, endpoint });
        for (const n of part) await table.put(`run-${n}`, 'RETRY', n, direct);
        direct.destroy();
      });
    }
    for (const n of expected.slice(30)) await table.put(`run-${n}`, 'RETRY', n);

    const seen = new Set<number>();
    while (!seen.has(count - 1)) for (const n of numbers(await receive(queue.QueueUrl, 1))) seen.add(n);

    expect([...seen]).toEqual(expected);
    expect(await describePipe(Name)).toMatchObject({ CurrentState: 'RUNNING' });
  });

  it('waits while DynamoDB Local is down, and goes on', async () => {
    const table = await newTable();
    const queue = await newQueue();
    const Name = await newPipe(table.streamArn, queue.Arn);
    await table.put('run-1', 'RETRY', 1);
    await receive(queue.QueueUrl, 1);
    await target.restart?.('dynamodb', async () => {
      expect(await describePipe(Name)).toMatchObject({ CurrentState: 'RUNNING' });
    });
    await table.put('run-1', 'RETRY', 2);

    expect(numbers(await receive(queue.QueueUrl, 1))).toEqual([2]);
  });

  it('keeps what its queue cannot take until it can', async () => {
    const table = await newTable();
    const QueueName = target.unique('later');
    await newPipe(table.streamArn, `arn:aws:sqs:us-east-1:123456789012:${QueueName}`);
    await table.put('run-1', 'RETRY', 1);
    await table.put('run-1', 'RETRY', 2);

    const { QueueUrl } = await newQueue(QueueName);

    expect(numbers(await receive(QueueUrl, 2))).toEqual([1, 2]);
  });

  it('leaves the call log alone', async () => {
    const table = await newTable();
    const queue = await newQueue();
    await newPipe(table.streamArn, queue.Arn);
    const before = target.local?.kit.calls.lastSeq ?? 0;

    await table.put('run-1', 'RETRY', 1);
    await receive(queue.QueueUrl, 1);

    const operations = target.local?.kit.calls.list({ afterSeq: before }).map(({ operation }) => operation);
    expect(operations).toEqual(['PutItem', 'ReceiveMessage', 'DeleteMessage']);
  });

  it('says of a stream that is not there that the pipe could not be made', async () => {
    const input = wanted(STREAM, QUEUE);
    await pipes.send(new CreatePipeCommand(input));
    undo.push(() => pipes.send(new DeletePipeCommand({ Name: input.Name })));

    await reaches(input.Name, 'CREATE_FAILED');

    expect((await describePipe(input.Name)).StateReason).toContain(STREAM);
  });

  it.each<[string, object]>([
    ['this stand-in has no Enrichment', { Enrichment: 'arn:aws:lambda:us-east-1:123456789012:function:x' }],
    ['this stand-in has no LogConfiguration', { LogConfiguration: { Level: 'INFO' } }],
    ['no TargetParameters.InputTemplate', { TargetParameters: { InputTemplate: '<$.dynamodb>' } }],
    [
      'this stand-in has no TargetParameters.SqsQueueParameters.MessageGroupId',
      { TargetParameters: { SqsQueueParameters: { MessageGroupId: 'x' } } },
    ],
    [
      'this stand-in has no SourceParameters.DynamoDBStreamParameters.MaximumRetryAttempts',
      { SourceParameters: start({ MaximumRetryAttempts: 3 }) },
    ],
    ['this stand-in reads DynamoDB streams', { Source: QUEUE }],
    ['this stand-in delivers to standard SQS queues', { Target: `${QUEUE}.fifo` }],
  ])('says what it does not do: %s', async (words, more) => {
    const error = await failure(pipes.send(new CreatePipeCommand({ ...wanted(STREAM, QUEUE), ...more })));

    expect(error.name).toBe('ValidationException');
    expect(error.message).toContain(words);
  });

  it('shows pipes page by page', async () => {
    const Name = target.unique('page');
    for (const suffix of ['-1', '-2', '-3']) {
      await pipes.send(
        new CreatePipeCommand({ ...wanted(STREAM, QUEUE), Name: Name + suffix, DesiredState: 'STOPPED' }),
      );
      undo.push(() => pipes.send(new DeletePipeCommand({ Name: Name + suffix })));
    }

    const first = await pipes.send(new ListPipesCommand({ NamePrefix: Name, Limit: 2 }));
    const rest = await pipes.send(new ListPipesCommand({ NamePrefix: Name, NextToken: first.NextToken }));

    expect(first.Pipes?.map((pipe) => pipe.Name)).toEqual([`${Name}-1`, `${Name}-2`]);
    expect(rest.Pipes).toMatchObject([{ Name: `${Name}-3`, CurrentState: 'STOPPED' }]);
    expect(rest.NextToken).toBeUndefined();
  });
});
