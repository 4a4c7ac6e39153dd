/**
 * The plan of a head job: one step that runs an engine or a tool, made of a sheet by its workflow type.
 *
 * @module
 */

import { expandPath } from '../manifest.ts';
import type { HeadType } from '../model.ts';
import { hasWildcard } from '../patterns.ts';
import { itemsOf, type Plan, type PlannedInput, type PlannedStep, stepResources, type TreeFile } from '../plan.ts';
import type { Problem } from '../sheet/problems.ts';
import type { Sheet } from '../sheet/sheet.ts';
import { pluginOf } from './index.ts';
import { type Artifact, DEFINITION, type Definition, type Found, type HeadContext, type HeadSheet } from './plugin.ts';

export interface PlannedHead {
  step: PlannedStep;
  /** What is made of the sheet, once the inputs have been looked for. */
  artifacts(found: Found): Artifact[];
}

const invalid = (at: string, message: string): Problem => ({ kind: 'invalid', at, message });
const missing = (at: string, message: string): Problem => ({ kind: 'missing', at, message });

/** Fields that only a head job has, and the type that has them. */
const OF_COMMAND = ['command', 'argv', 'parameterTypes'] as const;

/** @returns what does not fit together: fields of other types, a definition that is not there */
export function checkHead(sheet: Sheet): Problem[] {
  const type = sheet.workflowType;
  const problems: Problem[] = [];
  if (type === 'steps') {
    if (!sheet.steps) problems.push(missing('steps', 'missing; this parameter is required'));
    for (const field of ['head', 'inputs', 'outputs', ...OF_COMMAND] as const)
      if (sheet[field] !== undefined) problems.push(invalid(field, 'only head jobs have it, not workflowType steps'));
    return problems;
  }
  const plugin = pluginOf(type);
  if (!sheet.head) return [missing('head', `missing; ${plugin.title} runs in head.image`)];
  if (sheet.sharedFileSystem)
    problems.push(invalid('sharedFileSystem', 'head jobs have their data copied; leave it out'));
  if (type !== 'command')
    for (const field of OF_COMMAND)
      if (sheet[field] !== undefined) problems.push(invalid(field, 'only workflowType command has it'));
  if (sheet.steps && plugin.definition !== 'or steps')
    problems.push(invalid('steps', `a sheet of workflowType ${type} has no steps: its definition has them`));
  if (sheet.steps && sheet.workflowEndpoint !== undefined)
    problems.push(invalid('workflowEndpoint', 'a sheet has steps or a definition of its own, not both'));
  if (sheet.steps)
    for (const field of ['inputs', 'outputs'] as const)
      if (sheet[field] !== undefined) problems.push(invalid(field, 'the steps have inputs and outputs; leave it out'));
  if (!sheet.steps && sheet.scatter)
    problems.push(invalid('scatter', 'only steps are scattered; the definition itself says what is done how often'));
  if (!sheet.steps && plugin.definition !== 'no' && sheet.workflowEndpoint === undefined) {
    const or = plugin.definition === 'or steps' ? ', or give steps' : '';
    problems.push(missing('workflowEndpoint', `missing; say where the definition lies${or}`));
  }
  if (sheet.workflowEndpoint !== undefined) problems.push(...checkEndpoint(sheet.workflowEndpoint, sheet.head.image));
  if (!sheet.steps && !sheet.outputs)
    problems.push(missing('outputs', 'missing; name what is to be kept, such as results: "results/**"'));
  for (const [name, path] of Object.entries(sheet.inputs ?? {})) {
    const at = `inputs.${name}`;
    if (!path.startsWith('s3://') && /^[a-z][a-z0-9+.-]*:\/\//i.test(path))
      problems.push(invalid(at, 'only s3:// addresses and paths relative to dataPath can be read'));
    if (path.startsWith('/') || leavesFolder(path))
      problems.push(invalid(at, 'give a path relative to dataPath without "..", or an s3:// address'));
  }
  for (const [name, path] of Object.entries(sheet.outputs ?? {}))
    if (path.startsWith('/') || path.endsWith('/') || leavesFolder(path) || path.includes('\\'))
      problems.push(invalid(`outputs.${name}`, 'give a path relative to the working folder, without ".."'));
  for (const [nth, word] of (sheet.head.arguments ?? []).entries())
    if (word.includes('${{')) problems.push(invalid(`head.arguments.${nth}`, 'no value can be put in here'));
  return [...problems, ...(plugin.check?.(sheet as HeadSheet) ?? [])];
}

const leavesFolder = (path: string): boolean => path.split('/').some((part) => part === '..' || part === '.');

/** `s3://bucket/folder/file` or `image:///file`; what is in an image is known only by the image's digest. */
function checkEndpoint(endpoint: string, image: string): Problem[] {
  const at = 'workflowEndpoint';
  if (endpoint.startsWith('image:')) {
    if (!/^image:\/\/\/[A-Za-z0-9._/-]+$/.test(endpoint) || leavesFolder(endpoint))
      return [invalid(at, 'expected image:///path/in/the/image, of letters, digits and . _ - only')];
    return /@sha256:[0-9a-f]{64}$/.test(image)
      ? []
      : [
          invalid(
            'head.image',
            'give the image by its digest (name@sha256:…): its tag does not say what definition is in it',
          ),
        ];
  }
  return /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/([A-Za-z0-9._=-]+\/)*[A-Za-z0-9._=-]+$/.test(endpoint) &&
    !leavesFolder(endpoint)
    ? []
    : [
        invalid(
          at,
          'expected s3://bucket/folder/file, of letters, digits and . _ = - only, or image:///path in head.image',
        ),
      ];
}

/** The folder of the definition comes along: its includes, scripts and environments. */
function definitionOf(endpoint: string | undefined): Definition | undefined {
  if (endpoint === undefined) return undefined;
  if (endpoint.startsWith('image:///')) return { path: endpoint.slice('image://'.length), files: [] };
  const folder = endpoint.slice(0, endpoint.lastIndexOf('/') + 1);
  return {
    path: `${DEFINITION}/${endpoint.slice(folder.length)}`,
    files: [{ path: `${folder}**`, wildcard: true, at: 'workflowEndpoint', base: folder }],
  };
}

/**
 * @param sheet checked by {@link checkHead}
 * @param steps the plan of its steps, where it has any
 */
export function planHead(sheet: HeadSheet, launchId: string, steps: Plan | undefined): PlannedHead {
  const type = sheet.workflowType as HeadType;
  const plugin = pluginOf(type);
  const definition = definitionOf(sheet.workflowEndpoint);
  const resources = stepResources(sheet.head);
  const { vcpus, memoryMiB } = resources;
  const context: HeadContext = { sheet, launchId, definition, steps, vcpus, memoryMiB };
  const { main, inputs, outputs, environment } = plugin.plan(context);
  const trees: PlannedInput[] = [
    ...(definition?.files.length ? [{ name: 'workflow', kind: 'tree' as const, files: definition.files }] : []),
    ...(type === 'command' ? [] : [{ name: 'data', kind: 'tree' as const, files: dataFiles(sheet, steps) }]),
  ];
  return {
    step: {
      name: type,
      after: [],
      dimensions: [],
      image: sheet.head.image,
      main,
      inputs: [...trees, ...inputs],
      outputs,
      ...resources,
      environment: { ...environment, ...sheet.head.environment },
      head: { type, state: { ...plugin.state, ...(sheet.head.keep && { keep: sheet.head.keep }) } },
      items: 1,
    },
    artifacts: (found) => plugin.artifacts(context, found),
  };
}

/** What the engine is to find below its folder of data: the sheet's inputs, or those of all items of all steps. */
function dataFiles(sheet: Sheet, steps: Plan | undefined): TreeFile[] {
  const paths = new Map(Object.entries(sheet.inputs ?? {}).map(([name, path]) => [path, `inputs.${name}`]));
  for (const step of steps?.steps ?? []) {
    const outside = step.inputs.filter((input) => input.kind === 'path');
    if (steps && outside.length > 0)
      for (const item of itemsOf(steps, step))
        for (const input of outside) {
          const path = expandPath(steps, step, item, input.path);
          if (!paths.has(path)) paths.set(path, `steps.${step.name}.inputs.${input.name}`);
        }
  }
  return [...paths].map(([path, at]) => ({ path, wildcard: hasWildcard(path), at }));
}
