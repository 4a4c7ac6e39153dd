/**
 * What the Temporal Web UI shows as the current details of a pricing, in Markdown.
 *
 * @module
 */
import type { CostProgress, CostStage, CostSummary } from './model.ts';

const WORDS: Readonly<Record<CostStage, string>> = {
  COLLECTING: 'collecting what was used',
  PRICING: 'looking prices up',
  SETTLING: 'waiting until instances it used have ended: their idle time is not known before',
  AWAITING_ACTUALS: 'waiting for the bill',
  COMPARING: 'comparing with the bill',
  DONE: 'done',
};

export function describeCost({ stage, cost, unpriced }: CostProgress): string {
  const lines = [`**${stage}**: ${WORDS[stage]}`];
  if (cost) lines.push('', `${cost.total_cost} ${cost.currency}`, '', ...partsOf(cost).map((part) => `- ${part}`));
  if (unpriced) lines.push('', `**${unpriced} resources could not be priced**: the launch's item says why`);
  return lines.join('\n');
}

const partsOf = (cost: CostSummary): string[] =>
  Object.entries(cost).flatMap(([name, value]) =>
    name.endsWith('_cost') && name !== 'total_cost' ? [`${name.replace(/_cost$/, '')} ${value}`] : [],
  );
