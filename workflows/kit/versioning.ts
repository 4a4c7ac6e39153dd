/**
 * Worker versioning, where the worker takes part in it: the server refuses a behaviour from a worker that does not.
 *
 * @module
 */
import type { WorkflowDefinitionOptions } from '@temporalio/common';
import { setWorkflowOptions, type Workflow, workflowInfo } from '@temporalio/workflow';

/**
 * `PINNED` for workflows that end: they stay with the build they started on. `AUTO_UPGRADE` for endless ones: they
 * move on with `patched`.
 */
export function setVersioning(behaviour: 'PINNED' | 'AUTO_UPGRADE', workflow: Workflow): void {
  setWorkflowOptions(
    (): WorkflowDefinitionOptions =>
      workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: behaviour } : {},
    workflow,
  );
}
