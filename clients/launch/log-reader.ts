/**
 * Reads log events through throttling and short outages. The client paces its calls (docs/pacing.md).
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CloudWatchLogsClient,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { isOutage } from '../events/outage.ts';
import type { LogEvent, LogStream } from './log-lines.ts';

/** FilterLogEvents takes so many stream names a call. */
export const FILTERED_STREAMS = 100;
/** How long a service may be out of reach while somebody reads. */
const OUTAGE_MS = 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Runs until it succeeds: throttling and outages are waited out, for at most a minute a call. */
export async function patiently<T>(run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const until = Date.now() + OUTAGE_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await run();
    } catch (error) {
      if (signal?.aborted || !isOutage(error) || Date.now() + pause > until) throw error;
      // Readers that were throttled together must not come back together.
      await wait(pause * (0.5 + Math.random() / 2), signal);
    }
  }
}

/** @throws AbortError when the signal is given meanwhile */
export const wait = (ms: number, signal?: AbortSignal): Promise<void> => delay(ms, undefined, signal ? { signal } : {});

export type Place = Pick<LogStream, 'group' | 'name'>;

export interface PageOptions {
  token?: string | undefined;
  since?: number | undefined;
  last?: number | undefined;
  limit?: number;
}

/** Reads streams page by page, wherever they are kept. */
export interface PageReader {
  /**
   * One page of a stream, oldest event first; `last`: its last events instead of its first. At the end the token that
   * was given comes back.
   * @returns undefined when there is no such stream
   */
  page(place: Place, options: PageOptions): Promise<{ events: LogEvent[]; token: string | undefined } | undefined>;
}

/** Every event of a stream, oldest first; none when there is no such stream. */
export async function* allEvents(reader: PageReader, place: Place, since?: number): AsyncGenerator<LogEvent> {
  let token: string | undefined;
  for (;;) {
    const page = await reader.page(place, { token, since });
    if (!page) return;
    yield* page.events;
    if (page.token === undefined || page.token === token) return;
    token = page.token;
  }
}

/** Of CloudWatch Logs. */
export class LogReader implements PageReader {
  readonly #logs: CloudWatchLogsClient;
  readonly #signal: AbortSignal | undefined;

  constructor(logs: CloudWatchLogsClient, signal?: AbortSignal) {
    this.#logs = logs;
    this.#signal = signal;
  }

  async page(
    { group, name }: Place,
    options: PageOptions,
  ): Promise<{ events: LogEvent[]; token: string | undefined } | undefined> {
    const input: GetLogEventsCommandInput = {
      logGroupName: group,
      logStreamName: name,
      startFromHead: options.last === undefined,
      ...(options.token !== undefined && { nextToken: options.token }),
      ...(options.since !== undefined && { startTime: options.since }),
      ...(options.limit !== undefined && { limit: options.limit }),
      ...(options.last !== undefined && { limit: options.last }),
    };
    const page = await this.#send((abort) => this.#logs.send(new GetLogEventsCommand(input), abort));
    if (!page) return undefined;
    const events = (page.events ?? []).map(({ timestamp = 0, message = '' }) => ({
      time: timestamp,
      message,
      stream: name,
    }));
    return { events, token: page.nextForwardToken };
  }

  async exists(place: Place): Promise<boolean> {
    return (await this.page(place, { limit: 1 })) !== undefined;
  }

  /**
   * One page of what at most 100 streams of one group have in common: by time, matching a filter pattern. It may be
   * empty and yet not be the last, which alone has no token.
   * @returns undefined when one of the streams is not there
   */
  async filter(
    places: readonly Place[],
    options: { pattern?: string | undefined; since?: number | undefined; token?: string | undefined; limit?: number },
  ): Promise<{ events: LogEvent[]; token: string | undefined } | undefined> {
    const input = {
      logGroupName: places[0]?.group,
      logStreamNames: places.map(({ name }) => name),
      ...(options.pattern !== undefined && { filterPattern: options.pattern }),
      ...(options.since !== undefined && { startTime: options.since }),
      ...(options.token !== undefined && { nextToken: options.token }),
      ...(options.limit !== undefined && { limit: options.limit }),
    };
    const page = await this.#send((abort) => this.#logs.send(new FilterLogEventsCommand(input), abort));
    if (!page) return undefined;
    const events = (page.events ?? []).map(({ timestamp = 0, message = '', logStreamName = '', eventId }) => ({
      time: timestamp,
      message,
      stream: logStreamName,
      ...(eventId !== undefined && { id: eventId }),
    }));
    return { events, token: page.nextToken };
  }

  async #send<T>(send: (options: { abortSignal?: AbortSignal }) => Promise<T>): Promise<T | undefined> {
    const signal = this.#signal;
    try {
      return await patiently(() => send(signal ? { abortSignal: signal } : {}), signal);
    } catch (error) {
      // A container that never started has no stream, and before the first job there is no group.
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }
}
