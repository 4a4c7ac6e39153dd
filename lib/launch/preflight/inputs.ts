/**
 * Can every input from outside be read? One call for each distinct input.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Finding } from '../../../workflows/launch/preflight.ts';
import { findMissing } from '../inputs.ts';
import type { CheckInput } from './check.ts';

export async function checkInputs({ plan, beat }: CheckInput, s3: S3Client): Promise<Finding[]> {
  const missing = await findMissing(s3, plan, beat);
  return missing.map(({ at, message }) => ({
    level: 'error',
    check: 'inputs',
    at,
    message,
    remedy: message.includes('access denied')
      ? 'let the worker read it (s3:GetObject, s3:ListBucket)'
      : 'upload it, restore it, or correct the path',
  }));
}
