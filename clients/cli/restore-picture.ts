/**
 * Restores as text: what one would cost, and how far one is.
 *
 * @module
 */
import pc from 'picocolors';
import { formatBytes, formatTiers, formatUsd } from '../../workflows/restore/details.ts';
import {
  ARCHIVES,
  type ArchiveQuote,
  isEnded,
  type RestoreProgress,
  type TierQuote,
} from '../../workflows/restore/model.ts';
import { formatDuration } from '../../workflows/restore/plan.ts';
import type { PlannedRestore } from '../restore/plan.ts';
import { table } from './context.ts';
import { paint } from './picture.ts';

const BAR = 24;
const number = (value: number): string => value.toLocaleString('en-US');

/** Objects and bytes of each class, each tier's price and time, and what would be chosen. */
export function drawPlan({ totals, readable, missing, quote, plan, needsApproval, problem }: PlannedRestore): string[] {
  const lines: string[] = [];
  for (const archive of ARCHIVES) {
    const found = totals[archive];
    if (!found) continue;
    const { archived, restoring, readable: copies } = found;
    const also = [
      ...(restoring.objects > 0 ? [`${number(restoring.objects)} being restored`] : []),
      ...(copies.objects > 0 ? [`${number(copies.objects)} with a copy that can be read`] : []),
    ];
    lines.push(
      `${pc.bold(archive)}  ${number(archived.objects)} objects, ${formatBytes(archived.bytes)}${also.length > 0 ? `; ${also.join(', ')}` : ''}`,
    );
    const archiveQuote = quote.archives.find((one) => one.archive === archive);
    if (archiveQuote) lines.push(...drawTiers(archiveQuote, quote.days, plan?.tiers[archive]));
    lines.push('');
  }
  if (readable.objects > 0)
    lines.push(`${number(readable.objects)} more objects (${formatBytes(readable.bytes)}) are not archived`);
  for (const { address, reason } of missing.first) lines.push(pc.yellow(`${address}: ${reason}`));
  if (missing.count > missing.first.length) lines.push(pc.yellow(`and ${missing.count - missing.first.length} more`));
  if (quote.unpriced !== undefined) lines.push(pc.yellow(`prices are not known: ${quote.unpriced}`));
  if (problem !== undefined) lines.push(pc.red(problem));
  else if (plan && plan.objects > 0) {
    lines.push(
      `${pc.bold('plan')}  ${formatTiers(plan)}: ${formatUsd(plan.usd)}, up to ${formatDuration(plan.seconds)}`,
    );
    if (needsApproval) lines.push(pc.yellow('above the limit: it would wait for "longhaul approve"'));
  } else lines.push('nothing has to be asked for');
  return lines;
}

function drawTiers({ tiers }: ArchiveQuote, days: number, chosen: string | undefined): string[] {
  const cost = ({ cost }: TierQuote, part: keyof NonNullable<TierQuote['cost']>) =>
    cost ? formatUsd(cost[part]) : '?';
  const rows = tiers.map((quote) => [
    quote.tier === chosen ? '→' : '',
    quote.tier,
    `up to ${formatDuration(quote.seconds)}`,
    cost(quote, 'requests'),
    cost(quote, 'bytes'),
    cost(quote, 'copies'),
    cost(quote, 'total'),
  ]);
  return table(['', 'TIER', 'TIME', 'REQUESTS', 'RETRIEVAL', `COPIES, ${days} DAYS`, 'TOTAL'], rows).map(
    (line) => `  ${line}`,
  );
}

/** The whole picture; `now` in epoch milliseconds. */
export function drawRestore(progress: RestoreProgress, now: number): string[] {
  const { restoreId, status, counts, plan, approval, readyBy, ratePerSecond, failures, error } = progress;
  const done = counts.readable + counts.failed;
  const filled = Math.round((BAR * done) / Math.max(counts.total, 1));
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
  const begun = Math.min(...Object.values(progress.statuses), now);
  const ended = isEnded(status) ? (progress.statuses[status] ?? now) : now;
  const lines = [
    `${pc.bold(restoreId)}  ${paint(status === 'READY' ? 'COMPLETE' : status, status)}  ${formatDuration((ended - begun) / 1000)}`,
  ];
  if (counts.total > 0)
    lines.push(
      `  ${bar} ${number(counts.readable)}/${number(counts.total)} objects can be read, ${formatBytes(counts.readableBytes)} of ${formatBytes(counts.bytes)}${counts.failed > 0 ? pc.red(`, ${number(counts.failed)} cannot be restored`) : ''}`,
    );
  if (plan && plan.objects > 0) {
    const facts = [formatTiers(plan), formatUsd(plan.usd), `copies for ${plan.days} days`];
    if (ratePerSecond !== undefined && ratePerSecond > 0) facts.push(`${ratePerSecond.toFixed(1)} objects/s`);
    if (readyBy !== undefined) facts.push(`ready by ${new Date(readyBy).toLocaleString('sv-SE').slice(0, 16)}`);
    lines.push(`  ${facts.join(', ')}`);
  }
  if (approval)
    lines.push(
      pc.yellow(
        `  ${formatUsd(approval.usd)} is above the limit of ${formatUsd(approval.limitUsd)}: longhaul approve restore/${restoreId}`,
      ),
    );
  // The error of a restore that failed has the list already.
  for (const { address, reason } of error ? [] : (failures?.first ?? []))
    lines.push(`  ${pc.red('✖')} ${address}: ${reason}`);
  if (error) lines.push('', pc.red(error.type), error.message);
  return lines;
}

/** One line for where lines cannot be redrawn. */
export function restoreLine({ status, counts, readyBy }: RestoreProgress): string {
  const by = readyBy === undefined ? '' : ` | ready by ${new Date(readyBy).toISOString()}`;
  return `${status} | ${counts.readable}/${counts.total} objects${counts.failed > 0 ? `, ${counts.failed} failed` : ''}${by}`;
}
