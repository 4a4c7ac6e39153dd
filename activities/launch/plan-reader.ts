/**
 * Reading a plan back. Plans never change once written, so the last few are kept.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { readObject } from '../../lib/s3-objects.ts';
import type { Plan, PlannedStep } from '../../workflows/launch/plan.ts';

const KEPT = 16;
const PLAN_LIMIT = 256 * 1024 * 1024;
const kept = new Map<string, { etag: string; plan: Plan }>();

/** @throws Error when the plan has no such step: the workflow and its plan belong together, so that is a bug */
export async function readPlan(
  s3: S3Client,
  address: string,
  stepName: string,
): Promise<{ plan: Plan; step: PlannedStep }> {
  const plan = await fetchPlan(s3, address);
  const step = plan.steps.find((candidate) => candidate.name === stepName);
  if (!step) throw new Error(`the plan at ${address} has no step ${stepName}`);
  return { plan, step };
}

export async function fetchPlan(s3: S3Client, address: string): Promise<Plan> {
  const known = kept.get(address);
  if (known) return known.plan;
  const { bytes, etag } = await readObject(s3, address, { limit: PLAN_LIMIT });
  const plan = JSON.parse(bytes.toString('utf8')) as Plan;
  kept.set(address, { etag, plan });
  const oldest = kept.keys().next().value;
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
  return plan;
}
