/**
 * What the schema cannot say about a step: references that lead nowhere, templates out of scope, paths that leave
 * their folder, lists where one file is expected.
 *
 * @module
 */
import type { Item } from './plan.ts';
import type { Problem } from './sheet/problems.ts';
import type { SheetStep, StepsSheet } from './sheet/sheet.ts';
import { refusedPlaces } from './sheet/shell-places.ts';
import { type Part, parseTemplate, referencesOf } from './sheet/template.ts';

/** What a template at some place may refer to. */
interface Scope {
  sheet: StepsSheet;
  step: SheetStep;
  dimensions: Readonly<Record<string, readonly Item[]>>;
  /** inputs and outputs have a path only where the command runs. */
  files: boolean;
  /** An array job has one argv for all its children, so nothing of the item can stand in it. */
  items: boolean;
}

const RESERVED = ['parameters', 'inputs', 'outputs', 'launch', 'resources'];

/** @returns every problem of this step that can be known without looking at data */
export function checkStep(
  sheet: StepsSheet,
  dimensions: Readonly<Record<string, readonly Item[]>>,
  name: string,
  step: SheetStep,
): Problem[] {
  const at = `steps.${name}`;
  const problems: Problem[] = [];
  const report = (place: string, message: string, kind: Problem['kind'] = 'invalid') =>
    problems.push({ kind, at: place ? `${at}.${place}` : at, message });
  const scope: Scope = { sheet, step, dimensions, files: false, items: true };

  if (step.command === undefined && step.argv === undefined)
    report('command', 'missing; a step needs command or argv', 'missing');
  if (step.command !== undefined && step.argv !== undefined) report('argv', 'a step has command or argv, not both');
  for (const dimension of step.scatter ?? []) {
    if (!Object.hasOwn(dimensions, dimension)) {
      report('scatter', `${dimension} is not under scatter at the top; there are: ${list(Object.keys(dimensions))}`);
    } else if (RESERVED.includes(dimension))
      report('scatter', `${dimension} means something else in templates; name the dimension otherwise`);
  }
  for (const other of step.after ?? []) {
    if (other === name) report('after', 'a step cannot come after itself');
    else if (!Object.hasOwn(sheet.steps, other))
      report('after', `there is no step ${other}; there are: ${list(Object.keys(sheet.steps))}`);
  }
  checkCommand(scope, report);
  checkInputs(name, scope, report);
  checkOutputs(scope, report);
  for (const [variable, value] of Object.entries(step.environment ?? {})) {
    checkTemplate({ ...scope, items: false }, `environment.${variable}`, value, report);
  }
  return problems;
}

type Report = (place: string, message: string, kind?: Problem['kind']) => void;

function checkCommand(scope: Scope, report: Report): void {
  const { step } = scope;
  if (step.command !== undefined) {
    for (const refused of refusedPlaces(partsOf(step.command))) report('command', refused);
    checkTemplate({ ...scope, files: true }, 'command', step.command, report);
  }
  for (const [index, word] of (step.argv ?? []).entries()) {
    checkTemplate({ ...scope, files: true, items: !step.scatter }, `argv.${index}`, word, report);
  }
}

function checkInputs(name: string, scope: Scope, report: Report): void {
  const { sheet, step } = scope;
  for (const [input, source] of Object.entries(step.inputs ?? {})) {
    const place = `inputs.${input}`;
    if (typeof source === 'string') {
      checkTemplate(scope, place, source, report);
      const remote = source.startsWith('s3://');
      if (!remote && /^[a-z][a-z0-9+.-]*:\/\//i.test(source))
        report(place, 'only s3:// addresses and paths relative to dataPath can be read');
      if (remote && sheet.sharedFileSystem)
        report(place, 'with sharedFileSystem nothing is copied: give a path on the file system');
      if (sheet.sharedFileSystem && /[*?]/.test(source))
        report(place, 'only S3 can be listed; with sharedFileSystem name each file');
      if (source.startsWith('/')) report(place, 'give a path relative to dataPath, or an s3:// address');
      if (leavesFolder(source)) report(place, 'the path must not contain ".."');
      continue;
    }
    const [from = '', output = ''] = source.from.split('.');
    const upstream = Object.hasOwn(sheet.steps, from) ? sheet.steps[from] : undefined;
    if (from === name) report(place, 'a step cannot use its own output');
    else if (upstream === undefined)
      report(place, `there is no step ${from}; there are: ${list(Object.keys(sheet.steps))}`);
    else if (!Object.hasOwn(upstream.outputs ?? {}, output)) {
      report(place, `step ${from} has no output ${output}; it has: ${list(Object.keys(upstream.outputs ?? {}))}`);
    } else {
      const extra = (upstream.scatter ?? []).filter((dimension) => !step.scatter?.includes(dimension));
      if (extra.length > 0 && !source.gather) {
        report(
          place,
          `${source.from} comes once for every ${extra.join(' and ')}; say gather: true to take them all, or scatter this step too`,
        );
      }
    }
  }
}

function checkOutputs(scope: Scope, report: Report): void {
  const paths = new Map<string, string>();
  for (const [output, path] of Object.entries(scope.step.outputs ?? {})) {
    const place = `outputs.${output}`;
    checkTemplate({ ...scope, items: scope.step.argv === undefined || !scope.step.scatter }, place, path, report);
    if (path.startsWith('/') || path.endsWith('/') || leavesFolder(path) || path.includes('\\')) {
      report(place, 'give a path relative to the folder of the outputs, without ".."');
    }
    const other = paths.get(path);
    if (other !== undefined) report(place, `has the same path as outputs.${other}`);
    paths.set(path, output);
  }
}

/** A template that cannot be parsed is reported by {@link checkTemplate}. */
function partsOf(text: string): Part[] {
  try {
    return parseTemplate(text);
  } catch {
    return [];
  }
}

const leavesFolder = (path: string): boolean => path.split('/').some((part) => part === '..' || part === '.');

function checkTemplate(scope: Scope, place: string, text: string, report: Report): void {
  let parts: Part[];
  try {
    parts = parseTemplate(text);
  } catch (error) {
    report(place, (error as Error).message);
    return;
  }
  for (const reference of referencesOf(parts)) {
    const wrong = refuse(scope, reference);
    if (wrong) report(place, `\${{ ${reference.join('.')} }}: ${wrong}`);
  }
}

/** @returns why this reference cannot stand here, or undefined when it can */
function refuse(scope: Scope, reference: readonly string[]): string | undefined {
  const { sheet, step, dimensions } = scope;
  const [head = '', field, ...rest] = reference;
  if (rest.length > 0) return 'has too many parts';
  switch (head) {
    case 'parameters':
      return oneOf('parameter', field, Object.keys(sheet.parameters ?? {}));
    case 'launch':
      return oneOf('launch field', field, ['id', 'consumer']);
    case 'resources':
      return oneOf('resource', field, ['vcpus', 'memoryMiB']);
    case 'inputs':
      return scope.files
        ? oneOf('input', field, Object.keys(step.inputs ?? {}))
        : 'inputs can be used in command and argv only';
    case 'outputs': {
      if (!scope.files) return 'outputs can be used in command and argv only';
      const wildcard = field !== undefined && /[*?]/.test(step.outputs?.[field] ?? '');
      return wildcard
        ? 'this output is a pattern and has no one path; write into its folder'
        : oneOf('output', field, Object.keys(step.outputs ?? {}));
    }
    default: {
      if (!step.scatter?.includes(head)) return `unknown here; known: ${list([...RESERVED, ...(step.scatter ?? [])])}`;
      if (!scope.items)
        return 'an array job has one argv and environment for all its items; use command, or a name that does not depend on the item';
      const without =
        field === undefined || field === 'name'
          ? undefined
          : dimensions[head]?.find((item) => item.fields[field] === undefined);
      return without && `the item ${without.name} has no field ${field}`;
    }
  }
}

const oneOf = (what: string, name: string | undefined, known: readonly string[]): string | undefined =>
  name !== undefined && known.includes(name) ? undefined : `there is no such ${what}; there are: ${list(known)}`;

const list = (names: readonly string[]): string => names.join(', ') || 'none';
