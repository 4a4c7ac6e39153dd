/**
 * Plans of launches, which never change once written: the last few are kept.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { resolveS3Address } from '../../../lib/s3-address.ts';
import { readJson, UnreadableObjectError } from '../../../lib/s3-objects.ts';
import { expandPath } from '../../../workflows/launch/manifest.ts';
import { itemsOf, type Plan, type PlannedStep } from '../../../workflows/launch/plan.ts';
import type { LaunchDetail } from '../../live/api.ts';

type Inputs = NonNullable<LaunchDetail['inputs']>;

const KEPT = 8;
const PLAN_BYTES = 64 * 1024 * 1024;

export interface PlanReader {
  /** @returns undefined where there is none, or it is too large to be shown */
  read(address: string | undefined): Promise<Plan | undefined>;
}

export function createPlanReader(s3: S3Client): PlanReader {
  const kept = new Map<string, Promise<Plan | undefined>>();
  return {
    async read(address) {
      if (address === undefined) return undefined;
      const known = kept.get(address);
      kept.delete(address);
      const reading = known ?? readPlan(s3, address);
      kept.set(address, reading);
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT) break;
        kept.delete(oldest);
      }
      try {
        return await reading;
      } catch (error) {
        kept.delete(address);
        throw error;
      }
    },
  };
}

async function readPlan(s3: S3Client, address: string): Promise<Plan | undefined> {
  try {
    return await readJson<Plan>(s3, address, PLAN_BYTES);
  } catch (error) {
    if (error instanceof UnreadableObjectError) return undefined;
    throw error;
  }
}

/** What goes in from outside, item by item; of patterns the pattern. */
export function inputsOf(plan: Plan, most: number): Inputs {
  const first: Inputs['first'] = [];
  let total = 0;
  for (const step of plan.steps) {
    const perItem = inputsPerItem(step);
    total += perItem * step.items;
    if (perItem === 0 || first.length >= most) continue;
    for (const item of itemsOf(plan, step)) {
      if (first.length >= most) break;
      for (const input of step.inputs) {
        if (input.kind === 'path') {
          const address = resolveS3Address(plan.dataPath, expandPath(plan, step, item, input.path));
          first.push({ step: step.name, item: item.key, name: input.name, address });
        } else if (input.kind === 'tree') {
          const { name, files } = input;
          for (const { path } of files)
            first.push({ step: step.name, item: item.key, name, address: resolveS3Address(plan.dataPath, path) });
        }
      }
    }
  }
  return { total, first: first.slice(0, most) };
}

const inputsPerItem = ({ inputs }: PlannedStep): number =>
  inputs.reduce((sum, input) => sum + (input.kind === 'tree' ? input.files.length : input.kind === 'path' ? 1 : 0), 0);
