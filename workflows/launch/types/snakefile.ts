/**
 * Durable steps as a Snakefile for Snakemake 9: a rule for each step, a wildcard for each dimension. Outputs lie where a
 * launch has them, `<step>/<item>/<path>`; a command starts in the folder of its item, under /bin/sh with `set -eu`.
 *
 * @module
 */
import { expandPath } from '../manifest.ts';
import { hasWildcard, patternToRegExp } from '../patterns.ts';
import { itemsOf, type Plan, type PlannedInput, type PlannedStep, type StepItem } from '../plan.ts';
import { type Part, parseTemplate, quoteForShell, referencesOf } from '../sheet/template.ts';
import { pythonName, pythonText, pythonTextBlock, ruleName } from './python.ts';

export interface SnakemakeFiles {
  snakefile: string;
  /** To be given as `--configfile`; values are text, as `${{ parameters.… }}` puts them in. */
  config: {
    data: string;
    launch: { id?: string; consumer: string };
    parameters: Record<string, string>;
    /** Pattern of an input to the files it stood for; without it the folder of the data is searched. */
    files: Record<string, readonly string[]>;
  };
}

/** Every wildcard is the name of an item of a dimension (the sheet's schema). */
const ITEM_NAME = '[A-Za-z0-9][A-Za-z0-9._:-]*';

export function toSnakemake(
  plan: Plan,
  options: { data: string; files?: Readonly<Record<string, readonly string[]>> },
): SnakemakeFiles {
  const writer = new Writer(plan);
  return {
    snakefile: writer.write(),
    config: {
      data: options.data,
      // The id only where it is used: it would make every launch another one to the cache.
      launch: { ...(usesLaunchId(plan) && { id: plan.launchId }), consumer: plan.consumer },
      parameters: Object.fromEntries(Object.entries(plan.parameters).map(([name, value]) => [name, String(value)])),
      files: { ...options.files },
    },
  };
}

const usesLaunchId = ({ steps }: Plan): boolean => /\$\{\{\s*launch\.id\s*\}\}/.test(JSON.stringify(steps));

/** Where the files of an output of a step lie; an output that is a pattern has a folder for its files. */
export function outputPath(step: PlannedStep, output: { name: string; path: string }, item: string): string {
  return hasWildcard(output.path) ? `${step.name}/${item}/${output.name}.files` : `${step.name}/${item}/${output.path}`;
}

/** A path of the data as the job finds it: addresses of other buckets lie beside those below `dataPath`. */
const dataName = (path: string): string => path.replace(/^s3:\/\//, '');

/** What stands for the item in a rule: its wildcards, or, where a path depends on fields, one item. */
interface Scope {
  step: PlannedStep;
  only?: StepItem;
}

/** For what does not depend on an item. */
const NO_ITEM: StepItem = { key: 'all', values: {} };

class Writer {
  readonly #plan: Plan;
  readonly #rules = new Map<string, string>();
  readonly #used = new Set<string>(['all']);

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  write(): string {
    const { steps } = this.#plan;
    for (const step of steps) this.#rules.set(step.name, this.#free(ruleName(step.name)));
    const scopes = steps.flatMap((step): Scope[] =>
      needsItems(step) ? itemsOf(this.#plan, step).map((only) => ({ step, only })) : [{ step }],
    );
    return `${[HEADER, this.#dimensions(), this.#all(), ...scopes.map((scope, nth) => this.#rule(scope, nth))].join('\n\n')}\n`;
  }

  #free(name: string): string {
    let free = name;
    while (this.#used.has(free)) free += '_';
    this.#used.add(free);
    return free;
  }

  #dimensions(): string {
    const lines = Object.entries(this.#plan.dimensions).flatMap(([name, items]) => {
      const fields = items.some((item) => Object.keys(item.fields).length > 0)
        ? items.map((item) => {
            const entries = Object.entries(item.fields).map(([k, v]) => `${pythonText(k)}: ${pythonText(String(v))}`);
            return `        ${pythonText(item.name)}: {${entries.join(', ')}},`;
          })
        : [];
      return [
        `ITEMS[${pythonText(name)}] = [${items.map((item) => pythonText(item.name)).join(', ')}]`,
        ...(fields.length > 0 ? [`FIELDS[${pythonText(name)}] = {`, ...fields.map((line) => line.slice(4)), '}'] : []),
      ];
    });
    const constraints = Object.keys(this.#plan.dimensions).map(
      (name) => `    ${wildcard(name)}=${pythonText(ITEM_NAME)},`,
    );
    if (constraints.length === 0) return 'ITEMS, FIELDS = {}, {}';
    return ['ITEMS, FIELDS = {}, {}', ...lines, '', 'wildcard_constraints:', ...constraints].join('\n');
  }

  /** Every output of every item, so that steps nobody takes anything from run too. */
  #all(): string {
    const wanted = this.#plan.steps.flatMap((step) =>
      marksOf(step).map((path) => `        ${this.#everyItem(step, path, [])},`),
    );
    return ['rule all:', '    input:', ...wanted].join('\n');
  }

  /** `expand(…)` over the dimensions of a step that `fixed` leaves open. */
  #everyItem(step: PlannedStep, path: string, fixed: readonly string[]): string {
    if (needsItems(step)) {
      const paths = itemsOf(this.#plan, step).map((item) => pythonText(this.#constant({ step, only: item }, path)));
      return `[${paths.join(', ')}]`;
    }
    const open = step.dimensions.filter((dimension) => !fixed.includes(dimension));
    const pattern = this.#pattern({ step }, path, (dimension) =>
      fixed.includes(dimension) ? `{{${wildcard(dimension)}}}` : `{${wildcard(dimension)}}`,
    );
    if (open.length === 0) return pythonText(pattern.replaceAll('{{', '{').replaceAll('}}', '}'));
    const lists = open.map((dimension) => `${wildcard(dimension)}=ITEMS[${pythonText(dimension)}]`);
    return `expand(${pythonText(pattern)}, ${lists.join(', ')})`;
  }

  #rule(scope: Scope, nth: number): string {
    const { step, only } = scope;
    const name = this.#rules.get(step.name) ?? '';
    const rule = new RuleText(only ? this.#free(`${name}_${nth}`) : name);
    if (step.image) rule.line('container', pythonText(`docker://${step.image}`));
    for (const input of step.inputs) rule.entry('input', pythonName(input.name), this.#input(scope, input));
    const used = new Set(step.inputs.flatMap((input) => (input.kind === 'from' ? [input.step] : [])));
    for (const [nth, after] of step.after.filter((other) => !used.has(other)).entries()) {
      const other = this.#plan.steps.find((candidate) => candidate.name === after);
      const [mark] = other ? marksOf(other) : [];
      // No input of a sheet begins with an underscore.
      if (other && mark !== undefined) rule.entry('input', `_after${nth}`, this.#everyItem(other, mark, []));
    }
    for (const output of step.outputs) {
      const path = this.#quoted(scope, outputPath(step, output, this.#itemTemplate(step)));
      rule.entry('output', pythonName(output.name), hasWildcard(output.path) ? `directory(${path})` : path);
    }
    if (step.outputs.length === 0)
      rule.entry('output', 'done', `touch(${this.#quoted(scope, `${step.name}/${this.#itemTemplate(step)}/.done`)})`);
    if (step.retries.exit > 0) rule.line('retries', String(step.retries.exit));
    rule.line('threads', String(step.vcpus));
    rule.entry('resources', 'memory_mib', String(step.memoryMiB));
    // Snakemake's own name, for executors: megabytes.
    rule.entry('resources', 'mem_mb', String(Math.ceil((step.memoryMiB * 1_048_576) / 1_000_000)));
    if (step.timeoutSeconds !== undefined)
      rule.entry('resources', 'runtime', String(Math.ceil(step.timeoutSeconds / 60)));
    this.#shell(scope, rule);
    return rule.text();
  }

  /** `${{ a }},${{ b }}`, or `all`. */
  #itemTemplate(step: PlannedStep): string {
    return step.dimensions.map((dimension) => `\${{ ${dimension} }}`).join(',') || 'all';
  }

  #input(scope: Scope, input: PlannedInput): string {
    if (input.kind === 'tree') return '[]';
    if (input.kind === 'path') {
      const path = dataName(input.path);
      if (input.wildcard) return `lambda w: data_files(${this.#python(scope, input.path)})`;
      if (dependsOnFields(path) && !scope.only) return `lambda w: DATA + "/" + ${this.#python(scope, path)}`;
      return `DATA + ${this.#quoted(scope, `/${path}`)}`;
    }
    const upstream = this.#plan.steps.find(({ name }) => name === input.step) as PlannedStep;
    const output = upstream.outputs.find(({ name }) => name === input.output) ?? { name: input.output, path: '' };
    const path = outputPath(upstream, output, this.#itemTemplate(upstream));
    const shared = upstream.dimensions.filter((dimension) => scope.step.dimensions.includes(dimension));
    if (!scope.only && !needsItems(upstream)) return this.#everyItem(upstream, path, shared);
    return this.#matching(scope, upstream, path, shared);
  }

  /** The items of a step that agree with this one, where wildcards cannot say it. */
  #matching(scope: Scope, upstream: PlannedStep, path: string, shared: readonly string[]): string {
    const key = (item: StepItem) => shared.map((dimension) => item.values[dimension]?.name ?? '').join(',');
    const groups = new Map<string, string[]>();
    for (const item of itemsOf(this.#plan, upstream))
      groups.set(key(item), [...(groups.get(key(item)) ?? []), this.#constant({ step: upstream, only: item }, path)]);
    const list = (paths: readonly string[] = []) => `[${paths.map((one) => pythonText(one)).join(', ')}]`;
    if (scope.only) return list(groups.get(key(scope.only)));
    if (shared.length === 0) return list(groups.get(''));
    const table = [...groups].map(([name, paths]) => `${pythonText(name)}: ${list(paths)}`).join(', ');
    return `lambda w: {${table}}[",".join([${shared.map((dimension) => `w.${wildcard(dimension)}`).join(', ')}])]`;
  }

  #shell({ step, only }: Scope, rule: RuleText): void {
    const scope = { step, ...(only && { only }) };
    const value = (reference: readonly string[]): string => this.#value(scope, reference, rule);
    const folder = this.#shellPath(scope, `${step.name}/${this.#itemTemplate(step)}`);
    // Empty, as a job has it: Snakemake makes folders for outputs, and a head that died may have left files.
    const lines = ['ROOT=$PWD', `rm -rf ${folder}`, `mkdir -p ${folder}`, `cd ${folder}`];
    for (const [name, template] of Object.entries(step.environment))
      lines.push(`export ${name}=${inShell(parseTemplate(template), (reference) => value(reference), quoteForShell)}`);
    const words =
      step.main.kind === 'command'
        ? inShell(parseTemplate(step.main.script.replace(/\n+$/, '')), value)
        : step.main.argv.map((word) => inShell(parseTemplate(word), value, quoteForShell) || "''").join(' ');
    lines.push(...words.split('\n'));
    for (const output of step.outputs) if (hasWildcard(output.path)) lines.push(...this.#gatherPattern(scope, output));
    rule.shell(lines);
  }

  /** What an output that is a pattern stands for goes into a folder of its own: Snakemake has to know a name. */
  #gatherPattern(scope: Scope, output: { name: string; path: string }): string[] {
    const target = `"$ROOT"/{output.${pythonName(output.name)}:q}`;
    const constant = parseTemplate(output.path).every((part) => typeof part === 'string');
    const source = patternToRegExp(constant ? output.path : this.#constantOrStar(scope, output.path)).source;
    // find has no (?:…); a plain group does the same here.
    const regex = `./(${source.slice(1, -1).replaceAll('(?:', '(').replaceAll('\\/', '/')})`;
    const find = braces(
      `find . -regextype posix-extended -path './*.files' -prune -o -not -type d -regex ${quoteForShell(regex)} -print`,
    );
    return [
      `mkdir -p ${target}`,
      `${find} | while IFS= read -r file; do mkdir -p ${target}/"$(dirname "$file")"; cp -p "$file" ${target}/"$file"; done`,
      `test -n "$(ls -A ${target})"`,
    ];
  }

  #constantOrStar(scope: Scope, path: string): string {
    return scope.only
      ? this.#constant(scope, path)
      : parseTemplate(path)
          .map((part) =>
            typeof part === 'string' ? part : this.#isItem(part.reference) ? '*' : this.#fixed(scope, part.reference),
          )
          .join('');
  }

  /** How a reference stands in the text of `shell:`, where braces are Snakemake's. */
  #value(scope: Scope, reference: readonly string[], rule: RuleText): string {
    const [head = '', field] = reference;
    const { step } = scope;
    if (head === 'outputs') return `"$ROOT"/{output.${pythonName(field ?? '')}:q}`;
    if (head === 'inputs') {
      const input = step.inputs.find(({ name }) => name === field);
      const name = pythonName(field ?? '');
      if (input && !isList(this.#plan, input)) return `"$ROOT"/{input.${name}:q}`;
      rule.entry('params', `files_${field}`, `lambda w, input: here(input.${name})`);
      return `{params.files_${field}:q}`;
    }
    if (head === 'resources') return field === 'vcpus' ? '{threads}' : '{resources.memory_mib}';
    if (head === 'parameters' || head === 'launch') {
      const name = `${head === 'launch' ? 'launch' : 'p'}_${field}`;
      rule.entry('params', name, `config[${pythonText(head)}][${pythonText(field ?? '')}]`);
      return `{params.${name}:q}`;
    }
    if (scope.only) return braces(quoteForShell(this.#fixed(scope, reference)));
    if (field === undefined || field === 'name') return `{wildcards.${wildcard(head)}:q}`;
    const name = `f_${head}_${field}`;
    rule.entry('params', name, `lambda w: FIELDS[${pythonText(head)}][w.${wildcard(head)}][${pythonText(field)}]`);
    return `{params.${name}:q}`;
  }

  #shellPath(scope: Scope, template: string): string {
    return inShell(
      parseTemplate(template),
      (reference) =>
        scope.only || !this.#isItem(reference)
          ? braces(quoteForShell(this.#fixed(scope, reference)))
          : `{wildcards.${wildcard(reference[0] ?? '')}:q}`,
      quoteForShell,
    );
  }

  /** A path of a rule: a pattern with wildcards, or the path of the one item. */
  #quoted(scope: Scope, template: string): string {
    return pythonText(
      scope.only
        ? braces(this.#constant(scope, template))
        : this.#pattern(scope, template, (dimension) => `{${wildcard(dimension)}}`),
    );
  }

  #pattern(scope: Scope, template: string, inBraces: (dimension: string) => string): string {
    return parseTemplate(template)
      .map((part) => {
        if (typeof part === 'string') return braces(part);
        const [head = ''] = part.reference;
        return this.#isItem(part.reference) ? inBraces(head) : braces(this.#fixed(scope, part.reference));
      })
      .join('');
  }

  #constant(scope: Scope, template: string): string {
    return parseTemplate(template)
      .map((part) => (typeof part === 'string' ? part : this.#fixed(scope, part.reference)))
      .join('');
  }

  /** A template as an expression of Python over the wildcards `w`. */
  #python(scope: Scope, template: string): string {
    const parts = parseTemplate(template).map((part) => {
      if (typeof part === 'string') return pythonText(part);
      const [head = '', field = 'name'] = part.reference;
      if (scope.only || !this.#isItem(part.reference)) return pythonText(this.#fixed(scope, part.reference));
      return field === 'name'
        ? `w.${wildcard(head)}`
        : `FIELDS[${pythonText(head)}][w.${wildcard(head)}][${pythonText(field)}]`;
    });
    return parts.join(' + ') || '""';
  }

  /** What does not depend on a wildcard. */
  #fixed({ step, only }: Scope, [head = '', field]: readonly string[]): string {
    return expandPath(this.#plan, step, only ?? NO_ITEM, `\${{ ${field === undefined ? head : `${head}.${field}`} }}`);
  }

  #isItem([head = '']: readonly string[]): boolean {
    return Object.hasOwn(this.#plan.dimensions, head);
  }
}

/** What shows that an item of a step is done: its outputs, or a mark. */
function marksOf(step: PlannedStep): string[] {
  const item = step.dimensions.map((dimension) => `\${{ ${dimension} }}`).join(',') || 'all';
  if (step.outputs.length === 0) return [`${step.name}/${item}/.done`];
  return step.outputs.map((output) => outputPath(step, output, item));
}

const dependsOnFields = (template: string): boolean =>
  referencesOf(parseTemplate(template)).some(
    ([head = '', field = 'name']) => !['parameters', 'launch', 'resources'].includes(head) && field !== 'name',
  );

/** Wildcards stand for names only, so a step whose outputs are named by other fields gets a rule for each item. */
const needsItems = (step: PlannedStep): boolean => step.outputs.some(({ path }) => dependsOnFields(path));

const isList = (plan: Plan, input: PlannedInput): boolean => {
  if (input.kind !== 'from') return input.kind === 'tree' || input.wildcard;
  const upstream = plan.steps.find(({ name }) => name === input.step);
  const output = upstream?.outputs.find(({ name }) => name === input.output);
  return input.gather || hasWildcard(output?.path ?? '') || (upstream !== undefined && needsItems(upstream));
};

/** Dimensions are names of Python, but for its keywords. */
const wildcard = (dimension: string): string => pythonName(dimension);

const braces = (text: string): string => text.replaceAll('{', '{{').replaceAll('}', '}}');

function inShell(
  parts: readonly Part[],
  value: (reference: readonly string[]) => string,
  literal: (text: string) => string = (text) => text,
): string {
  return parts.map((part) => (typeof part === 'string' ? braces(literal(part)) : value(part.reference))).join('');
}

/** The text of a rule, directive by directive; entries of the same name are written once. */
class RuleText {
  readonly #name: string;
  readonly #lines: string[] = [];
  readonly #directives = new Map<string, Map<string, string>>();
  #shell = '';

  constructor(name: string) {
    this.#name = name;
  }

  line(directive: string, value: string): void {
    this.#lines.push(`    ${directive}: ${value}`);
  }

  entry(directive: string, name: string, value: string): void {
    const entries = this.#directives.get(directive) ?? new Map<string, string>();
    entries.set(name, value);
    this.#directives.set(directive, entries);
  }

  shell(lines: readonly string[]): void {
    this.#shell = `    shell:\n${pythonTextBlock(lines, 8)}`;
  }

  text(): string {
    const entries = ['input', 'output', 'params', 'resources'].flatMap((directive) => {
      const known = this.#directives.get(directive);
      if (!known) return [];
      return [`    ${directive}:`, ...[...known].map(([name, value]) => `        ${name}=${value},`)];
    });
    return [`rule ${this.#name}:`, ...entries, ...this.#lines, this.#shell].join('\n');
  }
}

const HEADER = `# Made by Longhaul from a launch sheet, for Snakemake 9:
#   snakemake --cores 2 --configfile config.yaml
import errno
import glob
import os

# As durable steps run: under /bin/sh, and the first error ends a command.
shell.executable("/bin/sh")
shell.prefix("set -eu; ")

# Relative, since commands find it from the folder they start in.
DATA = os.path.relpath(config["data"])


def here(paths):
    """Paths that hold wherever a command changes to; of a folder, the files in it."""
    found = []
    for path in [paths] if isinstance(paths, str) else paths:
        if path.endswith(".files"):
            inside = [os.path.join(top, name) for top, _, names in os.walk(path) for name in names]
            if not inside:
                # Snakemake asks again once the file is there.
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            found += sorted(inside)
        else:
            found.append(path)
    return [os.path.abspath(path) for path in found]


def data_files(pattern):
    """The files a pattern stands for, below the folder of the data."""
    known = config.get("files", {}).get(pattern)
    names = [name.removeprefix("s3://") for name in known] if known is not None else None
    if names is None:
        top = os.path.join(DATA, pattern.removeprefix("s3://"))
        return sorted(glob.glob(top, recursive=True))
    return [os.path.join(DATA, name) for name in names]`;
