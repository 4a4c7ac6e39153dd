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
