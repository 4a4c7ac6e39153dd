/**
 * The ledger as FOCUS 1.2, the FinOps Open Cost and Usage Specification: every mandatory column and what else is known,
 * a row for each line of the ledger. What of a resource is a launch's own, idle and packing are rows too, so rows of one
 * resource add up to what all of it cost the launch. See docs/cost-reports.md.
 *
 * @module
 */
import type { LedgerLine } from '../../workflows/cost/model.ts';
import { csvLines, type Field, number, text } from './csv.ts';
import { focusService, focusUnit } from './focus-services.ts';
import { ledgerText, Money } from './money.ts';

/** Whose line it is. */
export interface FocusLaunch {
  /** Of a story its workflow id, as in the ledger. */
  launchId: string;
  consumer: string;
  workflowType: string;
  computeService: string;
}

/** Who is billed by AWS: the 12 digits of an account. */
export interface BillingAccount {
  id: string;
  name: string;
}

export interface FocusEntry {
  launch: FocusLaunch;
  lines: readonly LedgerLine[];
}

interface Row extends FocusLaunch {
  line: LedgerLine;
  account: BillingAccount;
  provider: string;
}

/** Who bills what AWS does not, by service: nobody knows the account. */
const OTHERS: Readonly<Record<string, Pick<Row, 'provider' | 'account'>>> = {
  'on-premises': { provider: 'On-premises', account: { id: 'on-premises', name: 'On-premises' } },
  OpenAI: { provider: 'OpenAI', account: { id: 'openai', name: 'OpenAI' } },
};
/** What the ledger has for no Region. */
const NOWHERE = ['on-premises', 'global'];

/** Columns that begin with `x_` are ours, as FOCUS wants it. */
const COLUMNS: Readonly<Record<string, (row: Row) => Field>> = {
  BilledCost: ({ line }) => number(line.amount),
  BillingAccountId: ({ account }) => text(account.id),
  BillingAccountName: ({ account }) => text(account.name),
  BillingCurrency: ({ line }) => text(line.currency),
  BillingPeriodStart: ({ line }) => text(monthOf(line.from, 0)),
  BillingPeriodEnd: ({ line }) => text(monthOf(line.from, 1)),
  ChargeCategory: () => text('Usage'),
  ChargeClass: () => text(undefined),
  ChargeDescription: (row) => text(describe(row)),
  ChargeFrequency: () => text('Usage-Based'),
  ChargePeriodStart: ({ line }) => text(secondOf(Date.parse(line.from))),
  ChargePeriodEnd: ({ line }) => text(endOf(line)),
  ConsumedQuantity: ({ line }) => number(line.quantity),
  ConsumedUnit: ({ line }) => text(focusUnit(line.unit)),
  ContractedCost: ({ line }) => number(line.amount),
  ContractedUnitPrice: ({ line }) => number(line.unitPrice),
  EffectiveCost: ({ line }) => number(line.amount),
  // None is known: a ledger is no invoice.
  InvoiceId: () => text(undefined),
  InvoiceIssuerName: ({ provider }) => text(provider),
  ListCost: ({ line }) => number(listCost(line)),
  ListUnitPrice: ({ line }) => number(beforeDiscount(line, line.unitPrice)),
  PricingCategory: ({ line }) =>
    text(line.source === 'spot-history' || line.market === 'spot' ? 'Dynamic' : 'Standard'),
  PricingQuantity: ({ line }) => number(line.quantity),
  PricingUnit: ({ line }) => text(focusUnit(line.unit)),
  ProviderName: ({ provider }) => text(provider),
  PublisherName: ({ provider }) => text(provider),
  RegionId: ({ line }) => text(NOWHERE.includes(line.region) ? undefined : line.region),
  RegionName: ({ line }) => text(NOWHERE.includes(line.region) ? undefined : line.region),
  AvailabilityZone: ({ line }) => text(line.zone),
  ResourceId: ({ line }) => text(line.resource),
  ResourceName: () => text(undefined),
  ResourceType: ({ line }) => text(line.resourceType),
  ServiceCategory: ({ line }) => text(focusService(line).category),
  ServiceName: ({ line }) => text(focusService(line).name),
  ServiceSubcategory: ({ line }) => text(focusService(line).subcategory),
  Tags: (row) => text(tagsOf(row)),
  x_LaunchId: ({ launchId }) => text(launchId),
  x_Consumer: ({ consumer }) => text(consumer),
  x_WorkflowType: ({ workflowType }) => text(workflowType),
  x_ComputeService: ({ computeService }) => text(computeService),
  x_Step: ({ line }) => text(line.step),
  x_Component: ({ line }) => text(line.component),
  x_Purpose: ({ line }) => text(line.purpose),
  x_Outcome: ({ line }) => text(line.outcome),
  x_Market: ({ line }) => text(line.market),
  // Not SkuId: FOCUS wants one in every row then, and spot prices and own rates have none.
  x_Sku: ({ line }) => text(line.sku),
  x_PricesAt: ({ line }) => text(line.pricesAt),
  x_PriceSource: ({ line }) => text(line.source),
  x_Marks: ({ line }) => text(line.marks?.join('; ')),
};

export const FOCUS_COLUMNS: readonly string[] = Object.keys(COLUMNS);

/** Rows written at once: a launch of many items has tens of thousands. */
const BATCH = 500;

/** CSV in pieces, the header first; an empty one is a file of FOCUS too. */
export async function* focusCsv(
  entries: AsyncIterable<FocusEntry> | Iterable<FocusEntry>,
  account: BillingAccount,
): AsyncGenerator<string> {
  yield csvLines([FOCUS_COLUMNS.map(text)]);
  const columns = Object.values(COLUMNS);
  for await (const { launch, lines } of entries) {
    for (let first = 0; first < lines.length; first += BATCH) {
      const rows = lines.slice(first, first + BATCH).map((line) => rowOf(launch, line, account));
      yield csvLines(rows.map((row) => columns.map((column) => column(row))));
    }
  }
}

const rowOf = (launch: FocusLaunch, line: LedgerLine, account: BillingAccount): Row => ({
  ...launch,
  line,
  ...(OTHERS[line.market === 'on-premises' ? line.market : line.service] ?? { provider: 'AWS', account }),
});

const secondOf = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`;

/** FOCUS has no milliseconds, and an end lies after its beginning: what is paid once gets its second. */
function endOf({ from, to }: LedgerLine): string {
  const [start, end] = [from, to].map((time) => Math.floor(Date.parse(time) / 1000) * 1000);
  return secondOf(Math.max(end ?? 0, (start ?? 0) + 1000));
}

/** The first moment of the month, or of one after it. */
function monthOf(time: string, after: number): string {
  const date = new Date(time);
  return secondOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + after));
}

function describe({ launchId, workflowType, line }: Row): string {
  const { resourceType, market, purpose, outcome, step } = line;
  const what = market === undefined || market === resourceType ? resourceType : `${resourceType} ${market}`;
  const lost = outcome === undefined || outcome === 'done' ? '' : `, ${outcome}`;
  const whose = workflowType === 'story' ? launchId.replace('/', ' ') : `launch ${launchId}`;
  return `${what}: ${purpose}${step === undefined ? '' : ` by step ${step}`} of ${whose}${lost}`;
}

/** Those that jobs are tagged with, as a JSON object; of a story as if it were a job. */
const tagsOf = ({ launchId, workflowType, consumer, line }: Row): string =>
  JSON.stringify({
    [workflowType === 'story' ? 'longhaul:story' : 'longhaul:launch']: launchId.replace(/^story\//, ''),
    'longhaul:consumer': consumer,
    ...(line.step !== undefined && { 'longhaul:step': line.step }),
  });

/** Negotiated discounts are marked in the line; a price before one of 100 % cannot be told. */
function beforeDiscount({ marks = [] }: LedgerLine, amount: string): string {
  const [, percent] = marks.map((mark) => /^discount (\d+(?:\.\d+)?) %$/.exec(mark)).find(Boolean) ?? [];
  const left = new Money(100).minus(percent ?? 0);
  return percent === undefined || left.lte(0) ? amount : ledgerText(new Money(amount).times(100).div(left));
}

function listCost(line: LedgerLine): string {
  const price = beforeDiscount(line, line.unitPrice);
  return price === line.unitPrice ? line.amount : ledgerText(new Money(price).times(line.quantity));
}
