/** What the embedded platform makes at each start: what is there stays, and the pipe follows the settings. */
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribePipeCommand, PipesClient } from '@aws-sdk/client-pipes';
import {
  GetBucketLifecycleConfigurationCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bootstrap } from '../../infra/local/bootstrap.ts';
import { placeOf } from '../../workflows/story/model.ts';
import { openTarget, type Target } from '../contract/target.ts';

let target: Target;
let dynamodb: DynamoDBClient;
let pipes: PipesClient;
beforeAll(async () => {
  target = await openTarget({ dynamodb: true });
  dynamodb = new DynamoDBClient(target.client);
  pipes = new PipesClient(target.client);
});
afterAll(async () => {
  dynamodb.destroy();
  pipes.destroy();
  await target.close();
});

async function make(tablePrefix: string, eventsQueue = 'longhaul-events') {
  const { region, endpoint = '', credentials } = target.client;
  const settings = {
    bucket: 'longhaul',
    tablePrefix,
    eventsQueue,
    restoresQueue: `${eventsQueue}-restores`,
    progressQueue: `${eventsQueue}-progress`,
    batchQueue: 'longhaul',
  };
  if (!credentials) throw new Error('the stand-ins have credentials');
  await bootstrap({ endpoint, region, credentials, settings, roles: [], maxVcpus: 4 });
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: `${tablePrefix}Launches` }));
  return {
    stream: Table?.LatestStreamArn,
    pipe: await pipes.send(new DescribePipeCommand({ Name: 'longhaul-launches' })),
    costs: await pipes.send(new DescribePipeCommand({ Name: 'longhaul-costs' })),
  };
}

it('makes the pipes of the table once, and anew for another table or queue', async () => {
  const first = await make('');
  const again = await make('');
  const otherTable = await make('b-');
  const otherQueue = await make('b-', 'other-events');

  for (const { stream, pipe } of [first, again, otherTable, otherQueue])
    expect(pipe).toMatchObject({ CurrentState: 'RUNNING', Source: stream });
  for (const { stream, costs } of [first, again, otherTable, otherQueue])
    expect(costs).toMatchObject({ CurrentState: 'RUNNING', Source: stream });
  expect(again.pipe.CreationTime).toEqual(first.pipe.CreationTime);
  expect(otherTable.pipe.Source).not.toBe(first.pipe.Source);
  expect([otherTable, otherQueue].map(({ pipe }) => pipe.Target?.split(':').at(-1))).toEqual([
    'longhaul-events',
    'other-events',
  ]);
});

it('lets what stories leave in the bucket end after three days, and nothing else, by one rule', async () => {
  await make('');
  await make('');
  const s3 = new S3Client(target.client);
  const keys = [`${placeOf('family/2026-11-26')}cover.png`, 'sheets/lab-a/run.yaml'];
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket: 'longhaul', Key, Body: 'x' }));
  const head = async (Key = '') =>
    s3.send(new HeadObjectCommand({ Bucket: 'longhaul', Key })).then(
      () => 'there',
      (error: Error) => error.name,
    );

  const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: 'longhaul' }));
  target.local?.kit.clock.advance(4 * 24 * 60 * 60 * 1000);

  expect(Rules).toHaveLength(1);
  expect(await Promise.all(keys.map(head))).toEqual(['NotFound', 'there']);
  s3.destroy();
});
