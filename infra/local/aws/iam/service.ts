/**
 * The stand-in for IAM: roles and their trust policies, over the query protocol. Nothing is allowed or refused by
 * them here; they can only be looked up.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { queryService } from '../../kit/query-protocol.ts';
import type { AwsService } from '../../kit/service.ts';
import type { Place } from '../ports.ts';
import { roleOperations } from './operations.ts';
import { RoleStore } from './store.ts';

export function createIam(options: { kit: Kit; place: Place; directory: string }): { service: AwsService } {
  const store = new RoleStore(options);
  return {
    service: queryService({
      dialect: 'iam',
      version: '2010-05-08',
      operations: roleOperations(store),
      close: async () => store.close(),
    }),
  };
}
