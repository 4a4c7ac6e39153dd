/**
 * `longhaul approve`: lets something that waits spend more than its limit, or refuses it.
 *
 * @module
 */
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Command } from 'commander';
import { APPROVE_UPDATE, type Approval } from '../../workflows/restore/model.ts';
import { CliError, type Context, print, withContext } from './context.ts';

interface ApproveOptions {
  refuse?: boolean;
  json?: boolean;
}

export function addApproveCommand(program: Command): void {
  program
    .command('approve')
    .argument('<workflow id>', 'such as launch/cohort-7-run-1 or restore/cohort-7')
    .description('let a launch or restore that waits for an approval, or for its budget, spend more than its limit')
    .option('--refuse', 'refuse instead: it fails')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul approve launch/cohort-7-run-1\n  longhaul approve restore/cohort-7 --refuse',
    )
    .action((id: string, options: ApproveOptions) => withContext((context) => approve(context, id, options)));
}

async function approve(context: Context, workflowId: string, options: ApproveOptions): Promise<void> {
  const { client } = await context.temporal();
  const decision: Approval = options.refuse ? { refuse: true } : {};
  try {
    const status = await client.workflow
      .getHandle(workflowId)
      .executeUpdate<string, [Approval]>(APPROVE_UPDATE, { args: [decision] });
    const did = options.refuse ? 'refused' : 'approved';
    print(options.json, { workflowId, decision: did, status }, () => `${workflowId} is ${did}, and now ${status}`);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new CliError(
        `there is no open workflow ${workflowId}: its id is launch/<launch id> or restore/<restore id>, as "longhaul launch show" says`,
      );
    if (error instanceof WorkflowUpdateFailedError) throw new CliError(error.cause?.message ?? error.message);
    throw error;
  }
}
