/**
 * Costs as text: of one launch, of many in a table, of several side by side.
 *
 * @module
 */
import pc from 'picocolors';
import type { Comparison } from '../../lib/cost/compare.ts';
import type { CostReport, ReportRow } from '../../lib/cost/report.ts';
import type { CostOfCurrency, CostView } from '../../lib/cost/show.ts';
import { COMPONENTS } from '../../workflows/cost/model.ts';
import { formatDuration } from '../../workflows/restore/plan.ts';
import { table } from './context.ts';
import { paint } from './picture.ts';

/** Resources that are listed: a wide launch has thousands; --json has all. */
const RESOURCES_SHOWN = 20;
const LABELS_SHOWN = 6;

/** Figures of a column stand below each other; the first columns are words. */
export function figures(header: readonly string[], rows: readonly (readonly string[])[], words: number): string[] {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const [first = [], ...others] = [header, ...rows].map((row) =>
    row.map((cell, column) => (column < words ? cell : cell.padStart(widths[column] ?? 0))),
  );
  return table(first, others);
}

/** Below it four decimals show a zero. */
const LEAST_OF_FOUR = 0.00005;

/** What a few digits can show of an exact amount: nothing that costs reads as nothing. */
export function brief(amount: string): string {
  const value = Number(amount);
  if (value === 0) return '–';
  if (value >= 1) return value.toFixed(2);
  return value < LEAST_OF_FOUR ? value.toExponential(1) : value.toFixed(4);
}

const title = (name: string): string => name.replace(/_cost$/, '').replaceAll('_', ' ');

export function drawCost(view: CostView): string[] {
  const { launchId, status, cost, currency = '', costStatus, attempts, durations } = view;
  const parts = Object.entries(cost).filter(([name]) => name !== 'total_cost');
  const pending = costStatus === 'PENDING' ? pc.dim('  not final: instances still run, or the bill is awaited') : '';
  return [
    `${pc.bold(launchId)}  ${paint(status)}  ${pc.bold(`${cost.total_cost} ${currency}`)}${pending}`,
    `  ${parts.map(([name, amount]) => `${title(name)} ${amount}`).join(', ')}`,
    ...(attempts > 1 ? [`  of ${attempts} attempts`] : []),
    `  ${Object.entries(durations)
      .map(([name, seconds]) => `${name} ${formatDuration(seconds)}`)
      .join(', ')}`,
    ...view.currencies.flatMap((one) => drawCurrency(one, view.currencies.length > 1)),
    ...drawSavings(view),
    ...drawActual(view),
    ...drawUnpriced(view),
  ];
}

function drawCurrency({ currency, total, ways, steps, resources }: CostOfCurrency, named: boolean): string[] {
  const spent = Object.entries(ways).filter(([, amount]) => Number(amount) > 0);
  const lost = ({ lostBy }: CostOfCurrency['steps'][number]) =>
    Object.entries(lostBy)
      .map(([outcome, amount]) => `${brief(amount)} ${outcome}`)
      .join(', ');
  const more = resources.length - RESOURCES_SHOWN;
  return [
    '',
    ...(named ? [pc.bold(`${total} ${currency}`)] : []),
    `spent for: ${spent.map(([way, amount]) => `${way} ${amount}`).join(', ') || 'nothing'}`,
    '',
    ...figures(
      ['STEP', 'LOST', 'COST', 'EFFECTIVE', 'PACKING', 'IDLE', 'WORKED'],
      steps.map((step) => [
        step.step ?? '(all)',
        lost(step) || '–',
        step.cost,
        brief(step.effective),
        brief(step.packing),
        brief(step.idle),
        step.step === undefined ? '' : formatDuration(step.seconds),
      ]),
      2,
    ),
    '',
    ...figures(
      ['RESOURCE', 'TYPE', 'MARKET', 'WHERE', 'SKU', 'PRICES AS OF', 'COST', 'LOST', 'IDLE', 'HOURS'],
      resources
        .slice(0, RESOURCES_SHOWN)
        .map((resource) => [
          resource.resource,
          resource.resourceType,
          resource.market ?? '',
          resource.zone ?? resource.region,
          resource.skus.join(' ') || '–',
          datesOf(resource.pricesAt),
          resource.cost,
          brief(resource.lost),
          brief(resource.idle),
          resource.hours?.toFixed(2) ?? '–',
        ]),
      6,
    ),
    ...(more > 0 ? [pc.dim(`and ${more} cheaper ones: --json has all`)] : []),
    ...marksOf(resources),
  ];
}

function datesOf([oldest, newest]: readonly [string, string]): string {
  const [from, to] = [oldest.slice(0, 10), newest.slice(0, 10)];
  return from === to ? from : `${from} to ${to}`;
}

function marksOf(resources: CostOfCurrency['resources']): string[] {
  const marks = [...new Set(resources.flatMap((resource) => resource.marks))];
  return marks.length === 0 ? [] : [pc.dim(`marked: ${marks.join('; ')}`)];
}

const drawSavings = ({ spotSavings }: CostView): string[] =>
  spotSavings.map(
    ({ type, region, saved, onDemand, currency }) =>
      `spot ${type} in ${region}: ${brief(saved)} ${currency} less than the ${brief(onDemand)} of on-demand`,
  );

function drawActual({ actual, currency = '' }: CostView): string[] {
  if (!actual) return [];
  const off =
    actual.difference === undefined ? '' : ` (${actual.difference} more than was estimated for what is tagged)`;
  const services = actual.byService.map(({ service, amount }) => `  ${service} ${brief(amount)}`);
  return ['', `by the bill: ${actual.cost} ${currency}${off}`, ...services];
}

function drawUnpriced({ unpriced }: CostView): string[] {
  if (unpriced.length === 0) return [];
  return [
    '',
    pc.yellow('not priced, and not in the total:'),
    ...unpriced.flatMap(({ resource, component, reason, remedy }) => [
      pc.yellow(`  ${resource} (${title(component)}): ${reason}`),
      `    ${remedy}`,
    ]),
  ];
}

export function drawReport({ by, from, to, consumer, rows, totals, read }: CostReport): string[] {
  const whose = consumer === undefined ? '' : ` of ${consumer}`;
  if (rows.length === 0) return [`nothing${whose} has cost anything from ${from} to ${to}, or it is not priced yet`];
  const present = COMPONENTS.filter((component) => rows.some(({ components }) => components[component] !== undefined));
  const row = (
    group: string,
    { currency, launches, total, components, lost, idle, packing }: Omit<ReportRow, 'group'>,
  ) => [
    group,
    currency,
    String(launches),
    total,
    ...present.map((component) => components[component] ?? '–'),
    lost,
    idle,
    packing,
  ];
  const header = [by, 'currency', 'launches', 'total', ...present.map(title), 'lost', 'idle', 'packing'];
  const lines = figures(
    header.map((name) => name.toUpperCase()),
    [...rows.map((one) => row(one.group, one)), ...totals.map((one) => row('all', one))],
    2,
  );
  return [
    ...lines.slice(0, -totals.length),
    ...lines.slice(-totals.length).map((line) => pc.bold(line)),
    pc.dim(`${from} to ${to} (UTC)${whose}; ${read.items} entries read in ${read.pages} pages`),
  ];
}

export function drawComparison({ launches, verdict, notes }: Comparison): string[] {
  const marks = (id: string) =>
    [
      ...(verdict.fastest === id ? ['fastest'] : []),
      ...(verdict.cheapest === id ? ['cheapest'] : []),
      ...(verdict.paretoOptimal.includes(id) ? [] : verdict.paretoOptimal.length > 0 ? ['beaten'] : []),
    ].join(', ');
  const ids = launches.map(({ launchId }) => launchId);
  const components = [...new Set(launches.flatMap((one) => Object.keys(one.components)))];
  const statuses = [...new Set(launches.flatMap(({ durations }) => Object.keys(durations)))];
  const steps = [...new Set(launches.flatMap((one) => one.steps.map(({ step }) => step)))];
  const across = (name: string, of: (one: Comparison['launches'][number]) => string) => [name, ...launches.map(of)];
  const rows = [
    across('verdict', ({ launchId }) => marks(launchId) || '–'),
    across('status', ({ status }) => status),
    across('compute', ({ computeService }) => computeService),
    across('total', ({ total, currency }) => `${total} ${currency}`),
    ...components.map((name) => across(`  ${title(name)}`, (one) => one.components[name] ?? '–')),
    across('per item', ({ perItem, items }) => (perItem === undefined ? '–' : `${perItem} of ${items}`)),
    across('elapsed', ({ elapsedSeconds }) => formatDuration(elapsedSeconds)),
    ...statuses.map((name) =>
      across(`  ${name}`, ({ durations }) => (durations[name] === undefined ? '–' : formatDuration(durations[name]))),
    ),
    ...steps.map((step) =>
      across(`step ${step}`, (one) => {
        const found = one.steps.find((candidate) => candidate.step === step);
        return found ? `${formatDuration(found.seconds)}, ${brief(found.cost)}` : '–';
      }),
    ),
    ...metricRows(launches),
  ];
  return [
    ...figures(['', ...ids], rows, 1),
    ...(notes.length > 0 ? ['', ...notes.map((note) => pc.yellow(note))] : []),
  ];
}

function metricRows(launches: Comparison['launches']): string[][] {
  const names = new Map(
    launches.flatMap(({ metrics }) => metrics.map(({ step, name }) => [`${step}: ${name}`, { step, name }])),
  );
  return [...names].map(([label, { step, name }]) => [
    label,
    ...launches.map(({ metrics }) => {
      const found = metrics.find((metric) => metric.step === step && metric.name === name);
      if (!found) return '–';
      if ('mean' in found)
        return found.min === found.max
          ? short(found.mean)
          : `${short(found.mean)} (${short(found.min)} to ${short(found.max)})`;
      const sums = Object.entries(found.sums);
      const shown = sums.slice(0, LABELS_SHOWN).map(([part, sum]) => `${part} ${short(sum)}`);
      return [...shown, ...(sums.length > LABELS_SHOWN ? ['…'] : [])].join(', ');
    }),
  ]);
}

const short = (value: number): string => String(Number(value.toPrecision(4)));
