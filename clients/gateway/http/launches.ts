/**
 * `/launches`: looking at a launch, and what is told of it.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import { readObject } from '../../../lib/s3-objects.ts';
import { LIMITS } from '../../../workflows/launch/model.ts';
import { readCost } from '../../cost/view.ts';
import { explainLaunch } from '../../launch/explain.ts';
import { launchOutputs } from '../../launch/outputs.ts';
import type { CostView, Explanation, LaunchDetail, Output } from '../../live/api.ts';
import type { ApiDependencies } from './dependencies.ts';
import { notFound } from './errors.ts';
import { explanationOf } from './explanation.ts';
import { exportOf } from './exports.ts';
import { principalOf, seenLaunch } from './guard.ts';
import { launchDetail, outputOf } from './launch-detail.ts';
import type { PlanReader } from './plans.ts';
import { answers, body, id, name, object, oneOf, ref, whole } from './schemas.ts';

const params = object({ id: id('launch') });
const OUTPUTS = { usual: 1_000, most: 10_000 };

export function launchRoutes(app: FastifyInstance, deps: ApiDependencies, plans: PlanReader): void {
  const { aws, settings } = deps;
  const tags = ['launches'];
  app.get<{ Params: { id: string } }>(
    '/launches/:id',
    {
      schema: {
        tags,
        summary: 'A launch: status, steps, inputs, outputs, links',
        params,
        response: answers(ref('LaunchDetail')),
      },
    },
    async (request): Promise<LaunchDetail> => {
      const principal = principalOf(request);
      const item = await seenLaunch(deps, principal, request.params.id);
      return launchDetail(deps, { plans, log: request.log }, principal, item);
    },
  );
  app.get<{ Params: { id: string } }>(
    '/launches/:id/explain',
    { schema: { tags, summary: 'Why a launch is stuck or has failed', params, response: answers(ref('Explanation')) } },
    async (request): Promise<Explanation> => {
      const item = await seenLaunch(deps, principalOf(request), request.params.id);
      const { launches, steps, restores, client } = deps;
      const sources = { launches, steps, restores, batch: aws.batch, client, namespace: settings.temporalNamespace };
      const [found, rows] = await Promise.all([
        explainLaunch(sources, item.launch_id),
        steps.ofLaunch(item.launch_id, item.attempt),
      ]);
      if (!found) throw notFound(`launch ${item.launch_id}`);
      return explanationOf(found, rows);
    },
  );
  app.get<{ Params: { id: string }; Querystring: { limit: number } }>(
    '/launches/:id/outputs',
    {
      schema: {
        tags,
        summary: 'What a launch has put out, item by item',
        params,
        querystring: body(
          {},
          { limit: whole(1, OUTPUTS.most, 'Items that are looked at.', { default: OUTPUTS.usual }) },
        ),
        response: answers({ type: 'array', items: ref('Output') }),
      },
    },
    async (request): Promise<Output[]> => {
      const item = await seenLaunch(deps, principalOf(request), request.params.id);
      return (await launchOutputs(aws.s3, settings.bucket, item.launch_id, request.query.limit)).map(outputOf);
    },
  );
  app.get<{ Params: { id: string } }>(
    '/launches/:id/cost',
    {
      schema: {
        tags,
        summary: 'What a launch has cost; 409 while it has no cost',
        params,
        response: answers(ref('CostView'), { also: [409] }),
      },
    },
    async (request): Promise<CostView> => {
      const item = await seenLaunch(deps, principalOf(request), request.params.id);
      return readCost(deps, item.launch_id);
    },
  );
  app.get<{ Params: { id: string }; Querystring: { as: 'sheet' | 'snakemake'; data: string } }>(
    '/launches/:id/export',
    {
      schema: {
        tags,
        summary: 'The sheet as it was launched; or its steps for Snakemake',
        params,
        querystring: body(
          {},
          {
            as: oneOf(['sheet', 'snakemake'], 'What to make of it.', { default: 'sheet' }),
            data: name('Folder of the data when Snakemake runs.', 256),
          },
        ),
        response: answers(ref('Snakefile'), { text: 'application/yaml', also: [409] }),
      },
    },
    async (request, reply) => {
      const item = await seenLaunch(deps, principalOf(request), request.params.id);
      const { configuration_file: address, configuration_file_version: version } = item;
      const limit = LIMITS.sheetBytes;
      const { bytes } = await readObject(aws.s3, address, { limit, ...(version !== undefined && { version }) });
      const text = bytes.toString('utf8');
      if (request.query.as === 'snakemake') return exportOf(deps, { text, file: address }, request.query.data);
      return reply
        .type('application/yaml; charset=utf-8')
        .header('content-disposition', `attachment; filename="${item.launch_id}.yaml"`)
        .send(text);
    },
  );
}
