/**
 * `longhaul launch logs`
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import pc from 'picocolors';
import { LAUNCH_STATUSES } from '../../workflows/launch/model.ts';
import { clusterOfSettings } from '../launch/log-cluster.ts';
import { followLogs, NoLaunchError } from '../launch/log-follow.ts';
import { CONTAINERS, type LogLine, parseDuration } from '../launch/log-lines.ts';
import { checkNames, type LoggedStep, loggedLaunch, unknown } from '../launch/log-steps.ts';
import { chooseAttempts, stepLogs } from '../launch/logs.ts';
import { runsOnKubernetes } from '../launch/own-words.ts';
import { CliError, type Context, EXIT, print, withContext } from './context.ts';

/** Items of a step that are shown when none are chosen: what somebody may want to read. */
const ITEMS_SHOWN = 20;
/** Launches among which a name near a wrong one is looked for. */
const KNOWN_LAUNCHES = 200;

interface LogsOptions {
  follow?: boolean;
  search?: string;
  item?: string[];
  attempt?: number;
  container: string[];
  tail?: number;
  /** Milliseconds. */
  since?: number;
  errors?: boolean;
  json?: boolean;
}

export function addLogsCommand(launch: Command): void {
  launch
    .command('logs')
    .argument('<launch id>')
    .argument('[step]', 'all steps when left out')
    .description('what the jobs of a launch have written, or are writing')
    .option('-f, --follow', 'stay and print lines as they come, until the launch or the step has ended')
    .option('--search <pattern>', 'only lines that match: a filter pattern of CloudWatch Logs')
    .option('--item <key...>', 'only these items, as "launch show" names them')
    .option('--attempt <n>', 'only this attempt of the compute service, counted from 1', whole)
    .addOption(new Option('--container <name...>', 'whose lines').choices(CONTAINERS).default(['main']))
    .option('--tail <n>', 'only the last lines of each container of each attempt', whole)
    .option('--since <duration>', 'only lines of the last 90s, 10m, 2h or 1d', duration)
    .addOption(new Option('--errors', 'only items that have failed').conflicts('follow'))
    .option('--json', 'print a JSON object for each line')
    .addHelpText(
      'after',
      `
Examples:
  longhaul launch logs cohort-7-run-1 align
  longhaul launch logs cohort-7-run-1 --follow
  longhaul launch logs cohort-7-run-1 align --item NA12878 --attempt 2 --container stage main publish
  longhaul launch logs cohort-7-run-1 align --errors --tail 20
  longhaul launch logs cohort-7-run-1 --search '?ERROR ?"out of memory"' --since 2h`,
    )
    .action((id: string, step: string | undefined, options: LogsOptions) =>
      withContext((context) => logs(context, id, step, options)),
    );
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('expected a number from 1 to 9999');
  return Number(text);
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('expected a number and s, m, h or d, such as 10m');
  return ms;
}

async function logs(
  context: Context,
  id: string,
  step: string | undefined,
  { follow, search, item: items, attempt, container: containers, tail, since, errors, json }: LogsOptions,
): Promise<void> {
  const sources = {
    ...context,
    ...context.aws,
    bucket: context.settings.bucket,
    kubernetes: clusterOfSettings(context.settings),
  };
  const reading = {
    containers,
    ...(search !== undefined && { search }),
    ...(tail !== undefined && { tail }),
    ...(since !== undefined && { since: Date.now() - since }),
  };
  const choice = { ...(items && { items }), ...(attempt !== undefined && { attempt }), ...(errors && { errors }) };
  // Beside the lines, so that whoever reads these gets nothing else.
  const note = (text: string) => console.error(pc.dim(text));
  endWithReader();
  try {
    if (follow) {
      const lines = followLogs(sources, id, { ...reading, ...choice, ...(step !== undefined && { step }) });
      await printLines(lines, containers.length > 1, json);
      return note(`launch ${id} is ${(await context.launches.get(id))?.status}`);
    }
    const launch = await loggedLaunch(sources, id);
    if (!launch) throw await missing(context, id);
    if (!launch.steps) return note(`launch ${id} is ${launch.item.status}; no step of it has been planned`);
    checkNames(launch.steps, { step, items });
    for (const one of launch.steps.filter(({ name }) => step === undefined || name === step)) {
      if (!one.row && step !== undefined) note(`step ${one.name} has not been submitted yet`);
      if (!one.row) continue;
      const own = items && { items: items.filter((item) => one.items.includes(item)) };
      if (own?.items.length === 0) continue;
      const bounded = items === undefined && search === undefined;
      const { attempts, leftOut } = await chooseAttempts(sources, one, {
        ...choice,
        ...own,
        ...(bounded && { limit: ITEMS_SHOWN }),
      });
      if (attempts.length === 0) note(nothing(one, errors));
      const silent = attempts.filter(({ streams }) => Object.keys(streams).length === 0).length;
      if (silent > 0) note(forgotten(one, silent));
      await printLines(stepLogs(sources, attempts, reading), containers.length > 1, json);
      if (leftOut > 0) note(howToChoose(one, leftOut, errors));
    }
  } catch (error) {
    if (error instanceof NoLaunchError) throw await missing(context, id);
    if (search !== undefined && error instanceof Error && error.name === 'InvalidParameterException')
      throw new CliError(`--search ${search}: ${error.message}`, EXIT.usage);
    throw error;
  }
}

async function missing(context: Context, id: string): Promise<CliError> {
  const known = await context.launches.list({ limit: KNOWN_LAUNCHES }, LAUNCH_STATUSES);
  const names = known.map(({ launch_id }) => launch_id);
  return new CliError(`${unknown('launch', id, names)} "longhaul launch list" shows the newest`);
}

function nothing({ name, row }: LoggedStep, errors: boolean | undefined): string {
  if (errors) return `step ${name}: no item has failed`;
  return row?.items.cached === row?.items.total
    ? `step ${name}: nothing was run, everything had been done before`
    : `step ${name}: no job has started that was asked for`;
}

const forgotten = ({ name, row }: LoggedStep, attempts: number): string => {
  const why = row && runsOnKubernetes(row) ? ': Kubernetes keeps logs with the pods, up to a day after the end' : '';
  return `step ${name}: nobody knows any more what ${attempts} attempts have written${why}`;
};

const howToChoose = ({ name }: LoggedStep, leftOut: number, errors: boolean | undefined): string =>
  `step ${name}: ${ITEMS_SHOWN} ${errors ? 'failed ' : ''}items are shown, ${leftOut} more are not; choose with --item <key...>${errors ? '' : ', --errors'} or --search <pattern>`;

async function printLines(lines: AsyncIterable<LogLine>, named: boolean, json: boolean | undefined): Promise<void> {
  for await (const line of lines) print(json, line, () => describe(line, named));
}

const COLOURS = [pc.cyan, pc.yellow, pc.green, pc.magenta, pc.blue];

function describe(line: LogLine, named: boolean): string {
  const { at, step, item, attempt, generation = 1, container, message } = line;
  const paint = COLOURS[[...item].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % COLOURS.length];
  const who = `[${step}/${item}#${generation > 1 ? `${generation}.` : ''}${attempt}${named ? ` ${container}` : ''}]`;
  return `${pc.dim(at.slice(11, 23))} ${paint?.(who) ?? who} ${message}`;
}

/** Whoever reads our lines, such as `head`, may have had enough of them. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });
}
