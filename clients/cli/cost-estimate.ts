/**
 * `longhaul cost estimate`: what a sheet will take and cost, before it is launched.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import pc from 'picocolors';
import type { Band } from '../../lib/cost/estimate/model.ts';
import { COMPUTE_SERVICES, type ComputeService } from '../../workflows/launch/model.ts';
import type { Offer, PlannedCost } from '../cost/estimate.ts';
import { estimateWith } from '../cost/estimator.ts';
import { type Context, print, table, withContext } from './context.ts';
import { planFile } from './preflight.ts';

interface Options {
  compute?: ComputeService;
  market?: 'on-demand' | 'spot';
  families?: string[];
  vcpus?: number;
  json?: boolean;
}

/** Launches that are named; there may be hundreds. */
const NAMED = 6;

export function addEstimateCommand(cost: Command): void {
  cost
    .command('estimate')
    .argument('<sheet>', 'YAML or JSON file')
    .description('what a sheet will take and cost, by what launches before it took; launches nothing')
    .addOption(new Option('--compute <service>', "instead of the sheet's").choices(COMPUTE_SERVICES))
    .addOption(new Option('--market <market>', 'only this one; default: both').choices(['on-demand', 'spot']))
    .option('--families <names>', 'instance families to compare, such as m6i,c6i', families)
    .option('--vcpus <n>', 'how many vCPUs its jobs may have at a time (default: 256)', vcpus)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      [
        '',
        'Of ten launches eight should lie between P10 and P90. A step that fewer than three launches have run is not estimated.',
        '',
        'Examples:',
        '  longhaul cost estimate cohort.yaml',
        '  longhaul cost estimate cohort.yaml --market spot --families m6i,c6i,r6i',
        "  longhaul cost estimate cohort.yaml --json | jq '.offers[0].money'",
      ].join('\n'),
    )
    .action((file: string, options: Options) => withContext((context) => run(context, file, options)));
}

function families(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (!names.every((name) => /^[a-z][a-z0-9-]*$/.test(name)))
    throw new InvalidArgumentError('expected families joined by commas, such as m6i,c6i');
  return names;
}

function vcpus(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 on');
  return Number(text);
}

async function run(context: Context, file: string, options: Options): Promise<void> {
  const { plan } = await planFile(context, file, options.compute);
  const planned = await estimateWith(context, {
    plan,
    ...(options.market && { market: options.market }),
    ...(options.families && { families: options.families }),
    ...(options.vcpus !== undefined && { parallelVcpus: options.vcpus }),
  });
  print(options.json, planned, () => drawEstimate(planned, file));
}

/** What launches ran on, as it is mostly bought; else the cheapest. */
const usualOf = (offers: readonly Offer[]): Offer | undefined =>
  offers.find(({ known, market, money }) => known && money && market !== 'spot') ??
  offers.find(({ money }) => money) ??
  offers[0];

export function drawEstimate(planned: PlannedCost, file: string): string[] {
  const { estimate, offers, overhead, parallelVcpus, missingInputs } = planned;
  const usual = usualOf(offers);
  const currency = usual?.money?.currency ?? 'USD';
  const bought = new Map(usual?.steps.map((step) => [step.step, step]));
  const cells = (seconds: Band, money: Band | undefined) => [
    ...three(seconds, duration),
    ...(money ? three(money, amount) : ['', '', '']),
  ];
  const rows = estimate.steps.map(({ step, items, cached, seconds }) => {
    const known = bought.get(step) ?? (seconds && { seconds, money: undefined });
    const counted = `${items}${cached > 0 ? ` (+${cached} cached)` : ''}`;
    return [step, counted, ...(known ? cells(known.seconds, known.money) : ['not known'])];
  });
  const total = ['total', '', ...cells(usual?.seconds ?? estimate.seconds, usual?.money)];
  const heads = ['EXPECTED', 'P10', 'P90'];
  const lines = [
    pc.bold(usual ? `${file} on ${usual.family}, ${usual.market}: work and ${currency}` : `${file}: work`),
    ...table(['STEP', 'ITEMS', ...heads, ...heads.map((head) => `${currency} ${head}`)], [...rows, total]),
  ];
  // Sums of nothing would read as if it cost nothing.
  if (nothingKnown(planned)) return [...lines.slice(0, -1), '', ...missingOf(planned), '', ...notesOf(planned)];
  if (estimate.incomplete) lines.push(pc.yellow('The total is without the steps that history does not tell of:'));
  lines.push(...missingOf(planned));
  for (const { step, extrapolated } of estimate.steps)
    if (extrapolated) lines.push(pc.yellow(`${step}: inputs are smaller or larger than any it has learnt from`));
  const wall = usual?.wallSeconds ?? estimate.wallSeconds;
  lines.push(
    '',
    `From the first job to the last: ${duration(wall.expected)} (${duration(wall.p10)} to ${duration(wall.p90)}), with ${parallelVcpus} vCPUs at a time, without waiting for hosts`,
  );
  if (offers.length > 0) lines.push('', pc.bold('Ways to buy it, the cheapest first'), ...drawOffers(offers, currency));
  lines.push('', ...notesOf(planned));
  if (overhead.launches > 0)
    lines.push(
      `Volumes, requests, packing and idle time: ${Math.round((overhead.factor - 1) * 100)} % on top, as in ${count(overhead.launches, 'ledger')}; it is in the figures`,
    );
  if (missingInputs > 0) lines.push(pc.yellow(`${count(missingInputs, 'input')} not there yet: of unknown size`));
  return lines;
}

const nothingKnown = ({ estimate }: PlannedCost): boolean =>
  estimate.steps.every(({ missing }) => missing !== undefined);

const missingOf = ({ estimate }: PlannedCost): string[] =>
  estimate.steps.flatMap(({ step, missing }) => (missing === undefined ? [] : [`  ${step}: ${missing}`]));

function drawOffers(offers: readonly Offer[], currency: string): string[] {
  const rows = offers.map(({ family, market, known, seconds, money, unpriced }) => [
    family,
    market,
    duration(seconds.expected),
    ...(money ? three(money, amount) : ['not known', '', '']),
    [...(known ? [] : ['no launch has run on it']), ...unpriced.slice(0, 1).map(({ reason }) => reason)].join('; '),
  ]);
  const heads = ['EXPECTED', 'P10', 'P90'].map((head) => `${currency} ${head}`);
  return table(['FAMILY', 'MARKET', 'WORK', ...heads, ''], rows);
}

function notesOf({ estimate: { launches } }: PlannedCost): string[] {
  if (launches.length === 0) return ['Learnt from no launch: launches are known once they have been priced'];
  const more = launches.length > NAMED ? `, and ${launches.length - NAMED} more` : '';
  return [`Learnt from ${count(launches.length, 'launch')}: ${launches.slice(0, NAMED).join(', ')}${more}`];
}

const three = ({ expected, p10, p90 }: Band, draw: (value: number) => string): string[] =>
  [expected, p10, p90].map(draw);

/** Two digits at least of what is less than a unit. */
const amount = (value: number): string =>
  value >= 0.1 || value === 0 ? value.toFixed(2) : value.toFixed(Math.min(1 - Math.floor(Math.log10(value)), 12));

function duration(value: number): string {
  if (value < 100) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const count = (number: number, what: string): string =>
  `${number} ${what}${number === 1 ? '' : what.endsWith('ch') ? 'es' : 's'}`;
