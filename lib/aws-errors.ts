/**
 * What AWS's errors have in common over all services.
 *
 * @module
 */

/** As IAM, EC2, S3 and the JSON services call it. */
const DENIED = ['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation', 'Client.UnauthorizedOperation'];

/**
 * The caller is known but not allowed. Credentials that have expired or are wrong are other errors: those may be
 * mended, and say nothing of what was asked for.
 */
export const accessDenied = (error: unknown): boolean => error instanceof Error && DENIED.includes(error.name);

/** Error codes that mean "too many requests"; the SDK's list, less those that mean another limit. */
const THROTTLING = new Set([
  'EC2ThrottledException',
  'KMSThrottlingException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** The call was not taken, and may be repeated later. */
export function isThrottling(error: unknown): boolean {
  const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  return THROTTLING.has(name) || $metadata?.httpStatusCode === 429;
}

/** Of credentials and clocks: somebody may mend them, the same call is taken then. */
const MENDABLE = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);
/** Somebody has to sign in anew, or to set a clock. */
export const wrongCredentials = (error: Error): boolean => MENDABLE.has(error.name);

/** The service gave up waiting for the rest of a request. */
const REQUEST_TIMEOUT = 408;

/**
 * What became of a call that failed. `refused`: not done, and never will be as it is. `later`: not done, and may be
 * repeated. `unknown`: perhaps done.
 */
export function outcomeOf(error: unknown): 'refused' | 'later' | 'unknown' {
  const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  if (isThrottling(error)) return 'later';
  if (status === undefined) return neverSent(error as Error) ? 'later' : 'unknown';
  if (status < 400 || status >= 500 || status === REQUEST_TIMEOUT) return 'unknown';
  return MENDABLE.has(name) ? 'later' : 'refused';
}

/** There was no connection, or nothing to sign with. */
const NEVER_SENT = new Set([
  'CredentialsProviderError',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'TokenProviderError',
]);
export const neverSent = (error: Error & { code?: unknown }): boolean =>
  NEVER_SENT.has(String(error.code)) || NEVER_SENT.has(error.name);
