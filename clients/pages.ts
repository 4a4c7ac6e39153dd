/**
 * Pages outside Longhaul that are linked to.
 *
 * @module
 */
import type { Settings } from '../lib/settings.ts';

/** Address of a workflow's page in the Temporal Web UI; without a run id it leads to the latest run. */
export const workflowPage = (
  settings: Pick<Settings, 'temporalUi' | 'temporalNamespace'>,
  workflowId: string,
  runId?: string,
): string =>
  `${settings.temporalUi}/namespaces/${encodeURIComponent(settings.temporalNamespace)}/workflows/${encodeURIComponent(workflowId)}${runId === undefined ? '' : `/${runId}/history`}`;
