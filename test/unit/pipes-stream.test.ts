/**
 * How a pipe reads its stream, against a stream in this process that can do what DynamoDB Local does not: shards that
 * end and have children, iterators that expire, records that are trimmed.
 *
 * @module
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreatePipeCommand, DescribePipeCommand, PipesClient } from '@aws-sdk/client-pipes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPipes } from '../../infra/local/aws/pipes/service.ts';
import { LOCAL_PLACE, type QueuePort } from '../../infra/local/aws/ports.ts';
import { createKit, type FrontDoor, openFrontDoor } from '../../infra/local/kit/front-door.ts';
import { until } from '../support/stand-ins.ts';

interface FakeShard {
  id: string;
  parent?: string;
  closed?: boolean;
  /** Numbers stand for records; those below `trimmed` are gone. */
  records: number[];
  trimmed?: number;
}

const Source = 'arn:aws:dynamodb:us-east-1:123456789012:table/Launches/stream/2026-03-02T08:00:00.000';
const Target = 'arn:aws:sqs:us-east-1:123456789012:events';

let shards: FakeShard[];
/** Iterators of an earlier generation have expired. */
let generation: number;
/** When each GetRecords came, in milliseconds. */
let polls: number[];
let backend: Server;
let directory: string;
let delivered: number[];
let full: boolean;
let door: FrontDoor | undefined;
let client: PipesClient;

class Refusal extends Error {}

const OPERATIONS: Record<string, (input: Record<string, string>) => object> = {
  DescribeStream({ ExclusiveStartShardId }) {
    // One shard a page.
    const index = shards.findIndex(({ id }) => id === ExclusiveStartShardId) + 1;
    const Shards = shards.slice(index, index + 1).map(({ id, parent, closed }) => ({
      ShardId: id,
      ...(parent !== undefined && { ParentShardId: parent }),
      SequenceNumberRange: { StartingSequenceNumber: '1', ...(closed && { EndingSequenceNumber: '999' }) },
    }));
    const more = index + 1 < shards.length && { LastEvaluatedShardId: shards[index]?.id };
    return { StreamDescription: { StreamArn: Source, Shards, ...more } };
  },
  GetShardIterator({ ShardId, ShardIteratorType, SequenceNumber }) {
    const shard = shards.find(({ id }) => id === ShardId);
    if (!shard) throw new Refusal('ResourceNotFoundException');
    const trimmed = shard.trimmed ?? 0;
    const after = ShardIteratorType === 'TRIM_HORIZON' ? trimmed - 1 : Number(SequenceNumber);
    if (after < trimmed - 1) throw new Refusal('TrimmedDataAccessException');
    return { ShardIterator: `${generation}/${shard.id}/${after}` };
  },
  GetRecords({ ShardIterator = '' }) {
    const [made, id = '', after] = ShardIterator.split('/');
    polls.push(performance.now());
    if (Number(made) !== generation) throw new Refusal('ExpiredIteratorException');
    const shard = shards.find((candidate) => candidate.id === id);
    if (!shard) throw new Refusal('ResourceNotFoundException');
    // Two records a page.
    const page = shard.records.filter((n) => n > Number(after) && n >= (shard.trimmed ?? 0)).slice(0, 2);
    const last = page.at(-1) ?? Number(after);
    const ended = shard.closed && !shard.records.some((n) => n > last);
    const Records = page.map((n) => ({ eventID: String(n), dynamodb: { SequenceNumber: String(n) } }));
    return { Records, ...(!ended && { NextShardIterator: `${generation}/${id}/${last}` }) };
  },
};

beforeEach(async () => {
  [shards, generation, polls, delivered, full] = [[], 1, [], [], false];
  directory = mkdtempSync(join(tmpdir(), 'longhaul-pipes-'));
  backend = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const operation = String(request.headers['x-amz-target']).replace(/^DynamoDBStreams_20120810\./, '');
      try {
        const input = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
        response.end(JSON.stringify(OPERATIONS[operation]?.(input)));
      } catch (error) {
        const __type = `com.amazonaws.dynamodb.v20120810#${(error as Error).message}`;
        response.writeHead(400).end(JSON.stringify({ __type, message: 'refused' }));
      }
    });
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await close();
  backend.closeAllConnections();
  await new Promise((resolve) => backend.close(resolve));
  rmSync(directory, { recursive: true });
});

async function open(): Promise<void> {
  const queues: QueuePort = {
    has: () => true,
    allows: () => false,
    deliver: () => false,
    send(_, bodies) {
      if (full) return 'the queue takes nothing';
      delivered.push(...bodies.map((body) => Number((JSON.parse(body) as { eventID: string }).eventID)));
      return undefined;
    },
  };
  const dynamodb = { host: '127.0.0.1', port: (backend.address() as AddressInfo).port };
  const pipes = createPipes({ kit: createKit(), place: LOCAL_PLACE, directory, queues, dynamodb });
  door = await openFrontDoor(createKit(), [pipes.service]);
  pipes.start();
  const credentials = { accessKeyId: 'unit', secretAccessKey: 'unit' };
  client = new PipesClient({ region: LOCAL_PLACE.region, endpoint: door.url, credentials });
}

async function close(): Promise<void> {
  client?.destroy();
  await door?.close();
  door = undefined;
}

/** A pipe that runs, unless it is not waited for. */
async function openPipe(StartingPosition: 'TRIM_HORIZON' | 'LATEST', ready = true): Promise<void> {
  await open();
  const SourceParameters = { DynamoDBStreamParameters: { StartingPosition } };
  const RoleArn = 'arn:aws:iam::123456789012:role/pipe';
  await client.send(new CreatePipeCommand({ Name: 'p', RoleArn, Source, SourceParameters, Target }));
  if (ready) await until('it runs', async () => (await state()) === 'RUNNING');
}
const state = async () => (await client.send(new DescribePipeCommand({ Name: 'p' }))).CurrentState;

const arrives = (...numbers: number[]) =>
  until(`${numbers.join()} came; there is ${delivered.join()}`, () => numbers.every((n) => delivered.includes(n)));

describe('a pipe', () => {
  it('reads a shard to its end before its children, and those side by side', async () => {
    shards = [
      { id: 'b', parent: 'a', closed: true, records: [4, 5] },
      { id: 'c', parent: 'b', records: [7] },
      { id: 'd', parent: 'b', records: [6] },
      // Its own parent is long gone.
      { id: 'a', parent: 'z', closed: true, records: [1, 2, 3] },
    ];

    await openPipe('TRIM_HORIZON');
    await arrives(6, 7);

    expect(delivered.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
    expect(delivered.slice(5).sort()).toEqual([6, 7]);
  });

  it('finds the shards that follow one that has ended', async () => {
    shards = [{ id: 'a', records: [1] }];
    await openPipe('TRIM_HORIZON');
    await arrives(1);

    const [parent] = shards;
    if (parent) parent.closed = true;
    shards.push({ id: 'b', parent: 'a', records: [2] });
    await arrives(2);

    expect(delivered).toEqual([1, 2]);
  });

  it('goes on in its place when its iterator has expired', async () => {
    shards = [{ id: 'a', records: [1, 2, 3] }];
    await openPipe('TRIM_HORIZON');
    await arrives(3);

    generation += 1;
    shards[0]?.records.push(4);
    await arrives(4);

    expect(delivered).toEqual([1, 2, 3, 4]);
  });

  it('goes on with the oldest record there is when its place is trimmed', async () => {
    shards = [{ id: 'a', records: [1] }];
    await openPipe('TRIM_HORIZON');
    await arrives(1);
    await close();
    shards = [{ id: 'a', records: [1, 2, 3, 4, 5], trimmed: 4 }];

    await open();
    await arrives(5);

    expect(delivered).toEqual([1, 4, 5]);
  });

  it('forgets a shard that is gone, and reads on in what is there', async () => {
    shards = [{ id: 'a', records: [1] }];
    await openPipe('TRIM_HORIZON');
    await arrives(1);

    shards = [{ id: 'b', parent: 'a', records: [2] }];
    await arrives(2);

    expect(delivered).toEqual([1, 2]);
  });

  it('from LATEST brings nothing older, and all that comes though it is started again before the first', async () => {
    shards = [
      { id: 'a', closed: true, records: [1] },
      { id: 'b', parent: 'a', records: [2, 3, 4] },
      { id: 'empty', records: [] },
    ];
    await openPipe('LATEST');
    await close();
    shards[1]?.records.push(5);
    shards[2]?.records.push(6);

    await open();
    await arrives(5, 6);

    expect(delivered.sort()).toEqual([5, 6]);
  });

  it('that was killed before it wrote down what it had delivered delivers it again', async () => {
    shards = [{ id: 'a', records: [1] }];
    await openPipe('TRIM_HORIZON');
    await arrives(1);
    copyFileSync(join(directory, 'pipes.jsonl'), join(directory, 'killed'));
    shards[0]?.records.push(2);
    await arrives(2);
    await close();
    copyFileSync(join(directory, 'killed'), join(directory, 'pipes.jsonl'));

    await open();
    shards[0]?.records.push(3);
    await arrives(3);

    expect(delivered.filter((n) => n > 1)).toEqual([2, 2, 3]);
  });

  it('keeps what its queue does not take, in order', async () => {
    full = true;
    shards = [{ id: 'a', records: [1, 2, 3] }];
    await openPipe('TRIM_HORIZON');
    await until('it was tried twice', () => polls.length >= 2);

    full = false;
    await arrives(3);

    expect(delivered).toEqual([1, 2, 3]);
  });

  it('polls a shard at most five times a second', async () => {
    shards = [{ id: 'a', records: [1, 2, 3, 4, 5, 6, 7] }];
    await openPipe('TRIM_HORIZON');
    await until('it was polled six times', () => polls.length >= 6);

    const [first, sixth] = [polls[0] ?? 0, polls[5] ?? 0];
    expect((sixth - first) / 5).toBeGreaterThan(200);
  });

  it('is made though DynamoDB is not up yet', async () => {
    shards = [{ id: 'a', records: [1] }];
    const serve = backend.listeners('request')[0] as (...args: unknown[]) => void;
    // Down: connections are cut.
    backend.removeAllListeners('request').on('request', (request) => request.socket.destroy());
    await openPipe('TRIM_HORIZON', false);
    expect(await state()).toBe('CREATING');

    backend.removeAllListeners('request').on('request', serve);
    await arrives(1);

    expect(await state()).toBe('RUNNING');
  });
});
