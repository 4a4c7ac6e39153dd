/**
 * `longhaul launch explain`
 *
 * @module
 */
import type { Command } from 'commander';
import { explainLaunch } from '../launch/explain.ts';
import { CliError, type Context, print, withContext } from './context.ts';
import { paint } from './picture.ts';

interface Json {
  json?: boolean;
}

export function addExplainCommand(launch: Command): void {
  launch
    .command('explain')
    .argument('<launch id>')
    .description('why a launch is stuck or has failed: one cause, one remedy, the evidence')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  longhaul launch explain cohort-7-run-1')
    .action((id: string, options: Json) => withContext((context) => explain(context, id, options)));
}

async function explain(context: Context, id: string, options: Json): Promise<void> {
  const { client } = await context.temporal();
  const { launches, steps, restores, aws, settings } = context;
  const sources = { launches, steps, restores, batch: aws.batch, client, namespace: settings.temporalNamespace };
  const found = await explainLaunch(sources, id);
  if (!found) throw new CliError(`there is no launch ${id}: "longhaul launch list" shows those there are`);
  print(options.json, found, () => [
    `${id}  ${paint(found.status)}`,
    '',
    `Cause:    ${found.cause}: ${found.summary}`,
    ...(found.remedy ? [`Remedy:   ${found.remedy}`] : []),
    ...found.evidence.map((line, index) => `${index === 0 ? 'Evidence:' : '         '} ${line}`),
  ]);
}
