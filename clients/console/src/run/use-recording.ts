/**
 * Loads all events of a run, page by page, once a moment of its past is to be seen.
 *
 * @module
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import { type EventPage, STORED_EPOCH } from '../../../live/api.ts';
import { asFailure, ask, type Failure } from '../http.ts';
import { Recording } from '../recording.ts';
import { isOver } from '../status.ts';

const PAGE = 1_000;
const EVERY_MS = 5_000;

export interface Recorded {
  recording?: Recording;
  /** Events so far. Another number: there are more. */
  count: number;
  loading: boolean;
  failure?: Failure;
  /** The first event that is kept, where the log no longer begins at 1. */
  keptFrom?: number;
}

/** @param of absent: nothing is loaded. What is open is looked at again now and then. */
export function useRecording(of: Snapshot | undefined): Recorded {
  const [state, setState] = useState<Recorded>({ count: 0, loading: false });
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
    setState({ count: 0, loading: true });
    void run();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [key]);
  return key === undefined ? { count: 0, loading: false } : state;
}

interface Loaded {
  recording: Recording;
  count: number;
  keptFrom?: number;
}

function createLoader(begun: Snapshot, stop: AbortSignal) {
  let recording = Recording.fromStart(begun.run, begun, begun.epoch, begun.startedAt);
  let keptFrom: number | undefined;
  return {
    /** Page by page up to the newest. */
    async *more(): AsyncGenerator<Loaded> {
      for (;;) {
        const query = new URLSearchParams({ epoch: begun.epoch, after: String(recording.seq), limit: String(PAGE) });
        const { resume, events } = await ask<EventPage>(
          `/progress-events/${encodeURIComponent(begun.run)}?${query.toString()}`,
          { pattern: '/progress-events/:workflowId', signal: stop },
        );
        if ('snapshot' in resume && resume.snapshot) {
          recording = new Recording(resume.snapshot);
          keptFrom = resume.snapshot.seq;
        }
        recording.add(events);
        yield { recording, count: recording.events.length, ...(keptFrom !== undefined && { keptFrom }) };
        if (events.length === 0) return;
      }
    },
  };
}
