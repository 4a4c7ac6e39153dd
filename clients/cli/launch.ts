/**
 * `longhaul launch …`: the commands in their order, and those that are short.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  LAUNCH_STATUSES,
  type LaunchProgress,
  type LaunchStatus,
  WORKFLOW_TYPES,
} from '../../workflows/launch/model.ts';
import { cancelLaunch } from '../launch/cancel.ts';
import { launchOutputs, type Output } from '../launch/outputs.ts';
import { followLaunch, storedProgress } from '../launch/progress.ts';
import { workflowPage } from '../pages.ts';
import { CliError, type Context, EXIT, print, table, withContext } from './context.ts';
import { addExportCommand, addImportCommand } from './exchange.ts';
import { addExplainCommand } from './explain.ts';
import { addLogsCommand } from './logs.ts';
import { drawLaunch, durations, paint, seconds } from './picture.ts';
import { addPreflightCommand } from './preflight.ts';
import { addRetryCommand, addSubmitCommand } from './submit.ts';
import { addWatchCommand } from './watch.ts';

/** Items whose outputs `show` lists; the results path leads to all. */
const OUTPUTS_SHOWN = 20;

interface Json {
  json?: boolean;
}

export function addLaunchCommands(program: Command): void {
  const launch = program.command('launch').description('launch sheets and see what became of them');
  addSubmitCommand(launch);
  addPreflightCommand(launch);
  addExportCommand(launch);
  addImportCommand(launch);
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
  addWatchCommand(launch);
  addLogsCommand(launch);
  addExplainCommand(launch);
  addRetryCommand(launch);
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
      item.waiting_for ? `${item.status} for ${item.waiting_for}` : item.status,
      item.consumer ?? '',
      item.workflow_type ?? '',
      item.created_at.replace('T', ' ').slice(0, 19),
      item.total_cost === undefined ? '' : `${item.total_cost} ${item.currency}`,
      item.error_type ?? '',
    ]);
    return table(['LAUNCH', 'STATUS', 'CONSUMER', 'TYPE', 'CREATED (UTC)', 'COST', 'ERROR'], rows).map((line, index) =>
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
    if (item.total_cost !== undefined)
      lines.push(
        `Cost:     ${item.total_cost} ${item.currency}${item.unpriced ? ', not all of it has a price' : ''}   (longhaul cost show ${id})`,
      );
    if (item.statuses.WAITING && item.waiting_for !== 'budget') lines.push(`Restore:  longhaul restore show ${id}`);
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

async function cancel(context: Context, id: string, options: Json): Promise<void> {
  const { client } = await context.temporal();
  const asked = await cancelLaunch({ client, launches: context.launches }, id);
  if (asked.outcome === 'refused') throw new CliError(asked.reason);
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
