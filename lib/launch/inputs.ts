/**
 * Looking for the inputs of a launch: every input that lies outside the launch has to be there before anything is
 * submitted.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { expandPath } from '../../workflows/launch/manifest.ts';
import { itemsOf, type Plan } from '../../workflows/launch/plan.ts';
import type { Problem } from '../../workflows/launch/sheet/problems.ts';
import { mapLimited } from '../concurrency.ts';
import { resolveS3Address } from '../s3-address.ts';
import { whyUnreadable } from '../s3-objects.ts';
import { listMatches } from '../s3-patterns.ts';

/** HEAD requests in flight while looking for inputs. */
const LOOKING = 32;

/**
 * One call for each distinct input.
 * @param beat called while it goes on
 */
export async function findMissing(s3: S3Client, planned: Plan, beat: () => void): Promise<Problem[]> {
  // On a shared file system only the jobs can see the inputs; stage says what is missing there.
  if (planned.sharedFileSystem) return [];
  const wanted = new Map<string, { at: string; path: string; wildcard: boolean }>();
  for (const step of planned.steps) {
    for (const input of step.inputs) {
      if (input.kind !== 'path') continue;
      for (const item of itemsOf(planned, step)) {
        const path = expandPath(planned, step, item, input.path);
        const at = `steps.${step.name}.inputs.${input.name}`;
        wanted.set(resolveS3Address(planned.dataPath, path), { at, path, wildcard: input.wildcard });
      }
    }
  }
  const verdicts = await mapLimited(
    [...wanted],
    LOOKING,
    async ([address, { at, path, wildcard }]): Promise<Problem | undefined> => {
      beat();
      const reason = wildcard ? await whyNoMatch(s3, planned.dataPath, path) : await whyUnreadable(s3, address);
      return reason === undefined ? undefined : { kind: 'missing', at, message: `${address}: ${reason}` };
    },
  );
  return verdicts.filter((verdict) => verdict !== undefined);
}

async function whyNoMatch(s3: S3Client, base: string, pattern: string): Promise<string | undefined> {
  for await (const _ of listMatches(s3, base, pattern)) return undefined;
  return 'nothing matches this pattern';
}
