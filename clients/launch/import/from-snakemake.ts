/**
 * Durable steps from the jobs of a Snakefile, where that is exact: every job runs the very command Snakemake would run,
 * with the same files under the same names. Jobs of a rule become one scattered step where one wildcard tells them apart
 * and everybody takes the outputs of the same item or of all; else each job becomes a step. Pure.
 *
 * @module
 */
import { LIMITS } from '../../../workflows/launch/model.ts';
import type { Scalar, SheetStep, StepsSheet } from '../../../workflows/launch/sheet/sheet.ts';
import { quoteForShell } from '../../../workflows/launch/sheet/template.ts';

export interface DagFile {
  path: string;
  flags: readonly string[];
  folder: boolean;
}

/** As snakemake_dag.py tells it. */
export interface DagJob {
  id: number;
  rule: string;
  wildcards: Readonly<Record<string, string>>;
  /** Null: it only names what is wanted. */
  shell: string | null;
  inputs: readonly DagFile[];
  outputs: readonly DagFile[];
  log: readonly string[];
  /** Path of an input to the job that makes it. */
  from: Readonly<Record<string, number>>;
  threads: number;
  resources: Readonly<Record<string, number>>;
  retries: number;
  container: string | null;
  cannot: readonly string[];
}

export interface ImportOptions {
  consumer: string;
  dataPath: string;
  /** Of rules without a container of their own. */
  image: string;
  launchId?: string;
}

/** Why a Snakefile cannot be taken over: one line for each reason, with its rule. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;
const MEBIBYTE = 1_048_576;

/** An input under the name that the command knows it by. */
const PLACE = `place() { mkdir -p "$(dirname "$2")"; ln -s "$1" "$2"; printf '%s\\0' "$2" >> "$LONGHAUL_WORK/placed"; }`;

/** @throws ImportError naming every rule that only Snakemake can run, and why */
export function fromSnakemake(jobs: readonly DagJob[], options: ImportOptions): StepsSheet {
  const real = jobs.filter(({ shell, outputs }) => shell !== null || outputs.length > 0);
  refuse(real);
  const builder = new Builder(real, options);
  const steps = builder.steps();
  if (Object.keys(steps).length > LIMITS.steps)
    throw new ImportError(
      `${Object.keys(steps).length} steps, at most ${LIMITS.steps}: its jobs cannot be told apart by one wildcard a rule. Launch it with workflowType: snakemake`,
    );
  const scatter = builder.scatter();
  return {
    apiVersion: 'longhaul/v1',
    ...(options.launchId !== undefined && { launchId: options.launchId }),
    workflowType: 'steps',
    consumer: options.consumer,
    dataPath: options.dataPath,
    ...(Object.keys(builder.parameters).length > 0 && { parameters: builder.parameters }),
    ...(Object.keys(scatter).length > 0 && { scatter }),
    steps,
  };
}

function refuse(jobs: readonly DagJob[]): void {
  const reasons = new Set<string>();
  if (jobs.length === 0) reasons.add('no job has to run');
  for (const job of jobs) {
    const say = (why: string) => reasons.add(`rule ${job.rule}: ${why}`);
    for (const why of job.cannot) say(why);
    if (job.shell === null && job.cannot.length === 0) say('has no shell command');
    for (const { path, folder } of job.inputs) {
      if (job.from[path] !== undefined) continue;
      if (folder) say(`${path} is a folder: name its files`);
      else if (path.startsWith('/') || path.split('/').includes('..') || /[*?]|\$\{\{/.test(path))
        say(`${path}: inputs lie below the working folder, and their names have no *, ? or \${{`);
    }
    for (const { path } of job.outputs)
      if (/[*?\\]|\$\{\{/.test(path)) say(`${path}: names of outputs have no *, ?, \\ or \${{`);
  }
  if (reasons.size > 0) throw new ImportError([...reasons].join('\n'));
}

/** A step to be: the jobs it stands for, in the order of its items. */
interface Group {
  name: string;
  jobs: DagJob[];
  /** Name of the wildcard; absent: one job. */
  wildcard?: string;
}

class Builder {
  readonly parameters: Record<string, Scalar> = {};
  readonly #options: ImportOptions;
  readonly #jobs: Map<number, DagJob>;
  readonly #groups: Group[];
  readonly #groupOf = new Map<number, Group>();
  /** Values joined by commas to the dimension that has them, its items, and their fields. */
  readonly #dimensions = new Map<string, { name: string; items: Map<string, Record<string, Scalar>> }>();

  constructor(jobs: readonly DagJob[], options: ImportOptions) {
    this.#options = options;
    this.#jobs = new Map(jobs.map((job) => [job.id, job]));
    this.#groups = settle(jobs, this.#jobs);
    for (const group of this.#groups) for (const job of group.jobs) this.#groupOf.set(job.id, group);
  }

  steps(): Record<string, SheetStep> {
    return Object.fromEntries(this.#groups.map((group) => [group.name, this.#step(group)]));
  }

  scatter(): Record<string, ({ name: string } & Record<string, Scalar>)[]> {
    return Object.fromEntries(
      [...this.#dimensions.values()].map(({ name, items }) => [
        name,
        [...items].map(([item, fields]) => ({ name: item, ...fields })),
      ]),
    );
  }

  #step(group: Group): SheetStep {
    const [first] = group.jobs as [DagJob];
    const dimension = group.wildcard === undefined ? undefined : this.#dimension(group);
    /** A text that may differ between items: as it is, or as a field of the item. */
    const value = (field: string, of: (job: DagJob) => string, literal: (text: string) => string) => {
      if (!dimension) return literal(of(first));
      const name = `${short(group.name)}_${field}`;
      for (const [nth, item] of [...dimension.items.keys()].entries()) {
        const fields = dimension.items.get(item);
        if (fields) fields[name] = of(group.jobs[nth] as DagJob);
      }
      return `\${{ ${dimension.name}.${name} }}`;
    };
    const inputs: NonNullable<SheetStep['inputs']> = {};
    const outputs: Record<string, string> = {};
    const place: string[] = [];
    const folders = new Set<string>();
    const seen = new Set<string>();
    for (const [nth, { path }] of first.inputs.entries()) {
      const upstream = this.#groupOf.get(first.from[path] ?? Number.NaN);
      const name = `in${nth}`;
      if (!upstream) {
        inputs[name] = value(
          name,
          (job) => job.inputs[nth]?.path ?? '',
          (text) => text,
        );
        place.push(
          `place \${{ inputs.${name} }} ${value(`${name}_at`, (job) => job.inputs[nth]?.path ?? '', quoteForShell)}`,
        );
        continue;
      }
      const output = outputOf(this.#jobs.get(first.from[path] ?? Number.NaN), path);
      const from = `${upstream.name}.out${output}`;
      if (seen.has(from)) continue;
      seen.add(from);
      const gather = upstream.jobs.length > 1 && upstream.wildcard !== group.wildcard;
      inputs[name] = { from, ...(gather && { gather: true }) };
      if (gather) {
        const paths = upstream.jobs.map((job) => quoteForShell(job.outputs[output]?.path ?? ''));
        place.push(`set -- \${{ inputs.${name} }}`, `for at in ${paths.join(' ')}; do place "$1" "$at"; shift; done`);
      } else
        place.push(
          `place \${{ inputs.${name} }} ${value(`${name}_at`, (job) => job.inputs[nth]?.path ?? '', quoteForShell)}`,
        );
    }
    for (const [nth] of first.outputs.entries()) {
      outputs[`out${nth}`] = value(
        `out${nth}`,
        (job) => job.outputs[nth]?.path ?? '',
        (text) => text,
      );
      folders.add(value(`out${nth}_in`, (job) => folderOf(job.outputs[nth]?.path ?? ''), quoteForShell));
    }
    for (const [nth] of first.log.entries())
      folders.add(value(`log${nth}_in`, (job) => folderOf(job.log[nth] ?? ''), quoteForShell));
    const touched = first.outputs.flatMap(({ flags }, nth) =>
      flags.includes('touch') ? [`\${{ outputs.out${nth} }}`] : [],
    );
    const command = [
      ...(place.length > 0 ? [PLACE, ...place] : []),
      ...(folders.size > 0 ? [`mkdir -p ${[...folders].join(' ')}`] : []),
      `bash -c ${value(
        'command',
        (job) => `set -euo pipefail; ${job.shell ?? ''}`,
        (text) => this.#word(group, text),
      )}`,
      ...(touched.length > 0 ? [`touch ${touched.join(' ')}`] : []),
      // Links to inputs are no outputs.
      ...(place.length > 0 ? ['xargs -0 rm -f < "$LONGHAUL_WORK/placed"'] : []),
    ];
    return {
      image: first.container?.replace(/^docker:\/\//, '') ?? this.#options.image,
      command: `${command.join('\n')}\n`,
      ...(dimension && { scatter: [dimension.name] }),
      ...(Object.keys(inputs).length > 0 && { inputs }),
      ...(Object.keys(outputs).length > 0 && { outputs }),
      resources: resourcesOf(first),
      ...(first.retries > 0 && { retries: Math.min(first.retries, 9) }),
    };
  }

  /** A text that looks like a template cannot stand in a command; a value of a parameter can be anything. */
  #word(group: Group, text: string): string {
    if (!text.includes('${{')) return quoteForShell(text);
    const name = `${short(group.name)}_command`;
    this.parameters[name] = text;
    return `\${{ parameters.${name} }}`;
  }

  /** Rules over the same values of the same wildcard share a dimension: so an item finds its own of another step. */
  #dimension(group: Group) {
    const wildcard = group.wildcard ?? '';
    const values = valuesOf(group);
    const key = `${wildcard}=${values.join(',')}`;
    const known = this.#dimensions.get(key);
    if (known) return known;
    const taken = new Set([...this.#dimensions.values()].map(({ name }) => name));
    const base = dimensionName(wildcard);
    let name = base;
    for (let nth = 2; taken.has(name); nth += 1) name = `${base}${nth}`;
    const made = { name, items: new Map(values.map((value) => [value, {} as Record<string, Scalar>])) };
    this.#dimensions.set(key, made);
    return made;
  }
}

/** Groups by rule, and takes apart what cannot stay together, until nothing more has to be. */
function settle(jobs: readonly DagJob[], byId: ReadonlyMap<number, DagJob>): Group[] {
  const byRule = new Map<string, DagJob[]>();
  for (const job of jobs) byRule.set(job.rule, [...(byRule.get(job.rule) ?? []), job]);
  const apart = new Set<string>();
  for (const [rule, some] of byRule) if (some.length > 1 && !isUniform(some)) apart.add(rule);
  for (;;) {
    const groups = [...byRule].flatMap(([rule, some]) => groupsOf(rule, some, apart.has(rule)));
    const groupOf = new Map(groups.flatMap((group) => group.jobs.map((job) => [job.id, group] as const)));
    const more = groups.flatMap((group) => brokenBy(group, groupOf, byId)).filter((rule) => !apart.has(rule));
    if (more.length === 0) return groups;
    for (const rule of more) apart.add(rule);
  }
}

function groupsOf(rule: string, jobs: readonly DagJob[], apart: boolean): Group[] {
  const name = stepName(rule);
  if (jobs.length === 1) return [{ name, jobs: [...jobs] }];
  if (apart) return jobs.map((job, nth) => ({ name: `${name.slice(0, 40)}_${nth}`, jobs: [job] }));
  const [wildcard = ''] = Object.keys(jobs[0]?.wildcards ?? {});
  const sorted = jobs.toSorted((a, b) => ((a.wildcards[wildcard] ?? '') < (b.wildcards[wildcard] ?? '') ? -1 : 1));
  return [{ name, jobs: sorted, wildcard }];
}

const valuesOf = ({ jobs, wildcard = '' }: Group): string[] => jobs.map((job) => job.wildcards[wildcard] ?? '');

/** One wildcard tells the jobs apart, and everything else has the same shape. */
function isUniform(jobs: readonly DagJob[]): boolean {
  const shape = (job: DagJob) =>
    JSON.stringify([
      Object.keys(job.wildcards),
      job.inputs.map(({ path }) => job.from[path] !== undefined),
      job.outputs.map(({ flags }) => flags),
      job.log.length,
      job.container,
      job.retries,
      resourcesOf(job),
    ]);
  const [first] = jobs as [DagJob];
  const names = Object.keys(first.wildcards);
  const values = new Set(jobs.map((job) => job.wildcards[names[0] ?? '']));
  return (
    names.length === 1 &&
    values.size === jobs.length &&
    [...values].every((value) => value !== undefined && NAME.test(value)) &&
    jobs.every((job) => shape(job) === shape(first))
  );
}

/** @returns the rules that must be taken apart because this group takes neither the same item of them nor all */
function brokenBy(group: Group, groupOf: ReadonlyMap<number, Group>, byId: ReadonlyMap<number, DagJob>): string[] {
  const broken: string[] = [];
  const [first] = group.jobs as [DagJob];
  const own = group.wildcard === undefined ? '' : `${group.wildcard}=${valuesOf(group).join(',')}`;
  for (const job of group.jobs) {
    // The n-th input of every job has to come from the same output of the same step.
    for (const [nth, { path }] of job.inputs.entries()) {
      const source = byId.get(job.from[path] ?? Number.NaN);
      const example = first.inputs[nth];
      const expected = byId.get(first.from[example?.path ?? ''] ?? Number.NaN);
      if (!source || !expected || !example) continue;
      const [a, b] = [groupOf.get(source.id), groupOf.get(expected.id)];
      if (a !== b || outputOf(source, path) !== outputOf(expected, example.path))
        broken.push(group.jobs[0]?.rule ?? '');
    }
    const taken = new Map<Group, Map<number, Set<number>>>();
    for (const { path } of job.inputs) {
      const source = byId.get(job.from[path] ?? Number.NaN);
      const upstream = source && groupOf.get(source.id);
      if (!source || !upstream || upstream.jobs.length === 1) continue;
      const outputs = taken.get(upstream) ?? new Map<number, Set<number>>();
      const output = outputOf(source, path);
      outputs.set(output, (outputs.get(output) ?? new Set()).add(source.id));
      taken.set(upstream, outputs);
    }
    for (const [upstream, outputs] of taken)
      for (const ids of outputs.values()) {
        const theirs = `${upstream.wildcard}=${valuesOf(upstream).join(',')}`;
        const same =
          theirs === own &&
          ids.size === 1 &&
          byId.get([...ids][0] ?? Number.NaN)?.wildcards[upstream.wildcard ?? ''] ===
            job.wildcards[group.wildcard ?? ''];
        const all = theirs !== own && ids.size === upstream.jobs.length;
        if (!same && !all) broken.push(upstream.jobs[0]?.rule ?? '');
      }
  }
  return broken;
}

const outputOf = (job: DagJob | undefined, path: string): number =>
  job?.outputs.findIndex((output) => output.path === path) ?? -1;

function resourcesOf({ threads, resources }: DagJob): NonNullable<SheetStep['resources']> {
  const { mem_mib: mebibytes, mem_mb: megabytes } = resources;
  const memoryMiB = mebibytes ?? (megabytes === undefined ? undefined : Math.ceil((megabytes * 1_000_000) / MEBIBYTE));
  return { vcpus: Math.max(1, threads), ...(memoryMiB !== undefined && { memoryMiB: Math.max(4, memoryMiB) }) };
}

const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.');

const stepName = (rule: string): string =>
  rule
    .replace(/[^A-Za-z0-9_-]/g, '_')
    .replace(/^(?![A-Za-z])/, 'r')
    .slice(0, 48);
const short = (name: string): string => name.replaceAll('-', '_').slice(0, 40);

/** A dimension's name begins with a small letter and means nothing else in templates. */
function dimensionName(wildcard: string): string {
  const plain = wildcard.replace(/[^A-Za-z0-9]/g, '').slice(0, 24);
  const name = `${plain.charAt(0).toLowerCase()}${plain.slice(1)}`;
  return /^[a-z]/.test(name) && !['parameters', 'inputs', 'outputs', 'launch', 'resources'].includes(name)
    ? name
    : `w${name}`;
}
