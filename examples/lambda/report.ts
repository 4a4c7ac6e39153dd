/**
 * What the demo tells of a launch that has ended.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import pc from 'picocolors';
import { durations, seconds } from '../../clients/cli/picture.ts';
import type { Output } from '../../clients/launch/outputs.ts';
import { readObject } from '../../lib/s3-objects.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { LineItem } from '../../lib/store/ledger.ts';
import type { RestoreItem } from '../../lib/store/restores.ts';
import { COST_STRINGS, LAUNCH_COMPONENTS } from '../../workflows/cost/model.ts';
import type { LaunchProgress } from '../../workflows/launch/model.ts';
import { formatBytes, formatUsd } from '../../workflows/restore/details.ts';

/** What compare.py writes. */
export interface Comparison {
  planted: number;
  found: number;
  falsePositives: number;
  recall: number;
  precision: number;
}

/** A head job has the outputs of all steps, named `<step>.<output>`. */
const isOutput = ({ step, name }: Output, wanted: string, output?: string): boolean =>
  output === undefined
    ? step === wanted || name.startsWith(`${wanted}.`)
    : (step === wanted && name === output) || name === `${wanted}.${output}`;

/** @throws Error when the launch has no comparison */
export async function readComparison(s3: S3Client, outputs: readonly Output[]): Promise<Comparison> {
  const file = outputs.find((output) => isOutput(output, 'compare', 'comparison'));
  if (!file) throw new Error('the launch is COMPLETE but has no comparison');
  const { bytes } = await readObject(s3, file.address, { limit: 1_000_000 });
  return JSON.parse(bytes.toString('utf8')) as Comparison;
}

/** Of the launch's item, beside the parts. */
const COST_FIELDS = [...COST_STRINGS, 'currency', 'cost_status', 'durations', 'unpriced'] as const;

/** What became of archived inputs. */
export interface Restored {
  objects: number;
  /** Bytes. */
  bytes: number;
  tier: string;
  usd?: number;
  /** From WAITING to READY. */
  seconds: number;
}

export function restored(last: LaunchProgress, item: RestoreItem | undefined): Restored {
  const { plan } = item ?? {};
  if (!plan) throw new Error('the launch has not waited for a restore');
  const { WAITING = 0, READY = WAITING } = last.statuses;
  return {
    objects: plan.objects,
    bytes: plan.bytes,
    tier: Object.values(plan.tiers).join(', '),
    ...(plan.usd !== undefined && { usd: plan.usd }),
    seconds: (READY - WAITING) / 1000,
  };
}

const share = (value: number): string => `${(value * 100).toFixed(1)} %`;

/** What the launch cost, with the lines of the ledger behind it. */
export interface Cost {
  item: LaunchItem;
  lines: readonly LineItem[];
}

export interface Results {
  outputs: readonly Output[];
  comparison: Comparison | undefined;
  /** In the Temporal Web UI. */
  page: string;
  restore: Restored | undefined;
  cost: Cost;
}

/** List prices of machines like those this one plays. */
function costLine({ item, lines }: Cost): string {
  const parts = LAUNCH_COMPONENTS.flatMap((component) => {
    const value = item[`${component}_cost`];
    return value === undefined || Number(value) === 0 ? [] : [`${component.replace('_', ' ')} ${value}`];
  });
  const missing = item.unpriced?.length ? `, ${item.unpriced.length} resources without a price` : '';
  return `Cost     ${item.total_cost} ${item.currency} at list prices, as if on AWS: ${parts.join(', ')} (${lines.length} lines${missing})`;
}

export function reportLines(last: LaunchProgress, { outputs, comparison, page, restore, cost }: Results): string[] {
  const results = outputs.filter((output) => isOutput(output, 'merge') || isOutput(output, 'compare'));
  const times = durations(last, Date.now()).map(({ status, ms }) => `${status} ${seconds(ms)}`);
  return [
    '',
    comparison
      ? pc.bold(
          `Found ${comparison.found} of ${comparison.planted} planted variants: recall ${share(comparison.recall)}, precision ${share(comparison.precision)}`,
        )
      : pc.red(`The launch is ${last.status}: npx longhaul launch show ${last.launchId}`),
    `Time     ${times.join(', ')}`,
    ...(restore
      ? [
          `Restore  ${restore.objects} objects, ${formatBytes(restore.bytes)}, ${restore.tier}, ${formatUsd(restore.usd)}, ${restore.seconds} s of waiting`,
        ]
      : []),
    costLine(cost),
    ...results.map((output) => `Output   ${output.address}  ${output.bytes} bytes`),
    `Logs     npx longhaul launch logs ${last.launchId}   (log group /aws/batch/job)`,
    `More     npx longhaul launch show ${last.launchId}   npx longhaul cost show ${last.launchId}`,
    `Web UI   ${page}`,
  ];
}

/** The object of `--json`. */
export function summarise(last: LaunchProgress, { outputs, comparison, page, restore, cost }: Results) {
  return {
    launchId: last.launchId,
    status: last.status,
    statuses: last.statuses,
    steps: last.steps.map(({ name, state, items, submittedAt, endedAt }) => ({
      name,
      state,
      items,
      ...(submittedAt !== undefined && endedAt !== undefined && { seconds: (endedAt - submittedAt) / 1000 }),
    })),
    variants: comparison && {
      planted: comparison.planted,
      found: comparison.found,
      recalled: comparison.recall,
      precision: comparison.precision,
    },
    ...(restore && { restore }),
    cost: {
      ...Object.fromEntries(
        COST_FIELDS.flatMap((name) => (cost.item[name] === undefined ? [] : [[name, cost.item[name]]])),
      ),
      lines: cost.lines.map(({ launch_id: _launch, attempt: _attempt, ...line }) => line),
    },
    outputs: outputs.map(({ step, item, name, address, bytes }) => ({ step, item, name, address, bytes })),
    temporalUi: page,
    ...(last.error && { error: last.error }),
  };
}
