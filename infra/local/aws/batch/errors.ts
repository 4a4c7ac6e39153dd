/**
 * AWS Batch knows two errors: the caller's fault and its own. Most refusals come wrapped in one fixed sentence.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { AwsError } from '../../kit/service.ts';

export const clientError = (message: string) => new AwsError('ClientException', message);

/** The sentence most validation failures are wrapped in. */
export const refused = (message: string) =>
  clientError(`Error executing request, Exception : ${message}, RequestId: ${randomUUID()}`);

export const tooManyRequests = () => new AwsError('TooManyRequestsException', 'Too Many Requests', 429);
