/**
 * What CDK makes on AWS, made on the embedded platform through the same APIs: bucket, tables, queues, rule, pipe, roles,
 * compute environment, job queue. Safe to repeat: what is there stays.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  BatchClient,
  CreateComputeEnvironmentCommand,
  CreateJobQueueCommand,
  DescribeComputeEnvironmentsCommand,
  DescribeJobQueuesCommand,
} from '@aws-sdk/client-batch';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ResourceInUseException,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreatePipeCommand,
  DeletePipeCommand,
  DescribePipeCommand,
  NotFoundException,
  PipesClient,
} from '@aws-sdk/client-pipes';
import {
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { REQUEST_PREFIX, SHEET_PREFIX } from '../../clients/events/parse.ts';
import { BUS_DETAIL_TYPE, BUS_SOURCE } from '../../lib/progress/bus.ts';
import type { Settings } from '../../lib/settings.ts';
import { tableDefinitions, tableNames, timesToLive } from '../../lib/store/tables.ts';
import { isEnded, LAUNCH_STATUSES, RETRY_REQUEST } from '../../workflows/launch/model.ts';
import { LOCAL_PLACE } from './aws/ports.ts';

/** A message that fails this often goes to the dead-letter queue. */
const RECEIVES = '5';
const VISIBILITY_SECONDS = '60';
const JOBS_RULE = 'longhaul-batch-jobs';
const RESTORES_RULE = 'longhaul-restores';
const PROGRESS_RULE = 'longhaul-progress';
const LAUNCHES_PIPE = 'longhaul-launches';
const COSTS_PIPE = 'longhaul-costs';
const PIPE_WITHIN_MS = 30_000;
/** Where `placeOf` of the story model puts pictures and sound. A story itself is gone after two days. */
const STORIES = { prefix: 'stories/', days: 3, noncurrentDays: 1 };

export interface BootstrapOptions {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  settings: Pick<Settings, 'bucket' | 'tablePrefix' | 'eventsQueue' | 'restoresQueue' | 'progressQueue' | 'batchQueue'>;
  /** What all jobs together may reserve. Reservations, not cores: a job reserves for stage and publish too. */
  maxVcpus: number;
  /** Names of the roles that tasks of ECS may assume. */
  roles: readonly string[];
}

export async function bootstrap({ settings, maxVcpus, roles, ...client }: BootstrapOptions): Promise<void> {
  const sqs = new SQSClient(client);
  const [queueArn, restoresArn, progressArn] = await Promise.all([
    makeQueues(sqs, settings.eventsQueue, (arn) => eventsQueuePolicy(arn, settings.bucket)),
    makeQueues(sqs, settings.restoresQueue, (arn) => ruleQueuePolicy(arn, 'ObjectsRestored', RESTORES_RULE)),
    makeQueues(sqs, settings.progressQueue, (arn) => ruleQueuePolicy(arn, 'ProgressReported', PROGRESS_RULE)),
  ]);
  await Promise.all([
    makeBucket(new S3Client(client), settings.bucket, queueArn),
    makeTables(new DynamoDBClient(client), settings.tablePrefix).then((streamArn) =>
      makePipes(new PipesClient(client), streamArn, queueArn),
    ),
    makeRules(new EventBridgeClient(client), { queueArn, restoresArn, progressArn }),
    makeRoles(client, roles),
    makeCompute(new BatchClient(client), settings.batchQueue, maxVcpus),
  ]);
}

async function makeQueues(sqs: SQSClient, name: string, policyOf: (arn: string) => object): Promise<string> {
  const arnOf = async (queueUrl: string | undefined) => {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }),
    );
    return Attributes?.QueueArn ?? '';
  };
  const dead = await sqs.send(
    new CreateQueueCommand({ QueueName: `${name}-dead-letters`, Attributes: { MessageRetentionPeriod: '1209600' } }),
  );
  const deadLetterTargetArn = await arnOf(dead.QueueUrl);
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({
      QueueName: name,
      Attributes: {
        VisibilityTimeout: VISIBILITY_SECONDS,
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: RECEIVES }),
      },
    }),
  );
  const queueArn = await arnOf(QueueUrl);
  const Policy = JSON.stringify(policyOf(queueArn));
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  return queueArn;
}

/** Only this bucket and this rule may put messages in. */
export function eventsQueuePolicy(queueArn: string, bucket: string) {
  const [, , , region, account = ''] = queueArn.split(':');
  const send = { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: queueArn };
  return {
    Version: '2012-10-17',
    Statement: [
      {
        ...send,
        Sid: 'SheetsUploaded',
        Principal: { Service: 's3.amazonaws.com' },
        Condition: {
          ArnEquals: { 'aws:SourceArn': `arn:aws:s3:::${bucket}` },
          StringEquals: { 'aws:SourceAccount': account },
        },
      },
      {
        ...send,
        Sid: 'BatchJobsChanged',
        Principal: { Service: 'events.amazonaws.com' },
        Condition: { ArnEquals: { 'aws:SourceArn': `arn:aws:events:${region}:${account}:rule/${JOBS_RULE}` } },
      },
    ],
  };
}

/** Only this rule may put messages in. */
function ruleQueuePolicy(queueArn: string, Sid: string, rule: string) {
  const [, , , region, account = ''] = queueArn.split(':');
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'sqs:SendMessage',
        Resource: queueArn,
        Sid,
        Principal: { Service: 'events.amazonaws.com' },
        Condition: { ArnEquals: { 'aws:SourceArn': `arn:aws:events:${region}:${account}:rule/${rule}` } },
      },
    ],
  };
}

async function makeBucket(s3: S3Client, bucket: string, queueArn: string): Promise<void> {
  try {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
    return expireStories(s3, bucket);
  }
  await expireStories(s3, bucket);
  await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: bucket,
      NotificationConfiguration: {
        QueueConfigurations: [
          {
            QueueArn: queueArn,
            Events: ['s3:ObjectCreated:*'],
            Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: SHEET_PREFIX }] } },
          },
          {
            QueueArn: queueArn,
            Events: ['s3:ObjectCreated:*'],
            Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: REQUEST_PREFIX }] } },
          },
        ],
        // Of restores that have ended.
        EventBridgeConfiguration: {},
      },
    }),
  );
}

/** Objects of stories end by themselves: what nobody can read any more is not paid for. */
async function expireStories(s3: S3Client, bucket: string): Promise<void> {
  const { prefix, days, noncurrentDays } = STORIES;
  await s3.send(
    new PutBucketLifecycleConfigurationCommand({
      Bucket: bucket,
      LifecycleConfiguration: {
        Rules: [
          {
            ID: 'longhaul-stories',
            Status: 'Enabled',
            Filter: { Prefix: prefix },
            Expiration: { Days: days },
            NoncurrentVersionExpiration: { NoncurrentDays: noncurrentDays },
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
          },
        ],
      },
    }),
  );
}

/** @returns the ARN of the stream of `Launches` */
export async function makeTables(dynamodb: DynamoDBClient, prefix: string): Promise<string> {
  for (const definition of tableDefinitions(prefix)) {
    try {
      await dynamodb.send(new CreateTableCommand(definition));
    } catch (error) {
      if (!(error instanceof ResourceInUseException)) throw error;
    }
    await waitUntilTableExists({ client: dynamodb, maxWaitTime: 30, minDelay: 1 }, { TableName: definition.TableName });
    await addIndexes(dynamodb, definition);
  }
  for (const timeToLive of timesToLive(prefix)) {
    const { TableName } = timeToLive;
    const { TimeToLiveDescription } = await dynamodb.send(new DescribeTimeToLiveCommand({ TableName }));
    // Enabling it again is an error.
    if (TimeToLiveDescription?.TimeToLiveStatus === 'DISABLED') {
      await dynamodb.send(new UpdateTimeToLiveCommand(timeToLive));
    }
  }
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: tableNames(prefix).launches }));
  if (!Table?.LatestStreamArn) throw new Error(`the table ${tableNames(prefix).launches} has no stream`);
  return Table.LatestStreamArn;
}

/** A table of an earlier version gets the indexes that have come since: one at a time is all DynamoDB takes. */
async function addIndexes(dynamodb: DynamoDBClient, definition: CreateTableCommandInput): Promise<void> {
  const { TableName, AttributeDefinitions = [], GlobalSecondaryIndexes = [] } = definition;
  for (const Create of GlobalSecondaryIndexes) {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
    if (Table?.GlobalSecondaryIndexes?.some(({ IndexName }) => IndexName === Create.IndexName)) continue;
    const keys = [Table, ...(Table?.GlobalSecondaryIndexes ?? []), Create].flatMap((one) => one?.KeySchema ?? []);
    // Only attributes that are keys by then may be defined.
    const used = AttributeDefinitions.filter((one) => keys.some((key) => key.AttributeName === one.AttributeName));
    await dynamodb.send(
      new UpdateTableCommand({
        TableName,
        AttributeDefinitions: used,
        GlobalSecondaryIndexUpdates: [{ Create }],
      }),
    );
    await waitUntilTableExists({ client: dynamodb, maxWaitTime: 60, minDelay: 1 }, { TableName });
  }
}

/**
 * Bring two changes of an item of `Launches` to the event consumer: `status = RETRY`, set by a person, and the end of a
 * launch that has no cost.
 */
async function makePipes(pipes: PipesClient, streamArn: string, queueArn: string): Promise<void> {
  await makePipe(pipes, streamArn, queueArn, LAUNCHES_PIPE, { status: { S: [RETRY_REQUEST] } });
  await makePipe(pipes, streamArn, queueArn, COSTS_PIPE, {
    status: { S: LAUNCH_STATUSES.filter(isEnded) },
    total_cost: { S: [{ exists: false }] },
  });
}

/**
 * From LATEST: a pipe that is made anew must not ask again for what was asked in the last 24 hours.
 * @param image what the new image of an item has to be, as an event pattern
 */
async function makePipe(
  pipes: PipesClient,
  streamArn: string,
  queueArn: string,
  Name: string,
  image: object,
): Promise<void> {
  const Pattern = JSON.stringify({ dynamodb: { NewImage: image } });
  const create = new CreatePipeCommand({
    Name,
    RoleArn: role(Name),
    Source: streamArn,
    SourceParameters: {
      DynamoDBStreamParameters: { StartingPosition: 'LATEST', BatchSize: 1 },
      FilterCriteria: { Filters: [{ Pattern }] },
    },
    Target: queueArn,
  });
  // Until it runs, LATEST may pass over what is written.
  for (const deadline = Date.now() + PIPE_WITHIN_MS; Date.now() < deadline; await delay(20)) {
    const pipe = await pipes.send(new DescribePipeCommand({ Name })).catch((error: unknown) => {
      if (!(error instanceof NotFoundException)) throw error;
    });
    if (!pipe) await pipes.send(create);
    else if (pipe.CurrentState === 'CREATING' || pipe.CurrentState === 'DELETING') continue;
    // Of another table or queue, by other settings: the source of a pipe cannot be changed.
    else if (pipe.Source !== streamArn || pipe.Target !== queueArn) await pipes.send(new DeletePipeCommand({ Name }));
    else if (pipe.CurrentState !== 'CREATE_FAILED') return;
    else throw new Error(`the pipe ${Name} could not be made: ${pipe.StateReason ?? 'no reason was given'}`);
  }
  throw new Error(`the pipe ${Name} did not run within ${PIPE_WITHIN_MS / 1000} s`);
}

/** Children of arrays are left out here: 10,000 of them would mean 50,000 messages that say nothing new. */
async function makeRules(
  events: EventBridgeClient,
  { queueArn, restoresArn, progressArn }: Record<'queueArn' | 'restoresArn' | 'progressArn', string>,
): Promise<void> {
  const Name = JOBS_RULE;
  await events.send(
    new PutRuleCommand({
      Name,
      EventPattern: JSON.stringify({
        source: ['aws.batch'],
        $or: [
          {
            'detail-type': ['Batch Job State Change'],
            detail: {
              status: ['RUNNABLE', 'RUNNING', 'SUCCEEDED', 'FAILED'],
              arrayProperties: { index: [{ exists: false }] },
            },
          },
          { 'detail-type': ['Batch Job Queue Blocked'] },
        ],
      }),
    }),
  );
  await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 'events-queue', Arn: queueArn }] }));
  // From every bucket of the account that sends its events to EventBridge.
  await events.send(
    new PutRuleCommand({
      Name: RESTORES_RULE,
      EventPattern: JSON.stringify({ source: ['aws.s3'], 'detail-type': ['Object Restore Completed'] }),
    }),
  );
  await events.send(
    new PutTargetsCommand({ Rule: RESTORES_RULE, Targets: [{ Id: 'restores-queue', Arn: restoresArn }] }),
  );
  await events.send(
    new PutRuleCommand({
      Name: PROGRESS_RULE,
      EventPattern: JSON.stringify({ source: [BUS_SOURCE], 'detail-type': [BUS_DETAIL_TYPE] }),
    }),
  );
  await events.send(
    new PutTargetsCommand({ Rule: PROGRESS_RULE, Targets: [{ Id: 'progress-queue', Arn: progressArn }] }),
  );
}

async function makeRoles(
  client: Pick<BootstrapOptions, 'endpoint' | 'region' | 'credentials'>,
  names: readonly string[],
): Promise<void> {
  // Every command of the command line loads this file, and hardly any starts a platform.
  const { CreateRoleCommand, EntityAlreadyExistsException, IAMClient } = await import('@aws-sdk/client-iam');
  const iam = new IAMClient(client);
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  });
  for (const RoleName of names) {
    try {
      await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    } catch (error) {
      if (!(error instanceof EntityAlreadyExistsException)) throw error;
    }
  }
}
const role = (name: string) => `arn:aws:iam::${LOCAL_PLACE.accountId}:role/${name}`;

async function makeCompute(batch: BatchClient, queue: string, maxVcpus: number): Promise<void> {
  const environments = await batch.send(new DescribeComputeEnvironmentsCommand({ computeEnvironments: [queue] }));
  if (!environments.computeEnvironments?.length) {
    await batch.send(
      new CreateComputeEnvironmentCommand({
        computeEnvironmentName: queue,
        type: 'MANAGED',
        computeResources: {
          type: 'EC2',
          allocationStrategy: 'BEST_FIT_PROGRESSIVE',
          minvCpus: 0,
          maxvCpus: maxVcpus,
          instanceTypes: ['m5.xlarge', 'm5.4xlarge'],
          subnets: ['subnet-00000000000000001'],
          securityGroupIds: ['sg-00000000000000001'],
          instanceRole: role('longhaul-instance'),
        },
        serviceRole: role('longhaul-batch'),
      }),
    );
  }
  const queues = await batch.send(new DescribeJobQueuesCommand({ jobQueues: [queue] }));
  if (queues.jobQueues?.length) return;
  await batch.send(
    new CreateJobQueueCommand({
      jobQueueName: queue,
      state: 'ENABLED',
      priority: 1,
      computeEnvironmentOrder: [{ order: 1, computeEnvironment: queue }],
    }),
  );
}
