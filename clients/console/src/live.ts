/**
 * The live connection as pages use it. There is one for the whole console.
 *
 * @module
 */
import { signal } from '@preact/signals';
import type { Position, ProgressEvent } from '../../../workflows/progress/model.ts';
import type { EventPage } from '../../live/api.ts';
import type { Resume } from '../../live/protocol.ts';
import { asFailure, ask } from './http.ts';

export type Connection = 'connecting' | 'open' | 'lost';

export interface WatchHandlers {
  /** Comes first, and again after every reconnect. */
  resumed(resume: Resume): void;
  event(event: ProgressEvent): void;
  failed(error: { code: string; message: string; remedy: string }): void;
}

export interface Live {
  /** @returns ends it */
  watch(run: string, handlers: WatchHandlers): () => void;
}

export const connection = signal<Connection>('connecting');
/** Epoch ms: when what is shown was last known to be so. */
export const lastHeard = signal(Date.now());

const EVERY_MS = 2_000;

/** By plain polling. */
export const live: Live = {
  watch(run, handlers) {
    const stop = new AbortController();
    void poll(run, handlers, stop.signal);
    return () => stop.abort();
  },
};

async function poll(run: string, handlers: WatchHandlers, stop: AbortSignal): Promise<void> {
  let at: Position | undefined;
  while (!stop.aborted) {
    try {
      const query = at ? `?epoch=${at.epoch}&after=${at.seq}` : '';
      const page = await ask<EventPage>(`/progress-events/${encodeURIComponent(run)}${query}`, {
        pattern: '/progress-events/:workflowId',
        signal: stop,
      });
      connection.value = 'open';
      if (!at || page.resume.verdict !== 'current') handlers.resumed(page.resume);
      if ('snapshot' in page.resume && page.resume.snapshot) at = page.resume.snapshot;
      for (const event of page.events) {
        handlers.event(event);
        if (at) at = { epoch: at.epoch, seq: event.seq };
      }
    } catch (error) {
      if (stop.aborted) return;
      connection.value = 'lost';
      handlers.failed(asFailure(error));
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
