/**
 * Telling "something is down" from "this can never work": the first is waited for, the second is given up.
 *
 * @module
 */

/** gRPC status codes a client may wait out: CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE. */
const GRPC_PASSING = new Set([1, 2, 4, 8, 10, 13, 14]);
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);
const NAMES = new Set([
  'TimeoutError',
  'RequestTimeout',
  'ThrottlingException',
  'RequestThrottled',
  'ProvisionedThroughputExceededException',
  'TooManyRequestsException',
  'SlowDown',
  'CredentialsProviderError',
  'ProgressBusyError',
]);

/** Of HTTP: the client of Kubernetes has it in `code`. */
const isPassingStatus = (status = 0): boolean => status >= 500 || status === 429;

export function isOutage(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, name, $metadata } = cause as Error & { code?: unknown; $metadata?: { httpStatusCode?: number } };
    if (typeof code === 'number' && (GRPC_PASSING.has(code) || isPassingStatus(code))) return true;
    if (typeof code === 'string' && NETWORK.has(code)) return true;
    if (NAMES.has(name) || isPassingStatus($metadata?.httpStatusCode)) return true;
  }
  return false;
}
