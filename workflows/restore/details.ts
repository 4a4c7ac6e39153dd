/**
 * What the Temporal Web UI shows as the current details of a restore, in Markdown.
 *
 * @module
 */
import { isoTime } from '../kit/time.ts';
import type { RestorePlan, RestoreProgress } from './model.ts';
import { formatDuration } from './plan.ts';

export function describeRestore(progress: RestoreProgress): string {
  const { counts, plan, approval, failures, error, readyBy, ratePerSecond } = progress;
  const lines = [`**${progress.status}**`];
  if (counts.total > 0)
    lines.push(
      '',
      `${counts.readable} of ${counts.total} objects can be read (${formatBytes(counts.readableBytes)} of ${formatBytes(counts.bytes)})`,
    );
  if (counts.failed > 0) lines.push('', `${counts.failed} cannot be restored`);
  if (plan && plan.objects > 0) {
    lines.push(
      '',
      `${formatTiers(plan)}: ${formatUsd(plan.usd)}, up to ${formatDuration(plan.seconds)}, for ${plan.days} days`,
    );
  }
  if (readyBy !== undefined) lines.push('', `ready by ${isoTime(readyBy)}`);
  if (ratePerSecond !== undefined && ratePerSecond > 0) lines.push('', `${ratePerSecond.toFixed(1)} objects/s`);
  if (approval)
    lines.push(
      '',
      `**waits for an approval**: ${formatUsd(approval.usd)} is above the limit of ${formatUsd(approval.limitUsd)}`,
    );
  for (const { address, reason } of failures?.first ?? []) lines.push('', `\`${address}\`: ${reason}`);
  if (failures && counts.failed > failures.first.length) lines.push('', `all of them: \`${failures.all}\``);
  if (error) lines.push('', `${error.type}: ${error.message}`);
  return lines.join('\n');
}

/** `Bulk from GLACIER, Standard from DEEP_ARCHIVE`. */
export const formatTiers = ({ tiers }: Pick<RestorePlan, 'tiers'>): string =>
  Object.entries(tiers)
    .map(([archive, tier]) => `${tier} from ${archive}`)
    .join(', ');

/** Rounded up at four decimals below a dollar, so that nothing that costs reads as nothing. */
export function formatUsd(usd: number | undefined): string {
  if (usd === undefined) return 'an unknown price';
  const digits = usd < 1 ? 4 : 2;
  const unit = 10 ** digits;
  return `$${(Math.ceil(usd * unit - 1e-9) / unit).toFixed(digits)}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < UNITS.length - 1; unit += 1) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
