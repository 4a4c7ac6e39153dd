/**
 * The stand-in for EventBridge: rules on the default bus with queues as targets, over the awsJson 1.1 protocol.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { jsonService } from '../../kit/json-protocol.ts';
import type { AwsService } from '../../kit/service.ts';
import type { EventPort, Place, QueuePort } from '../ports.ts';
import { eventOperations } from './event-operations.ts';
import { ruleOperations } from './rule-operations.ts';
import { RuleStore } from './store.ts';

export async function createEvents(options: {
  kit: Kit;
  place: Place;
  directory: string;
  queues: QueuePort;
}): Promise<{ service: AwsService; port: EventPort }> {
  const store = new RuleStore(options);
  return {
    service: jsonService({
      names: ['events'],
      version: '1.1',
      operations: { ...ruleOperations(store), ...eventOperations(store) },
      close: async () => store.close(),
    }),
    port: {
      emit: ({ source, detailType, detail, resources }) => {
        store.publish({ source, 'detail-type': detailType, detail, resources });
      },
    },
  };
}
