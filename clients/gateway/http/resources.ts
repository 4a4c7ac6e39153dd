/**
 * The resources of clients/live/api.ts as JSON Schema: components of the OpenAPI document. test/unit/api-openapi.test.ts
 * and the integration test hold answers against them.
 *
 * @module
 */
import {
  about,
  anything,
  decimal,
  epochMs,
  flag,
  integer,
  isoTime,
  list,
  map,
  number,
  object,
  ref,
  type Schema,
  text,
} from './schema-kit.ts';

const cost = object({ total: decimal, currency: text }, { status: { type: 'string', enum: ['PENDING', 'FINAL'] } });
const error = object({ type: text, message: text });

const runSummary = object(
  { workflowId: text, domain: text, id: text, status: text, createdAt: isoTime },
  {
    waitingFor: text,
    consumer: text,
    endedAt: isoTime,
    attempt: integer,
    workflowType: text,
    computeService: text,
    percent: number,
    cost,
    errorType: text,
  },
);

const and = (base: Schema, required: Record<string, Schema>, optional: Record<string, Schema> = {}): Schema => ({
  type: 'object',
  required: [...((base.required as string[] | undefined) ?? []), ...Object.keys(required)],
  properties: { ...(base.properties as object), ...required, ...optional },
});

const runDetail = and(
  runSummary,
  {
    snapshot: ref('Snapshot'),
    actions: list({ type: 'string', enum: ['cancel', 'retry', 'approve', 'refuse'] }),
    links: list(ref('RunLink')),
  },
  { error },
);

const counts = object({ total: integer, running: integer, succeeded: integer, failed: integer }, { cached: integer });

export const RESOURCES: Readonly<Record<string, Schema>> = {
  ApiError: object({ error: object({ code: text, message: text, remedy: text }) }),
  SessionInfo: object(
    {
      auth: { type: 'string', enum: ['open', 'jwt'] },
      role: { type: 'string', enum: ['viewer', 'operator', 'approver'] },
      consumers: {
        oneOf: [
          { type: 'array', items: text },
          { type: 'string', const: '*' },
        ],
      },
      version: text,
      temporalUi: text,
    },
    { expiresAt: epochMs },
  ),
  RunSummary: runSummary,
  RunList: object(
    { runs: list(ref('RunSummary')) },
    {
      next: about(
        text,
        'Of the next page: as `before`. A page may have fewer runs than asked for, and yet a next one.',
      ),
      incomplete: about(list(text), 'What could not be asked, and so is not in the list.'),
    },
  ),
  RunDetail: runDetail,
  RunLink: object(
    { what: { type: 'string', enum: ['parent', 'child', 'temporal'] }, label: text },
    { workflowId: text, href: text },
  ),
  Snapshot: object(
    {
      run: text,
      domain: text,
      epoch: text,
      seq: integer,
      attempt: integer,
      statuses: list(object({ status: text, at: epochMs, attempt: integer }, { waitingFor: text })),
      steps: list(
        object(
          { name: text, state: text },
          {
            after: list(text),
            weight: number,
            percent: number,
            message: text,
            items: counts,
            attempt: integer,
            submittedAt: epochMs,
            startedAt: epochMs,
            endedAt: epochMs,
            jobId: text,
            cause: text,
            stuck: object({ reason: text, remedy: text, since: epochMs }),
            tasks: list(object({ name: text, total: integer, running: integer, succeeded: integer, failed: integer })),
          },
        ),
      ),
      startedAt: epochMs,
      changedAt: epochMs,
    },
    {
      consumer: text,
      owner: text,
      parent: text,
      status: text,
      waitingFor: text,
      percent: number,
      message: text,
      counts: map(number),
      etaAt: epochMs,
      error,
      cost,
      endedAt: epochMs,
    },
  ),
  Output: object({ step: text, item: text, name: text, bytes: integer, address: text }),
  OutputList: object(
    { outputs: list(ref('Output')) },
    { leftOut: about(flag, 'There are more items than were looked at.') },
  ),
  StepDetail: object(
    {
      step: text,
      attempt: integer,
      generation: integer,
      state: text,
      jobs: list(
        object(
          { id: text, name: text, generation: integer, items: integer, submittedAt: isoTime },
          { memoryMib: number },
        ),
      ),
      failures: list(
        object(
          { item: text, cause: text, generation: integer, jobId: text, reason: text, lastLogLines: list(text) },
          { container: text, exitCode: integer },
        ),
      ),
    },
    {
      computeService: text,
      image: text,
      vcpus: number,
      memoryMib: number,
      cached: integer,
      reused: map(integer),
      failedJobs: map(integer),
    },
  ),
  RestoreSummary: object(
    {
      workflowId: text,
      status: text,
      total: integer,
      readable: integer,
      requested: integer,
      failed: integer,
      bytes: integer,
      readableBytes: integer,
    },
    { usd: number, limitUsd: number, readyBy: epochMs },
  ),
  LaunchDetail: and(
    runDetail,
    {
      sheet: text,
      earlier: list(object({ attempt: integer, statuses: map(isoTime) })),
      steps: list(ref('StepDetail')),
      outputs: list(ref('Output')),
    },
    {
      dataPath: text,
      resultsPath: text,
      inputs: object({
        total: integer,
        first: list(object({ step: text, item: text, name: text, address: text })),
      }),
      restore: ref('RestoreSummary'),
      failedJobs: integer,
    },
  ),
  RestoreDetail: and(
    runDetail,
    { restore: ref('RestoreSummary'), failures: list(object({ address: text, code: text, reason: text })) },
    {
      plan: object(
        { tiers: map(text), objects: integer, bytes: integer, seconds: number, days: integer },
        { usd: number },
      ),
    },
  ),
  LogPage: object(
    {
      lines: list(object({ at: epochMs, step: text, item: text, attempt: integer, container: text, text })),
    },
    {
      leftOut: about(integer, 'Items that a limit has left out.'),
      more: about(epochMs, 'Ask again with this as `since`; absent once nothing more can come.'),
    },
  ),
  Explanation: object({
    summary: text,
    findings: list(object({ what: text, why: text, remedy: text }, { step: text, item: text })),
  }),
  Preflight: object({
    ok: flag,
    findings: list(
      object(
        { level: { type: 'string', enum: ['error', 'warning'] }, check: text, at: text, message: text, remedy: text },
        { line: about(integer, 'Of the sheet.') },
      ),
    ),
  }),
  Started: object(
    { workflowId: text, status: text, outcome: { type: 'string', enum: ['started', 'existing'] } },
    { id: text, attempt: integer },
  ),
  Snakefile: object({ snakefile: text, config: text }),
  Decided: object({ workflowId: text, decision: { type: 'string', enum: ['approved', 'refused'] }, status: text }),
  Ended: object({ workflowId: text, status: text }),
  CostView: about(object({ launchId: text, currencies: list(anything) }), 'As `longhaul cost show --json`.'),
  StoryCostView: about(
    object({ storyId: text, total: text, stages: list(anything) }),
    'As `longhaul cost show story/<family>/<night> --json`.',
  ),
  CostReport: about(
    object({ by: text, from: text, to: text, rows: list(anything), totals: list(anything) }),
    'As `longhaul cost report --json`.',
  ),
  Estimate: about(object({ estimate: anything, offers: list(anything) }), 'As `longhaul cost estimate --json`.'),
  Comparison: about(object({}), 'As `longhaul cost compare --json`.'),
  RestorePlan: about(
    object({ totals: anything, readable: anything, missing: anything, quote: anything }),
    'As `longhaul restore plan --json`.',
  ),
  TelemetryView: object({
    pages: map(integer),
    requests: map(object({ count: integer, failed: integer, p50Ms: number, p95Ms: number })),
    errors: list(object({ at: epochMs, route: text, message: text })),
    refused: integer,
  }),
};
