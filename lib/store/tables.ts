/**
 * The DynamoDB tables: keys and indexes. docs/data.md lists the access patterns they serve.
 *
 * @module
 */
import type { CreateTableCommandInput, UpdateTimeToLiveCommandInput } from '@aws-sdk/client-dynamodb';

/** Index names, by what they answer. */
export const LAUNCH_INDEXES = {
  byStatus: 'by_status',
  byConsumer: 'by_consumer',
  byWorkflowType: 'by_workflow_type',
} as const;
export const STEP_INDEXES = { byOpenJob: 'by_open_job' } as const;
export const RESTORE_INDEXES = { byOpen: 'by_open', byStatus: 'by_status', byConsumer: 'by_consumer' } as const;
export const LEDGER_INDEXES = {
  byDay: 'by_day',
  byConsumer: 'by_consumer',
  byResource: 'by_resource',
  byWork: 'by_work',
} as const;
export const CONNECTION_INDEXES = { byInactive: 'by_inactive' } as const;
export const STORY_RECORD_INDEXES = { byCreated: 'by_created' } as const;

export interface Tables {
  launches: string;
  launchSteps: string;
  ledger: string;
  quotas: string;
  restores: string;
  prices: string;
  connections: string;
  sessions: string;
  progress: string;
  gateways: string;
  stories: string;
  storyRecords: string;
  families: string;
  characters: string;
  scenes: string;
}

export const tableNames = (prefix: string): Tables => ({
  launches: `${prefix}Launches`,
  launchSteps: `${prefix}LaunchSteps`,
  ledger: `${prefix}Ledger`,
  quotas: `${prefix}Quotas`,
  restores: `${prefix}Restores`,
  prices: `${prefix}Prices`,
  connections: `${prefix}Connections`,
  sessions: `${prefix}Sessions`,
  progress: `${prefix}Progress`,
  gateways: `${prefix}Gateways`,
  stories: `${prefix}Stories`,
  storyRecords: `${prefix}StoryRecords`,
  families: `${prefix}Families`,
  characters: `${prefix}Characters`,
  scenes: `${prefix}Scenes`,
});

/** What CreateTable is given; later the CDK stack is held against the same. */
export function tableDefinitions(prefix: string): CreateTableCommandInput[] {
  const names = tableNames(prefix);
  return [
    {
      TableName: names.launches,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys('launch_id'),
      AttributeDefinitions: strings('launch_id', 'status', 'consumer', 'workflow_type', 'created_at'),
      GlobalSecondaryIndexes: [
        index(LAUNCH_INDEXES.byStatus, 'status', 'created_at'),
        index(LAUNCH_INDEXES.byConsumer, 'consumer', 'created_at'),
        index(LAUNCH_INDEXES.byWorkflowType, 'workflow_type', 'created_at'),
      ],
      // The cost domain starts from here (status and the absence of total_cost), a retry too.
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    },
    {
      TableName: names.launchSteps,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys('launch_id', 'step_key'),
      AttributeDefinitions: strings('launch_id', 'step_key', 'open_in', 'job_id'),
      GlobalSecondaryIndexes: [index(STEP_INDEXES.byOpenJob, 'open_in', 'job_id')],
    },
    {
      TableName: names.ledger,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys('launch_id', 'line'),
      AttributeDefinitions: strings('launch_id', 'line', 'day', 'consumer', 'resource', 'held_from', 'work', 'at'),
      // Sparse: days of a launch stand in the first two, holdings in the third, its steps in the last, lines in none.
      GlobalSecondaryIndexes: [
        index(LEDGER_INDEXES.byDay, 'day', 'launch_id'),
        index(LEDGER_INDEXES.byConsumer, 'consumer', 'day'),
        index(LEDGER_INDEXES.byResource, 'resource', 'held_from'),
        index(LEDGER_INDEXES.byWork, 'work', 'at'),
      ],
    },
    {
      TableName: names.quotas,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys('quota', 'slice'),
      AttributeDefinitions: [...strings('quota'), { AttributeName: 'slice', AttributeType: 'N' }],
    },
    {
      TableName: names.restores,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys('restore_id'),
      AttributeDefinitions: strings('restore_id', 'open', 'status', 'consumer', 'created_at'),
      GlobalSecondaryIndexes: [
        index(RESTORE_INDEXES.byOpen, 'open', 'restore_id'),
        index(RESTORE_INDEXES.byStatus, 'status', 'created_at'),
        index(RESTORE_INDEXES.byConsumer, 'consumer', 'created_at'),
      ],
    },
    {
      TableName: names.prices,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys('price_key'),
      AttributeDefinitions: strings('price_key'),
    },
    {
      TableName: names.connections,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys('userId', 'connectionId'),
      AttributeDefinitions: [
        ...strings('userId', 'connectionId', 'active'),
        { AttributeName: 'lastSeen', AttributeType: 'N' },
      ],
      GlobalSecondaryIndexes: [index(CONNECTION_INDEXES.byInactive, 'active', 'lastSeen')],
    },
    {
      TableName: names.sessions,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys('userId', 'entry'),
      AttributeDefinitions: strings('userId', 'entry'),
    },
    {
      TableName: names.progress,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys('run', 'entry'),
      AttributeDefinitions: strings('run', 'entry'),
    },
    {
      TableName: names.gateways,
      BillingMode: 'PAY_PER_REQUEST',
      // All in one partition, so that they are found by a query: there are few.
      KeySchema: keys('fleet', 'gateway_id'),
      AttributeDefinitions: strings('fleet', 'gateway_id'),
    },
    {
      TableName: names.stories,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys('story_id'),
      AttributeDefinitions: strings('story_id'),
    },
    {
      TableName: names.storyRecords,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys('family', 'entry'),
      AttributeDefinitions: strings('family', 'entry', 'created_at'),
      // Sparse: months have no begin.
      GlobalSecondaryIndexes: [index(STORY_RECORD_INDEXES.byCreated, 'family', 'created_at')],
    },
    {
      TableName: names.families,
      BillingMode: 'PAY_PER_REQUEST',
      // All in one partition, so that they are found by a query: there are few.
      KeySchema: keys('household', 'family'),
      AttributeDefinitions: strings('household', 'family'),
    },
    ...[names.characters, names.scenes].map(
      (TableName): CreateTableCommandInput => ({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: keys('family', 'card'),
        AttributeDefinitions: strings('family', 'card'),
      }),
    ),
  ];
}

/** What UpdateTimeToLive is given once the tables are there. */
export const timesToLive = (prefix: string): UpdateTimeToLiveCommandInput[] => {
  const { quotas, prices, connections, sessions, progress, gateways, stories } = tableNames(prefix);
  return [quotas, prices, connections, sessions, progress, gateways, stories].map((TableName) => ({
    TableName,
    TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
  }));
};

const strings = (...names: string[]) => names.map((name) => ({ AttributeName: name, AttributeType: 'S' as const }));

/** Partition key, and sort key where there is one. */
const keys = (hash: string, range?: string) => [
  { AttributeName: hash, KeyType: 'HASH' as const },
  ...(range === undefined ? [] : [{ AttributeName: range, KeyType: 'RANGE' as const }]),
];

const index = (name: string, hash: string, range: string) => ({
  IndexName: name,
  KeySchema: keys(hash, range),
  Projection: { ProjectionType: 'ALL' as const },
});
