/**
 * The AWS clients, all with the SDK's own settings: endpoint, Region and credentials come from the environment, so
 * the same code talks to AWS and to the embedded platform.
 *
 * @module
 */
import { BatchClient } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PollyClient } from '@aws-sdk/client-polly';
import { PricingClient } from '@aws-sdk/client-pricing';
import { S3Client } from '@aws-sdk/client-s3';
import { S3ControlClient } from '@aws-sdk/client-s3-control';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { lookupLoopback } from './loopback-names.ts';
import { paced } from './pacing/middleware.ts';
import { createPacer } from './pacing/pacer.ts';
import { priceListRegion } from './prices/endpoints.ts';
import type { Tables } from './store/tables.ts';

export interface AwsClients {
  s3: S3Client;
  s3control: S3ControlClient;
  dynamodb: DynamoDBClient;
  batch: BatchClient;
  /** For SubmitJob alone, see below. */
  submitter: BatchClient;
  logs: CloudWatchLogsClient;
  sqs: SQSClient;
  sns: SNSClient;
  polly: PollyClient;
  /** Of every Region's prices, at the nearest of its few endpoints. */
  pricing: PricingClient;
  destroy(): void;
}

/** Short retries here: the long ones are Temporal's. */
const RETRIES = { maxAttempts: 3 };
/**
 * The SDK waits for ever by default; a connection that hangs must end before the activity it is in does (20 s), or within
 * what a person waits for.
 */
const PATIENCE = { requestHandler: { connectionTimeout: 5_000, requestTimeout: 15_000, throwOnRequestTimeout: true } };
/** Many small requests at a time, of restores; the SDK opens 50 connections. */
const MANY = {
  requestHandler: { ...PATIENCE.requestHandler, httpAgent: { maxSockets: 200 }, httpsAgent: { maxSockets: 200 } },
};
/** A long poll of SQS takes 20 s by itself. */
const LONG_POLL = { requestHandler: { connectionTimeout: 5_000, requestTimeout: 40_000, throwOnRequestTimeout: true } };

export interface Pacing {
  tables: Pick<Tables, 'quotas'>;
  /** Told once for each outage of the table; by default on stderr. */
  warn?(message: string): void;
}

/** @param pacing leaves the calls of AWS's quotas unpaced where it is left out: then nothing else may load the account */
export function createAwsClients(pacing?: Pacing): AwsClients {
  const s3 = new S3Client({ ...RETRIES, ...MANY });
  const clients = {
    s3,
    // Of http alone, which AWS does not speak.
    s3control: new S3ControlClient({
      ...RETRIES,
      requestHandler: { ...PATIENCE.requestHandler, httpAgent: { lookup: lookupLoopback } },
    }),
    dynamodb: new DynamoDBClient({ ...RETRIES, ...PATIENCE }),
    batch: new BatchClient({ ...RETRIES, ...PATIENCE }),
    // SubmitJob has no client token: a retry inside the SDK would make a second job before anybody could look the first
    // one up. Temporal retries it, and the look-up comes first then.
    submitter: new BatchClient({ maxAttempts: 1, ...PATIENCE }),
    logs: new CloudWatchLogsClient({ ...RETRIES, ...PATIENCE }),
    sqs: new SQSClient({ ...RETRIES, ...LONG_POLL }),
    sns: new SNSClient({ ...RETRIES, ...PATIENCE }),
    polly: new PollyClient({ ...RETRIES, ...PATIENCE }),
    pricing: new PricingClient({
      ...RETRIES,
      ...PATIENCE,
      region: async () => priceListRegion(await s3.config.region()),
    }),
  };
  if (pacing) {
    // One for all of them: batch and submitter share a quota.
    const pacer = createPacer({ dynamodb: clients.dynamodb, ...pacing });
    paced(clients.batch, pacer);
    paced(clients.submitter, pacer);
    paced(clients.logs, pacer);
    paced(clients.s3, pacer);
  }
  return { ...clients, destroy: () => Object.values(clients).forEach((client) => client.destroy()) };
}
