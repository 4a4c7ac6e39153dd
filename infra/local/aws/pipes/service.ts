/**
 * The stand-in for EventBridge Pipes: from DynamoDB streams through filters into queues, over its restJson protocol.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { jsonError, parseJsonBody } from '../../kit/json-protocol.ts';
import { AwsError, type AwsService } from '../../kit/service.ts';
import type { DynamoDbTarget } from '../dynamodb/proxy.ts';
import type { Place, QueuePort } from '../ports.ts';
import { PipeOperations } from './operations.ts';
import { Runner } from './runner.ts';
import { PipeStore } from './store.ts';
import { StreamsClient } from './streams.ts';

const BODY_LIMIT = 1024 * 1024;

export interface Pipes {
  service: AwsService;
  /** From now on pipes run; those of the last process go on where they were. */
  start(): void;
}

export function createPipes(options: {
  kit: Kit;
  place: Place;
  directory: string;
  queues: QueuePort;
  dynamodb: DynamoDbTarget;
}): Pipes {
  const { place, queues } = options;
  const store = new PipeStore(options);
  const streams = new StreamsClient(options.dynamodb, place.region);
  const runner = new Runner({ store, streams, queues, place });
  const operations = new PipeOperations(store, runner);
  const service: AwsService = {
    names: ['pipes'],
    async prepare(request) {
      const operation = operations.of(request.method, request.path, request.query);
      if (!operation)
        throw new AwsError('UnknownOperationException', `unknown operation: ${request.method} ${request.path}`, 404);
      const input = parseJsonBody(await request.bytes(BODY_LIMIT));
      return {
        operation: operation.name,
        subject: operation.subject,
        run: async () => ({
          status: 200,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(operation.run(input)),
        }),
      };
    },
    renderError: (error) => jsonError(error),
    async close() {
      streams.close();
      await runner.close();
      store.close();
    },
  };
  return { service, start: () => operations.resume() };
}
