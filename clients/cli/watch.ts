/**
 * `longhaul launch watch`
 *
 * @module
 */
import type { Command } from 'commander';
import type { LaunchProgress } from '../../workflows/launch/model.ts';
import { followLaunch } from '../launch/progress.ts';
import { type Context, EXIT, withContext } from './context.ts';
import { showLive } from './live.ts';

interface Json {
  json?: boolean;
}

export function addWatchCommand(launch: Command): void {
  launch
    .command('watch')
    .argument('<launch id>')
    .description('show a launch until it has ended; exit code 1 unless it is COMPLETE')
    .option('--json', 'print a JSON object for each change')
    .addHelpText('after', '\nExample:\n  longhaul launch watch cohort-7-run-1')
    .action((id: string, options: Json) => withContext((context) => watch(context, id, options)));
}

/** @param attempt waits for this attempt of the launch, which may only just have been asked for */
export async function watch(context: Context, id: string, options: Json, attempt?: number): Promise<void> {
  const { client } = await context.temporal();
  const pictures = followLaunch({ ...context, client }, id, attempt === undefined ? {} : { attempt });
  const last = options.json ? await printJson(pictures) : await showLive(pictures, process.stdout);
  if (last?.status !== 'COMPLETE') process.exitCode = EXIT.failed;
}

async function printJson(pictures: AsyncIterable<LaunchProgress>): Promise<LaunchProgress | undefined> {
  let last: LaunchProgress | undefined;
  let shown = '';
  for await (const picture of pictures) {
    last = picture;
    const line = JSON.stringify(picture);
    if (line !== shown) console.log(line);
    shown = line;
  }
  return last;
}
