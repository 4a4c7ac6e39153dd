/**
 * The plan of a launch: pure logic that turns a sheet into ordered steps with items, or into every reason why not.
 * Nothing is submitted before this has succeeded.
 *
 * @module
 */

import { type HeadType, LIMITS, type SheetWorkflowType, type StateRules } from './model.ts';
import { discoverPattern, hasWildcard } from './patterns.ts';
import { checkStep } from './plan-checks.ts';
import type { RetryLimits } from './retries.ts';
import type { Problem } from './sheet/problems.ts';
import type { Scalar, SharedFileSystem, Sheet, SheetHead, SheetItem, SheetStep, StepsSheet } from './sheet/sheet.ts';

export interface Plan {
  version: 2;
  launchId: string;
  attempt: number;
  consumer: string;
  workflowType: SheetWorkflowType;
  computeService: string;
  /** `s3://bucket/prefix/`, always with a slash at the end. */
  dataPath: string;
  /** `s3://bucket/prefix/`, the launch's own: `<resultsPath>/<launch id>/`. */
  resultsPath: string;
  sharedFileSystem?: SharedFileSystem;
  parameters: Readonly<Record<string, Scalar>>;
  /** Whether steps whose results are known are skipped. */
  cache: boolean;
  /** What becomes of the others when a step has failed: they are ended, or whatever does not need it goes on. */
  onFailure: 'stop' | 'finish';
  dimensions: Readonly<Record<string, readonly Item[]>>;
  /** In an order in which every step comes after those it needs. */
  steps: readonly PlannedStep[];
}

/** One value of a dimension. */
export interface Item {
  name: string;
  fields: Readonly<Record<string, Scalar>>;
}

export interface PlannedStep {
  name: string;
  /** Steps that must have succeeded first: those named by `after` and those whose outputs are used. */
  after: readonly string[];
  dimensions: readonly string[];
  image: string;
  main: { kind: 'command'; script: string } | { kind: 'argv'; argv: readonly string[] };
  inputs: readonly PlannedInput[];
  outputs: readonly { name: string; path: string }[];
  vcpus: number;
  memoryMiB: number;
  /** How far retries may raise the memory of an item that ran out of it. */
  maxMemoryMiB: number;
  timeoutSeconds?: number;
  retries: RetryLimits;
  /** How long a job that cannot be placed may wait; for ever when absent, with a warning. */
  failWhenStuckSeconds?: number;
  environment: Readonly<Record<string, string>>;
  /** This job runs a workflow engine, or a tool: see docs/workflow-types.md. */
  head?: { type: HeadType; state: StateRules };
  /** Number of items: 1, or the product of its dimensions' sizes. */
  items: number;
}

export type PlannedInput =
  | { name: string; kind: 'path'; path: string; wildcard: boolean }
  | { name: string; kind: 'from'; step: string; output: string; gather: boolean }
  /** Of a head job: many files that keep their places below `dataPath`. */
  | { name: string; kind: 'tree'; files: readonly TreeFile[] };

export interface TreeFile {
  /** Below `dataPath`, or an `s3://` address; a pattern where `wildcard` says so. */
  path: string;
  wildcard: boolean;
  /** The place in the sheet that asks for it. */
  at: string;
  /** `s3://…/`: names are what follows it; without it an address is named `<bucket>/<key>`. */
  base?: string;
}

/** One combination of the values of a step's dimensions. */
export interface StepItem {
  /** The values' names joined by commas; `all` for a step that is not scattered. Safe in keys and paths. */
  key: string;
  values: Readonly<Record<string, Item>>;
}

export interface PlanContext {
  launchId: string;
  attempt: number;
  computeService: string;
  /** `s3://bucket/prefix/` where the sheet names no resultsPath. */
  defaultResultsPath: string;
  /** What the sheet's `discover` patterns found: dimension -> names. */
  discovered: Readonly<Record<string, readonly string[]>>;
  /** `--no-cache`. */
  noCache?: boolean;
}

/** Defaults of a step that asks for nothing: the smallest a Batch host takes well. */
const DEFAULT_RESOURCES = { vcpus: 1, memoryMiB: 1024 };
/** Losing a host is the cloud's doing, and memory is hard to guess; a command that fails mostly fails again. */
const DEFAULT_RETRIES: RetryLimits = { exit: 0, hostLoss: 2, outOfMemory: 2, timeout: 0 };
/** Two doublings. */
const DEFAULT_MEMORY_GROWTH = 4;

/** @returns the plan of durable steps, or every problem found */
export function planSteps(sheet: StepsSheet, context: PlanContext): { plan: Plan } | { problems: Problem[] } {
  const problems: Problem[] = [];
  const dimensions = planDimensions(sheet, context, problems);
  const names = Object.keys(sheet.steps);
  if (names.length > LIMITS.steps) {
    problems.push(
      invalid(
        'steps',
        `${names.length} steps; at most ${LIMITS.steps}. Scatter one step over items instead of repeating it.`,
      ),
    );
  }
  for (const [name, step] of Object.entries(sheet.steps)) problems.push(...checkStep(sheet, dimensions, name, step));
  if (problems.length > 0) return { problems };
  const steps = Object.entries(sheet.steps).map(([name, step]) => planStep(name, step, dimensions));
  const { ordered, cycle } = inOrder(steps);
  if (cycle)
    return { problems: [invalid(`steps.${cycle[0]}`, `the steps wait for each other: ${cycle.join(' -> ')}`)] };
  const large = ordered.filter((step) => step.items > LIMITS.items);
  if (large.length > 0) {
    return {
      problems: large.map((step) =>
        invalid(
          `steps.${step.name}.scatter`,
          `${step.items} items; at most ${LIMITS.items} in one launch. Split the sheet.`,
        ),
      ),
    };
  }
  return {
    plan: {
      ...planFrame(sheet, context),
      dimensions,
      steps: ordered,
    },
  };
}

/** What a plan says besides its steps. */
export function planFrame(sheet: Sheet, context: PlanContext): Omit<Plan, 'dimensions' | 'steps'> {
  return {
    version: 2,
    launchId: context.launchId,
    attempt: context.attempt,
    consumer: sheet.consumer,
    workflowType: sheet.workflowType,
    computeService: context.computeService,
    dataPath: withSlash(sheet.dataPath),
    resultsPath: `${withSlash(sheet.resultsPath ?? context.defaultResultsPath)}${context.launchId}/`,
    ...(sheet.sharedFileSystem && { sharedFileSystem: sheet.sharedFileSystem }),
    parameters: sheet.parameters ?? {},
    // Of files on a shared file system nobody knows a version.
    cache: (sheet.cache ?? true) && !context.noCache && !sheet.sharedFileSystem,
    onFailure: sheet.onFailure ?? 'stop',
  };
}

/** All items of a step, the last dimension running fastest; the index in this list is the index in its array job. */
export function itemsOf(plan: Plan, step: PlannedStep): StepItem[] {
  let items: { names: string[]; values: Record<string, Item> }[] = [{ names: [], values: {} }];
  for (const dimension of step.dimensions) {
    items = items.flatMap((item) =>
      (plan.dimensions[dimension] ?? []).map((value) => ({
        names: [...item.names, value.name],
        values: { ...item.values, [dimension]: value },
      })),
    );
  }
  return items.map(({ names, values }) => ({ key: names.join(',') || 'all', values }));
}

/** The items of `upstream` that belong to `item`: those with the same value in every dimension both have. */
export function upstreamItems(plan: Plan, item: StepItem, upstream: PlannedStep): StepItem[] {
  const own = upstream.dimensions.map((dimension) => item.values[dimension]);
  if (own.every((value) => value !== undefined)) {
    const values = Object.fromEntries(upstream.dimensions.map((dimension, index) => [dimension, own[index] as Item]));
    return [{ key: own.map((value) => value.name).join(',') || 'all', values }];
  }
  return itemsOf(plan, upstream).filter((candidate) =>
    Object.entries(candidate.values).every(([dimension, value]) => {
      const wanted = item.values[dimension];
      return wanted === undefined || wanted.name === value.name;
    }),
  );
}

const withSlash = (path: string): string => (path.endsWith('/') ? path : `${path}/`);

const invalid = (at: string, message: string): Problem => ({ kind: 'invalid', at, message });

function planDimensions(sheet: Sheet, context: PlanContext, problems: Problem[]): Record<string, Item[]> {
  const dimensions: Record<string, Item[]> = {};
  for (const [name, source] of Object.entries(sheet.scatter ?? {})) {
    const items = Array.isArray(source) ? source.map(toItem) : (context.discovered[name] ?? []).map(toItem);
    if (!Array.isArray(source)) problems.push(...checkDiscovery(sheet, name, source.discover, items));
    const names = new Set<string>();
    const twice = items.find((item) => names.size === names.add(item.name).size);
    if (twice) problems.push(invalid(`scatter.${name}`, `the item ${twice.name} stands there twice`));
    dimensions[name] = items;
  }
  return dimensions;
}

function checkDiscovery(sheet: Sheet, dimension: string, pattern: string, items: readonly Item[]): Problem[] {
  const at = `scatter.${dimension}.discover`;
  if (!discoverPattern(pattern)) return [invalid(at, 'expected a pattern with exactly one *, such as reads/*_1.fq.gz')];
  if (sheet.sharedFileSystem) return [invalid(at, 'only S3 can be listed; with sharedFileSystem name the items')];
  if (items.length === 0) return [{ kind: 'missing', at, message: `nothing found that looks like ${pattern}` }];
  const odd = items.find((item) => !/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/.test(item.name));
  return odd
    ? [invalid(at, `found ${JSON.stringify(odd.name)}; an item's name has letters, digits and . _ : - only`)]
    : [];
}

const toItem = (item: SheetItem): Item =>
  typeof item === 'string' ? { name: item, fields: {} } : { name: item.name, fields: item };

function planStep(name: string, step: SheetStep, dimensions: Record<string, Item[]>): PlannedStep {
  const inputs = Object.entries(step.inputs ?? {}).map(([input, source]): PlannedInput => {
    if (typeof source === 'string') return { name: input, kind: 'path', path: source, wildcard: hasWildcard(source) };
    const [from = '', output = ''] = source.from.split('.');
    return { name: input, kind: 'from', step: from, output, gather: source.gather ?? false };
  });
  const used = inputs.flatMap((input) => (input.kind === 'from' ? [input.step] : []));
  return {
    name,
    after: [...new Set([...(step.after ?? []), ...used])],
    dimensions: step.scatter ?? [],
    image: step.image,
    main:
      step.command === undefined ? { kind: 'argv', argv: step.argv ?? [] } : { kind: 'command', script: step.command },
    inputs,
    outputs: Object.entries(step.outputs ?? {}).map(([output, path]) => ({ name: output, path })),
    ...stepResources(step),
    environment: step.environment ?? {},
    items: (step.scatter ?? []).reduce((product, dimension) => product * (dimensions[dimension]?.length ?? 0), 1),
  };
}

/** What a job gets, and how often it is tried again. */
export function stepResources(
  step: Pick<SheetStep & SheetHead, 'resources' | 'timeoutSeconds' | 'retries' | 'whenStuck'>,
): Pick<PlannedStep, 'vcpus' | 'memoryMiB' | 'timeoutSeconds' | 'maxMemoryMiB' | 'retries' | 'failWhenStuckSeconds'> {
  const memoryMiB = step.resources?.memoryMiB ?? DEFAULT_RESOURCES.memoryMiB;
  return {
    vcpus: step.resources?.vcpus ?? DEFAULT_RESOURCES.vcpus,
    memoryMiB,
    ...(step.timeoutSeconds !== undefined && { timeoutSeconds: step.timeoutSeconds }),
    maxMemoryMiB: step.resources?.maxMemoryMiB ?? memoryMiB * DEFAULT_MEMORY_GROWTH,
    retries: { ...DEFAULT_RETRIES, ...(typeof step.retries === 'number' ? { exit: step.retries } : step.retries) },
    ...(step.whenStuck && { failWhenStuckSeconds: step.whenStuck.failAfterSeconds }),
  };
}

/** Kahn's algorithm (1962), keeping the sheet's order among steps that are free at the same time. */
function inOrder(steps: readonly PlannedStep[]): { ordered: PlannedStep[]; cycle?: string[] } {
  const ordered: PlannedStep[] = [];
  const done = new Set<string>();
  let waiting = [...steps];
  while (waiting.length > 0) {
    const free = waiting.filter((step) => step.after.every((name) => done.has(name)));
    if (free.length === 0) return { ordered, cycle: findCycle(waiting) };
    ordered.push(...free);
    for (const step of free) done.add(step.name);
    waiting = waiting.filter((step) => !done.has(step.name));
  }
  return { ordered };
}

/** Walks back along what each step waits for until a name comes again. */
function findCycle(waiting: readonly PlannedStep[]): string[] {
  const byName = new Map(waiting.map((step) => [step.name, step]));
  const path: string[] = [];
  let name = waiting[0]?.name ?? '';
  while (!path.includes(name)) {
    path.push(name);
    name = byName.get(name)?.after.find((other) => byName.has(other)) ?? name;
  }
  return [...path.slice(path.indexOf(name)), name];
}
