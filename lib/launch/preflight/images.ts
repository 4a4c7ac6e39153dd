/**
 * Are the images there? One question for each distinct image that the compute service runs: those of the steps, and the
 * one that stages and publishes.
 *
 * @module
 */
import type { Plan } from '../../../workflows/launch/plan.ts';
import type { Finding } from '../../../workflows/launch/preflight.ts';
import { mapLimited } from '../../concurrency.ts';
import { isFileOrAddress } from '../../images/reference.ts';
import type { ImageResolver } from '../../images/resolve.ts';
import type { ImageVerdict } from '../../images/verdict.ts';
import type { CheckInput } from './check.ts';

/** Questions to registries in flight. */
const ASKING = 8;

export async function checkImages(
  { plan, settings, beat }: CheckInput,
  images: ImageResolver,
): Promise<{ findings: Finding[]; digests: Record<string, string> }> {
  const places = new Map<string, string[]>();
  const add = (image: string, at: string) => places.set(image, [...(places.get(image) ?? []), at]);
  const runtime = runtimeOf(plan, settings);
  for (const step of plan.steps) {
    const asked = runtime === 'apptainer' ? !isFileOrAddress(step.image) : runtime !== 'none';
    if (asked) add(step.image, `steps.${step.name}.image`);
  }
  if (runtime === 'containers') add(settings.jobImage, 'jobImage');
  const verdicts = await mapLimited([...places], ASKING, async ([image, at]) => {
    beat();
    return { image, at, verdict: await images.resolve(image) };
  });
  const digests = verdicts.flatMap(({ image, verdict }) =>
    verdict.state === 'found' ? [[image, verdict.digest] as const] : [],
  );
  return {
    findings: verdicts.flatMap(({ image, at, verdict }) => toFinding(image, at, verdict) ?? []),
    digests: Object.fromEntries(digests),
  };
}

/** A job is containers of `jobImage` beside the step's; or one process, and the step's image is for `jobRuntime`. */
function runtimeOf({ computeService }: Plan, { jobRuntime }: CheckInput['settings']): string {
  return computeService === 'batch' || computeService === 'eks' ? 'containers' : jobRuntime;
}

function toFinding(image: string, [at = '', ...others]: readonly string[], verdict: ImageVerdict): Finding | undefined {
  const also = others.length > 0 ? ` (also at ${others.slice(0, 3).join(', ')}${others.length > 3 ? ', …' : ''})` : '';
  switch (verdict.state) {
    case 'found':
      return undefined;
    case 'missing':
      return {
        level: 'error',
        check: 'image',
        at,
        message: `${image}: ${verdict.reason}${also}`,
        remedy: 'correct the name, tag or digest, or push the image',
      };
    case 'unknown':
      return {
        level: 'warning',
        check: 'image',
        at,
        message: `${image}: could not be checked: ${verdict.reason}${also}`,
        remedy: 'make sure that the hosts can pull it',
      };
  }
}
