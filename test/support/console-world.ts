/**
 * A gateway that serves the built console, with logs of runs in memory and a registry that answers from them; behind a
 * network that can be cut.
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import type {
  LogLine,
  LogPage,
  RunAction,
  RunDetail,
  RunList,
  RunSummary,
  SessionInfo,
  Telemetry,
} from '../../clients/live/api.ts';
import type { Report, RunFacts, Snapshot } from '../../workflows/progress/model.ts';
import { type ChaosProxy, createChaosProxy, type Door } from './chaos-proxy.ts';
import { type ConsoleStories, emptyStories, storyRoutes } from './console-stories.ts';
import { type GatewayRig, openGateway } from './gateway.ts';
import { createMemoryLog, type MemoryLog } from './memory-log.ts';

export interface ConsoleWorld extends AsyncDisposable {
  url: string;
  log: MemoryLog;
  /** The way from browsers to the gateway. */
  door: Door;
  rig: GatewayRig;
  /** Says something of a run, which begins with it. */
  tell(run: string, report: Partial<Report>): Promise<void>;
  /** What may be done with a run; a change that was asked for is kept, and refused if `refuse` is set. */
  actions: Map<string, RunAction[]>;
  asked: { path: string; body: unknown }[];
  refuse: { status: number; message: string; remedy: string } | undefined;
  lines: LogLine[];
  telemetry: Telemetry[];
  /** Families, casts and books. */
  stories: ConsoleStories;
}

const CONSOLE = fileURLToPath(new URL('../../dist/console', import.meta.url));
const CONSUMER = 'lab-a';

export async function openConsole(session: Partial<SessionInfo> = {}): Promise<ConsoleWorld> {
  const log = createMemoryLog();
  const runs: string[] = [];
  const numbers = new Map<string, number>();
  const world: Known = {
    actions: new Map(),
    asked: [],
    refuse: undefined,
    lines: [],
    telemetry: [],
    stories: emptyStories(),
  };
  const rig = await openGateway({
    memory: log,
    console: CONSOLE,
    registerApi: async (app) => {
      const snapshots = () => Promise.all(runs.map((run) => log.snapshot(run)));
      await app.register(async (api) => registry(api, session, world, snapshots), { prefix: '/api/v1' });
    },
  });
  const proxy: ChaosProxy = createChaosProxy([Number(new URL(rig.url).port)], 1);
  const door = await proxy.door();
  return Object.assign(world, {
    url: `http://127.0.0.1:${door.port}`,
    log,
    door,
    rig,
    async tell(run: string, report: Partial<Report>) {
      if (!runs.includes(run)) runs.unshift(run);
      const localSeq = (numbers.get(run) ?? 0) + 1;
      numbers.set(run, localSeq);
      const facts: RunFacts = { domain: run.slice(0, run.indexOf('/')), consumer: CONSUMER };
      const source = { name: 'workflow', attempt: 1 };
      await log.append(run, facts, [{ kind: 'progress', source, localSeq, at: Date.now(), ...report }]);
    },
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await rig.close();
    },
  });
}

function summaryOf(snapshot: Snapshot): RunSummary {
  const { run, domain, status = 'PREPARING', waitingFor, endedAt, startedAt, attempt, percent, cost, error } = snapshot;
  return {
    workflowId: run,
    domain,
    id: run.slice(domain.length + 1),
    status,
    consumer: CONSUMER,
    createdAt: new Date(startedAt).toISOString(),
    attempt,
    ...(waitingFor !== undefined && { waitingFor }),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt).toISOString() }),
    ...(percent !== undefined && { percent }),
    ...(cost && { cost }),
    ...(error && { errorType: error.type }),
  };
}

type Known = Pick<ConsoleWorld, 'actions' | 'asked' | 'refuse' | 'lines' | 'telemetry' | 'stories'>;

function registry(
  api: FastifyInstance,
  session: Partial<SessionInfo>,
  known: Known,
  snapshots: () => Promise<(Snapshot | undefined)[]>,
): void {
  const all = async (): Promise<Snapshot[]> => (await snapshots()).flatMap((snapshot) => snapshot ?? []);
  const notFound = { error: { code: 'not-found', message: 'there is no such run', remedy: 'look at the list' } };
  api.get(
    '/session',
    (): SessionInfo => ({
      auth: 'open',
      role: 'approver',
      consumers: '*',
      version: '0.0.0-test',
      temporalUi: 'http://127.0.0.1:8233/',
      ...session,
    }),
  );
  api.get<{ Querystring: Partial<Record<'status' | 'q', string>> }>('/runs', async ({ query }): Promise<RunList> => {
    const runs = (await all()).map(summaryOf);
    const { status, q } = query;
    return { runs: runs.filter((run) => (!status || run.status === status) && (!q || run.id.includes(q))) };
  });
  api.get<{ Params: { workflowId: string } }>('/runs/:workflowId', async ({ params: { workflowId } }, reply) => {
    const snapshot = (await all()).find(({ run }) => run === workflowId);
    if (!snapshot) return reply.code(404).send(notFound);
    const actions = known.actions.get(workflowId) ?? [];
    return { ...summaryOf(snapshot), snapshot, actions, links: [] } satisfies RunDetail;
  });
  for (const [path, domain] of [
    ['/launches/:id', 'launch'],
    ['/restores/:id', 'restore'],
  ] as const)
    api.get<{ Params: { id: string } }>(path, async ({ params: { id } }, reply) => {
      const snapshot = (await all()).find(({ run }) => run === `${domain}/${id}`);
      if (!snapshot) return reply.code(404).send(notFound);
      const detail: RunDetail = {
        ...summaryOf(snapshot),
        snapshot,
        actions: known.actions.get(snapshot.run) ?? [],
        links: [],
      };
      return { ...detail, earlier: [], steps: [], outputs: [] };
    });
  api.get<{ Querystring: Partial<Record<'since' | 'search' | 'errors', string>> }>(
    '/launches/:id/logs',
    async ({ query, headers }, reply) => {
      const { since = '-1', search = '', errors } = query;
      const lines = known.lines.filter(
        ({ at, text }) => at > Number(since) && text.includes(search) && (!errors || text.includes('ERROR')),
      );
      if (headers.accept === 'text/plain')
        return reply.type('text/plain').send(lines.map(({ text }) => text).join('\n'));
      const page: LogPage = { lines, more: known.lines.at(-1)?.at ?? 0 };
      return page;
    },
  );
  for (const path of ['/approvals', '/launches/:id/cancel', '/launches/:id/retry'])
    api.post(path, async (request, reply) => {
      known.asked.push({ path: request.url.replace('/api/v1', ''), body: request.body });
      if (known.refuse) {
        const { status, ...error } = known.refuse;
        return reply.code(status).send({ error: { code: 'conflict', ...error } });
      }
      return { status: 'CANCELLED' };
    });
  storyRoutes(api, known);
  api.post<{ Body: Telemetry[] }>('/telemetry', async ({ body }, reply) => {
    known.telemetry.push(...body);
    return reply.code(204).send();
  });
}
