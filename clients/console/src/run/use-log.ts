/**
 * The log of a launch: the last lines at first, then what is written while it is followed.
 *
 * @module
 */
import { useCallback, useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { LogLine, LogPage } from '../../../live/api.ts';
import { asFailure, ask, type Failure } from '../http.ts';
import { appendLines, type LogFilters } from './log-lines.ts';

const TAIL = 2_000;
const EVERY_MS = 2_000;
const AFTER_FAILURE_MS = 5_000;

export interface Log {
  lines: readonly LogLine[];
  /** Not in the page any more. */
  dropped: number;
  /** Lines or items the gateway left out. */
  leftOut: number;
  loading: boolean;
  /** More can come. */
  open: boolean;
  failure?: Failure;
}

const NOTHING: Log = { lines: [], dropped: 0, leftOut: 0, loading: true, open: true };

interface Reader {
  of: string;
  log: Log;
  /** Epoch ms: absent before the first page. */
  since?: number;
}

/** @param follow goes on reading what is written meanwhile */
export function useLog(launchId: string, filters: LogFilters, follow: boolean): Log & { reload(): void } {
  const query = new URLSearchParams({ ...filters }).toString();
  const [turn, setTurn] = useState(0);
  const key = `${launchId} ${query} ${turn}`;
  const reader = useRef<Reader>({ of: key, log: NOTHING });
  if (reader.current.of !== key) reader.current = { of: key, log: NOTHING };
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const stop = new AbortController();
    void readOn(reader.current, launchId, query, follow, stop.signal, () => redraw(undefined));
    return () => stop.abort();
  }, [key, follow]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { ...reader.current.log, reload };
}

async function readOn(
  reader: Reader,
  launchId: string,
  query: string,
  follow: boolean,
  stop: AbortSignal,
  redraw: () => void,
): Promise<void> {
  for (;;) {
    const wanted = reader.since === undefined || follow;
    if (stop.aborted || !reader.log.open || !wanted) return;
    const asked = new URLSearchParams(query);
    if (reader.since === undefined) asked.set('tail', String(TAIL));
    else asked.set('since', String(reader.since));
    let pause = EVERY_MS;
    try {
      const page = await ask<LogPage>(`/launches/${encodeURIComponent(launchId)}/logs?${asked.toString()}`, {
        pattern: '/launches/:id/logs',
        signal: stop,
      });
      const { failure: _, ...before } = reader.log;
      reader.log = {
        ...before,
        ...appendLines(before, page.lines),
        leftOut: before.leftOut + (page.leftOut ?? 0),
        loading: false,
        open: page.more !== undefined,
      };
      reader.since = page.more ?? reader.since ?? 0;
    } catch (error) {
      if (stop.aborted) return;
      reader.log = { ...reader.log, loading: false, failure: asFailure(error) };
      pause = AFTER_FAILURE_MS;
    }
    redraw();
    await rest(pause, stop);
  }
}

/** Ends early when it is no longer wanted, and not before the page is seen. */
function rest(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      if (!stop.aborted && document.visibilityState !== 'visible') return;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', done);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(() => {
      document.addEventListener('visibilitychange', done);
      done();
    }, ms);
    stop.addEventListener('abort', done);
  });
}
