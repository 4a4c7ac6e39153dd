/**
 * SNS's errors, by the codes of the query protocol.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';

export const invalidParameter = (what: string) => new AwsError('InvalidParameter', `Invalid parameter: ${what}`);

export const noSuchTopic = () => new AwsError('NotFound', 'Topic does not exist', 404);

export const noSuchSubscription = () => new AwsError('NotFound', 'Subscription does not exist', 404);

/** Of a topic that is another account's. */
export const notAuthorized = (operation: string, arn: string) =>
  new AwsError(
    'AuthorizationError',
    `User is not authorized to perform: SNS:${operation} on resource: ${arn} because no resource-based policy allows the SNS:${operation} action`,
    403,
  );
