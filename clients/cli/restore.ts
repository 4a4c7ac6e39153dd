/**
 * `longhaul restore …`: what archived objects would cost and take, and restoring them.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  MOST_DAYS,
  RESTORE_ID_PATTERN,
  TIERS,
  type Tier,
  type Wishes,
  workflowIdOf,
} from '../../workflows/restore/model.ts';
import { parseDuration } from '../../workflows/restore/plan.ts';
import { workflowPage } from '../pages.ts';
import { cancelRestore } from '../restore/cancel.ts';
import { planOf } from '../restore/plan.ts';
import { currentRestorePrices } from '../restore/prices.ts';
import { followRestore, restoreProgress } from '../restore/progress.ts';
import { restoreIdFor, startRestore } from '../restore/start.ts';
import { CliError, type Context, EXIT, print, withContext } from './context.ts';
import { type Drawing, showPictures } from './live.ts';
import { drawPlan, drawRestore, restoreLine } from './restore-picture.ts';

interface Json {
  json?: boolean;
}

interface WishOptions extends Json {
  file?: string;
  tier?: Tier;
  deadline?: number;
  days?: number;
  limit?: number;
}

interface StartOptions extends WishOptions {
  id?: string;
  consumer?: string;
  watch?: boolean;
}

const DRAWING: Drawing<Parameters<typeof drawRestore>[0]> = {
  draw: drawRestore,
  line: restoreLine,
  begun: ({ statuses }) => Math.min(...Object.values(statuses), Date.now()),
};

export function addRestoreCommands(program: Command): void {
  const restore = program.command('restore').description('restore archived objects, with or without a launch');
  withWishes(restore.command('plan'))
    .description('objects and bytes of each class, and what each tier would cost and take; asks for nothing')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul restore plan s3://archive/cohort-7/\n  longhaul restore plan "s3://archive/**/*.fq.gz" --deadline 12h\n  longhaul restore plan --file s3://archive/inventory/2026-11-01/manifest.json --json',
    )
    .action((sources: string[], options: WishOptions) => withContext((context) => plan(context, sources, options)));
  withWishes(restore.command('start'))
    .description('restore them, durably')
    .option('--id <id>', 'the id of the restore; default: derived from what is asked for')
    .option('--consumer <name>', 'who pays')
    .option('--watch', 'stay and show it until every object can be read')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul restore start s3://archive/cohort-7/ --days 7 --watch\n  longhaul restore start --file s3://longhaul/lists/cohort-7.txt --id cohort-7 --limit 50',
    )
    .action((sources: string[], options: StartOptions) => withContext((context) => start(context, sources, options)));
  restore
    .command('show')
    .argument('<restore id>', 'of a launch: the launch id')
    .description('counts, rate, when it should be ready, and what failed')
    .option('--watch', 'stay until every object can be read')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul restore show cohort-7\n  longhaul restore show cohort-7-run-1 --watch',
    )
    .action((id: string, options: Json & { watch?: boolean }) => withContext((context) => show(context, id, options)));
  restore
    .command('cancel')
    .argument('<restore id>')
    .description('ask for nothing more; S3 cannot take back what has been asked for')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  longhaul restore cancel cohort-7')
    .action((id: string, options: Json) => withContext((context) => cancel(context, id, options)));
}

const withWishes = (command: Command): Command =>
  command
    .argument('[s3 addresses...]', 'objects, prefixes with a slash at the end, patterns with *, ? and **')
    .option(
      '--file <s3 address>',
      "a request (.json), a list of addresses (.txt, .csv, also .gz), or an S3 Inventory's manifest.json",
    )
    .addOption(new Option('--tier <tier>', 'where an archive does not have it, the nearest slower one').choices(TIERS))
    .option('--deadline <time>', 'such as 12h: the cheapest tier that makes it', duration)
    .option('--days <n>', 'how long restored copies live (default: 3)', days)
    .option('--limit <usd>', 'above it the restore waits for "longhaul approve"', money)
    .option('--json', 'print one JSON object');

function duration(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new InvalidArgumentError('expected a time such as 90m, 12h or 2d');
  return seconds;
}

function days(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > MOST_DAYS)
    throw new InvalidArgumentError(`expected a whole number from 1 to ${MOST_DAYS}`);
  return value;
}

function money(text: string): number {
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError('expected US dollars, such as 20 or 0.50');
  return Number(text);
}

const wishesOf = ({ tier, deadline, days: live, limit }: WishOptions): Wishes => ({
  ...(tier && { tier }),
  ...(deadline !== undefined && { deadlineSeconds: deadline }),
  ...(live !== undefined && { days: live }),
  ...(limit !== undefined && { limitUsd: limit }),
});

function checkSources(sources: readonly string[], { file }: WishOptions): void {
  if (sources.length === 0 && file === undefined)
    throw new CliError('name what to restore: S3 addresses, or --file', EXIT.usage);
}

async function plan(context: Context, sources: string[], options: WishOptions): Promise<void> {
  checkSources(sources, options);
  const tell = options.json || !process.stderr.isTTY ? undefined : process.stderr;
  const planned = await planOf(context.aws.s3, {
    sources,
    ...(options.file !== undefined && { file: options.file }),
    wishes: wishesOf(options),
    prices: () => currentRestorePrices(context.aws),
    found: (objects) => tell?.write(`\r\u001b[2K${objects.toLocaleString('en-US')} archived objects so far`),
  });
  tell?.write('\r\u001b[2K');
  print(options.json, planned, () => drawPlan(planned));
  if (planned.problem !== undefined) process.exitCode = EXIT.failed;
}

async function start(context: Context, sources: string[], options: StartOptions): Promise<void> {
  checkSources(sources, options);
  if (options.id !== undefined && !RESTORE_ID_PATTERN.test(options.id))
    throw new CliError('--id: expected letters, digits, - and _, up to 64', EXIT.usage);
  const { client } = await context.temporal();
  const what = {
    ...(sources.length > 0 && { sources }),
    ...(options.file !== undefined && { configurationFile: options.file }),
    ...(options.consumer !== undefined && { consumer: options.consumer }),
    wishes: wishesOf(options),
  };
  const restoreId = options.id ?? restoreIdFor(what);
  const { workflowId, started } = await startRestore(client, { restoreId, ...what });
  const page = workflowPage(context.settings, workflowId);
  if (!options.watch || !options.json)
    print(options.json, { restoreId, workflowId, started, temporalUi: page }, () => [
      started ? `restore ${restoreId} is started` : `restore ${restoreId} is running already: nothing to do`,
      `Temporal Web UI: ${page}`,
    ]);
  if (options.watch) await watch(context, restoreId, options);
}

async function watch(context: Context, restoreId: string, options: Json): Promise<void> {
  const { client } = await context.temporal();
  const pictures = followRestore({ client, restores: context.restores }, restoreId);
  let last: Parameters<typeof drawRestore>[0] | undefined;
  if (options.json) for await (const picture of pictures) last = picture;
  else last = await showPictures(pictures, process.stdout, DRAWING);
  if (options.json) console.log(JSON.stringify(last));
  if (last?.status !== 'COMPLETE' && last?.status !== 'READY') process.exitCode = EXIT.failed;
}

async function show(context: Context, id: string, options: Json & { watch?: boolean }): Promise<void> {
  const { client } = await context.temporal();
  const progress = await restoreProgress({ client, restores: context.restores }, id);
  if (!progress) throw new CliError(`there is no restore ${id}: the restore of a launch has the launch's id`);
  if (options.watch) return watch(context, id, options);
  print(options.json, progress, () => drawRestore(progress, Date.now()));
}

async function cancel(context: Context, id: string, options: Json): Promise<void> {
  const { client } = await context.temporal();
  const asked = await cancelRestore({ client, restores: context.restores }, id);
  if (asked.outcome === 'refused') throw new CliError(asked.reason);
  await client.workflow
    .getHandle(workflowIdOf(id))
    .result()
    .catch(() => {});
  const ended = await restoreProgress({ client, restores: context.restores }, id);
  print(options.json, ended, () =>
    ended?.status === 'CANCELLED'
      ? `restore ${id} is CANCELLED: ${ended.counts.requested} objects had been asked for, and will come and go by themselves`
      : `restore ${id} is ${ended?.status}: it had ended before the cancellation came`,
  );
  if (ended?.status !== 'CANCELLED') process.exitCode = EXIT.failed;
}
