/**
 * The manifest of a step: one row an item, telling the job of that index what to fetch, what to run, what to keep.
 * Rows have one fixed width, so a job reads its own by an S3 range request however long the manifest is.
 *
 * @module
 */
import type { StateRules } from './model.ts';
import type { Plan, PlannedInput, PlannedStep, StepItem } from './plan.ts';
import { fill, parseTemplate, quoteForShell } from './sheet/template.ts';

/** Where the volume of a job is mounted, in every container. Part of the job contract. */
export const WORK_PATH = '/longhaul/work';
/** Where a shared file system is mounted, in every container. Part of the job contract. */
export const SHARED_PATH = '/longhaul/shared';

export interface ManifestRow {
  item: string;
  /** The item's key: see docs/job-contract.md. */
  key: string;
  /** `from` is an address as in {@link Source}. */
  inputs: { from: string; path: string; version?: string; etag?: string }[];
  /** Paths or patterns relative to the folder of the outputs. */
  outputs: { name: string; path: string }[];
  /** Body of command.sh; absent when main gets an argv. */
  script?: string;
  /** `s3://…/<launch>/<step>/<item>/`: each attempt's outputs lie in a folder of its own under it. */
  results: string;
  /** `s3://…/claims/<step>/<item>/<attempt>-<generation>` */
  claim: string;
  /** `s3://…/commits/<step>/<item>/<key>.json` */
  commit: string;
  /** `s3://…/cache/<consumer>/<step key>/<key>/`: where to enter the commit; absent when it cannot be cached. */
  cache?: string;
  /** `s3://…/starts/<step>/<item>/`: one start record for each attempt. */
  starts: string;
  /** With a shared file system: the folder on it that takes the outputs of this item, relative to its mount. */
  sharedOutputs?: string;
  /** Of a head job: its working folder is kept while it runs, so that another head can go on. */
  state?: StateRules & { prefix: string };
}

/** A file that goes into an input: its address and the name it gets. */
export interface Source {
  /**
   * `s3://bucket/key`; on a shared file system `shared:<path>`; an output of an earlier step is
   * `commit:<address of its commit>#<output>`, looked up by the job itself.
   */
  from: string;
  /** Path under the input's own folder. */
  name: string;
  /** Of an object outside the launch: S3 version id and ETag when the launch was planned. */
  version?: string;
  etag?: string;
}

/** Input names to the files found for them. */
export type Sources = Readonly<Record<string, readonly Source[]>>;

/** Fills in what is known before any file is looked up; used for input paths and outputs. */
export function expandPath(plan: Plan, step: PlannedStep, item: StepItem, template: string): string {
  return fill(parseTemplate(template), (reference) => lookUp(plan, step, item, reference));
}

/** Where a row's item stands: keys and the places that follow from them. */
export interface RowPlace {
  /** The `s3://…/` prefix under which claims, commits and start records lie. */
  launchState: string;
  attempt: number;
  generation: number;
  key: string;
  /** The group of the cache; absent: not cached. */
  cache?: string;
}

/** One row for one item. */
export function manifestRow(
  plan: Plan,
  step: PlannedStep,
  item: StepItem,
  sources: Sources,
  place: RowPlace,
): ManifestRow {
  const outputs = step.outputs.map(({ name, path }) => ({ name, path: expandPath(plan, step, item, path) }));
  const inputs = step.inputs.flatMap((input) =>
    (sources[input.name] ?? []).map((source) => {
      const { from, version, etag } = source;
      const known = { ...(version && { version }), ...(etag && { etag }) };
      return { from, path: inputPath(step, input, source), ...known };
    }),
  );
  return {
    item: item.key,
    key: place.key,
    inputs,
    outputs,
    ...(step.main.kind === 'command' && { script: expandScript(plan, step, item, sources, step.main.script) }),
    results: `${plan.resultsPath}${step.name}/${item.key}/`,
    claim: claimAddress(place.launchState, step.name, item.key, place),
    commit: commitAddress(place.launchState, step.name, item.key, place.key),
    ...(place.cache !== undefined && { cache: `${place.cache}${place.key}/` }),
    starts: `${place.launchState}starts/${step.name}/${item.key}/`,
    ...(plan.sharedFileSystem && { sharedOutputs: `longhaul/${plan.launchId}/${step.name}/${item.key}` }),
    ...(step.head &&
      keepsState(step) && { state: { ...step.head.state, prefix: headState(place.launchState, step.name) } }),
  };
}

/** Whether something of its working folder is to outlive a head job: then `keep` runs beside it. */
export const keepsState = (step: Pick<PlannedStep, 'head'>): boolean => (step.head?.state.keep.length ?? 0) > 0;

/** The variables of a step, the same for all its items: nothing of an item can stand in them. */
export function expandEnvironment(plan: Plan, step: PlannedStep): Record<string, string> {
  const item: StepItem = { key: 'all', values: {} };
  const filled = Object.entries(step.environment).map(([name, value]) => [name, expandPath(plan, step, item, value)]);
  return Object.fromEntries(filled) as Record<string, string>;
}

/** Where the commit of an item lies. A commit is the only thing that makes an item done. */
export const commitAddress = (launchState: string, step: string, item: string, key: string): string =>
  `${launchState}commits/${step}/${item}/${key}.json`;

/** Where a head job's working folder is kept, over attempts of the launch too. */
export const headState = (launchState: string, step: string): string => `${launchState}heads/${step}/`;

/** Where the claim on an item lies; each submission of a step claims anew. */
export const claimAddress = (
  launchState: string,
  step: string,
  item: string,
  { attempt, generation }: { attempt: number; generation: number },
): string => `${launchState}claims/${step}/${item}/${attempt}-${generation}`;

/** The argv of a step, the same for all its items. */
export function expandArgv(plan: Plan, step: PlannedStep, argv: readonly string[], sources: Sources): string[] {
  // Nothing of an item can stand in an argv: the plan has refused it.
  const item: StepItem = { key: 'all', values: {} };
  return argv.flatMap((word) => {
    const parts = parseTemplate(word);
    const [only] = parts;
    // A word that is one input alone becomes as many words as there are files.
    if (parts.length === 1 && typeof only === 'object' && only.reference[0] === 'inputs') {
      return inputPaths(step, only.reference[1] ?? '', sources).map((path) => `${WORK_PATH}/${path}`);
    }
    return fill(parts, (reference) => {
      if (reference[0] === 'inputs')
        return inputPaths(step, reference[1] ?? '', sources).map((path) => `${WORK_PATH}/${path}`);
      if (reference[0] === 'outputs') return `${WORK_PATH}/outputs/${outputPath(plan, step, item, reference[1] ?? '')}`;
      return lookUp(plan, step, item, reference);
    });
  });
}

/**
 * The rows as they are stored: JSON padded with spaces to one width, a newline each.
 * @returns the bytes of one row, newline included, and the text
 */
export function encodeManifest(rows: readonly ManifestRow[]): { rowBytes: number; text: string } {
  const lines = rows.map((row) => JSON.stringify(row));
  const widths = lines.map((line) => utf8Length(line));
  const width = widths.reduce((most, bytes) => Math.max(most, bytes), 0);
  const text = lines.map((line, index) => `${line}${' '.repeat(width - (widths[index] ?? 0))}\n`).join('');
  return { rowBytes: width + 1, text };
}

const utf8Length = (text: string): number => new TextEncoder().encode(text).length;

/** `set -eu`: a script that goes on after an error would publish half a result. */
export function expandScript(plan: Plan, step: PlannedStep, item: StepItem, sources: Sources, body: string): string {
  // The folder is a variable because only the job knows where its volume is; its value needs no quoting then.
  const inWork = (path: string) => `"$LONGHAUL_WORK"/${quoteForShell(path)}`;
  const filled = fill(parseTemplate(body), (reference) => {
    if (reference[0] === 'inputs') return inputPaths(step, reference[1] ?? '', sources).map(inWork);
    if (reference[0] === 'outputs') return inWork(`outputs/${outputPath(plan, step, item, reference[1] ?? '')}`);
    return quoteForShell(lookUp(plan, step, item, reference));
  });
  return `set -eu\ncd "$LONGHAUL_WORK/outputs"\n${filled}\n`;
}

function inputPaths(step: PlannedStep, name: string, sources: Sources): string[] {
  const input = step.inputs.find((candidate) => candidate.name === name);
  return input ? (sources[name] ?? []).map((source) => inputPath(step, input, source)) : [];
}

/**
 * Where an input lies under the work folder. One argv serves all children of an array, so there its name may not
 * depend on the item: it is the input's own name with the file's extension.
 */
function inputPath(step: PlannedStep, input: PlannedInput, source: Source): string {
  const single = input.kind === 'path' ? !input.wildcard : input.kind === 'from' && !input.gather;
  if (step.main.kind === 'argv' && step.dimensions.length > 0 && single) {
    return `inputs/${input.name}/${input.name}${extensionOf(source.name)}`;
  }
  return `inputs/${input.name}/${source.name}`;
}

/** `.fq.gz` of `a.fq.gz`, `.bam` of `s1.2.bam`; empty where there is none. */
const extensionOf = (name: string): string =>
  /(\.[A-Za-z][A-Za-z0-9]*)?(\.(gz|bgz|bz2|xz|zst))?$/.exec(name.split('/').at(-1) ?? '')?.[0] ?? '';

function outputPath(plan: Plan, step: PlannedStep, item: StepItem, name: string): string {
  return expandPath(plan, step, item, step.outputs.find((output) => output.name === name)?.path ?? '');
}

function lookUp(plan: Plan, step: PlannedStep, item: StepItem, [head = '', field = 'name']: readonly string[]): string {
  switch (head) {
    case 'parameters':
      return String(plan.parameters[field]);
    case 'launch':
      return field === 'id' ? plan.launchId : plan.consumer;
    case 'resources':
      return String(field === 'vcpus' ? step.vcpus : step.memoryMiB);
    default: {
      const value = item.values[head];
      return String(field === 'name' ? value?.name : value?.fields[field]);
    }
  }
}
