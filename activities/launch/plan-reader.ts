/**
 * Reading a plan back, and what belongs to it.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Inventory } from '../../lib/launch/inventory.ts';
import { UnreadableObjectError } from '../../lib/s3-objects.ts';
import { preflightAddress } from '../../workflows/launch/places.ts';
import type { Plan, PlannedStep } from '../../workflows/launch/plan.ts';
import type { Preflight } from '../../workflows/launch/preflight.ts';
import { Kept } from './kept.ts';

export const plans = new Kept<Plan>(16);
const preflights = new Kept<Preflight>(16);
export const inventories = new Kept<Inventory>(4);

/** @throws Error when the plan has no such step: the workflow and its plan belong together, so that is a bug */
export async function readPlan(
  s3: S3Client,
  address: string,
  stepName: string,
): Promise<{ plan: Plan; step: PlannedStep }> {
  const plan = await plans.read(s3, address);
  const step = plan.steps.find((candidate) => candidate.name === stepName);
  if (!step) throw new Error(`the plan at ${address} has no step ${stepName}`);
  return { plan, step };
}

/** By reference; none where preflight did not get through: the reference stands for the image then. */
export async function imageDigests(
  s3: S3Client,
  bucket: string,
  { launchId, attempt }: { launchId: string; attempt: number },
): Promise<Preflight['digests']> {
  try {
    return (await preflights.read(s3, preflightAddress(bucket, launchId, attempt))).digests;
  } catch (error) {
    if (error instanceof UnreadableObjectError) return {};
    throw error;
  }
}
