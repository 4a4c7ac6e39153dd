/**
 * What the samples' workflows need around them: their real activities on a log in memory, and the requests of a client as
 * its gateway would hand them on.
 *
 * @module
 */
import type { Client } from '@temporalio/client';
import { createOrderActivities } from '../../activities/order/index.ts';
import { createTeleprinterActivities } from '../../activities/teleprinter/index.ts';
import { SAMPLES } from '../../clients/gateway/samples/index.ts';
import type { ProgressWriter } from '../../lib/progress/log.ts';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { ACTIVITY_TASK_QUEUE as ORDER_QUEUE } from '../../workflows/order/model.ts';
import {
  type Position,
  ACTIVITY_TASK_QUEUE as PROGRESS_QUEUE,
  type ProgressEvent,
} from '../../workflows/progress/model.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';
import { ACTIVITY_TASK_QUEUE as TELEPRINTER_QUEUE, type Typed } from '../../workflows/teleprinter/model.ts';
import { createStoredLog } from './stored-log.ts';

export function createSampleWorld(article = 'To be read.') {
  const log = createStoredLog().store;
  /** By which activity reports came, and how many calls of it. */
  const routes = { direct: 0, bus: 0, activity: 0 };
  const counting = (route: keyof typeof routes): ProgressWriter => ({
    append(run, facts, reports) {
      routes[route] += 1;
      return log.append(run, facts, reports);
    },
  });
  const by = (route: keyof typeof routes) => async (batch: Batch) => {
    await counting(route).append(batch.run, batch.facts, batch.reports);
  };
  const reports = { appendProgress: by('direct'), publishProgress: by('bus') };
  return {
    log,
    routes,
    queues: {
      [WORKFLOW_TASK_QUEUE]: reports,
      [PROGRESS_QUEUE]: reports,
      [ORDER_QUEUE]: createOrderActivities({ progress: counting('activity') }),
      [TELEPRINTER_QUEUE]: createTeleprinterActivities({ progress: log, article }),
    },
    events: (run: string): Promise<ProgressEvent[]> => log.read(run, 0, 100_000),
  };
}

/** A user with a live connection. */
export function createUser(client: Client, userId: string) {
  const cursors = new Map<string, Position>();
  const context = () =>
    ({
      principal: { userId, role: 'viewer', consumers: [] },
      client,
      at: Date.now(),
      cursor: async (run: string) => cursors.get(run),
    }) as const;
  return {
    acknowledge: (run: string, position: Position) => void cursors.set(run, position),
    forget: () => cursors.clear(),
    request(what: string, input: unknown = {}) {
      const handler = SAMPLES.find((sample) => sample.what === what);
      if (!handler) throw new Error(`there is no ${what}`);
      return handler.handle(context(), input);
    },
    async leave(): Promise<void> {
      for (const { left } of SAMPLES) await left?.(context());
    },
  };
}

export const typed = (events: readonly ProgressEvent[]): Typed[] =>
  events.filter(({ kind }) => kind === 'data').map(({ data }) => data as Typed);
