/**
 * Several launches of the same work beside each other, as on different compute or on premises: how long, how much, and
 * which of them nobody beats in both.
 *
 * @module
 */
import type { Durations } from '../../workflows/cost/model.ts';
import { isEnded } from '../../workflows/launch/model.ts';
import type { LaunchItem } from '../store/launches.ts';
import type { LineItem } from '../store/ledger.ts';
import type { StepItem } from '../store/steps.ts';
import { groupBy } from './group.ts';
import type { MetricSummary } from './metrics.ts';
import { Money, roundTotal, sumOf } from './money.ts';

/** What is known of one launch. */
export interface Compared {
  item: LaunchItem;
  lines: readonly LineItem[];
  /** Of every attempt. */
  steps: readonly StepItem[];
  metrics: readonly MetricSummary[];
}

export interface ComparedStep {
  step: string;
  /** From the submission of each attempt to its end, summed. */
  seconds: number;
  /** That ran and committed; results that were there before are none. */
  items: number;
  /** Of its own alone: what serves all steps is not in it. */
  cost: string;
  perItem?: string;
}

export interface ComparedLaunch {
  launchId: string;
  status: LaunchItem['status'];
  computeService: string;
  workflowType: string;
  currency: string;
  total: string;
  components: Readonly<Record<string, string>>;
  durations: Durations;
  /** All statuses; and RUNNING alone, which is what compute makes faster. */
  elapsedSeconds: number;
  runningSeconds: number;
  /** Of the widest step. */
  items: number;
  /** Of the total. */
  perItem?: string;
  steps: readonly ComparedStep[];
  metrics: readonly MetricSummary[];
}

export interface Comparison {
  launches: readonly ComparedLaunch[];
  verdict: Verdict;
  /** What makes the comparison an unfair one. */
  notes: readonly string[];
}

/** Of launches that are COMPLETE; by running time and total. */
export interface Verdict {
  fastest?: string;
  /** Absent where totals are of several currencies. */
  cheapest?: string;
  /** No other is both as fast and as cheap, and better in one. */
  paretoOptimal: readonly string[];
}

const COMPONENT = /^(?!total)\w+_cost$/;
/** Of a cost for each item: enough for fractions of a cent. */
const PLACES = 6;

export function compareLaunches(compared: readonly Compared[]): Comparison {
  const launches = compared.map(launchOf);
  return { launches, verdict: verdictOf(launches), notes: notesOf(compared, launches) };
}

function launchOf({ item, lines, steps, metrics }: Compared): ComparedLaunch {
  const durations = item.durations ?? {};
  const items = Math.max(0, ...steps.map(({ items: { total } }) => total));
  const total = item.total_cost ?? '0.00';
  return {
    launchId: item.launch_id,
    status: item.status,
    computeService: item.compute_service ?? 'unknown',
    workflowType: item.workflow_type ?? 'unknown',
    currency: item.currency ?? 'USD',
    total,
    components: Object.fromEntries(
      Object.entries(item).filter(([name]) => COMPONENT.test(name) && name !== 'actual_cost'),
    ),
    durations,
    elapsedSeconds: tenth(Object.values(durations).reduce((sum, seconds) => sum + seconds, 0)),
    runningSeconds: durations.RUNNING ?? 0,
    items,
    ...(items > 0 && { perItem: roundTotal(new Money(total).div(items), PLACES) }),
    steps: [...groupBy(steps, ({ step }) => step)].map(([step, rows]) => stepOf(step, rows, lines, item.currency)),
    metrics,
  };
}

function stepOf(step: string, rows: readonly StepItem[], lines: readonly LineItem[], currency?: string): ComparedStep {
  const own = lines.filter((line) => line.step === step && line.currency === currency);
  const cost = sumOf(own.map(({ amount }) => amount));
  const ms = rows.reduce(
    (sum, row) => sum + (row.ended_at ? Date.parse(row.ended_at) - Date.parse(row.submitted_at) : 0),
    0,
  );
  const items = rows.reduce((sum, row) => sum + Math.max(0, row.items.succeeded - (row.items.cached ?? 0)), 0);
  return {
    step,
    seconds: tenth(ms / 1000),
    items,
    cost: roundTotal(cost, PLACES),
    ...(items > 0 && { perItem: roundTotal(cost.div(items), PLACES) }),
  };
}

const tenth = (seconds: number): number => Math.round(seconds * 10) / 10;

function verdictOf(all: readonly ComparedLaunch[]): Verdict {
  const launches = all.filter(({ status }) => status === 'COMPLETE');
  const [first] = launches;
  if (!first) return { paretoOptimal: [] };
  const best = (a: ComparedLaunch, b: ComparedLaunch, less: boolean) => (less ? a : b);
  const fastest = launches.reduce((a, b) => best(a, b, a.runningSeconds <= b.runningSeconds));
  if (launches.some(({ currency }) => currency !== first.currency))
    return { fastest: fastest.launchId, paretoOptimal: [] };
  const cheapest = launches.reduce((a, b) => best(a, b, new Money(a.total).lte(b.total)));
  return {
    fastest: fastest.launchId,
    cheapest: cheapest.launchId,
    paretoOptimal: launches
      .filter((one) => !launches.some((other) => beats(other, one)))
      .map(({ launchId }) => launchId),
  };
}

function beats(one: ComparedLaunch, other: ComparedLaunch): boolean {
  const cost = new Money(one.total).cmp(other.total);
  const time = one.runningSeconds - other.runningSeconds;
  return cost <= 0 && time <= 0 && (cost < 0 || time < 0);
}

function notesOf(compared: readonly Compared[], launches: readonly ComparedLaunch[]): string[] {
  const notes: string[] = [];
  const differ = (what: string, values: readonly (string | undefined)[]) => {
    const known = [...new Set(values)];
    if (known.length > 1) notes.push(`${what} differ: ${known.join(', ')}`);
  };
  differ(
    'workflow types',
    launches.map(({ workflowType }) => workflowType),
  );
  differ(
    'currencies',
    launches.map(({ currency }) => currency),
  );
  differ(
    'numbers of items',
    launches.map(({ items }) => String(items)),
  );
  for (const { item, steps } of compared) {
    const id = item.launch_id;
    if (item.status !== 'COMPLETE') notes.push(`${id} is ${item.status}: it is not in the verdict`);
    const cached = steps.reduce((sum, row) => sum + (row.attempt === item.attempt ? (row.items.cached ?? 0) : 0), 0);
    // Of a retry they are its own, and were paid for by it.
    if (cached > 0 && item.attempt === 1)
      notes.push(
        `${id} ran less: ${cached} results were there before, and cost it nothing; --no-cache runs everything`,
      );
    const unpriced = item.unpriced?.length ?? 0;
    if (unpriced > 0) notes.push(`${id} has used more than was priced: longhaul cost show ${id}`);
    if (item.cost_status === 'PENDING' && isEnded(item.status)) notes.push(`the cost of ${id} is not final yet`);
  }
  return notes;
}
