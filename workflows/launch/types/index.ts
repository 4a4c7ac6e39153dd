/**
 * The workflow types that are head jobs.
 *
 * @module
 */
import type { HeadType } from '../model.ts';
import type { WorkflowTypePlugin } from './plugin.ts';
import { snakemake } from './snakemake.ts';

export const HEAD_TYPES: Readonly<Partial<Record<HeadType, WorkflowTypePlugin>>> = { snakemake };

/** @throws Error for a type without a plug-in: the sheet's schema refuses those */
export function pluginOf(name: HeadType): WorkflowTypePlugin {
  const plugin = HEAD_TYPES[name];
  if (!plugin) throw new Error(`there is no workflow type ${name}`);
  return plugin;
}
