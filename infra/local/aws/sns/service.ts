/**
 * The stand-in for Amazon SNS over the query protocol: standard topics whose subscribers are e-mail addresses and queues.
 * Mails are kept in a mailbox that `GET mailbox` shows, and as files; nothing is sent.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { queryService } from '../../kit/query-protocol.ts';
import type { AwsService } from '../../kit/service.ts';
import type { Place, QueuePort } from '../ports.ts';
import { openPage, PAGES } from './pages.ts';
import { publishOperation } from './publish.ts';
import { SnsStore } from './store.ts';
import { subscriptionOperations } from './subscription-operations.ts';
import { topicOperations } from './topic-operations.ts';

export function createSns(options: { kit: Kit; place: Place; directory: string; queues: QueuePort }): {
  service: AwsService;
} {
  const { kit, queues } = options;
  const store = new SnsStore(options);
  const service = queryService({
    dialect: 'sns',
    version: '2010-03-31',
    operations: {
      ...topicOperations(store),
      ...subscriptionOperations(store),
      Publish: publishOperation(store, queues, kit.clock),
    },
    close: async () => store.close(),
  });
  kit.actions.set('GET mailbox', ({ topic, to }) => ({
    mails: store
      .mails()
      .filter((mail) => topic === undefined || mail.topicArn === topic || mail.topicArn === store.arn(String(topic)))
      .filter((mail) => to === undefined || mail.to === to),
  }));
  return {
    service: {
      ...service,
      unsigned: PAGES,
      prepare: async (request) =>
        PAGES.test(request.path) && request.accessKeyId === 'anonymous'
          ? openPage(store, request)
          : service.prepare(request),
    },
  };
}
