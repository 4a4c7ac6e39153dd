/**
 * `/restores`: archived objects, with or without a launch.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import {
  LIMITS,
  MOST_DAYS,
  type RestoreInput,
  requestOf,
  TIERS,
  type Tier,
  type Wishes,
} from '../../../workflows/restore/model.ts';
import { parseDuration } from '../../../workflows/restore/plan.ts';
import type { RestoreBody, RestoreDetail, RestorePlanned, Started } from '../../live/api.ts';
import { cancelRestore } from '../../restore/cancel.ts';
import { planOf } from '../../restore/plan.ts';
import { currentRestorePrices } from '../../restore/prices.ts';
import { restoreIdFor, startRestore } from '../../restore/start.ts';
import { maySee, type Principal } from '../principal.ts';
import { CANCELS, ended } from './cancels.ts';
import type { ApiDependencies } from './dependencies.ts';
import { ApiProblem } from './errors.ts';
import { principalOf, requireConsumer, requireRole } from './guard.ts';
import { restoreDetail, seenRestore } from './restore-detail.ts';
import { answers, body, consumer, id, object, oneOf, ref, type Schema, s3Address, whole } from './schemas.ts';
import { shows } from './settle.ts';
import { requireOwnPlace } from './sheets.ts';

const params = object({ id: id('restore') });
const SOURCES = 1_000;
const wishes: Readonly<Record<string, Schema>> = {
  sources: {
    type: 'array',
    minItems: 1,
    maxItems: Math.min(SOURCES, LIMITS.sources),
    items: s3Address,
    description: 'Objects, prefixes with a slash at the end, patterns with `*`, `?`, `**`.',
  },
  configurationFile: s3Address,
  tier: oneOf(TIERS, 'Where an archive does not have it, the nearest slower one.'),
  deadline: { type: 'string', pattern: '^\\d{1,6}[smhd]$', description: '`12h`: the cheapest tier that makes it.' },
  days: whole(1, MOST_DAYS, 'How long restored copies live.'),
  limitUsd: { type: 'number', minimum: 0, maximum: 1e9, description: 'Above it the restore waits for an approval.' },
};

export function restoreRoutes(app: FastifyInstance, deps: ApiDependencies): void {
  const tags = ['restores'];
  app.get<{ Params: { id: string } }>(
    '/restores/:id',
    {
      schema: {
        tags,
        summary: 'A restore: counts, when it should be ready, what failed',
        params,
        response: answers(ref('RestoreDetail')),
      },
    },
    (request): Promise<RestoreDetail> => restoreDetail(deps, principalOf(request), request.params.id, request.log),
  );
  app.post<{ Body: RestoreBody }>(
    '/restores/plan',
    {
      schema: {
        tags,
        summary: 'What archived objects would cost and take; asks for nothing. Needs the role operator',
        body: body({}, { ...wishes, consumer }),
        response: answers(ref('RestorePlan')),
      },
    },
    async (request): Promise<RestorePlanned> => {
      const principal = principalOf(request);
      requireRole(principal, 'operator');
      const { sources = [], configurationFile: file } = checked(deps, principal, request.body);
      return planOf(deps.aws.s3, {
        sources,
        ...(file !== undefined && { file }),
        wishes: wishesOf(request.body),
        prices: () => currentRestorePrices(deps.aws),
        found: () => {},
      });
    },
  );
  app.post<{ Body: RestoreBody }>(
    '/restores',
    {
      schema: {
        tags,
        summary: 'Restores archived objects, durably; the same again is `existing`. Needs the role operator',
        body: body({}, { ...wishes, restoreId: id('restore'), consumer }),
        response: answers(ref('Started'), { also: [409] }),
      },
    },
    async (request): Promise<Started> => {
      const principal = principalOf(request);
      requireRole(principal, 'operator');
      return start(deps, principal, request.body);
    },
  );
  app.post<{ Params: { id: string } }>(
    '/restores/:id/cancel',
    {
      schema: {
        tags,
        summary: 'Asks a restore to ask for nothing more. Needs the role operator',
        params,
        ...CANCELS,
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const item = await seenRestore(deps, principal, request.params.id);
      requireRole(principal, 'operator');
      const asked = await cancelRestore(deps, item.restore_id);
      return ended(item.workflow_id, asked, 'GET /api/v1/restores/{id}');
    },
  );
}

/** @throws ApiProblem 400, 403 */
function checked({ settings }: ApiDependencies, principal: Principal, given: RestoreBody): RestoreBody {
  const { sources, configurationFile } = given;
  if (sources === undefined && configurationFile === undefined)
    throw new ApiProblem('bad-request', 'body names nothing to restore', 'give "sources", or "configurationFile"');
  if (configurationFile !== undefined)
    requireOwnPlace(principal, configurationFile, { bucket: settings.bucket, folder: 'restore-requests' });
  if (given.consumer !== undefined) requireConsumer(principal, given.consumer);
  return given;
}

function wishesOf({ tier, deadline, days, limitUsd }: RestoreBody): Wishes {
  const seconds = deadline === undefined ? undefined : parseDuration(deadline);
  if (deadline !== undefined && seconds === undefined)
    throw new ApiProblem('bad-request', 'body.deadline is no time', 'give a time such as 90m, 12h or 2d');
  return {
    ...(tier && { tier: tier as Tier }),
    ...(seconds !== undefined && { deadlineSeconds: seconds }),
    ...(days !== undefined && { days }),
    ...(limitUsd !== undefined && { limitUsd }),
  };
}

async function start(deps: ApiDependencies, principal: Principal, given: RestoreBody): Promise<Started> {
  const { sources, configurationFile } = checked(deps, principal, given);
  const payer = payerOf(principal, given.consumer);
  const what: Omit<RestoreInput, 'restoreId'> = {
    ...(sources && { sources }),
    ...(configurationFile !== undefined && { configurationFile }),
    ...(payer !== undefined && { consumer: payer }),
    wishes: wishesOf(given),
  };
  // Two consumers who want the same are two restores: one would not see the other's.
  const restoreId = given.restoreId ?? restoreIdFor({ ...what, sources: [...(sources ?? []), payer ?? ''] });
  const [launch, known] = await Promise.all([deps.launches.get(restoreId), deps.restores.get(restoreId)]);
  // The restore of a launch has its id, and may be needed by it later.
  if (launch || (known && !maySee(principal, known)))
    throw new ApiProblem('conflict', `the id ${restoreId} is taken`, 'give another restoreId');
  if (known && known.request !== undefined && known.request === requestOf(what))
    return { workflowId: known.workflow_id, id: restoreId, status: known.status, outcome: 'existing' };
  const { workflowId, started } = await startRestore(deps.client, { restoreId, ...what });
  const item = await shows(() => deps.restores.get(restoreId));
  return { workflowId, id: restoreId, status: item?.status ?? 'PLANNING', outcome: started ? 'started' : 'existing' };
}

/** Who may see everything need not say whose it is; who acts for one consumer acts for that one. */
function payerOf({ consumers }: Principal, named: string | undefined): string | undefined {
  if (named !== undefined || consumers === '*') return named;
  const [only, ...others] = consumers;
  if (only !== undefined && others.length === 0) return only;
  throw new ApiProblem('bad-request', 'body.consumer is missing: who pays', `name one of ${consumers.join(', ')}`);
}
