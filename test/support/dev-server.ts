/**
 * Temporal's dev server with Longhaul's search attributes: for what the time-skipping one has not, such as schedules, and answers to
 * workflow tasks that come too late.
 *
 * @module
 */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { silent, tools } from '../../infra/local/tools/index.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/launch/model.ts';
import { installRuntime, startServer } from './time-skipping.ts';

export async function openDevServer(): Promise<TestWorkflowEnvironment> {
  installRuntime();
  const { path } = await tools.temporal(silent);
  const attributes = Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => `${name}=${type}`);
  return startServer(() =>
    TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path },
        extraArgs: attributes.flatMap((attribute) => ['--search-attribute', attribute]),
      },
    }),
  );
}
