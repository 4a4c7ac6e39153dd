/**
 * The AWS clients, all with the SDK's own settings: endpoint, Region and credentials come from the environment, so
 * the same code talks to AWS and to the embedded platform.
 *
 * @module
 */
import { BatchClient } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { paced } from './pacing/middleware.ts';
import { createPacer } from './pacing/pacer.ts';
import type { Tables } from './store/tables.ts';

export interface AwsClients {
  s3: S3Client;
  dynamodb: DynamoDBClient;
  batch: BatchClient;
  /** For SubmitJob alone, see below. */
  submitter: BatchClient;
  logs: CloudWatchLogsClient;
  sqs: SQSClient;
  destroy(): void;
}

/** Short retries here: the long ones are Temporal's. */
const RETRIES = { maxAttempts: 3 };

export interface Pacing {
  tables: Pick<Tables, 'quotas'>;
  /** Told once for each outage of the table; by default on stderr. */
  warn?(message: string): void;
}

/** @param pacing leaves the calls of AWS's quotas unpaced where it is left out: then nothing else may load the account */
export function createAwsClients(pacing?: Pacing): AwsClients {
  const clients = {
    s3: new S3Client(RETRIES),
    dynamodb: new DynamoDBClient(RETRIES),
    batch: new BatchClient(RETRIES),
    // SubmitJob has no client token: a retry inside the SDK would make a second job before anybody could look the first
    // one up. Temporal retries it, and the look-up comes first then.
    submitter: new BatchClient({ maxAttempts: 1 }),
    logs: new CloudWatchLogsClient(RETRIES),
    sqs: new SQSClient(RETRIES),
  };
  if (pacing) {
    // One for all of them: batch and submitter share a quota.
    const pacer = createPacer({ dynamodb: clients.dynamodb, ...pacing });
    paced(clients.batch, pacer);
    paced(clients.submitter, pacer);
    paced(clients.logs, pacer);
  }
  return { ...clients, destroy: () => Object.values(clients).forEach((client) => client.destroy()) };
}
