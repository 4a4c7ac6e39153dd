/**
 * Loads all events of a run, page by page, once a moment of its past is to be seen.
 *
 * @module
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ProgressEvent, Snapshot } from '../../../../workflows/progress/model.ts';
import { type EventPage, STORED_EPOCH } from '../../../live/api.ts';
import { asFailure, ask, Failure } from '../http.ts';
import { isOver } from '../status.ts';
import type { History } from '../views/history.ts';
import { replayOf } from './replay.ts';

/** The most a gateway gives at once. */
const PAGE = 500;
const EVERY_MS = 5_000;

export interface Recorded {
  /** Absent until all have come. */
  history?: History;
  /** Those the history is of, in order. */
  events: readonly ProgressEvent[];
  loading: boolean;
  failure?: Failure;
  /** Events up to this one are no longer kept. */
  dropped?: number;
}

const NOTHING: Recorded = { events: [], loading: false };

/** @param of absent: nothing is loaded. What is open is looked at again now and then. */
export function useRecording(of: Snapshot | undefined): Recorded {
  const [state, setState] = useState<Recorded>(NOTHING);
  const newest = useRef(of);
  newest.current = of;
  const key = of && `${of.run}\n${of.epoch}`;
  useEffect(() => {
    const begun = newest.current;
    if (!begun || begun.epoch === STORED_EPOCH) return;
    const stop = new AbortController();
    let timer: number | undefined;
    const loader = createLoader(begun, stop.signal);
    const run = async (): Promise<void> => {
      try {
        for await (const loaded of loader.more()) setState({ ...loaded, loading: true });
        setState((before) => ({ ...before, loading: false }));
      } catch (error) {
        if (stop.signal.aborted) return;
        const failure = asFailure(error);
        setState((before) => ({ ...before, loading: false, failure }));
      }
      if (!stop.signal.aborted && newest.current && !isOver(newest.current))
        timer = window.setTimeout(() => void run(), EVERY_MS);
    };
    setState({ events: [], loading: true });
    void run();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [key]);
  return key === undefined ? NOTHING : state;
}

type Loaded = Pick<Recorded, 'events' | 'dropped'>;

function createLoader(begun: Snapshot, stop: AbortSignal) {
  let loaded: Loaded = { events: [] };
  let newest = begun;
  let history: History | undefined;
  let seq = 0;
  return {
    /** Page by page up to the newest; a history once all are there. */
    async *more(): AsyncGenerator<Loaded & { history?: History }> {
      for (;;) {
        const query = new URLSearchParams({ epoch: begun.epoch, after: String(seq), limit: String(PAGE) });
        const { resume, events } = await ask<EventPage>(
          `/progress-events/${encodeURIComponent(begun.run)}?${query.toString()}`,
          { pattern: '/progress-events/:workflowId', signal: stop },
        );
        if (resume.verdict === 'purged')
          throw new Failure(0, 'purged', 'the log of this run was begun anew', 'Load the page again.');
        if (resume.verdict === 'gap') {
          seq = resume.to;
          newest = resume.snapshot;
          loaded = { events: [], dropped: seq };
          history = undefined;
          continue;
        }
        const fresh = events.filter((event) => event.seq > seq);
        seq = fresh.at(-1)?.seq ?? seq;
        loaded = { ...loaded, events: [...loaded.events, ...fresh] };
        if (fresh.length === 0) {
          history ??= replayOf(newest, loaded.events);
          yield { ...loaded, history };
          return;
        }
        history = history?.with(fresh);
        yield { ...loaded, ...(history && { history }) };
      }
    },
  };
}
