/**
 * Launching and retrying by the API.
 *
 * @module
 */

import { formatS3Address } from '../../../lib/s3-address.ts';
import type { LaunchItem } from '../../../lib/store/launches.ts';
import { isEnded, workflowIdOf } from '../../../workflows/launch/model.ts';
import { retrySheet } from '../../../workflows/launch/places.ts';
import { retryLaunch } from '../../launch/retry.ts';
import { putSheet } from '../../launch/sheets.ts';
import { startLaunch } from '../../launch/start.ts';
import type { RetryBody, SheetBody, Started } from '../../live/api.ts';
import { maySee, type Principal } from '../principal.ts';
import type { ApiDependencies } from './dependencies.ts';
import { ApiProblem } from './errors.ts';
import { shows } from './settle.ts';
import { digestOf, readSheet, withLaunchId } from './sheets.ts';

/** @throws ApiProblem, SheetError, UnreadableObjectError */
export async function submit(deps: ApiDependencies, principal: Principal, body: SheetBody): Promise<Started> {
  const { aws, settings, client, launches } = deps;
  const given = await readSheet(deps, principal, body);
  const { launchId, bytes } = withLaunchId(given, body.launchId);
  // Before the upload, which would put it in the place of the other.
  const known = await launches.get(launchId);
  if (known) return existing(principal, known, digestOf(bytes));
  const key = `sheets/${given.consumer}/${launchId}.yaml`;
  const sheet =
    given.stored ??
    (await putSheet(aws.s3, formatS3Address({ bucket: settings.bucket, key }), bytes, { cache: !body.noCache }));
  const started = await startLaunch({ client, launches }, sheet);
  if (started.outcome === 'conflict') throw taken(launchId);
  const item = await shows(() => launches.get(launchId));
  const status = item?.status ?? started.status;
  const outcome = started.outcome === 'started' ? 'started' : 'existing';
  return { workflowId: started.workflowId, id: launchId, status, outcome };
}

function existing(principal: Principal, item: LaunchItem, digest: string): Started {
  if (!maySee(principal, item) || item.sheet_digest !== digest) throw taken(item.launch_id);
  return { workflowId: item.workflow_id, id: item.launch_id, status: item.status, outcome: 'existing' };
}

const taken = (launchId: string): ApiProblem =>
  new ApiProblem(
    'conflict',
    `the launch id ${launchId} belongs to another sheet`,
    'give this sheet a launchId of its own',
  );

/** @throws ApiProblem, SheetError */
export async function retry(
  deps: ApiDependencies,
  principal: Principal,
  item: LaunchItem,
  { sheet, noCache }: RetryBody,
): Promise<Started> {
  const { aws, settings, client, launches } = deps;
  const { launch_id: id } = item;
  // Nothing is uploaded for one that cannot be retried; the same is asked again when it is started.
  if (!isEnded(item.status) && (item.status as string) !== 'RETRY' && sheet !== undefined)
    throw new ApiProblem('conflict', `launch ${id} is ${item.status}`, 'wait for its end, or cancel it');
  const stored = sheet === undefined ? undefined : await uploadForRetry(sheet);
  const retried = await retryLaunch({ client, launches }, id, {
    ...(stored && { sheet: { address: stored.address, ...(stored.version && { version: stored.version }) } }),
    ...(noCache && { noCache }),
  });
  if (retried.outcome === 'refused')
    throw new ApiProblem('conflict', retried.reason, 'GET /api/v1/launches/{id} says what may be done with it now');
  const { attempt } = retried;
  const next = await shows(async () => {
    const found = await launches.get(id);
    return found && found.attempt >= attempt ? found : undefined;
  });
  return { workflowId: workflowIdOf(id), id, status: next?.status ?? 'PREPARING', outcome: 'started', attempt };

  async function uploadForRetry(text: string) {
    const given = await readSheet(deps, principal, { sheet: text });
    // A launch stays whose it is: its costs are that consumer's.
    if (item.consumer !== undefined && given.consumer !== item.consumer)
      throw new ApiProblem(
        'conflict',
        `launch ${id} belongs to ${item.consumer}, the sheet to ${given.consumer}`,
        'launch the sheet under an id of its own',
      );
    const address = retrySheet(settings.bucket, id, `${digestOf(text).slice(0, 20)}.yaml`);
    return putSheet(aws.s3, address, Buffer.from(text), { cache: !noCache });
  }
}
