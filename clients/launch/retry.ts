/**
 * Retrying a launch that ended: the same for the command line and for `status = RETRY` in the table.
 *
 * @module
 */
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { LaunchItem, LaunchStore } from '../../lib/store/launches.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { isEnded, type LaunchInput, RETRY_REQUEST, WORKFLOW_TYPE, workflowIdOf } from '../../workflows/launch/model.ts';

export type Retried =
  | { outcome: 'started'; launchId: string; workflowId: string; attempt: number; edited: string[] }
  | { outcome: 'refused'; launchId: string; reason: string };

export interface RetryOptions {
  /** Another sheet than the last attempt had: where it lies. */
  sheet?: { address: string; version?: string };
  noCache?: boolean;
}

const STATUS = defineSearchAttributeKey('LonghaulStatus', SearchAttributeType.KEYWORD);
/** What a person may edit in the item of the registry before a retry. */
const EDITABLE = ['configuration_file', 'configuration_file_version', 'compute_service', 'data_path'] as const;

/** Safe to repeat: an attempt is started once, whoever asks for it. */
export async function retryLaunch(
  sources: { client: Client; launches: Pick<LaunchStore, 'get' | 'recordTermination'> },
  launchId: string,
  options: RetryOptions = {},
): Promise<Retried> {
  const { client } = sources;
  const item = await readOrClose(sources, launchId);
  const reason = item ? whyNot(item) : `there is no launch ${launchId}`;
  if (!item || reason !== undefined) return { outcome: 'refused', launchId, reason: reason ?? '' };
  const attempt = item.attempt + 1;
  const { input, edited } = nextInput(item, attempt, options);
  const workflowId = workflowIdOf(launchId);
  try {
    await client.workflow.start(WORKFLOW_TYPE, {
      workflowId,
      taskQueue: WORKFLOW_TASK_QUEUE,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `launch ${launchId}, attempt ${attempt}`,
      staticDetails: `Sheet: \`${input.configurationFile}\`${edited.length > 0 ? `; edited: ${edited.join(', ')}` : ''}\n\n\`longhaul launch show ${launchId}\``,
      typedSearchAttributes: [{ key: STATUS, value: 'PREPARING' }],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { outcome: 'refused', launchId, reason: `launch ${launchId} is still open: wait for its end, or cancel it` };
  }
  return { outcome: 'started', launchId, workflowId, attempt, edited };
}

/** A workflow that was terminated from outside could not write its own end: that is made good here. */
async function readOrClose(
  { client, launches }: { client: Client; launches: Pick<LaunchStore, 'get' | 'recordTermination'> },
  launchId: string,
): Promise<LaunchItem | undefined> {
  const item = await launches.get(launchId);
  if (!item || isEnded(item.status) || (item.status as string) === RETRY_REQUEST) return item;
  const state = await client.workflow
    .getHandle(item.workflow_id)
    .describe()
    .then(
      ({ status }) => status.name,
      (error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return 'NOT_FOUND';
        throw error;
      },
    );
  if (state === 'RUNNING') return item;
  await launches.recordTermination(item);
  return launches.get(launchId);
}

function whyNot({ launch_id, status, statuses }: LaunchItem): string | undefined {
  // A person may have set RETRY over any status; that it was COMPLETE the time of its end still tells.
  if (statuses.COMPLETE !== undefined)
    return `launch ${launch_id} is COMPLETE: give the sheet another launchId to run it again`;
  const may = status === 'FAILED' || status === 'CANCELLED' || (status as string) === RETRY_REQUEST;
  return may ? undefined : `launch ${launch_id} is ${status}: only a launch that is FAILED or CANCELLED can be retried`;
}

/** As the last attempt was started, but for what was edited since, and for what is asked for now. */
export function nextInput(
  item: LaunchItem,
  attempt: number,
  { sheet, noCache }: RetryOptions,
): { input: LaunchInput; edited: string[] } {
  const before = item.ran_with ?? { configuration_file: item.configuration_file };
  const edited = EDITABLE.filter((name) => item[name] !== undefined && item[name] !== before[name]);
  const sameFile = !sheet && !edited.includes('configuration_file');
  // Another file has other versions, and says its own data path and compute service, unless those were edited too.
  const given = (name: (typeof EDITABLE)[number]) => (sameFile || edited.includes(name) ? item[name] : undefined);
  const version = sheet ? sheet.version : given('configuration_file_version');
  const [computeService, dataPath] = [given('compute_service'), given('data_path')];
  const input: LaunchInput = {
    launchId: item.launch_id,
    configurationFile: sheet?.address ?? item.configuration_file,
    retry: { attempt },
    ...(version !== undefined && { configurationFileVersion: version }),
    ...(computeService !== undefined && { computeService }),
    ...(dataPath !== undefined && { dataPath }),
    ...(noCache && { noCache }),
  };
  return { input, edited: sheet ? [...edited, 'sheet'] : edited };
}
