/**
 * `/costs`: reports, comparisons and estimates, and what a story has cost, of the consumers of whoever asks.
 *
 * @module
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { monthToDate } from '../../../lib/cost/calendar.ts';
import { focusCsv } from '../../../lib/cost/focus.ts';
import { launchLines } from '../../../lib/cost/launch-lines.ts';
import { comparisonSvg } from '../../../lib/cost/plot.ts';
import { costReport, GROUPINGS, type Grouping } from '../../../lib/cost/report.ts';
import { reportCsv } from '../../../lib/cost/report-csv.ts';
import { COMPUTE_SERVICES } from '../../../workflows/launch/model.ts';
import { FAMILY_PATTERN, NIGHT_PATTERN, type StoryName } from '../../../workflows/story/model.ts';
import { billingAccount } from '../../cost/account.ts';
import { readComparison } from '../../cost/compare.ts';
import { estimateWith } from '../../cost/estimator.ts';
import { readStoryCost } from '../../cost/story-view.ts';
import { planSheet } from '../../launch/sheets.ts';
import type { CostComparison, CostEstimate, CostReport, EstimateBody, StoryCostView } from '../../live/api.ts';
import type { Principal } from '../principal.ts';
import { ofConsumers } from './consumer-ledger.ts';
import type { ApiDependencies } from './dependencies.ts';
import { principalOf, requireConsumer, requireRole, requireSeen, seenLaunch } from './guard.ts';
import { answers, body, consumer, id, object, oneOf, ref, whole } from './schemas.ts';
import { readSheet, SHEET_BODY_LIMIT, sheetFields } from './sheets.ts';

interface ReportQuery {
  by: Grouping;
  from?: string;
  to?: string;
  consumer?: string;
  format: 'json' | 'csv' | 'focus';
}

const CSV = 'text/csv; charset=utf-8';
const day = (description: string) => ({ type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$', description });
const accepts = ({ headers }: FastifyRequest, type: string): boolean => (headers.accept ?? '').startsWith(type);

export function costRoutes(app: FastifyInstance, deps: ApiDependencies): void {
  const tags = ['costs'];
  app.get<{ Querystring: ReportQuery }>(
    '/costs/report',
    {
      schema: {
        tags,
        summary:
          'Sums over launches and stories, of the month so far where no dates are given; as CSV, or FOCUS 1.2 CSV',
        querystring: body(
          {},
          {
            by: oneOf(GROUPINGS, 'What to sum by.', { default: 'consumer' }),
            from: day('The first day, UTC.'),
            to: day('The last day, included.'),
            consumer,
            format: oneOf(['json', 'csv', 'focus'], '`focus`: a row for each line of the ledger.', { default: 'json' }),
          },
        ),
        response: answers(ref('CostReport'), { text: 'text/csv' }),
      },
    },
    async (request, reply) => report(deps, principalOf(request), request, reply),
  );
  app.get<{ Querystring: { launch: string[] } }>(
    '/costs/compare',
    {
      schema: {
        tags,
        summary: 'Time, cost and figures of launches side by side; as a drawing by image/svg+xml',
        querystring: body({
          launch: { type: 'array', items: id('launch'), minItems: 2, maxItems: 20, uniqueItems: true },
        }),
        response: answers(ref('Comparison'), { text: 'image/svg+xml', also: [409] }),
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { launches, steps, ledger, aws, settings } = deps;
      for (const launchId of request.query.launch) await seenLaunch(deps, principal, launchId);
      const sources = { s3: aws.s3, bucket: settings.bucket, launches, steps, ledger };
      const comparison: CostComparison = await readComparison(sources, request.query.launch);
      if (!accepts(request, 'image/svg+xml')) return comparison;
      return reply
        .type('image/svg+xml; charset=utf-8')
        .send(comparisonSvg(comparison as Awaited<ReturnType<typeof readComparison>>));
    },
  );
  app.get<{ Params: StoryName }>(
    '/costs/stories/:family/:night',
    {
      schema: {
        tags,
        summary: 'What a story has cost, by stage; 409 while it has not ended',
        params: object({
          family: { type: 'string', pattern: FAMILY_PATTERN.source, description: 'Id of the family.' },
          night: {
            type: 'string',
            pattern: NIGHT_PATTERN.source,
            description: 'Its date, such as `2026-11-26`, or id.',
          },
        }),
        response: answers(ref('StoryCostView'), { also: [409] }),
      },
    },
    async (request): Promise<StoryCostView> => {
      const { family, night } = request.params;
      requireSeen(principalOf(request), { consumer: family }, `story ${family}/${night}`);
      return readStoryCost(deps, { family, night });
    },
  );
  app.post<{ Body: EstimateBody }>(
    '/costs/estimate',
    {
      bodyLimit: SHEET_BODY_LIMIT,
      schema: {
        tags,
        summary: 'What a sheet will take and cost, by what launches before it took. Needs the role operator',
        body: body(
          {},
          {
            ...sheetFields,
            computeService: oneOf(COMPUTE_SERVICES, "Instead of the sheet's."),
            market: oneOf(['on-demand', 'spot'], 'Only this one; both when left out.'),
            families: {
              type: 'array',
              maxItems: 20,
              minItems: 1,
              items: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,31}$' },
              description: 'Instance families, such as `m6i`.',
            },
            vcpus: whole(1, 9_999_999, 'How many its jobs may have at a time.'),
          },
        ),
        response: answers(ref('Estimate'), { also: [413] }),
      },
    },
    async (request): Promise<CostEstimate> => {
      const principal = principalOf(request);
      requireRole(principal, 'operator');
      const { computeService, market, families, vcpus } = request.body;
      const { text, file } = await readSheet(deps, principal, request.body);
      const { plan } = await planSheet({ settings: deps.settings, s3: deps.aws.s3 }, text, file, computeService);
      return estimateWith(
        { ...deps, ledger: ofConsumers(deps.ledger, principal.consumers) },
        {
          plan,
          ...(market && { market }),
          ...(families && { families }),
          ...(vcpus !== undefined && { parallelVcpus: vcpus }),
        },
      );
    },
  );
}

async function report(
  { ledger: all, aws }: ApiDependencies,
  principal: Principal,
  request: FastifyRequest<{ Querystring: ReportQuery }>,
  reply: FastifyReply,
): Promise<CostReport | FastifyReply> {
  const { by, from, to, consumer: only, format: named } = request.query;
  if (only !== undefined) requireConsumer(principal, only);
  const ledger = ofConsumers(all, principal.consumers);
  const format = named === 'json' && accepts(request, 'text/csv') ? 'csv' : named;
  const query = {
    ...monthToDate(Date.now()),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(only !== undefined && { consumer: only }),
  };
  if (format === 'focus') {
    const account = await billingAccount(aws.s3, {});
    return attach(reply, `costs-${query.from}-${query.to}-focus.csv`).send(
      Readable.from(focusCsv(launchLines(ledger, query), account)),
    );
  }
  const found = await costReport({ ledger }, { by, ...query });
  if (format === 'csv') return attach(reply, `costs-${query.from}-${query.to}.csv`).send(reportCsv(found));
  return found;
}

const attach = (reply: FastifyReply, name: string): FastifyReply =>
  reply.type(CSV).header('content-disposition', `attachment; filename="${name}"`);
