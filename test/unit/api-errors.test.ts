/** What the API says when something is wrong: the field, the remedy, and nothing of its insides. */
import { ServiceError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import type { ApiDependencies } from '../../clients/gateway/http/dependencies.ts';
import { openApi } from '../support/api-app.ts';

interface Refusal {
  error: { code: string; message: string; remedy: string };
}

describe('a request that cannot be used', () => {
  it.each([
    ['/runs?limit=0', /querystring\.limit must be >= 1/],
    ['/runs?limit=ten', /querystring\.limit must be integer/],
    ['/runs?domian=launch', /querystring must NOT have additional properties: domian/],
    ['/runs?status=open', /querystring\.status must match pattern/],
    ['/runs?before=nonsense', /querystring\.before is no place/],
    [`/runs?q=${'x'.repeat(65)}`, /querystring\.q must NOT have more than 64/],
    ['/launches/..%2Fx', /params\.id must match pattern/],
    ['/launches/run-1/logs?container=side', /querystring\.container\.0 must be equal to one of.*stage, main, publish/],
    ['/costs/report?from=yesterday', /querystring\.from must match pattern/],
    ['/costs/report?from=2026-02-30', /2026-02-30/],
    ['/costs/compare?launch=one', /querystring\.launch must NOT have fewer than 2/],
    ['/runs/%00', /params\.workflowId must match pattern/],
  ])('GET %s is told by its field', async (path, message) => {
    const answer = await (await openApi()).get(path);
    expect(answer.statusCode).toBe(400);
    const { error } = answer.json() as Refusal;
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ code: 'bad-request', remedy: expect.stringMatching(/\w/) });
  });

  it.each([
    ['/launches', { sheet: 'a: 1', shete: 'b' }, 400, /additional properties: shete/],
    ['/launches', {}, 400, /names no sheet, or two/],
    [
      '/launches',
      { sheet: 'a: 1', configurationFile: 's3://longhaul/sheets/lab-a/x.yaml' },
      400,
      /names no sheet, or two/,
    ],
    ['/launches', { configurationFile: 'file:///etc/passwd' }, 400, /body\.configurationFile must match pattern/],
    ['/launches', { sheet: 7 }, 400, /body\.sheet must be string/],
    ['/launches', [], 400, /body must be object/],
    ['/launches', { sheet: ': : :' }, 400, /sheet/],
    ['/launches', { sheet: 'x'.repeat(5 * 1024 * 1024) }, 413, /too large/i],
    ['/launches', { sheet: 'x'.repeat(1_048_577) }, 400, /body\.sheet must NOT have more than/],
    ['/restores', { sources: [] }, 400, /body\.sources must NOT have fewer than 1/],
    ['/restores', { consumer: 'lab-a' }, 400, /names nothing to restore/],
    ['/restores', { sources: ['s3://b/k'], days: 4_000 }, 400, /body\.sources\.0 must match|body\.days must be <=/],
    ['/restores/plan', { sources: ['s3://bucket/k'], deadline: 'soon' }, 400, /body\.deadline must match/],
    ['/approvals', { refuse: true }, 400, /body must have required property 'workflowId'/],
    ['/telemetry', [{ kind: 'page', route: '/runs?token=secret' }], 400, /body\.0\.route must match pattern/],
    ['/telemetry', Array.from({ length: 51 }, () => ({ kind: 'page', route: '/' })), 400, /must NOT have more than 50/],
  ])('POST %s %j', async (path, body, status, message) => {
    const answer = await (await openApi()).post(path, body);
    expect(answer.statusCode).toBe(status);
    expect((answer.json() as Refusal).error.message).toMatch(message);
  });

  it('is no JSON, or of another type', async () => {
    const { app } = await openApi();
    const send = (payload: string, type: string) =>
      app.inject({ method: 'POST', url: '/api/v1/launches', payload, headers: { 'content-type': type } });
    expect((await send('{"sheet":', 'application/json')).statusCode).toBe(400);
    expect((await send('sheet', 'text/yaml')).statusCode).toBe(415);
    expect((await send('{"sheet":', 'application/json')).json()).toMatchObject({
      error: { remedy: expect.any(String) },
    });
  });
});

describe('something that is down', () => {
  const failing = (error: Error): Partial<ApiDependencies> =>
    ({ launches: { get: () => Promise.reject(error) } }) as unknown as Partial<ApiDependencies>;

  it.each([
    [
      'a throttled table',
      Object.assign(new Error('Rate exceeded: table arn:aws:dynamodb:…'), { name: 'ThrottlingException' }),
    ],
    ['AWS', Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:443'), { code: 'ECONNREFUSED' })],
    ['Temporal', new ServiceError('14 UNAVAILABLE: 10.0.0.7:7233')],
  ])('%s is 503, with when to come again', async (_, error) => {
    const answer = await (await openApi(failing(error))).get('/launches/run-1');
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    expect(answer.json()).toMatchObject({
      error: { code: 'unavailable', remedy: expect.stringContaining('try again') },
    });
    expect(answer.body).not.toMatch(/10\.0\.0\.7|arn:/);
  });

  it('is a bug: nothing of it is told, and the log has it with the id of the request', async () => {
    const lines: string[] = [];
    const error = new TypeError('cannot read properties of the secret s3cr3t');
    const api = await openApi(failing(error), { logger: { write: (line) => lines.push(line) } });
    const answer = await api.get('/launches/run-1');
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toMatch(/s3cr3t|TypeError|\.ts/);
    expect(answer.headers['x-request-id']).toMatch(/\w/);
    const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged).toContainEqual(
      expect.objectContaining({
        reqId: answer.headers['x-request-id'],
        route: '/api/v1/launches/:id',
        code: 'internal',
      }),
    );
  });

  it('has no query string in the lines of the API', async () => {
    const lines: string[] = [];
    const api = await openApi({}, { logger: { write: (line) => lines.push(line) } });
    await api.get('/runs?limit=0&q=s3cr3t');
    const own = lines.filter((line) => line.includes('a request was refused'));
    expect(own).toHaveLength(1);
    expect(own.join('')).not.toContain('s3cr3t');
  });
});
