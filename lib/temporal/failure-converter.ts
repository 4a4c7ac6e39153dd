/**
 * With a payload key, messages and stack traces of failures are encrypted like everything else. Loaded by path, also
 * inside the workflow bundle, so it imports nothing of Node.
 *
 * @module
 */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
