/**
 * Clients of the services that only stories need: voice, mail and bus.
 *
 * @module
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { PollyClient } from '@aws-sdk/client-polly';
import { SNSClient } from '@aws-sdk/client-sns';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { paced } from '../pacing/middleware.ts';
import { createPacer, type PacerOptions } from '../pacing/pacer.ts';
import type { Tables } from '../store/tables.ts';

export interface StoryClients {
  polly: PollyClient;
  sns: SNSClient;
  events: EventBridgeClient;
  destroy(): void;
}

/** Short retries here: the long ones are Temporal's. */
const RETRIES = { maxAttempts: 3 };
/** An activity that sends news has a minute. */
const PATIENCE = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };
/**
 * Polly sends sound as it makes it: what has begun may take its time, but not stand still. By HTTP/1.1, though the SDK would
 * take HTTP/2: there, a connection that breaks in the middle ends the body as if it were whole, and half a sound would be
 * kept (smithy's handler of Node's http2, 4.14; a test of ours).
 */
const speechHandler = () => new NodeHttpHandler({ ...PATIENCE, requestTimeout: 30_000, socketTimeout: 15_000 });

/** @param pacing all processes of an account keep to Polly's rate together by its table: docs/pacing.md */
export function createStoryClients(
  pacing: PacerOptions & { dynamodb: DynamoDBClient; tables: Pick<Tables, 'quotas'> },
): StoryClients {
  const clients = {
    polly: paced(new PollyClient({ ...RETRIES, requestHandler: speechHandler() }), createPacer(pacing)),
    // Publish has no client token: whether a mail whose answer was lost has been sent is not for the SDK to guess.
    sns: new SNSClient({ maxAttempts: 1, requestHandler: PATIENCE }),
    // A repeat has the same id for whoever reads it.
    events: new EventBridgeClient({ ...RETRIES, requestHandler: PATIENCE }),
  };
  return { ...clients, destroy: () => Object.values(clients).forEach((client) => client.destroy()) };
}
