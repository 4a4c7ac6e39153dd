/** The HTTP API on a whole Longhaul: what the command line can do, over HTTP, with answers as the OpenAPI document says. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awaitCost } from '../../clients/cost/follow.ts';
import { apiDependencies } from '../../clients/gateway/http/dependencies.ts';
import type {
  CostReport,
  Explanation,
  LaunchDetail,
  LogPage,
  Output,
  PreflightAnswer,
  RestoreDetail,
  RunDetail,
  RunList,
  Started,
} from '../../clients/live/api.ts';
import { STORED_EPOCH } from '../../clients/live/api.ts';
import type { ProgressReader } from '../../lib/progress/log.ts';
import { type ApiUnderTest, openApi } from '../support/api-app.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

/** As for runs from before there was a log. */
const NO_LOG: ProgressReader = { head: async () => undefined, read: async () => [], snapshot: async () => undefined };
const LAB_A = { userId: 'u-a', role: 'operator', consumers: ['lab-a'] } as const;

let longhaul: Longhaul;
let api: ApiUnderTest;
let conforms: (path: string, status: number, body: unknown) => void;

beforeAll(async () => {
  longhaul = await openLonghaul();
  const { settings, aws, temporal } = longhaul;
  const deps = apiDependencies({
    settings,
    aws,
    client: temporal.client,
    progress: NO_LOG,
    auth: 'open',
    version: '0.0.0-test',
  });
  api = await openApi(deps, { keep: true });
  conforms = await conformance();
});
afterAll(async () => {
  await api?.app.close();
  await longhaul?.close();
});

interface Document {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>
  >;
  components: { schemas: Record<string, object> };
}

/** Holds an answer against what the document says of it. */
async function conformance() {
  const document = (await api.get('/openapi.json')).json() as Document;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ $id: 'api', components: document.components });
  return (route: string, status: number, body: unknown) => {
    const [method = '', path = ''] = route.split(' ');
    const answer = document.paths[`/api/v1${path}`]?.[method.toLowerCase()]?.responses[status];
    const described = answer?.content?.['application/json']?.schema;
    if (!described) throw new Error(`${route} has no ${status} in the document`);
    const schema = JSON.parse(JSON.stringify(described).replaceAll('"#/components/', '"api#/components/')) as object;
    const valid = ajv.validate(schema, body);
    expect(valid ? [] : ajv.errors, route).toEqual([]);
  };
}

async function get<T>(route: string, path = route, status = 200): Promise<T> {
  const answer = await api.get(path);
  expect(answer.statusCode, answer.body).toBe(status);
  conforms(`GET ${route}`, status, answer.json());
  return answer.json() as T;
}

async function post<T>(route: string, body: unknown, options: { path?: string; status?: number } = {}): Promise<T> {
  const { path = route, status = 200 } = options;
  const answer = await api.post(path, body);
  expect(answer.statusCode, answer.body).toBe(status);
  conforms(`POST ${route}`, status, answer.json());
  return answer.json() as T;
}

const small = sheet(
  'api-small',
  {
    greet: {
      scatter: ['sample'],
      command:
        'echo hello ${{ sample }}\nif [ ${{ sample }} = b ]; then echo "ERROR of b" >&2; fi\necho ${{ sample }} > ${{ outputs.out }}',
      outputs: { out: '${{ sample }}.txt' },
    },
    after: { command: 'echo all done', after: ['greet'] },
  },
  { scatter: { sample: ['a', 'b'] } },
);

describe('a launch by the API', () => {
  it('is submitted as text, once, and shown with everything known of it', async () => {
    const started = await post<Started>('/launches', { sheet: small });
    expect(started).toMatchObject({ workflowId: 'launch/api-small', id: 'api-small', outcome: 'started' });
    await expect.poll(async () => (await api.get('/launches/api-small')).statusCode).toBe(200);
    const early = await get<LaunchDetail>('/launches/{id}', '/launches/api-small');
    expect(early.actions).toEqual(early.endedAt === undefined ? ['cancel'] : []);
    expect(await post<Started>('/launches', { sheet: small })).toMatchObject({ outcome: 'existing' });
    await post('/launches', { sheet: `${small}\n# another` }, { status: 409 });
    expect(await longhaul.follow('api-small')).toMatchObject({ status: 'COMPLETE' });

    const detail = await get<LaunchDetail>('/launches/{id}', '/launches/api-small');
    expect(detail).toMatchObject({
      status: 'COMPLETE',
      consumer: 'lab-a',
      actions: [],
      sheet: 's3://longhaul/sheets/lab-a/api-small.yaml',
      snapshot: { epoch: STORED_EPOCH, seq: 0, percent: 100, status: 'COMPLETE' },
      inputs: { total: 0 },
    });
    expect(detail.snapshot.steps).toMatchObject([
      { name: 'greet', state: 'SUCCEEDED', items: { total: 2, succeeded: 2 } },
      { name: 'after', state: 'SUCCEEDED', after: ['greet'] },
    ]);
    expect(detail.snapshot.statuses.map(({ status }) => status)).toEqual(['PREPARING', 'READY', 'RUNNING', 'COMPLETE']);
    expect(detail.outputs).toMatchObject([{ step: 'greet', item: 'a', name: 'out', bytes: 2 }, { item: 'b' }]);
    expect(detail.links).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ what: 'temporal', href: expect.stringContaining('launch%2Fapi-small') }),
        expect.objectContaining({ what: 'child', workflowId: 'cost/api-small' }),
      ]),
    );
    expect(await get<RunDetail>('/runs/{workflowId}', '/runs/launch%2Fapi-small')).toMatchObject({ id: 'api-small' });
    expect(await get<Output[]>('/launches/{id}/outputs', '/launches/api-small/outputs')).toHaveLength(2);
    expect((await api.get('/launches/api-small/export')).body).toBe(small);
    const exported = await get('/launches/{id}/export', '/launches/api-small/export?as=snakemake');
    expect(exported).toMatchObject({ snakefile: expect.stringContaining('rule greet') });
  });

  it('has its lines page by page, searched, and as a download', async () => {
    const route = '/launches/{id}/logs';
    let all: LogPage = { lines: [] };
    // The newest lines are held back for a moment after the end, since some may be missing between them.
    await expect
      .poll(async () => {
        all = await get<LogPage>(route, '/launches/api-small/logs');
        return all.more;
      })
      .toBeUndefined();
    expect(all.lines.map(({ text }) => text).toSorted()).toEqual(['ERROR of b', 'all done', 'hello a', 'hello b']);
    expect(all.lines.map(({ at }) => at)).toEqual(all.lines.map(({ at }) => at).toSorted());
    const paged: string[] = [];
    let since: number | undefined = 0;
    for (let page = 0; since !== undefined && page < 20; page += 1) {
      const { lines, more }: LogPage = await get(route, `/launches/api-small/logs?limit=1&since=${since}`);
      paged.push(...lines.map(({ text }) => text));
      since = lines.length > 0 ? more : undefined;
    }
    expect(paged.toSorted()).toEqual(['ERROR of b', 'all done', 'hello a', 'hello b']);
    const found = await get<LogPage>(route, '/launches/api-small/logs?search=ERROR');
    expect(found.lines).toMatchObject([{ step: 'greet', item: 'b', container: 'main', text: 'ERROR of b' }]);
    const one = await get<LogPage>(route, '/launches/api-small/logs?step=greet&item=a&tail=1');
    expect(one.lines.map(({ text }) => text)).toEqual(['hello a']);
    expect(await get(route, '/launches/api-small/logs?step=gret', 404)).toMatchObject({
      error: { message: expect.stringContaining('did you mean greet') },
    });
    const download = await api.get('/launches/api-small/logs', { accept: 'text/plain' });
    expect(download.headers['content-disposition']).toBe('attachment; filename="api-small.log"');
    expect(download.body).toMatch(/\[greet\/b#1 main\] ERROR of b\n/);
    const followed = await api.get('/launches/api-small/logs?follow=true');
    expect(
      followed.body
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { text: string }).text),
    ).toHaveLength(4);
  });

  it('has its cost once it is priced, in the report and the comparison too', async () => {
    await awaitCost(longhaul.launches, 'api-small', 120_000);
    expect(await get('/launches/{id}/cost', '/launches/api-small/cost')).toMatchObject({
      launchId: 'api-small',
      attempts: 1,
    });
    const report = await get<CostReport>('/costs/report');
    expect(report.rows).toMatchObject([{ group: 'lab-a', launches: 1 }]);
    expect((await api.get('/costs/report', { accept: 'text/csv' })).body).toContain('lab-a');
    expect((await api.get('/costs/report?format=focus')).body).toContain('BilledCost');
    expect(await get('/runs/{workflowId}', '/runs/cost%2Fapi-small')).toMatchObject({
      domain: 'cost',
      links: expect.arrayContaining([expect.objectContaining({ what: 'parent', workflowId: 'launch/api-small' })]),
    });
  });

  it('can be estimated and checked before', async () => {
    const estimated = await post('/costs/estimate', { sheet: small, families: ['m5'] });
    expect(estimated).toMatchObject({ estimate: { steps: [{ step: 'greet', items: 2 }, { step: 'after' }] } });
    const wrong = sheet('api-wrong', {
      work: { command: 'wc ${{ inputs.reads }}', inputs: { reads: 'nowhere.txt' } },
    });
    const checked = await post<PreflightAnswer>('/launches/preflight', { sheet: wrong });
    expect(checked).toMatchObject({
      ok: false,
      findings: expect.arrayContaining([
        expect.objectContaining({ check: 'inputs', level: 'error', line: expect.any(Number) }),
      ]),
    });
    const bad = await post('/launches', { sheet: 'apiVersion: longhaul/v1\n' }, { status: 400 });
    expect(bad).toMatchObject({ error: { code: 'bad-sheet', message: expect.stringContaining('consumer') } });
  });
});

describe('a launch that fails', () => {
  it('says why, is retried once it has ended, and cancelled while it runs', async () => {
    const marker = `${longhaul.directory}/second`;
    const text = sheet('api-again', { work: { command: `if mkdir ${marker}; then exit 3; fi\nsleep 600` } });
    await post('/launches', { sheet: text });
    expect(await longhaul.follow('api-again')).toMatchObject({ status: 'FAILED' });
    const why = await get<Explanation>('/launches/{id}/explain', '/launches/api-again/explain');
    expect(why).toMatchObject({
      status: 'FAILED',
      cause: 'EXIT_CODE',
      findings: [{ what: 'EXIT_CODE' }, { step: 'work' }],
    });
    const failed = await get<LaunchDetail>('/launches/{id}', '/launches/api-again');
    expect(failed).toMatchObject({ actions: ['retry'], error: { type: 'StepFailedError' }, failedJobs: 1 });
    expect(failed.steps).toMatchObject([{ step: 'work', failures: [{ exitCode: 3 }] }]);
    expect(await post('/launches/{id}/cancel', {}, { path: '/launches/api-again/cancel', status: 409 })).toMatchObject({
      error: { code: 'conflict', message: expect.stringContaining('has ended already') },
    });

    const others = sheet('api-again', { work: { command: 'true' } }, { consumer: 'lab-b' });
    await post('/launches/{id}/retry', { sheet: others }, { path: '/launches/api-again/retry', status: 409 });
    const again = await post<Started>('/launches/{id}/retry', {}, { path: '/launches/api-again/retry' });
    expect(again).toMatchObject({ attempt: 2, outcome: 'started' });
    await expect.poll(async () => (await longhaul.launches.get('api-again'))?.status).toBe('RUNNING');
    await post('/launches/{id}/retry', {}, { path: '/launches/api-again/retry', status: 409 });
    await post('/launches/{id}/cancel', {}, { path: '/launches/api-again/cancel' });
    expect(await longhaul.follow('api-again')).toMatchObject({ status: 'CANCELLED' });
    const ended = await get<LaunchDetail>('/launches/{id}', '/launches/api-again');
    expect(ended.snapshot.statuses.map(({ status, attempt }) => `${attempt} ${status}`)).toEqual(
      expect.arrayContaining(['1 FAILED', '2 PREPARING', '2 CANCELLED']),
    );
    expect(ended.steps.map(({ attempt }) => attempt)).toEqual([2, 1]);
  });

  it('has nothing to approve', async () => {
    await post('/approvals', { workflowId: 'launch/api-again' }, { status: 409 });
    await post('/approvals', { workflowId: 'launch/nobody' }, { status: 404 });
  });
});

describe('restores by the API', () => {
  it('are planned, wait for an approval, are refused and cancelled', async () => {
    await longhaul.aws.s3.send(
      new PutObjectCommand({ Bucket: 'longhaul', Key: 'cold/a.txt', Body: 'a\n', StorageClass: 'GLACIER' }),
    );
    const sources = ['s3://longhaul/cold/'];
    expect(await post('/restores/plan', { sources })).toMatchObject({
      totals: { GLACIER: { archived: { objects: 1 } } },
    });
    const asked = { sources, limitUsd: 0, tier: 'Expedited', restoreId: 'api-cold', consumer: 'lab-a' };
    expect(await post('/restores', asked)).toMatchObject({ id: 'api-cold', outcome: 'started' });
    await expect
      .poll(async () => (await get<RestoreDetail>('/restores/{id}', '/restores/api-cold')).status)
      .toBe('APPROVAL');
    const waiting = await get<RestoreDetail>('/restores/{id}', '/restores/api-cold');
    expect(waiting).toMatchObject({
      waitingFor: 'approval',
      actions: ['approve', 'refuse', 'cancel'],
      restore: { total: 1 },
    });
    expect(await post('/restores', asked)).toMatchObject({ outcome: 'existing' });
    expect(await post('/approvals', { workflowId: 'restore/api-cold', refuse: true })).toMatchObject({
      decision: 'refused',
    });
    await expect
      .poll(async () => (await get<RestoreDetail>('/restores/{id}', '/restores/api-cold')).status)
      .toBe('FAILED');
    await post('/restores/{id}/cancel', {}, { path: '/restores/api-cold/cancel', status: 409 });
  });
});

describe('the list of runs', () => {
  it('has every domain, the newest first, page by page, and for a consumer its own', async () => {
    const all = await get<RunList>('/runs');
    expect(all.incomplete).toBeUndefined();
    expect(new Set(all.runs.map(({ domain }) => domain))).toEqual(new Set(['launch', 'restore', 'cost']));
    expect(all.runs.map(({ createdAt }) => createdAt)).toEqual(
      all.runs
        .map(({ createdAt }) => createdAt)
        .toSorted()
        .toReversed(),
    );
    const paged: string[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const page: RunList = await get('/runs', `/runs?limit=2${next ? `&before=${next}` : ''}`);
      paged.push(...page.runs.map(({ workflowId }) => workflowId));
      next = page.next;
    }
    expect(paged).toEqual(all.runs.map(({ workflowId }) => workflowId));
    const failed = await get<RunList>('/runs', '/runs?status=CANCELLED&domain=launch&q=api-');
    expect(failed.runs.map(({ id }) => id)).toEqual(['api-again']);
    const costs = await get<RunList>('/runs', '/runs?domain=cost');
    expect(costs.runs.map(({ workflowId }) => workflowId)).toContain('cost/api-small');
    const own = (await api.as(LAB_A).get('/runs')).json() as RunList;
    expect(own.runs.every(({ consumer }) => consumer === 'lab-a')).toBe(true);
    expect(own.runs.map(({ workflowId }) => workflowId)).toEqual(
      expect.arrayContaining(['launch/api-small', 'launch/api-again', 'restore/api-cold']),
    );
  });
});
