/**
 * What a workflow type is: one file that implements {@link WorkflowTypePlugin}, entered in ./index.ts. Everything here
 * is pure. docs/workflow-types.md shows how to add one.
 *
 * @module
 */
import type { HeadType, StateRules, TaskCounts } from '../model.ts';
import { hasWildcard } from '../patterns.ts';
import type { Plan, PlannedInput, TreeFile } from '../plan.ts';
import type { Problem } from '../sheet/problems.ts';
import type { Sheet, SheetHead } from '../sheet/sheet.ts';

/** The folder of the data, of the definition, seen from the folder the command starts in. */
export const DATA = '../inputs/data';
export const DEFINITION = '../inputs/workflow';
/** Files that are made from the sheet. */
export const MADE = '../inputs/made';

/** The longest text a plug-in keeps of one failure, in characters. */
const MESSAGE_LENGTH = 2_000;

export interface HeadSheet extends Sheet {
  head: SheetHead;
}

/** Where the workflow's definition lies. */
export interface Definition {
  /** Path of the main file, seen from the folder the command starts in; absolute for one in the image. */
  path: string;
  /** To be brought in; none for one in the image. */
  files: readonly TreeFile[];
}

export interface HeadContext {
  sheet: HeadSheet;
  launchId: string;
  definition: Definition | undefined;
  /** Of a sheet whose steps are to be run by the engine: their plan. */
  steps: Plan | undefined;
  vcpus: number;
  memoryMiB: number;
}

export interface HeadJob {
  /** For /bin/sh, in the folder of the outputs, with `set -eu`; or words for the image. */
  main: { kind: 'command'; script: string } | { kind: 'argv'; argv: readonly string[] };
  inputs: readonly PlannedInput[];
  outputs: readonly { name: string; path: string }[];
  environment?: Readonly<Record<string, string>>;
}

/** What is known once the inputs have been looked for. */
export interface Found {
  /** Name of an input of the sheet to its files, by their paths below {@link DATA}. */
  inputs: Readonly<Record<string, readonly string[]>>;
  /** Of a sheet with steps: pattern to what it stands for, the same way. */
  patterns: Readonly<Record<string, readonly string[]>>;
}

/** A file that is made from the sheet and lies in {@link MADE} when the head starts. */
export interface Artifact {
  name: string;
  text: string;
}

/** One task of the head that failed for good, as its log tells it. */
export interface TaskFailure {
  task: string;
  /** Which of several of that name: wildcards, a tag, a shard. */
  item: string;
  exitCode?: number;
  /** What the engine says of it. */
  message: string;
}

export interface LogPicture {
  /** In the order they are named first. */
  tasks: TaskCounts[];
  failures: TaskFailure[];
  /** Why the definition itself cannot be run. */
  problem?: string;
}

/** Reads the log of a head line by line, from the beginning of a run of the engine. */
export interface LogParser {
  read(line: string): void;
  picture(): LogPicture;
}

export interface WorkflowTypePlugin {
  readonly name: HeadType;
  /** For people: what runs. */
  readonly title: string;
  /** Which files of the working folder are kept while the head runs, so that another can go on. */
  readonly state: StateRules;
  /** Whether it needs `workflowEndpoint`; `or steps`: a definition can be made of the sheet's steps. */
  readonly definition: 'yes' | 'or steps' | 'no';
  /** What the schema cannot say of a sheet of this type. */
  check?(sheet: HeadSheet): Problem[];
  /** The launch command and what it needs. */
  plan(context: HeadContext): HeadJob;
  artifacts(context: HeadContext, found: Found): Artifact[];
  parser(): LogParser;
}

/** The sheet's own outputs, as a head job has them. */
export const declaredOutputs = ({ outputs = {} }: HeadSheet): HeadJob['outputs'] =>
  Object.entries(outputs).map(([name, path]) => ({ name, path }));

/**
 * Parameters and inputs under one roof, as the engines' parameter files have them: an input is a file, or a list where the
 * sheet says a pattern.
 * @param file how the engine writes a file, by its path below {@link DATA}
 */
export function parameterFile<T>(sheet: HeadSheet, { inputs }: Found, file: (path: string) => T): string {
  const files = Object.entries(sheet.inputs ?? {}).map(([name, pattern]) => {
    const found = (inputs[name] ?? []).map(file);
    return [name, hasWildcard(pattern) ? found : found[0]] as const;
  });
  return `${JSON.stringify({ ...sheet.parameters, ...Object.fromEntries(files) }, undefined, 2)}\n`;
}

export const clip = (text: string): string =>
  text.length > MESSAGE_LENGTH ? `${text.slice(0, MESSAGE_LENGTH - 1)}…` : text;

/** Counts by name, in the order of their first mention. */
export class TaskTable {
  readonly #tasks = new Map<string, TaskCounts>();

  get(name: string): TaskCounts {
    const known = this.#tasks.get(name);
    if (known) return known;
    const made = { name, total: 0, running: 0, succeeded: 0, failed: 0 };
    this.#tasks.set(name, made);
    return made;
  }

  list(): TaskCounts[] {
    return [...this.#tasks.values()].map((counts) => ({
      ...counts,
      total: Math.max(counts.total, counts.running + counts.succeeded + counts.failed),
    }));
  }
}
