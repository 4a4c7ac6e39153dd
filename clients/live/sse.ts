/**
 * Watching a run by server-sent events, for whoever cannot use WebSockets. By `fetch`, since `EventSource` sends no
 * token and Node has none.
 *
 * @module
 */
import type { ProgressEvent } from '../../workflows/progress/model.ts';
import type { ApiError } from './api.ts';
import { LiveError, type Watch } from './client-types.ts';
import { beginningOf, type FeedOptions, followRun } from './feed.ts';
import type { ErrorCode, Resume } from './protocol.ts';

/** The gateway says something more often than that, if only a comment. */
const SILENCE_MS = 60_000;

export function watchBySse(url: string, run: string, options: FeedOptions): Watch {
  return followRun(url, run, options, async (place) => {
    const position = await beginningOf(place, options.from);
    const response = await place.get('progress-stream', '', {
      accept: 'text/event-stream',
      ...(position && { 'last-event-id': `${position.epoch}:${position.seq}` }),
    });
    if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream'))
      throw new LiveError('unavailable', 'the answer is no stream of events', 'use another way to watch: via: poll');
    const parse = createSseParser(({ event, data }) => {
      const told = JSON.parse(data) as Resume | ProgressEvent | ApiError['error'];
      if ('code' in told && event === 'error') throw new LiveError(told.code as ErrorCode, told.message, told.remedy);
      if ('verdict' in told) place.resume(told);
      else if ('seq' in told) place.event(told);
    });
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const { done, value } = await within(SILENCE_MS, reader.read());
        if (done) return;
        parse(decoder.decode(value, { stream: true }));
      }
    } finally {
      // Its own failure is that of the connection, which is known.
      reader.cancel().catch(() => undefined);
    }
  });
}

async function within<T>(ms: number, what: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing was heard for ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([what, late]);
  } finally {
    clearTimeout(timer);
  }
}

export interface SseMessage {
  /** `message` where none is given. */
  event: string;
  id?: string;
  data: string;
}

/** @returns takes text as it comes, in pieces of any size */
export function createSseParser(onMessage: (message: SseMessage) => void): (text: string) => void {
  let rest = '';
  let message: { event?: string; id?: string; data: string[] } = { data: [] };

  function line(text: string): void {
    if (text === '') {
      const { event = 'message', id, data } = message;
      message = { data: [] };
      if (data.length > 0) onMessage({ event, ...(id !== undefined && { id }), data: data.join('\n') });
      return;
    }
    const colon = text.indexOf(':');
    const field = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') message.data.push(value);
    else if (field === 'event') message.event = value;
    else if (field === 'id') message.id = value;
    // A comment, or a field that means nothing here.
  }

  return (text) => {
    rest += text;
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(rest);
      if (!end) return;
      const whole = rest.slice(0, end.index);
      rest = rest.slice(end.index + end[0].length);
      line(whole);
    }
  };
}
