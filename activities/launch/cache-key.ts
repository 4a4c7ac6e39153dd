/**
 * The key of an item: what has to be the same for its result to be the same. Specified in docs/job-contract.md.
 *
 * @module
 */
import { digestOf } from '../../lib/digest.ts';
import {
  expandArgv,
  expandEnvironment,
  expandPath,
  expandScript,
  type Sources,
} from '../../workflows/launch/manifest.ts';
import { CONTRACT_VERSION } from '../../workflows/launch/model.ts';
import type { Plan, PlannedStep, StepItem } from '../../workflows/launch/plan.ts';

/** Everything an item's result depends on, expanded. */
export interface KeyParts {
  contract: number;
  consumer: string;
  /** `sha256:…`; the reference where no registry tells the digest. */
  image: string;
  main: { script: string } | { argv: readonly string[] };
  environment: Readonly<Record<string, string>>;
  outputs: readonly { name: string; path: string }[];
  inputs: readonly KeyInput[];
}

/** An object outside the launch, or the outputs of another item. */
export type KeyInput =
  | { name: string; address: string; version?: string; etag?: string; size?: number }
  | { name: string; step: string; item: string; digest: string };

/** @returns 32 hexadecimal digits */
export const itemKey = (parts: KeyParts): string => digestOf(parts);

/**
 * What is the same for all items of a step: tells where their cache entries lie, so that one listing finds them all.
 * Says nothing about their results.
 */
export function stepKey(plan: Plan, step: PlannedStep, image: string): string {
  const { main, outputs, environment } = step;
  return digestOf({ contract: CONTRACT_VERSION, consumer: plan.consumer, image, main, outputs, environment });
}

export function keyParts(
  plan: Plan,
  step: PlannedStep,
  item: StepItem,
  context: { image: string; sources: Sources; inputs: readonly KeyInput[] },
): KeyParts {
  const { sources } = context;
  return {
    contract: CONTRACT_VERSION,
    consumer: plan.consumer,
    image: context.image,
    main:
      step.main.kind === 'command'
        ? { script: expandScript(plan, step, item, sources, step.main.script) }
        : { argv: expandArgv(plan, step, step.main.argv, sources) },
    environment: expandEnvironment(plan, step),
    outputs: step.outputs.map(({ name, path }) => ({ name, path: expandPath(plan, step, item, path) })),
    inputs: context.inputs,
  };
}
