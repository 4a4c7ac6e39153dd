/**
 * Starting a launch from a sheet that lies in S3: the same for the command line and for events, so both together
 * still make one launch.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { LaunchItem, LaunchStore } from '../../lib/store/launches.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import {
  isEnded,
  LAUNCH_ID_PATTERN,
  type LaunchInput,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../workflows/launch/model.ts';
import { launchIdIn } from '../../workflows/launch/sheet/parse.ts';

export interface SheetInS3 {
  /** `s3://bucket/key` */
  address: string;
  bytes: Buffer;
  version?: string;
  etag: string;
}

export type Started =
  | { outcome: 'started' | 'running' | 'existing'; launchId: string; workflowId: string; status: LaunchItem['status'] }
  | {
      outcome: 'conflict';
      launchId: string;
      workflowId: string;
      status: LaunchItem['status'];
      configurationFile: string;
    };

const STATUS = defineSearchAttributeKey('LonghaulStatus', SearchAttributeType.KEYWORD);

/**
 * The id the sheet gives itself, also when the rest of it is no good; otherwise one derived from where it lies.
 * A malformed id counts as none: the launch then fails under the derived one, with the reason.
 */
export function launchIdFor(sheet: SheetInS3): string {
  const own = launchIdIn(sheet.bytes.toString('utf8'));
  if (own !== undefined && LAUNCH_ID_PATTERN.test(own)) return own;
  const place = [sheet.address, sheet.version ?? sheet.etag].join('\n');
  return `sheet-${createHash('sha256').update(place).digest('hex').slice(0, 20)}`;
}

/** Safe to repeat, at any time: what has been launched is not launched again. */
export async function startLaunch(
  { client, launches }: { client: Client; launches: LaunchStore },
  sheet: SheetInS3,
  options: { computeService?: string } = {},
): Promise<Started> {
  const launchId = launchIdFor(sheet);
  const workflowId = workflowIdOf(launchId);
  const known = await launches.get(launchId);
  if (known) {
    const { status } = known;
    const digest = createHash('sha256').update(sheet.bytes).digest('hex');
    if (known.sheet_digest !== digest)
      return { outcome: 'conflict', launchId, workflowId, status, configurationFile: known.configuration_file };
    return { outcome: isEnded(status) ? 'existing' : 'running', launchId, workflowId, status };
  }
  const input: LaunchInput = {
    launchId,
    configurationFile: sheet.address,
    ...(options.computeService !== undefined && { computeService: options.computeService }),
    ...(sheet.version !== undefined && { configurationFileVersion: sheet.version }),
  };
  await client.workflow.start(WORKFLOW_TYPE, {
    workflowId,
    taskQueue: WORKFLOW_TASK_QUEUE,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `launch ${launchId}`,
    staticDetails: `Sheet: \`${sheet.address}\`${sheet.version ? `, version \`${sheet.version}\`` : ''}\n\n\`longhaul launch show ${launchId}\``,
    typedSearchAttributes: [{ key: STATUS, value: 'PREPARING' }],
  });
  return { outcome: 'started', launchId, workflowId, status: 'PREPARING' };
}
