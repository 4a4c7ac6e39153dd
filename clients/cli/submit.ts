/**
 * `longhaul launch submit` and `retry`: from a sheet on this machine, or a launch that ended, to one that runs.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { formatS3Address } from '../../lib/s3-address.ts';
import { retrySheet } from '../../workflows/launch/places.ts';
import { retryLaunch } from '../launch/retry.ts';
import { checkSheet, putSheet } from '../launch/sheets.ts';
import { type Started, startLaunch } from '../launch/start.ts';
import { workflowPage } from '../pages.ts';
import { CliError, type Context, EXIT, print, withContext } from './context.ts';
import { watch } from './watch.ts';

interface SubmitOptions {
  watch?: boolean;
  cache: boolean;
  json?: boolean;
}

interface RetryCommand extends SubmitOptions {
  sheet?: string;
}

export function addSubmitCommand(launch: Command): void {
  launch
    .command('submit')
    .argument('<sheet>', 'YAML or JSON file')
    .description('check a sheet, upload it and launch it')
    .option('--watch', 'stay and show the launch until it has ended')
    .option('--no-cache', 'run everything, also what has been done before')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul launch submit cohort.yaml --watch\n  longhaul launch submit cohort.yaml --json',
    )
    .action((file: string, options: SubmitOptions) => withContext((context) => submit(context, file, options)));
}

export function addRetryCommand(launch: Command): void {
  launch
    .command('retry')
    .argument('<launch id>')
    .description('run a launch that FAILED or was CANCELLED again: only what is not done')
    .option('--sheet <file>', 'with another sheet')
    .option('--no-cache', 'use no results of other launches')
    .option('--watch', 'stay and show the launch until it has ended')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul launch retry cohort-7-run-1 --watch\n  longhaul launch retry cohort-7-run-1 --sheet corrected.yaml',
    )
    .action((id: string, options: RetryCommand) => withContext((context) => retry(context, id, options)));
}

/** Checks a sheet and puts it where its consumer's sheets lie. */
async function upload(context: Context, file: string, options: { cache: boolean; place?: (name: string) => string }) {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`${file}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`, EXIT.usage);
  });
  const { consumer } = checkSheet(bytes.toString('utf8'), file).sheet;
  const { bucket } = context.settings;
  const address =
    options.place?.(basename(file)) ?? formatS3Address({ bucket, key: `sheets/${consumer}/${basename(file)}` });
  return putSheet(context.aws.s3, address, bytes, options);
}

async function retry(context: Context, id: string, options: RetryCommand): Promise<void> {
  const place = (name: string) => retrySheet(context.settings.bucket, id, name);
  const sheet = options.sheet === undefined ? undefined : await upload(context, options.sheet, { ...options, place });
  const { client } = await context.temporal();
  const retried = await retryLaunch({ client, launches: context.launches }, id, {
    ...(sheet && { sheet: { address: sheet.address, ...(sheet.version && { version: sheet.version }) } }),
    ...(!options.cache && { noCache: true }),
  });
  if (retried.outcome === 'refused') throw new CliError(retried.reason);
  const page = workflowPage(context.settings, retried.workflowId);
  if (!options.watch || !options.json)
    print(options.json, { ...retried, temporalUi: page }, () => [
      `launch ${id} is started again as attempt ${retried.attempt}${retried.edited.length > 0 ? `; edited since the last: ${retried.edited.join(', ')}` : ''}`,
      `Temporal Web UI: ${page}`,
    ]);
  if (options.watch) await watch(context, id, options, retried.attempt);
}

async function submit(context: Context, file: string, options: SubmitOptions): Promise<void> {
  const sheet = await upload(context, file, options);
  const { address } = sheet;
  const { client } = await context.temporal();
  const started = await startLaunch({ client, launches: context.launches }, sheet);
  const page = workflowPage(context.settings, started.workflowId);
  if (started.outcome === 'conflict') {
    throw new CliError(
      `the launch id ${started.launchId} belongs to another sheet (${started.configurationFile}, now ${started.status}): give this sheet a launchId of its own`,
    );
  }
  if (!options.watch || options.json) {
    print(options.json, { ...started, sheet: address, temporalUi: page }, () => [
      describeStart(started),
      `Temporal Web UI: ${page}`,
    ]);
  } else console.log(`${describeStart(started)}\nTemporal Web UI: ${page}\n`);
  if (options.watch) await watch(context, started.launchId, options);
}

function describeStart(started: Started): string {
  if (started.outcome === 'started') return `launch ${started.launchId} is started`;
  if (started.outcome === 'running')
    return `launch ${started.launchId} is running already with this sheet (${started.status}): nothing to do`;
  return `launch ${started.launchId} has been launched with this sheet before (${started.status}): nothing to do; give it another launchId to run it again`;
}
