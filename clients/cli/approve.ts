/**
 * `longhaul approve`: lets something that waits spend more than its limit, or refuses it.
 *
 * @module
 */
import type { Command } from 'commander';
import { decide } from '../restore/approve.ts';
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
  const decided = await decide(client, workflowId, options.refuse ? { refuse: true } : {});
  if ('reason' in decided) throw new CliError(decided.reason);
  const { outcome: decision, status } = decided;
  print(options.json, { workflowId, decision, status }, () => `${workflowId} is ${decision}, and now ${status}`);
}
