/**
 * `longhaul launch …`
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatS3Address, parseS3Address } from '../../lib/s3-address.ts';
import {
  isEnded,
  LAUNCH_STATUSES,
  type LaunchProgress,
  type LaunchStatus,
  WORKFLOW_TYPES,
  workflowIdOf,
} from '../../workflows/launch/model.ts';
import { CACHE_METADATA, retrySheet } from '../../workflows/launch/places.ts';
import { planLaunch } from '../../workflows/launch/plan.ts';
import { type ParsedSheet, parseSheet, withLine } from '../../workflows/launch/sheet/parse.ts';
import { SheetError } from '../../workflows/launch/sheet/problems.ts';
import { explainLaunch } from '../launch/explain.ts';
import { launchOutputs, type Output } from '../launch/outputs.ts';
import { followLaunch, storedProgress } from '../launch/progress.ts';
import { retryLaunch } from '../launch/retry.ts';
import { type Started, startLaunch } from '../launch/start.ts';
import { CliError, type Context, EXIT, print, table, withContext, workflowPage } from './context.ts';
import { showLive } from './live.ts';
import { addLogsCommand } from './logs.ts';
import { drawLaunch, durations, paint, seconds } from './picture.ts';
import { addPreflightCommand } from './preflight.ts';

/** Items whose outputs `show` lists; the results path leads to all. */
const OUTPUTS_SHOWN = 20;

interface Json {
  json?: boolean;
}

export function addLaunchCommands(program: Command): void {
  const launch = program.command('launch').description('launch sheets and see what became of them');
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
    .action((file: string, options: Json & { watch?: boolean; cache: boolean }) =>
      withContext((context) => submit(context, file, options)),
    );
  addPreflightCommand(launch);
  launch
    .command('list')
    .description('the newest launches')
    .addOption(new Option('--status <status>', 'only those in this status').choices(LAUNCH_STATUSES))
    .option('--consumer <name>', 'only those of this consumer')
    .addOption(new Option('--workflow-type <type>', 'only those of this workflow type').choices(WORKFLOW_TYPES))
    .option('--limit <n>', 'how many at most', positive, 20)
    .option('--json', 'print a JSON array')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul launch list --status FAILED\n  longhaul launch list --consumer lab-a --json',
    )
    .action((options: Json & ListOptions) => withContext((context) => list(context, options)));
  launch
    .command('show')
    .argument('<launch id>')
    .description('status, steps, times, where things lie, and what went wrong')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  longhaul launch show cohort-7-run-1')
    .action((id: string, options: Json) => withContext((context) => show(context, id, options)));
  launch
    .command('watch')
    .argument('<launch id>')
    .description('show a launch until it has ended; exit code 1 unless it is COMPLETE')
    .option('--json', 'print a JSON object for each change')
    .addHelpText('after', '\nExample:\n  longhaul launch watch cohort-7-run-1')
    .action((id: string, options: Json) => withContext((context) => watch(context, id, options)));
  addLogsCommand(launch);
  launch
    .command('explain')
    .argument('<launch id>')
    .description('why a launch is stuck or has failed: one cause, one remedy, the evidence')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  longhaul launch explain cohort-7-run-1')
    .action((id: string, options: Json) => withContext((context) => explain(context, id, options)));
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
  launch
    .command('cancel')
    .argument('<launch id>')
    .description('end a launch and its jobs')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  longhaul launch cancel cohort-7-run-1')
    .action((id: string, options: Json) => withContext((context) => cancel(context, id, options)));
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('expected a number from 1 to 9999');
  return Number(text);
}

/** Checks a sheet and puts it where its consumer's sheets lie. */
async function upload(context: Context, file: string, options: { cache: boolean; place?: (name: string) => string }) {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`${file}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`, EXIT.usage);
  });
  const { consumer } = check(bytes.toString('utf8'), file).sheet;
  const { bucket } = context.settings;
  const address =
    options.place?.(basename(file)) ?? formatS3Address({ bucket, key: `sheets/${consumer}/${basename(file)}` });
  const stored = await context.aws.s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: parseS3Address(address).key,
      Body: bytes,
      ContentType: 'application/yaml',
      // The event of this upload may start the launch before this command does, so the wish goes with the sheet.
      ...(!options.cache && { Metadata: { [CACHE_METADATA]: 'off' } }),
    }),
  );
  return { address, bytes, etag: stored.ETag ?? '', ...(stored.VersionId && { version: stored.VersionId }) };
}

interface RetryCommand extends Json {
  sheet?: string;
  cache: boolean;
  watch?: boolean;
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

async function submit(
  context: Context,
  file: string,
  options: Json & { watch?: boolean; cache: boolean },
): Promise<void> {
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

/** What can be known without looking at data is said before anything is uploaded. */
function check(text: string, file: string): ParsedSheet {
  const parsed = parseSheet(text, file);
  const { sheet, lineOf } = parsed;
  const discovers = Object.values(sheet.scatter ?? {}).some((source) => !Array.isArray(source));
  if (discovers) return parsed;
  const planned = planLaunch(sheet, {
    launchId: sheet.launchId ?? 'unnamed',
    attempt: 1,
    computeService: 'batch',
    defaultResultsPath: 's3://unnamed/',
    discovered: {},
  });
  if ('problems' in planned) {
    throw new SheetError(
      file,
      planned.problems.map((problem) => withLine(problem, lineOf)),
    );
  }
  return parsed;
}

function describeStart(started: Started): string {
  if (started.outcome === 'started') return `launch ${started.launchId} is started`;
  if (started.outcome === 'running')
    return `launch ${started.launchId} is running already with this sheet (${started.status}): nothing to do`;
  return `launch ${started.launchId} has been launched with this sheet before (${started.status}): nothing to do; give it another launchId to run it again`;
}

interface ListOptions {
  status?: LaunchStatus;
  consumer?: string;
  workflowType?: string;
  limit: number;
}

async function list(context: Context, options: Json & ListOptions): Promise<void> {
  const launches = await context.launches.list(options, LAUNCH_STATUSES);
  print(options.json, launches, () => {
    if (launches.length === 0) return 'no launches yet: longhaul launch submit <sheet>';
    const rows = launches.map((item) => [
      item.launch_id,
      item.status,
      item.consumer ?? '',
      item.workflow_type ?? '',
      item.created_at.replace('T', ' ').slice(0, 19),
      item.error_type ?? '',
    ]);
    return table(['LAUNCH', 'STATUS', 'CONSUMER', 'TYPE', 'CREATED (UTC)', 'ERROR'], rows).map((line, index) =>
      index === 0 ? line : line.replace(launches[index - 1]?.status ?? '', (status) => paint(status)),
    );
  });
}

async function show(context: Context, id: string, options: Json): Promise<void> {
  const item = await context.launches.get(id);
  const progress = await storedProgress(context, id);
  if (!item || !progress) throw new CliError(`there is no launch ${id}: "longhaul launch list" shows those there are`);
  const steps = await context.steps.ofLaunch(id, item.attempt);
  const page = workflowPage(context.settings, item.workflow_id, item.run_id);
  const outputs = await launchOutputs(context.aws.s3, context.settings.bucket, id, OUTPUTS_SHOWN);
  print(options.json, { ...item, steps, outputs, temporal_ui: page }, () => {
    const lines = drawLaunch(progress, Date.now());
    const times = durations(progress, Date.now()).map(({ status, ms }) => `${status} ${seconds(ms)}`);
    lines.push('', `Time:     ${times.join(', ')}`, `Sheet:    ${item.configuration_file}`);
    if (item.data_path) lines.push(`Data:     ${item.data_path}`);
    if (item.results_path) lines.push(`Results:  ${item.results_path}`);
    lines.push(
      `Logs:     longhaul launch logs ${id} <step>   (log group ${steps[0]?.log_group ?? '/aws/batch/job'})`,
      `Temporal: ${page}`,
    );
    for (const { step, reused } of steps) {
      const whose = Object.entries(reused ?? {}).map(([launch, items]) =>
        launch === id ? `${items} by an earlier attempt` : `${items} by ${launch}`,
      );
      if (whose.length > 0)
        lines.push(`Not run:  ${step}: ${whose.join(', ')} (cached: nothing they depend on has changed)`);
    }
    if (item.failed_jobs) {
      const types = Object.entries(item.error_types ?? {}).map(([cause, jobs]) => `${jobs} ${cause}`);
      lines.push(`Failed:   ${item.failed_jobs} jobs: ${types.join(', ')}`);
    }
    if (outputs.length > 0)
      lines.push('', ...table(['STEP', 'ITEM', 'OUTPUT', 'BYTES', 'ADDRESS'], outputs.map(outputRow)));
    for (const failure of steps.flatMap((step) => step.failures ?? [])) {
      lines.push(
        '',
        `${failure.item}, job ${failure.job_id}: ${failure.container ?? ''} ${failure.exit_code ?? ''} ${failure.reason}`,
      );
      lines.push(...(failure.last_log_lines ?? []).map((line) => `  | ${line}`));
    }
    return lines;
  });
}

const outputRow = ({ step, item, name, bytes, address }: Output): string[] => [
  step,
  item,
  name,
  String(bytes),
  address,
];

async function watch(context: Context, id: string, options: Json, attempt?: number): Promise<void> {
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

async function explain(context: Context, id: string, options: Json): Promise<void> {
  const { client } = await context.temporal();
  const { launches, steps, aws, settings } = context;
  const sources = { launches, steps, batch: aws.batch, client, namespace: settings.temporalNamespace };
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

async function cancel(context: Context, id: string, options: Json): Promise<void> {
  const item = await context.launches.get(id);
  if (!item) throw new CliError(`there is no launch ${id}: "longhaul launch list" shows those there are`);
  if (isEnded(item.status)) throw new CliError(`launch ${id} has ended already: ${item.status}`);
  const { client } = await context.temporal();
  await client.workflow.getHandle(workflowIdOf(id)).cancel();
  if (!options.json) console.log(`ending the jobs of ${id} …`);
  let last: LaunchProgress | undefined;
  for await (const picture of followLaunch({ ...context, client }, id)) last = picture;
  const ended = last?.steps.filter((step) => step.state === 'CANCELLED').map((step) => step.name) ?? [];
  print(options.json, { launchId: id, status: last?.status, endedSteps: ended }, () =>
    last?.status === 'CANCELLED'
      ? `launch ${id} is CANCELLED; ended: ${ended.join(', ') || 'nothing was running'}`
      : `launch ${id} is ${last?.status}: it had ended before the cancellation came`,
  );
  if (last?.status !== 'CANCELLED') process.exitCode = EXIT.failed;
}
