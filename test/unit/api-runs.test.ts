/** The list of runs: what Temporal tells of, page by page, and the places in between. */
import type { Client } from '@temporalio/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCursor, listRuns, parseCursor } from '../../clients/gateway/http/run-list.ts';
import { queryOf, type TemporalFilter, temporalRuns } from '../../clients/gateway/http/temporal-runs.ts';
import type { RunSummary } from '../../clients/live/api.ts';
import { comparePlaces } from '../../lib/store/newest.ts';

const NOW = Date.UTC(2026, 10, 26, 12);
const HOUR = 3_600_000;

interface Execution {
  id: string;
  /** Epoch ms. */
  at: number;
  status?: string;
}

/** Temporal's list as far as it is asked: by the bounds of time, by the end, at most what is read of it. */
function clientOf(executions: readonly Execution[], asked: string[] = []): Client {
  return {
    withDeadline: (_: number, run: () => unknown) => run(),
    workflow: {
      list: async function* ({ query }: { query: string }) {
        asked.push(query);
        const bound = (operator: string) => {
          const [, time] = new RegExp(`StartTime ${operator} "([^"]+)"`).exec(query) ?? [];
          return time === undefined ? undefined : Date.parse(time);
        };
        const [from, to] = [bound('>='), bound('<')];
        for (const { id, at, status = 'COMPLETED' } of executions) {
          if ((from !== undefined && at < from) || (to !== undefined && at >= to)) continue;
          yield {
            workflowId: id,
            type: 'order',
            status: { name: status },
            startTime: new Date(at),
            searchAttributes: {},
          };
        }
      },
    },
  } as unknown as Client;
}

async function everyPage(client: Client, filter: Omit<TemporalFilter, 'limit'>, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let after: TemporalFilter['after'];
  for (let page = 0; page < 200; page += 1) {
    const { items, reached } = await temporalRuns(client, { ...filter, limit, ...(after && { after }) }, NOW);
    ids.push(...items.map(({ workflowId }) => workflowId));
    if (!reached) return ids;
    after = reached;
  }
  throw new Error('there is no end of pages');
}

describe('runs by Temporal', () => {
  it('are each in one page, in order, however far apart they began', async () => {
    const age = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 2_000 * HOUR }));
    await fc.assert(
      fc.asyncProperty(fc.array(age, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), async (ages, limit) => {
        const executions = ages.map((ms, place) => ({ id: `order/${place}`, at: NOW - ms }));
        const expected = executions
          .map(({ id, at }) => ({ workflowId: id, createdAt: new Date(at).toISOString() }))
          .toSorted(comparePlaces)
          .map(({ workflowId }) => workflowId);
        expect(await everyPage(clientOf(executions), {}, limit)).toEqual(expected);
      }),
    );
  });

  it('are read within narrower times where there are many', async () => {
    const executions = Array.from({ length: 5_000 }, (_, place) => ({ id: `order/${place}`, at: NOW - place * 500 }));
    const first = await temporalRuns(clientOf(executions), { limit: 20 }, NOW);
    expect(first.items.map(({ id }) => Number(id))).toEqual(Array.from({ length: 20 }, (_, place) => place));
  });

  it('are as Temporal has ended them, whatever they say of themselves', async () => {
    const executions = ['RUNNING', 'COMPLETED', 'TERMINATED', 'TIMED_OUT', 'CANCELLED'].map((status, place) => ({
      id: `order/${place}`,
      at: NOW - place,
      status,
    }));
    const { items } = await temporalRuns(clientOf(executions), { limit: 9 }, NOW);
    expect(items.map(({ status }) => status)).toEqual(['RUNNING', 'COMPLETE', 'FAILED', 'FAILED', 'CANCELLED']);
  });

  it('are asked for by names that cannot leave their quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'binary' })), (domain, consumers) => {
        const query = queryOf({ domain, consumers: ['lab-a', ...consumers], limit: 1 }, 0, NOW);
        const quoted = [...query.matchAll(/"([^"]*)"/g)].map(([, text]) => text);
        expect(query.replaceAll(/"[^"]*"/g, '')).not.toMatch(/["'`\\]/);
        for (const text of quoted) expect(text).toMatch(/^[A-Za-z0-9:._/-]+$/);
      }),
    );
  });

  it('are none for a principal of no consumer', async () => {
    const asked: string[] = [];
    expect(await temporalRuns(clientOf([{ id: 'order/1', at: NOW }], asked), { limit: 5, consumers: [] }, NOW)).toEqual(
      {
        items: [],
      },
    );
    expect(asked).toEqual([]);
  });
});

describe('the list', () => {
  const run: RunSummary = {
    workflowId: 'launch/a',
    domain: 'launch',
    id: 'a',
    status: 'RUNNING',
    createdAt: '2026-11-26T11:00:00.000Z',
  };
  const everybody = { userId: 'u', role: 'viewer', consumers: '*' } as const;

  it('goes on without Temporal, and says so', async () => {
    const launch = {
      workflow_id: 'launch/a',
      launch_id: 'a',
      status: 'RUNNING',
      created_at: run.createdAt,
      statuses: {},
    };
    const sources = {
      launches: { page: async () => ({ items: [launch] }) },
      restores: { page: async () => ({ items: [] }) },
      client: {
        withDeadline: () => Promise.reject(Object.assign(new Error('14 UNAVAILABLE'), { code: 14 })),
      },
    } as unknown as Parameters<typeof listRuns>[0];
    const list = await listRuns(sources, everybody, { limit: 10 }, NOW);
    expect(list).toMatchObject({ runs: [{ workflowId: 'launch/a' }], incomplete: ['temporal'] });
  });

  it('gives places that lead back to where they are of, and takes no others', () => {
    fc.assert(
      fc.property(
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(NOW) }),
        fc.string(),
        (date, workflowId) => {
          const place = { createdAt: date.toISOString(), workflowId };
          expect(parseCursor(formatCursor(place))).toEqual(place);
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => Buffer.from(text).toString('base64url')),
        ),
        (text) => {
          expect(() => parseCursor(text)).toThrow(expect.objectContaining({ code: 'bad-request' }) as Error);
        },
      ),
    );
  });
});
