/**
 * The workflow types that are head jobs. A new one is a file beside this, and a line here.
 *
 * @module
 */
import type { HeadType } from '../model.ts';
import { command } from './command.ts';
import { cwl } from './cwl.ts';
import { nextflow } from './nextflow.ts';
import type { WorkflowTypePlugin } from './plugin.ts';
import { snakemake } from './snakemake.ts';
import { wdl } from './wdl.ts';

const HEAD_TYPES: Readonly<Record<HeadType, WorkflowTypePlugin>> = { snakemake, nextflow, cwl, wdl, command };

export const pluginOf = (name: HeadType): WorkflowTypePlugin => HEAD_TYPES[name];
