/**
 * `longhaul cost …`: what launches and stories have cost.
 *
 * @module
 */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { monthToDate, ReportError } from '../../lib/cost/calendar.ts';
import { focusCsv } from '../../lib/cost/focus.ts';
import { launchLines } from '../../lib/cost/launch-lines.ts';
import { comparisonSvg } from '../../lib/cost/plot.ts';
import { costReport, GROUPINGS, type Grouping } from '../../lib/cost/report.ts';
import { reportCsv } from '../../lib/cost/report-csv.ts';
import { workflowIdOf } from '../../workflows/cost/model.ts';
import { storyNameOf } from '../../workflows/story/model.ts';
import { billingAccount } from '../cost/account.ts';
import { readComparison } from '../cost/compare.ts';
import { readStoryCost } from '../cost/story-view.ts';
import { NoCostError, readCost } from '../cost/view.ts';
import { workflowPage } from '../pages.ts';
import { CliError, type Context, EXIT, print, withContext } from './context.ts';
import { addEstimateCommand } from './cost-estimate.ts';
import { drawComparison, drawCost, drawReport } from './cost-picture.ts';
import { createTeller, type Teller } from './cost-progress.ts';
import { drawStoryCost } from './cost-story-picture.ts';

const FORMATS = ['table', 'csv', 'json', 'focus'] as const;

interface Json {
  json?: boolean;
}

interface ReportOptions extends Json {
  by: Grouping;
  from?: string;
  to?: string;
  consumer?: string;
  format: (typeof FORMATS)[number];
  output?: string;
  billingAccount?: string;
  billingAccountName?: string;
}

export function addCostCommands(program: Command): void {
  const cost = program.command('cost').description('what launches and stories have cost, and what launches would');
  cost
    .command('show')
    .argument('<id>', 'of a launch; of a story: story/<family>/<night>')
    .description('by step and resource, of a story by stage; what was lost, idle or not priced')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul cost show cohort-7-run-1\n  longhaul cost show cohort-7-run-1 --json\n  longhaul cost show story/fox-family/2026-11-26',
    )
    .action((id: string, options: Json) => withCosts((context) => show(context, id, options)));
  cost
    .command('report')
    .description('sums over launches and stories; of the month so far where no dates are given')
    .addOption(new Option('--by <group>', 'what to sum by').choices(GROUPINGS).default('consumer'))
    .option('--from <date>', 'the first day (UTC), such as 2026-11-01; default: the first of the month')
    .option('--to <date>', 'the last day, included; default: today')
    .option('--consumer <name>', 'only what this one has spent')
    .addOption(
      new Option(
        '--format <format>',
        'csv has unrounded sums; focus is FOCUS 1.2 CSV, a row for each line of the ledger',
      )
        .choices(FORMATS)
        .default('table'),
    )
    .option('--json', 'the same as --format json')
    .option('--output <file>', 'write it there')
    .option('--billing-account <id>', 'of focus: the AWS account; default: that of the credentials')
    .option('--billing-account-name <name>', 'of focus: what it is called')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul cost report --by week --from 2026-09-01\n  longhaul cost report --by type --consumer lab-a --format csv --output lab-a.csv\n  longhaul cost report --from 2026-10-01 --to 2026-10-31 --format focus --output october.csv',
    )
    .action((options: ReportOptions) => withCosts((context) => report(context, options)));
  cost
    .command('compare')
    .argument('<launch ids...>', 'of the same work on different compute')
    .description('time, cost and reported figures side by side, and which of them nobody beats')
    .option('--svg <file>', 'also draw time against cost')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul cost compare on-batch on-slurm\n  longhaul cost compare m5 c7g r7i --svg families.svg',
    )
    .action((ids: string[], options: Json & { svg?: string }) =>
      withCosts((context) => compare(context, ids, options)),
    );
  addEstimateCommand(cost);
}

/** What a person has got wrong is told as that; where a workflow is to be looked at, with its page. */
const withCosts = (run: (context: Context) => Promise<void>): Promise<void> =>
  withContext(async (context) => {
    try {
      await run(context);
    } catch (error) {
      if (error instanceof ReportError) throw new CliError(error.message, EXIT.usage);
      if (!(error instanceof NoCostError)) throw error;
      const { reason, launchId, message } = error;
      const page = reason === 'pricing' ? `\n${workflowPage(context.settings, workflowIdOf(launchId))}` : '';
      throw new CliError(`${message}${page}`);
    }
  });

async function telling<T>(run: (teller: Teller) => Promise<T>): Promise<T> {
  const teller = createTeller();
  try {
    return await run(teller);
  } finally {
    teller.done();
  }
}

async function show(context: Context, id: string, options: Json): Promise<void> {
  const story = storyNameOf(id);
  if (story) {
    const view = await readStoryCost(context, story);
    return print(options.json, view, () => drawStoryCost(view));
  }
  const view = await readCost(context, id);
  print(options.json, view, () => drawCost(view));
}

async function report({ ledger, aws }: Context, options: ReportOptions): Promise<void> {
  const { by, consumer, output } = options;
  const format = options.json ? 'json' : options.format;
  const query = {
    ...monthToDate(Date.now()),
    ...(options.from !== undefined && { from: options.from }),
    ...(options.to !== undefined && { to: options.to }),
    ...(consumer !== undefined && { consumer }),
  };
  await telling(async ({ tell, done }) => {
    if (format === 'focus') {
      const { billingAccount: id, billingAccountName: name } = options;
      const account = await billingAccount(aws.s3, { id, name });
      const lines = launchLines(ledger, query, (read, all) => tell(`${read} of ${all} launches`));
      return write(focusCsv(lines, account), output);
    }
    const found = await costReport({ ledger }, { by, ...query }, ({ items }) => tell(`${items} entries read`));
    done();
    const text = {
      table: () => `${drawReport(found).join('\n')}\n`,
      csv: () => reportCsv(found),
      json: () => `${JSON.stringify(found)}\n`,
    };
    return write([text[format]()], output);
  });
}

/** Piece by piece: a FOCUS file of a year does not fit into memory. */
async function write(pieces: AsyncIterable<string> | Iterable<string>, file: string | undefined): Promise<void> {
  if (file !== undefined) return pipeline(Readable.from(pieces), createWriteStream(file));
  for await (const piece of pieces)
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(piece, (error) => (error ? reject(error) : resolve()));
    });
}

async function compare(context: Context, ids: string[], options: Json & { svg?: string }): Promise<void> {
  const wanted = [...new Set(ids)];
  if (wanted.length < 2) throw new CliError('name two launches or more', EXIT.usage);
  const { settings, aws, launches, steps, ledger } = context;
  const sources = { s3: aws.s3, bucket: settings.bucket, launches, steps, ledger };
  const comparison = await telling(({ tell }) =>
    readComparison(sources, wanted, (read) => tell(`${read} commits read`)),
  );
  if (options.svg !== undefined) await writeFile(options.svg, comparisonSvg(comparison));
  print(options.json, comparison, () => [
    ...drawComparison(comparison),
    ...(options.svg === undefined ? [] : ['', `plot: ${options.svg}`]),
  ]);
}
