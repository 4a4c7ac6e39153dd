/**
 * Where a run leads: to what started it, to what it has started, to its page in the Temporal Web UI.
 *
 * @module
 */
import type { LaunchItem } from '../../../lib/store/launches.ts';
import type { RestoreItem } from '../../../lib/store/restores.ts';
import { workflowIdOf as costIdOf } from '../../../workflows/cost/model.ts';
import { isEnded, workflowIdOf as launchIdOf } from '../../../workflows/launch/model.ts';
import type { RunLink } from '../../live/api.ts';
import { workflowPage } from '../../pages.ts';
import type { ApiDependencies } from './dependencies.ts';
import { splitWorkflowId } from './summaries.ts';

type Settings = ApiDependencies['settings'];

export const temporalLink = (settings: Settings, workflowId: string, runId?: string): RunLink => ({
  what: 'temporal',
  label: 'Temporal Web UI',
  href: workflowPage(settings, workflowId, runId),
});

export function parentLink(workflowId: string): RunLink {
  const { domain, id } = splitWorkflowId(workflowId);
  return { what: 'parent', label: domain === '' ? id : `${domain} ${id}`, workflowId };
}

export const launchLinks = (settings: Settings, item: LaunchItem, restore: RestoreItem | undefined): RunLink[] => [
  ...(restore ? [{ what: 'child' as const, label: 'restore of its inputs', workflowId: restore.workflow_id }] : []),
  ...(isEnded(item.status) || item.total_cost !== undefined
    ? [{ what: 'child' as const, label: 'pricing', workflowId: costIdOf(item.launch_id) }]
    : []),
  temporalLink(settings, item.workflow_id, item.run_id),
];

export const restoreLinks = (settings: Settings, item: RestoreItem): RunLink[] => [
  ...(item.launch_id === undefined ? [] : [parentLink(launchIdOf(item.launch_id))]),
  temporalLink(settings, item.workflow_id, item.run_id),
];
