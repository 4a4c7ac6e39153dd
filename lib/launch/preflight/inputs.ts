/**
 * Can every input from outside be read? As planning looks for them: in few calls where many lie in one folder.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Finding } from '../../../workflows/launch/preflight.ts';
import { takeInventory } from '../inventory.ts';
import type { CheckInput } from './check.ts';

export async function checkInputs({ plan, beat }: CheckInput, s3: S3Client): Promise<Finding[]> {
  const { missing } = await takeInventory(s3, plan, beat);
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
