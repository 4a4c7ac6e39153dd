/**
 * The order of test files: the longest first, so that those who run them side by side end together. Without it a file of five
 * minutes that happens to come last is run alone.
 *
 * @module
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds, on two cores that run the whole lane; only those that take over half a minute. */
export const LONG: Readonly<Record<string, number>> = {
  'integration/bench': 300,
  'integration/head': 150,
  'faults/matrix': 150,
  'faults/story': 145,
  'browser/story': 125,
  'faults/restore': 125,
  'integration/platform': 90,
  'faults/storm': 85,
  'faults/abuse-wire': 75,
  'browser/look': 70,
  'faults/cost': 65,
  'integration/eks': 65,
  'faults/live': 60,
  'integration/demo': 60,
  'integration/ec2': 60,
  'integration/logs': 60,
  'integration/focus': 60,
  'browser/launch': 55,
  'faults/launch': 55,
  'integration/epub': 55,
  'integration/restore': 50,
  'integration/retry': 50,
  'integration/story-cli': 45,
  'integration/cli': 40,
  'workflow/teleprinter': 40,
  'unit/logs': 40,
  'integration/cost': 35,
  'integration/launch': 35,
  'integration/samples': 35,
  'workflow/story': 35,
};
/** Of all others. */
const USUAL = 20;

const secondsOf = ({ moduleId }: Pick<TestSpecification, 'moduleId'>): number =>
  LONG[/test\/([\w-]+\/[\w-]+)\.test\.ts$/.exec(moduleId)?.[1] ?? ''] ?? USUAL;

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // What is alike stays in vitest's own order: what failed last, and larger files, first.
    const usual = await super.sort(files);
    return usual.toSorted((a, b) => secondsOf(b) - secondsOf(a));
  }
}
