/**
 * Events of one run by plain requests, each of which may wait for a while.
 *
 * @module
 */
import type { Position, ProgressEvent, RunFacts } from '../../../workflows/progress/model.ts';
import type { EventPage } from '../../live/api.ts';
import type { Resume } from '../../live/protocol.ts';
import { maySee, type Principal } from '../principal.ts';
import type { Hub } from './hub.ts';
import type { Batch } from './message.ts';
import type { Problem, Sink } from './subscription.ts';

export interface PollRequest {
  run: string;
  principal: Principal;
  /** What was seen last. */
  position: Position | undefined;
  /** At most so many events. */
  limit: number;
  /** How long to wait for one, where there is none. */
  waitMs: number;
  /** The asker has gone. */
  signal: AbortSignal;
}

const READ_MS = 5_000;
const UNREADABLE: Problem = {
  code: 'unavailable',
  message: 'the log of the run cannot be read now',
  remedy: 'ask again in a while',
};

/** @returns what the asker does not know; or why it gets nothing */
export function poll(hub: Pick<Hub, 'subscribe'>, request: PollRequest): Promise<EventPage | { problem: Problem }> {
  return new Promise((resolve) => {
    const events: ProgressEvent[] = [];
    let resume: Resume | undefined;
    let expected = 1;
    let timer: NodeJS.Timeout | undefined;
    const finish = (answer: EventPage | { problem: Problem }) => {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', give);
      subscription.end();
      resolve(answer);
    };
    const give = () => finish(resume ? { resume, events } : { problem: UNREADABLE });
    const sink: Sink = {
      get full() {
        return events.length >= request.limit;
      },
      allowed: (facts: RunFacts) => maySee(request.principal, facts),
      begun(_run, begun) {
        // Of a log that began anew while somebody waited: told the next time.
        if (resume) return give();
        resume = begun;
        if (begun.verdict === 'replayed') expected = Math.min(begun.count, request.limit);
        else if (begun.verdict !== 'current' || request.waitMs === 0 || request.signal.aborted) give();
      },
      events(_run: string, batch: Batch) {
        for (const { event } of batch.entries.slice(0, request.limit - events.length)) events.push(event);
        if (events.length >= expected) give();
      },
      held: () => {},
      failed: (_run, problem) => finish({ problem }),
    };
    const subscription = hub.subscribe(request.run, sink);
    // Also bounds a replay whose pages cannot be read: what is there is given.
    timer = setTimeout(give, request.waitMs > 0 ? request.waitMs : READ_MS);
    request.signal.addEventListener('abort', give);
    void subscription.begin(request.position);
  });
}
