/**
 * Who may do what by the HTTP API: every route there is, against nobody, each role, and somebody of another consumer.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiDependencies } from '../../clients/gateway/http/dependencies.ts';
import { PREFIX } from '../../clients/gateway/http/index.ts';
import type { Principal } from '../../clients/gateway/principal.ts';
import { ROLES, type Role } from '../../clients/live/protocol.ts';
import type { LaunchItem } from '../../lib/store/launches.ts';
import type { RestoreItem } from '../../lib/store/restores.ts';
import type { StoryRecord } from '../../lib/story/document.ts';
import { type ApiUnderTest, openApi } from '../support/api-app.ts';
import { sheet } from '../support/live-sheet.ts';
import { familyItem } from '../support/story-family.ts';

const AT = '2026-11-01T00:00:00.000Z';
const launch: LaunchItem = {
  launch_id: 'run-1',
  status: 'RUNNING',
  statuses: { PREPARING: AT, RUNNING: AT },
  attempt: 1,
  sequence: 2,
  workflow_id: 'launch/run-1',
  run_id: 'r',
  created_at: AT,
  configuration_file: 's3://longhaul/sheets/lab-a/run-1.yaml',
  consumer: 'lab-a',
};
const restore: RestoreItem = {
  restore_id: 'cold-1',
  created_at: AT,
  sequence: 1,
  status: 'COMPLETE',
  statuses: { COMPLETE: AT },
  workflow_id: 'restore/cold-1',
  run_id: 'r',
  consumer: 'lab-a',
};
const NIGHT = '2026-11-01';
const family = familyItem({ family: 'lab-a', created_at: AT });
const story: StoryRecord = {
  family: 'lab-a',
  entry: `night#${NIGHT}`,
  story_id: `lab-a/${NIGHT}`,
  night: NIGHT,
  status: 'COMPLETE',
  run_id: 'r',
  attempt: 1,
  cast: { characters: ['parker', 'jackson'], scene: 'haunted-woods' },
  created_at: AT,
  verdicts: {},
  usage: {},
  reserved: 0,
  month: '2026-11',
  settled: true,
};
const deps = {
  families: {
    get: async (id: string) => (id === 'lab-a' ? family : undefined),
    list: async () => [],
    cards: async () => [{ family: 'lab-a', card: 'pip', name: 'Pip', created_at: AT }],
  },
  stories: {
    record: async (id: string, night: string) => (id === 'lab-a' && night === NIGHT ? story : undefined),
    book: async () => ({ records: [] }),
    committed: async () => 0,
  },
  launches: {
    get: async (id: string) => (id === 'run-1' ? launch : undefined),
    page: async () => ({ items: [launch] }),
  },
  restores: {
    get: async (id: string) => (id === 'cold-1' ? restore : undefined),
    page: async () => ({ items: [restore] }),
  },
  steps: { ofLaunch: async () => [] },
  progress: { head: async () => undefined, snapshot: async () => undefined, read: async () => [] },
  ledger: { day: async () => [], daysOf: async () => [], lines: async () => [] },
} as unknown as Partial<ApiDependencies>;

const OWN_SHEET = sheet('run-2', { work: { command: 'true' } });

interface Access {
  path: string;
  body?: unknown;
  /** The least role that is let through. */
  role: Role;
  /** What somebody in the highest role for another consumer gets; `same`: it is not about anybody's runs. */
  other: 404 | 403 | 'same';
}

const ofCards = (kind: string): Record<string, Access> => ({
  [`GET /families/:family/${kind}`]: { path: `/families/lab-a/${kind}`, role: 'viewer', other: 404 },
  [`POST /families/:family/${kind}`]: {
    path: `/families/lab-a/${kind}`,
    body: { name: 'Pip' },
    role: 'operator',
    other: 404,
  },
  [`POST /families/:family/${kind}/:card`]: {
    path: `/families/lab-a/${kind}/pip`,
    body: { looks: 'small' },
    role: 'operator',
    other: 404,
  },
  [`POST /families/:family/${kind}/:card/remove`]: {
    path: `/families/lab-a/${kind}/pip/remove`,
    body: {},
    role: 'operator',
    other: 404,
  },
});

/** Every route. What is let through may fail of services that are not here, but not of who asks. */
const TABLE: Readonly<Record<string, Access | 'public'>> = {
  'GET /openapi.json': 'public',
  'GET /session': { path: '/session', role: 'viewer', other: 'same' },
  'GET /runs': { path: '/runs?consumer=lab-a', role: 'viewer', other: 403 },
  'GET /runs/:workflowId': { path: '/runs/launch%2Frun-1', role: 'viewer', other: 404 },
  'GET /launches/:id': { path: '/launches/run-1', role: 'viewer', other: 404 },
  'GET /launches/:id/explain': { path: '/launches/run-1/explain', role: 'viewer', other: 404 },
  'GET /launches/:id/outputs': { path: '/launches/run-1/outputs', role: 'viewer', other: 404 },
  'GET /launches/:id/cost': { path: '/launches/run-1/cost', role: 'viewer', other: 404 },
  'GET /launches/:id/export': { path: '/launches/run-1/export', role: 'viewer', other: 404 },
  'GET /launches/:id/logs': { path: '/launches/run-1/logs', role: 'viewer', other: 404 },
  'POST /launches': { path: '/launches', body: { sheet: OWN_SHEET }, role: 'operator', other: 403 },
  'POST /launches/preflight': { path: '/launches/preflight', body: { sheet: OWN_SHEET }, role: 'operator', other: 403 },
  'POST /launches/export': { path: '/launches/export', body: { sheet: OWN_SHEET }, role: 'operator', other: 403 },
  'POST /launches/:id/retry': { path: '/launches/run-1/retry', body: {}, role: 'operator', other: 404 },
  'POST /launches/:id/cancel': { path: '/launches/run-1/cancel', body: {}, role: 'operator', other: 404 },
  'GET /restores/:id': { path: '/restores/cold-1', role: 'viewer', other: 404 },
  'POST /restores/:id/cancel': { path: '/restores/cold-1/cancel', body: {}, role: 'operator', other: 404 },
  'POST /restores/plan': {
    path: '/restores/plan',
    body: { configurationFile: 's3://longhaul/restore-requests/lab-a/list.txt' },
    role: 'operator',
    other: 403,
  },
  'POST /restores': {
    path: '/restores',
    body: { sources: ['s3://archive/a/'], consumer: 'lab-a' },
    role: 'operator',
    other: 403,
  },
  'POST /approvals': { path: '/approvals', body: { workflowId: 'launch/run-1' }, role: 'approver', other: 404 },
  'GET /costs/report': { path: '/costs/report?consumer=lab-a', role: 'viewer', other: 403 },
  'GET /costs/compare': { path: '/costs/compare?launch=run-1&launch=run-3', role: 'viewer', other: 404 },
  'GET /costs/stories/:family/:night': { path: '/costs/stories/lab-a/2026-11-01', role: 'viewer', other: 404 },
  'POST /costs/estimate': { path: '/costs/estimate', body: { sheet: OWN_SHEET }, role: 'operator', other: 403 },
  'GET /families': { path: '/families', role: 'viewer', other: 'same' },
  'POST /families': { path: '/families', body: { family: 'new', timeZone: 'UTC' }, role: 'operator', other: 403 },
  'GET /families/:family': { path: '/families/lab-a', role: 'viewer', other: 404 },
  'POST /families/:family': { path: '/families/lab-a', body: { at: '19:30' }, role: 'operator', other: 404 },
  'POST /families/:family/remove': { path: '/families/lab-a/remove', body: {}, role: 'operator', other: 404 },
  'GET /families/:family/schedule': { path: '/families/lab-a/schedule', role: 'viewer', other: 404 },
  'POST /families/:family/pause': { path: '/families/lab-a/pause', body: {}, role: 'operator', other: 404 },
  'POST /families/:family/resume': { path: '/families/lab-a/resume', body: {}, role: 'operator', other: 404 },
  'POST /families/:family/backfill': {
    path: '/families/lab-a/backfill',
    body: { from: NIGHT, to: NIGHT },
    role: 'operator',
    other: 404,
  },
  'GET /families/:family/subscriptions': { path: '/families/lab-a/subscriptions', role: 'viewer', other: 404 },
  'POST /families/:family/subscriptions': {
    path: '/families/lab-a/subscriptions',
    body: { address: 'a@example.org' },
    role: 'operator',
    other: 404,
  },
  ...ofCards('characters'),
  ...ofCards('scenes'),
  'GET /stories': { path: '/stories?family=lab-a', role: 'viewer', other: 404 },
  'POST /stories': { path: '/stories', body: { family: 'lab-a' }, role: 'operator', other: 404 },
  'GET /stories/:family/:night': { path: `/stories/lab-a/${NIGHT}`, role: 'viewer', other: 404 },
  'POST /stories/:family/:night/link': { path: `/stories/lab-a/${NIGHT}/link`, body: {}, role: 'operator', other: 404 },
  'POST /stories/:family/:night/cancel': {
    path: `/stories/lab-a/${NIGHT}/cancel`,
    body: {},
    role: 'operator',
    other: 404,
  },
  'POST /telemetry': { path: '/telemetry', body: [{ kind: 'page', route: '/runs' }], role: 'viewer', other: 'same' },
  'GET /telemetry': { path: '/telemetry', role: 'operator', other: 403 },
};

const principal = (role: Role, consumers: Principal['consumers']): Principal => ({
  userId: `u-${role}`,
  role,
  consumers,
});

let shared: ApiUnderTest;
beforeAll(async () => {
  shared = await openApi(deps, { keep: true });
});
afterAll(() => shared.app.close());

async function ask(who: Principal | undefined, route: string, { path, body }: Pick<Access, 'path' | 'body'>) {
  const api = shared.as(who);
  return route.startsWith('POST') ? api.post(path, body) : api.get(path);
}

describe('the routes of the API', () => {
  it('are all in the table, and the table has no other', () => {
    expect(shared.routes.toSorted()).toEqual(Object.keys(TABLE).toSorted());
  });
});

const guarded = Object.entries(TABLE).flatMap(([route, access]) => (access === 'public' ? [] : [{ route, ...access }]));

describe.each(guarded)('$route', ({ route, role, other, ...asked }) => {
  it('is nothing for who brings no token', async () => {
    const answer = await ask(undefined, route, asked);
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ error: { code: 'unauthorized', remedy: expect.stringContaining('Bearer') } });
  });

  it.each(ROLES)('asks for a role of a %s of the consumer', async (given) => {
    // What is of all users is for who may see all.
    const ofAll = ['GET /telemetry', 'POST /families'].includes(route) || asked.path.includes('run-3');
    const consumers = ofAll ? '*' : ['lab-a'];
    const answer = await ask(principal(given, consumers), route, asked);
    if (ROLES.indexOf(given) < ROLES.indexOf(role)) {
      expect(answer.statusCode).toBe(403);
      expect(answer.json()).toMatchObject({ error: { code: 'forbidden', message: expect.stringContaining(role) } });
    } else if (asked.path.includes('run-3'))
      expect(answer.json()).toMatchObject({ error: { message: expect.stringContaining('run-3') } });
    else expect([401, 403, 404]).not.toContain(answer.statusCode);
  });

  it('is not for somebody of another consumer', async () => {
    const answer = await ask(principal('approver', ['lab-b']), route, asked);
    if (other === 'same') expect(answer.statusCode).toBe(200);
    else expect(answer.statusCode).toBe(other);
    if (other === 404) {
      const names = /run-1|cold-1|lab-a/g;
      const absent = { ...asked, path: asked.path.replaceAll(names, 'run-9') };
      const about =
        (route === 'POST /approvals' && { body: { workflowId: 'launch/run-9' } }) ||
        (route === 'POST /stories' && { body: { family: 'run-9' } });
      const missing = await ask(principal('approver', ['lab-b']), route, { ...absent, ...about });
      // Whether there is such a run is not to be told apart.
      expect(missing.body.replaceAll('run-9', 'X')).toBe(answer.body.replaceAll(names, 'X'));
    }
  });
});

describe('what a principal of some consumers gets', () => {
  it('is asked of the registries for those consumers alone', async () => {
    const asked: unknown[] = [];
    const page = async (filter: unknown) => {
      asked.push(filter);
      return { items: [] };
    };
    const api = await openApi({
      ...deps,
      launches: { page },
      restores: { page },
    } as unknown as Partial<ApiDependencies>);
    await api.as(principal('viewer', ['lab-a', 'lab-c'])).get('/runs?domain=launch');
    await api.as(principal('viewer', ['lab-a', 'lab-c'])).get('/runs?domain=restore&consumer=lab-c');
    await api.as(principal('viewer', '*')).get('/runs?domain=launch');
    expect(asked).toMatchObject([{ consumers: ['lab-a', 'lab-c'] }, { consumers: ['lab-c'] }, {}]);
    expect(asked[2]).not.toHaveProperty('consumers');
  });

  it('has no costs of others in it', async () => {
    const days: string[] = [];
    const ledger = {
      day: async () => Promise.reject(new Error('a day of everybody was read')),
      daysOf: async (consumer: string) => {
        days.push(consumer);
        return [];
      },
    };
    const api = await openApi({ ...deps, ledger } as unknown as Partial<ApiDependencies>);
    const answer = await api.as(principal('viewer', ['lab-a'])).get('/costs/report?from=2026-11-01&to=2026-11-03');
    expect(answer.json()).toMatchObject({ rows: [], from: '2026-11-01' });
    expect(new Set(days)).toEqual(new Set(['lab-a']));
  });

  it.each([
    's3://longhaul/sheets/lab-b/x.yaml',
    's3://longhaul/sheets/lab-a',
    's3://longhaul/sheets/lab-ab/x.yaml',
    's3://longhaul/launches/run-1/attempts/1/plan.json',
    's3://somebody-elses/sheets/lab-a/x.yaml',
  ])('is never read by the rights of the gateway: %s', async (configurationFile) => {
    const answer = await shared.as(principal('approver', ['lab-a'])).post('/launches/preflight', { configurationFile });
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ error: { message: expect.stringContaining('no place of yours') } });
  });
});

it(`is what ${PREFIX} is`, async () => {
  const answer = await shared.get('/nothing-here');
  expect(answer.statusCode).toBe(404);
  expect(answer.json()).toMatchObject({ error: { code: 'not-found' } });
});
