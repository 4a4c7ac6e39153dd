/**
 * Loads all events of a run, page by page, once a moment of its past is to be seen.
 *
 * @module
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ProgressEvent, Snapshot } from '../../../../workflows/progress/model.ts';
import { type EventPage, STORED_EPOCH } from '../../../live/api.ts';
import { asFailure, ask, type Failure } from '../http.ts';
import { isOver } from '../status.ts';
import { beginningOf, createHistory, type History } from '../views/history.ts';

const PAGE = 1_000;
const EVERY_MS = 5_000;

export interface Recorded {
  /** Absent until the first page has come. */
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

type Loaded = Pick<Recorded, 'events' | 'dropped'> & { history: History };

function createLoader(begun: Snapshot, stop: AbortSignal) {
  let loaded: Loaded = { history: createHistory([], beginningOf(begun)), events: [] };
  let seq = 0;
  return {
    /** Page by page up to the newest. */
    async *more(): AsyncGenerator<Loaded> {
      for (;;) {
        const query = new URLSearchParams({ epoch: begun.epoch, after: String(seq), limit: String(PAGE) });
        const { resume, events } = await ask<EventPage>(
          `/progress-events/${encodeURIComponent(begun.run)}?${query.toString()}`,
          { pattern: '/progress-events/:workflowId', signal: stop },
        );
        if ('snapshot' in resume && resume.snapshot) {
          const base = resume.snapshot;
          seq = base.seq;
          loaded = { history: createHistory([], base), events: [], dropped: base.seq };
        }
        const fresh = events.filter((event) => event.seq > seq);
        seq = fresh.at(-1)?.seq ?? seq;
        loaded = { ...loaded, history: loaded.history.with(fresh), events: [...loaded.events, ...fresh] };
        yield loaded;
        if (events.length === 0) return;
      }
    },
  };
}
