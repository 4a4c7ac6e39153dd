/**
 * Watching one run over plain HTTP: the same callbacks as over the live connection, the same care for order and repeats.
 * What brings the events is {@link watchBySse} or {@link watchByPolling}.
 *
 * @module
 */
import type { Position, ProgressEvent, Snapshot } from '../../workflows/progress/model.ts';
import type { ApiError } from './api.ts';
import { LiveError, type Watch, type WatchOptions } from './client-types.ts';
import { takeEvent, takeResume } from './place.ts';
import type { ErrorCode, Resume } from './protocol.ts';

const BACKOFF = { firstMs: 500, mostMs: 30_000 };
const PATIENCE_MS = 10_000;
const LEAST_MS = 1_000;
const CODES: Record<number, ErrorCode> = {
  400: 'bad-message',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
};

/** Over HTTP there is no cursor: `cursor` is `now`. */
export interface FeedOptions extends WatchOptions {
  token?: string | (() => string | Promise<string>);
  fetch?: typeof fetch;
  /** After a request that failed; the next is made by itself. */
  onRetry?(error: unknown, attempt: number): void;
}

/** What a transport brings is told to. */
export interface Place {
  position: Position | undefined;
  resume(resume: Resume): void;
  event(event: ProgressEvent): void;
  /** Of the run, below a resource. */
  get(resource: string, query?: string, headers?: Record<string, string>): Promise<Response>;
  signal: AbortSignal;
}

/** @param read brings events until its source ends; it is called again from the position reached */
export function followRun(
  url: string,
  run: string,
  options: FeedOptions,
  read: (place: Place) => Promise<void>,
): Watch {
  const ending = new AbortController();
  const { signal } = ending;
  const begun = Date.now();
  let progressed = false;
  let heard = 0;
  const place: Place = {
    position: options.position,
    signal,
    resume(resume) {
      const taken = takeResume(place.position, resume);
      if (taken === 'hole') throw new Error('events are missing');
      place.position = taken.position;
      progressed = true;
      if (!signal.aborted) options.onResume?.(taken.resume);
    },
    event(told) {
      const { position } = place;
      const event = position ? takeEvent(position, told) : 'hole';
      if (event === 'hole' || !position) throw new Error('events are missing');
      if (event === 'duplicate' || signal.aborted) return;
      heard += 1;
      place.position = { epoch: position.epoch, seq: event.seq };
      options.onEvent?.(event, place.position);
    },
    get: (resource, query = '', headers = {}) =>
      request(url, `/api/v1/${resource}/${pathOf(run)}${query}`, options, signal, headers),
  };

  async function loop(): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      progressed = false;
      const before = { heard, at: Date.now() };
      let wait = 0;
      try {
        await read(place);
        attempt = -1;
        // Whoever ends or answers at once with nothing new is not asked without a pause.
        if (heard === before.heard) wait = Math.max(0, before.at + LEAST_MS - Date.now());
      } catch (error) {
        if (signal.aborted) return;
        const isUnknown = error instanceof LiveError && error.code === 'not-found';
        const patient = isUnknown && Date.now() - begun < (options.patienceMs ?? PATIENCE_MS);
        if (error instanceof LiveError && error.code !== 'unavailable' && !patient) {
          ending.abort();
          options.onError?.(error);
          return;
        }
        if (progressed) attempt = 0;
        wait = Math.min(BACKOFF.mostMs, BACKOFF.firstMs * 2 ** Math.min(attempt, 10)) * (patient ? 1 : Math.random());
        options.onRetry?.(error, attempt + 1);
      }
      await sleep(wait, signal);
    }
  }

  void loop();
  return {
    run,
    get position() {
      return place.position;
    },
    close: () => ending.abort(),
  };
}

/** A workflow id has slashes of its own. */
const pathOf = (run: string): string => run.split('/').map(encodeURIComponent).join('/');

/** Where a watcher who wants everything begins; that which was reached, once there is one. */
export async function beginningOf(place: Place, from: WatchOptions['from']): Promise<Position | undefined> {
  if (place.position || from !== 'start') return place.position;
  const { epoch } = (await (await place.get('progress')).json()) as Snapshot;
  return { epoch, seq: 0 };
}

async function request(
  url: string,
  path: string,
  { token, fetch: fetchIt = fetch }: FeedOptions,
  signal: AbortSignal,
  headers: Record<string, string>,
): Promise<Response> {
  const bearer = typeof token === 'function' ? await token() : token;
  const response = await fetchIt(new URL(path, url), {
    signal,
    headers: { ...headers, ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) },
  });
  if (response.ok) return response;
  const text = await response.text();
  let said: Partial<ApiError['error']> = {};
  try {
    said = (JSON.parse(text) as Partial<ApiError>).error ?? {};
  } catch {
    // Of something between us and the gateway.
  }
  throw new LiveError(
    CODES[response.status] ?? 'unavailable',
    said.message ?? `the gateway answered ${response.status}`,
    said.remedy ?? 'look whether this is the address of a gateway',
  );
}

/** Ends early, without an error, when the watch is closed. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
