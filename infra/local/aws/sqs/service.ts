/**
 * The stand-in for SQS: standard queues over the awsJson 1.0 protocol.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { jsonError, jsonService } from '../../kit/json-protocol.ts';
import type { AwsService } from '../../kit/service.ts';
import type { Place, QueuePort } from '../ports.ts';
import { queryCode } from './errors.ts';
import { messageOperations } from './message-operations.ts';
import { allowsSend } from './policy.ts';
import { queueOperations } from './queue-operations.ts';
import { QueueStore } from './store.ts';

export async function createSqs(options: {
  kit: Kit;
  place: Place;
  directory: string;
}): Promise<{ service: AwsService; port: QueuePort }> {
  const store = new QueueStore(options);
  const service = jsonService({
    names: ['sqs'],
    version: '1.0',
    operations: { ...queueOperations(store, options.place), ...messageOperations(store) },
    close: async () => store.close(),
  });
  const { accountId } = options.place;
  const allows: QueuePort['allows'] = (queueArn, sender) =>
    allowsSend(store.byArn(queueArn)?.description.attributes.Policy, { ...sender, queueArn, accountId });
  return {
    service: {
      ...service,
      renderError(error) {
        const response = jsonError(error, 'application/x-amz-json-1.0');
        return { ...response, headers: { ...response.headers, 'x-amzn-query-error': queryCode(error) } };
      },
    },
    port: {
      has: (queueArn) => store.byArn(queueArn) !== undefined,
      allows,
      deliver(queueArn, body, sender) {
        const queue = store.byArn(queueArn);
        if (!queue || !allows(queueArn, sender)) return false;
        store.send(queue, [{ body, sender: 'AIDAJEXAMPLESERVICE01' }]);
        return true;
      },
      send(queueArn, bodies) {
        const queue = store.byArn(queueArn);
        if (!queue) return `there is no queue ${queueArn}`;
        const most = queue.seconds('MaximumMessageSize');
        const size = Math.max(...bodies.map((body) => Buffer.byteLength(body)));
        if (size > most) return `a message of ${size} bytes is too large for the queue ${queueArn}: ${most} at most`;
        store.send(
          queue,
          bodies.map((body) => ({ body, sender: 'AROAJEXAMPLEROLE00001:pipes' })),
        );
        return undefined;
      },
    },
  };
}
