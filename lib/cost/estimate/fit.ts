/**
 * What launches tell of one step: how long an item of middling size takes, how items differ within a launch, and how
 * launches differ. A random-effects model by moments (DerSimonian and Laird, doi.org/10.1016/0197-2456(86)90046-2), on
 * ratios: the time of all items over what their sizes let expect, so that sums are right whatever the distribution.
 *
 * @module
 */
import { grouped, mean, sum } from './numbers.ts';
import { launchesOf, type Observation } from './observations.ts';
import { FLAT, NO_SLOPE, type Slope, type SlopePrior, slopeOf } from './slope.ts';

/** What other steps of the workflow type let expect of this one. */
export interface Prior {
  slope: SlopePrior;
  /** Variance between launches, relative to the mean squared. */
  between: number;
}

export const NO_PRIOR: Prior = { slope: FLAT, between: 0.05 ** 2 };
/** As many launches as a prior is worth. */
const PRIOR_LAUNCHES = 2;
/** The same of the scatter of items. */
const PRIOR_ITEMS = 1;
/** Of families: a difference two launches show is believed by half. */
const PRIOR_FAMILY = 2;

export interface Fit {
  /** Seconds of an item in the middle of sizes, on the family most launches ran on. */
  level: number;
  /** Of the error of the level, relative to its square. */
  levelVariance: number;
  slope: Slope;
  /** Variance of items within a launch, and between launches; both relative to the mean squared. */
  within: number;
  between: number;
  /** As {@link between}, by this step's launches alone. */
  betweenAlone: number;
  /** Degrees of freedom of the two variances, priors included. */
  freedom: { within: number; between: number };
  /** What an item whose size is not known counts for, in items of middling size. */
  unsized: number;
  /** Time by family, relative to the one most launches ran on. */
  families: ReadonlyMap<string, number>;
  /** Items' times over what was expected of them in their launch; in order. */
  ratios: readonly number[];
  launches: readonly string[];
  /** Of each launch, its level over the level of all, less one. */
  offs: ReadonlyMap<string, number>;
}

interface Group {
  launch: string;
  level: number;
  /** Seconds over size. */
  ratios: readonly { ratio: number; weight: number }[];
  items: number;
}

/** @param sized whether the sizes of the items to be estimated are known: else they must not explain the past either */
export function fitStep(observations: readonly Observation[], prior: Prior, sized: boolean): Fit {
  const slope = sized ? slopeOf(observations, prior.slope) : NO_SLOPE;
  const known = observations.flatMap(({ samples }) =>
    samples.flatMap(({ x }) => (x === undefined ? [] : [weightOf(slope, x)])),
  );
  const unsized = known.length === 0 ? 1 : mean(known);
  const families = familiesOf(observations, slope, unsized);
  const groups = [...grouped(observations, ({ launch }) => launch)].map(([launch, own]) => ({
    launch,
    ...groupOf(own, slope, unsized, families),
  }));
  const rough = mean(groups.map(({ level }) => level));
  const freedom = groups.length - 1;
  const apart = rough > 0 ? sum(groups.map(({ level }) => (level / rough - 1) ** 2)) / Math.max(freedom, 1) : 0;
  const within = withinOf(groups, apart);
  const chance = within * mean(groups.map(({ items }) => 1 / items));
  const betweenAlone = Math.max(0, apart - chance);
  const between = (PRIOR_LAUNCHES * prior.between + freedom * betweenAlone) / (PRIOR_LAUNCHES + freedom);
  const precision = groups.map(({ items }) => 1 / Math.max(between + within / items, 1e-12));
  const level = sum(groups.map((group, index) => group.level * (precision[index] ?? 0))) / sum(precision);
  return {
    level,
    levelVariance: 1 / sum(precision),
    slope,
    within,
    between,
    betweenAlone,
    freedom: {
      within: PRIOR_ITEMS + sum(groups.map(({ items }) => items - 1)),
      between: PRIOR_LAUNCHES + freedom,
    },
    unsized,
    families,
    ratios: groups
      .flatMap((group) => (group.level > 0 ? group.ratios.map(({ ratio }) => ratio / group.level) : []))
      .sort((a, b) => a - b),
    launches: launchesOf(observations),
    offs: new Map(groups.map((group) => [group.launch, level > 0 ? group.level / level - 1 : 0])),
  };
}

/** An item's size, in items of middling size. */
export const weightOf = (slope: Slope, x: number): number => Math.exp(slope.value * awayOf(slope, x));

/**
 * How far from the middle. A line through logarithms leads to nothing, and no command takes no time: what is smaller than a
 * quarter of all that was seen is taken for a quarter. What is larger is followed: that estimate had better be too high.
 */
export const awayOf = ({ centre, least }: Slope, x: number): number => Math.max(x, least - BELOW) - centre;
const BELOW = Math.log(4);

function groupOf(
  own: readonly Observation[],
  slope: Slope,
  unsized: number,
  families: ReadonlyMap<string, number>,
): Omit<Group, 'launch'> {
  const all = own.flatMap(({ family, samples }) =>
    samples.map(({ x, seconds }) => ({
      seconds: seconds / (families.get(family) ?? 1),
      weight: x === undefined ? unsized : weightOf(slope, x),
    })),
  );
  return {
    level: sum(all.map(({ seconds }) => seconds)) / sum(all.map(({ weight }) => weight)),
    ratios: all.map(({ seconds, weight }) => ({ ratio: seconds / weight, weight })),
    items: all.length,
  };
}

/**
 * Launches with one item each do not say whether items differ or launches do: half of what differs between launches is put
 * down to items, where no launch says more.
 */
function withinOf(groups: readonly Group[], apart: number): number {
  const squares = groups.flatMap(({ level, ratios, items }) =>
    items < 2 || level <= 0 ? [] : ratios.map(({ ratio }) => (ratio / level - 1) ** 2),
  );
  const freedom = sum(groups.map(({ items }) => items - 1));
  const guess = apart / 2 / mean(groups.map(({ items }) => 1 / items));
  return (PRIOR_ITEMS * guess + sum(squares)) / (PRIOR_ITEMS + freedom);
}

/** Differences of logarithms from the family most launches ran on, drawn towards none. */
function familiesOf(observations: readonly Observation[], slope: Slope, unsized: number): Map<string, number> {
  const byFamily = [...grouped(observations, ({ family }) => family)].map(([family, own]) => ({
    family,
    levels: own
      .map((one) => groupOf([one], slope, unsized, new Map()).level)
      .filter((level) => level > 0)
      .map(Math.log),
  }));
  byFamily.sort((a, b) => b.levels.length - a.levels.length || (a.family < b.family ? -1 : 1));
  const reference = mean(byFamily[0]?.levels ?? []);
  return new Map(
    byFamily.map(({ family, levels }, index) => [
      family,
      index === 0 || levels.length === 0
        ? 1
        : Math.exp(((mean(levels) - reference) * levels.length) / (levels.length + PRIOR_FAMILY)),
    ]),
  );
}
