/**
 * DynamoDB Streams as a pipe reads them, over their awsJson 1.0 protocol. Asked of DynamoDB Local itself, not through
 * the front door: on AWS these calls are the service's own, in nobody's call log, and no fault plan may hit them.
 *
 * @module
 */
import { Agent, type IncomingMessage, request as send } from 'node:http';
import type { DynamoDbTarget } from '../dynamodb/proxy.ts';

export interface Shard {
  id: string;
  /** Its records come before those of this shard. */
  parent?: string;
  /** Records may still be added. */
  open: boolean;
}

/** Where to read on in a shard: at its oldest record, or after the record with this sequence number. */
export type Place = 'horizon' | { after: string };

/** A record as GetRecords has it; what is not named here is handed on as it is. */
export interface StreamRecord {
  eventID: string;
  /** `SequenceNumber` rises within a shard; `ApproximateCreationDateTime` is in epoch seconds. */
  dynamodb: { SequenceNumber: string; [member: string]: unknown };
  [member: string]: unknown;
}

/** What the service refused, by its code: ExpiredIteratorException, TrimmedDataAccessException, ... */
export class StreamsError extends Error {
  override readonly name = 'StreamsError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** DynamoDB Local answers in milliseconds; after this it hangs. */
const TIMEOUT_MS = 10_000;

type Json = Record<string, unknown>;

/** Every method throws StreamsError for an error of the service, and Node's own while it cannot be reached. */
export class StreamsClient {
  readonly #target: DynamoDbTarget;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #headers: Record<string, string>;

  constructor(target: DynamoDbTarget, region: string) {
    this.#target = target;
    this.#headers = {
      'content-type': 'application/x-amz-json-1.0',
      // DynamoDB Local wants the form of a signature and does not check it.
      authorization: `AWS4-HMAC-SHA256 Credential=pipes/20260101/${region}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
    };
  }

  /** All shards there still are, over all pages. */
  async shards(streamArn: string): Promise<Shard[]> {
    const shards: Shard[] = [];
    let ExclusiveStartShardId: string | undefined;
    do {
      const answer = await this.#call('DescribeStream', { StreamArn: streamArn, ExclusiveStartShardId });
      const { Shards = [], LastEvaluatedShardId } = answer.StreamDescription as {
        Shards?: {
          ShardId: string;
          ParentShardId?: string;
          SequenceNumberRange?: { EndingSequenceNumber?: string };
        }[];
        LastEvaluatedShardId?: string;
      };
      for (const { ShardId, ParentShardId, SequenceNumberRange } of Shards) {
        const open = SequenceNumberRange?.EndingSequenceNumber === undefined;
        shards.push({ id: ShardId, open, ...(ParentShardId !== undefined && { parent: ParentShardId }) });
      }
      ExclusiveStartShardId = LastEvaluatedShardId;
    } while (ExclusiveStartShardId !== undefined);
    return shards;
  }

  async iterator(streamArn: string, shardId: string, place: Place): Promise<string> {
    const from =
      place === 'horizon'
        ? { ShardIteratorType: 'TRIM_HORIZON' }
        : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: place.after };
    const answer = await this.#call('GetShardIterator', { StreamArn: streamArn, ShardId: shardId, ...from });
    return String(answer.ShardIterator);
  }

  /** One page, at most 1000 records; without `next` the shard has ended. */
  async records(iterator: string): Promise<{ records: StreamRecord[]; next?: string }> {
    const answer = await this.#call('GetRecords', { ShardIterator: iterator });
    const next = answer.NextShardIterator;
    return { records: (answer.Records ?? []) as StreamRecord[], ...(typeof next === 'string' && { next }) };
  }

  /** Cuts off what is under way. */
  close(): void {
    this.#agent.destroy();
  }

  async #call(operation: string, input: Json): Promise<Json> {
    const body = Buffer.from(JSON.stringify(input));
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = send({
        agent: this.#agent,
        host: this.#target.host,
        port: this.#target.port,
        method: 'POST',
        timeout: TIMEOUT_MS,
        headers: {
          ...this.#headers,
          'x-amz-target': `DynamoDBStreams_20120810.${operation}`,
          'content-length': body.length,
        },
      });
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      outgoing.once('response', resolve);
      outgoing.once('error', reject);
      outgoing.end(body);
    });
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const output = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json;
    if (answer.statusCode === 200) return output;
    const type = typeof output.__type === 'string' ? output.__type : 'InternalServerError';
    const message = output.message ?? output.Message;
    throw new StreamsError(type.replace(/^.*#/, ''), typeof message === 'string' ? message : '');
  }
}
