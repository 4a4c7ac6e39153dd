/**
 * `/launches`: what changes something, or tries out a sheet.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import type { Finding } from '../../../workflows/launch/preflight.ts';
import { hasErrors } from '../../../workflows/launch/preflight.ts';
import type { ParsedSheet } from '../../../workflows/launch/sheet/parse.ts';
import { cancelLaunch } from '../../launch/cancel.ts';
import { planSheet, preflightPlan } from '../../launch/sheets.ts';
import type { Exported, PreflightAnswer, RetryBody, SheetBody, Started } from '../../live/api.ts';
import { CANCELS, ended } from './cancels.ts';
import type { ApiDependencies } from './dependencies.ts';
import { exportOf } from './exports.ts';
import { principalOf, requireRole, seenLaunch } from './guard.ts';
import { answers, body, id, name, object, optional, ref } from './schemas.ts';
import { readSheet, SHEET_BODY_LIMIT, sheetBody, sheetFields } from './sheets.ts';
import { retry, submit } from './submit.ts';

const params = object({ id: id('launch') });

export function launchActionRoutes(app: FastifyInstance, deps: ApiDependencies): void {
  const tags = ['launches'];
  const large = { bodyLimit: SHEET_BODY_LIMIT };
  app.post<{ Body: SheetBody }>(
    '/launches',
    {
      ...large,
      schema: {
        tags,
        summary: 'Launches a sheet; the same id and sheet again is `existing`. Needs the role operator',
        body: sheetBody,
        response: answers(ref('Started'), { also: [409, 413] }),
      },
    },
    async (request): Promise<Started> => {
      const principal = principalOf(request);
      requireRole(principal, 'operator');
      return submit(deps, principal, request.body);
    },
  );
  app.post<{ Body: SheetBody }>(
    '/launches/preflight',
    {
      ...large,
      schema: {
        tags,
        summary: 'What would go wrong with a sheet; changes nothing. Needs the role operator',
        body: sheetBody,
        response: answers(ref('Preflight'), { also: [413] }),
      },
    },
    async (request): Promise<PreflightAnswer> => {
      const principal = principalOf(request);
      requireRole(principal, 'operator');
      const { text, file } = await readSheet(deps, principal, request.body);
      const { parsed, plan } = await planSheet({ settings: deps.settings, s3: deps.aws.s3 }, text, file);
      const found = await preflightPlan(deps, plan);
      return { ok: !hasErrors(found), findings: found.findings.map((finding) => withLine(finding, parsed)) };
    },
  );
  app.post<{ Body: SheetBody & { data?: string } }>(
    '/launches/export',
    {
      ...large,
      schema: {
        tags,
        summary: 'The steps of a sheet for Snakemake; launches nothing. Needs the role operator',
        body: body({}, { ...sheetFields, data: name('Folder of the data when Snakemake runs.') }),
        response: answers(ref('Snakefile'), { also: [409, 413] }),
      },
    },
    async (request): Promise<Exported> => {
      const principal = principalOf(request);
      requireRole(principal, 'operator');
      return exportOf(deps, await readSheet(deps, principal, request.body), request.body.data);
    },
  );
  app.post<{ Params: { id: string }; Body: RetryBody | null }>(
    '/launches/:id/retry',
    {
      ...large,
      schema: {
        tags,
        summary: 'Runs what is not done of a launch that FAILED or was CANCELLED. Needs the role operator',
        params,
        body: optional(body({}, { sheet: sheetFields.sheet, noCache: { type: 'boolean' } })),
        response: answers(ref('Started'), { also: [409, 413] }),
      },
    },
    async (request): Promise<Started> => {
      const principal = principalOf(request);
      const item = await seenLaunch(deps, principal, request.params.id);
      requireRole(principal, 'operator');
      return retry(deps, principal, item, request.body ?? {});
    },
  );
  app.post<{ Params: { id: string } }>(
    '/launches/:id/cancel',
    {
      schema: {
        tags,
        summary: 'Asks a launch to end its jobs and itself; its log says when it has. Needs the role operator',
        params,
        ...CANCELS,
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const item = await seenLaunch(deps, principal, request.params.id);
      requireRole(principal, 'operator');
      const asked = await cancelLaunch(deps, item.launch_id);
      return ended(item.workflow_id, asked, 'GET /api/v1/launches/{id}');
    },
  );
}

function withLine(finding: Finding, { lineOf }: ParsedSheet): PreflightAnswer['findings'][number] {
  const line = lineOf(finding.at.split('.'));
  // A setting has no line, and the first line of the sheet would be a lie.
  return line === undefined || !finding.at.includes('.') ? finding : { ...finding, line };
}
