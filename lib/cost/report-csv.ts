/**
 * A report as CSV: unrounded amounts, so that whoever sums them gets the ledger's sum.
 *
 * @module
 */
import { COMPONENTS } from '../../workflows/cost/model.ts';
import { csvLines, number, text } from './csv.ts';
import type { CostReport } from './report.ts';

export function reportCsv({ by, rows }: CostReport): string {
  const header = [by, 'currency', 'launches', 'total', ...COMPONENTS, 'lost', 'idle', 'packing'].map(text);
  return csvLines([
    header,
    ...rows.map(({ group, currency, launches, exact }) => [
      text(group),
      text(currency),
      number(launches),
      number(exact.total),
      ...COMPONENTS.map((component) => number(exact.components[component] ?? '0')),
      number(exact.lost),
      number(exact.idle),
      number(exact.packing),
    ]),
  ]);
}
