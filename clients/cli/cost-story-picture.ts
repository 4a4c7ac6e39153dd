/**
 * What a story has cost, as text.
 *
 * @module
 */
import pc from 'picocolors';
import type { StageCost, StageLine, StoryCostView } from '../../lib/cost/show-story.ts';
import { brief, figures } from './cost-picture.ts';
import { paint } from './picture.ts';

export function drawStoryCost(view: StoryCostView): string[] {
  const { workflowId, status, total, currency, components, attempts, lost, month } = view;
  const limit = month.limit === undefined ? '' : ` of ${month.limit}`;
  return [
    `${pc.bold(workflowId)}  ${paint(status)}  ${pc.bold(`${total} ${currency}`)}`,
    `  ${Object.entries(components)
      .map(([name, amount]) => `${name} ${amount}`)
      .join(', ')}`,
    ...(attempts > 1 ? [`  of ${attempts} attempts`] : []),
    ...(Number(lost) > 0 ? [`  lost: ${brief(lost)}, of stages that were made again`] : []),
    ...drawStages(view.stages),
    '',
    `month ${month.month} of ${view.consumer}: ${month.committed}${limit} ${currency} spent or reserved`,
    ...drawUnpriced(view.unpriced),
  ];
}

function drawStages(stages: readonly StageCost[]): string[] {
  if (stages.length === 0) return ['', 'nothing was paid for it'];
  const lines = stages.flatMap((stage) => stage.lines.map((line) => ({ stage, line })));
  const marks = [...new Set(lines.flatMap(({ line }) => line.marks))];
  const pictures = stages.flatMap(({ stage, usage: { pictures = 0 } }) =>
    pictures > 0 ? [`${stage} ${pictures}`] : [],
  );
  return [
    '',
    ...figures(
      ['STAGE', 'OF', 'USED', 'PRICES AS OF', 'COUNT', 'UNIT PRICE', 'COST'],
      lines.map(({ stage, line }) => [
        `${stage.stage}${stage.lost ? ' (lost)' : ''}`,
        stage.model,
        line.resourceType,
        line.pricesAt.slice(0, 10),
        countOf(line),
        `${line.unitPrice} ${line.currency} / ${line.unit.replace(/ .*/, '')}`,
        brief(line.amount),
      ]),
      4,
    ),
    ...(pictures.length > 0 ? [`pictures: ${pictures.join(', ')}`] : []),
    ...(marks.length > 0 ? [pc.dim(`marked: ${marks.join('; ')}`)] : []),
  ];
}

/** Tokens and characters are sold by the million, and counted one by one. */
const countOf = ({ quantity }: StageLine): string => Math.round(Number(quantity) * 1_000_000).toLocaleString('en-US');

function drawUnpriced(unpriced: readonly string[]): string[] {
  if (unpriced.length === 0) return [];
  return [
    '',
    pc.yellow('not priced, and not in the total; the month keeps all that was reserved:'),
    ...unpriced.map((one) => pc.yellow(`  ${one}`)),
  ];
}
