/**
 * `workflowType: command`: any tool, by a template with checked parameters. Values are quoted for the shell, or are words of
 * their own; what a parameter may be stands in `parameterTypes`.
 *
 * @module
 */
import { hasWildcard } from '../patterns.ts';
import { checkStep } from '../plan-checks.ts';
import type { Problem } from '../sheet/problems.ts';
import type { ParameterType, Scalar, SheetStep } from '../sheet/sheet.ts';
import { declaredOutputs, type HeadSheet, type LogParser, type WorkflowTypePlugin } from './plugin.ts';

/** The longest value that is held against a pattern. */
const PATTERN_LENGTH = 256;

export const command: WorkflowTypePlugin = {
  name: 'command',
  title: 'the command',
  definition: 'no',
  // A tool that writes checkpoints names them in head.keep.
  state: { keep: [], leave: [], markers: [] },

  check(sheet) {
    const step = asStep(sheet);
    const problems = checkStep({ ...sheet, steps: { command: step } }, {}, 'command', step);
    return [...problems.map(atTop), ...checkParameters(sheet)];
  },

  plan({ sheet }) {
    return {
      main:
        sheet.command === undefined
          ? { kind: 'argv', argv: sheet.argv ?? [] }
          : { kind: 'command', script: sheet.command },
      inputs: Object.entries(sheet.inputs ?? {}).map(([name, path]) => ({
        name,
        kind: 'path',
        path,
        wildcard: hasWildcard(path),
      })),
      outputs: declaredOutputs(sheet),
    };
  },

  artifacts: () => [],

  /** Nothing is known of what a tool logs. */
  parser: (): LogParser => ({ read() {}, picture: () => ({ tasks: [], failures: [] }) }),
};

const asStep = ({ head, command: script, argv, inputs, outputs }: HeadSheet): SheetStep => ({
  image: head.image,
  ...(script !== undefined && { command: script }),
  ...(argv && { argv }),
  ...(inputs && { inputs }),
  ...(outputs && { outputs }),
  ...(head.environment && { environment: head.environment }),
});

/** The checks of a step speak of `steps.command.…`; the sheet has those fields at its top. */
function atTop(problem: Problem): Problem {
  const at = problem.at.replace(/^steps\.command\.?/, '').replace(/^environment/, 'head.environment');
  return { ...problem, at };
}

function checkParameters({ parameters = {}, parameterTypes = {} }: HeadSheet): Problem[] {
  const problems: Problem[] = [];
  for (const [name, type] of Object.entries(parameterTypes)) {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (value === undefined)
      problems.push({ kind: 'missing', at: `parameters.${name}`, message: `missing; ${describe(type)} is required` });
    else if (!fits(type, value))
      problems.push({
        kind: 'invalid',
        at: `parameters.${name}`,
        message: `expected ${describe(type)}, got a value not shown here`,
      });
    if (type.pattern !== undefined && !isPlain(type.pattern))
      problems.push({
        kind: 'invalid',
        at: `parameterTypes.${name}.pattern`,
        message:
          'expected characters, classes such as [a-z0-9] or \\d, and at most three of * and +; for alternatives say enum',
      });
  }
  return problems;
}

function fits(type: ParameterType, value: Scalar): boolean {
  const right = type.type === 'integer' ? Number.isInteger(value) : typeof value === type.type;
  if (!right) return false;
  if (type.enum && !type.enum.includes(value)) return false;
  if (typeof value === 'number') return value >= (type.minimum ?? -Infinity) && value <= (type.maximum ?? Infinity);
  if (typeof value !== 'string') return true;
  if (value.length > (type.maxLength ?? Infinity)) return false;
  // The whole value, or a pattern such as ^[a-z]+ would let anything follow.
  if (type.pattern === undefined || !isPlain(type.pattern)) return true;
  return value.length <= PATTERN_LENGTH && new RegExp(`^(?:${type.pattern})$`, 'su').test(value);
}

/** Escapes, classes and plain characters, each with a quantifier: no groups, no alternatives. */
const PLAIN_PATTERN =
  /^\^?(?:(?:\\[dwsDWS.\\/+*?^$()[\]{}|-]|\[\^?(?:\\[dwsDWS\\\]^[-]|[^\]\\[])+\]|[^\\()[\]{}|*+?^$])(?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})?)+\$?$/u;
/** Quantifiers that have many ways to match. */
const WIDE = /(?<!\\)[*+]|,\d*\}/g;

/** A pattern is a stranger's: one that can be matched in many ways would keep the worker from everything else. */
const isPlain = (pattern: string): boolean =>
  PLAIN_PATTERN.test(pattern) && (pattern.match(WIDE) ?? []).length <= 3 && isRegExp(pattern);

function isRegExp(pattern: string): boolean {
  try {
    const made = new RegExp(pattern, 'su');
    return made.source !== '';
  } catch {
    return false;
  }
}

function describe({ type, enum: values, pattern, minimum, maximum, maxLength }: ParameterType): string {
  const bounds = [
    ...(values ? [`one of ${values.join(', ')}`] : []),
    ...(pattern === undefined ? [] : [`like ${pattern}`]),
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
    ...(maxLength === undefined ? [] : [`of at most ${maxLength} characters`]),
  ];
  return [type, ...bounds].join(', ');
}
