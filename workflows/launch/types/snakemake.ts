/**
 * `workflowType: snakemake`: Snakemake 9 runs a Snakefile, the sheet's own or one made of its steps, on the cores of the
 * head job. Options: "snakemake --help" of 9.27.
 *
 * @module
 */
import { stringify } from 'yaml';
import { hasWildcard } from '../patterns.ts';
import type { Plan } from '../plan.ts';
import { parseTemplate, quoteForShell } from '../sheet/template.ts';
import {
  type Artifact,
  DATA,
  declaredOutputs,
  type HeadContext,
  type HeadJob,
  MADE,
  type WorkflowTypePlugin,
} from './plugin.ts';
import { outputPath, toSnakemake } from './snakefile.ts';
import { SnakemakeLog } from './snakemake-log.ts';

export const snakemake: WorkflowTypePlugin = {
  name: 'snakemake',
  title: 'Snakemake',
  definition: 'or steps',
  state: {
    keep: ['**'],
    // Logs, locks of a head that is dead, and what can be made again.
    leave: ['locks', 'log', 'conda', 'conda-archive', 'singularity', 'auxiliary', 'iocache', 'shadow'].map(
      (folder) => `.snakemake/${folder}/**`,
    ),
    markers: ['.snakemake/incomplete/**', '.snakemake/metadata/**'],
  },

  plan({ sheet, definition, steps, vcpus }: HeadContext): HeadJob {
    const first = [
      'snakemake',
      ...['--snakefile', definition?.path ?? `${MADE}/Snakefile`],
      ...['--configfile', `${MADE}/config.yaml`],
      ...['--cores', String(vcpus)],
    ];
    const rest = [
      // A job that a dead head has left half done is done again; its lock says nothing, since one head works here.
      '--rerun-incomplete',
      '--nolock',
      '--nocolor',
      ...(sheet.onFailure === 'finish' ? ['--keep-going'] : []),
      ...(sheet.head.arguments ?? []),
    ];
    return {
      main: {
        kind: 'command',
        // A head that is tried again with more memory says so to Snakemake.
        script: `exec ${inShell(first)} --resources memory_mib=\${{ resources.memoryMiB }} ${inShell(rest)}`,
      },
      inputs: [],
      outputs: steps ? outputsOf(steps) : declaredOutputs(sheet),
    };
  },

  artifacts({ sheet, definition, steps }, { patterns, inputs }): Artifact[] {
    if (steps) {
      const { snakefile, config } = toSnakemake(steps, { data: DATA, files: patterns });
      return [
        { name: 'Snakefile', text: snakefile },
        { name: 'config.yaml', text: stringify(config) },
      ];
    }
    const config = {
      ...sheet.parameters,
      data: DATA,
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([name, paths]) => [name, paths.map((path) => `${DATA}/${path}`)]),
      ),
    };
    return definition ? [{ name: 'config.yaml', text: stringify(config) }] : [];
  },

  parser: () => new SnakemakeLog(),
};

const inShell = (words: readonly string[]): string => words.map(quoteForShell).join(' ');

/** Outputs of all items of a step under one name, `<step>.<output>`. */
function outputsOf(plan: Plan): HeadJob['outputs'] {
  return plan.steps.flatMap((step) =>
    step.outputs.map((output) => {
      const item = step.dimensions.map((dimension) => `\${{ ${dimension} }}`).join(',') || 'all';
      const template = outputPath(step, output, item);
      const path = parseTemplate(template)
        .map((part) => {
          if (typeof part === 'string') return part;
          const [head = '', field = ''] = part.reference;
          return head === 'parameters'
            ? String(plan.parameters[field])
            : head === 'launch'
              ? plan[field === 'id' ? 'launchId' : 'consumer']
              : '*';
        })
        .join('');
      return { name: `${step.name}.${output.name}`, path: hasWildcard(output.path) ? `${path}/**` : path };
    }),
  );
}
