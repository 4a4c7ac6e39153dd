/**
 * Brings the lines of a job to CloudWatch Logs, where no log driver does: in batches, with bounded memory. A log that
 * cannot be written is no reason for a job to fail or to wait.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import type { JobContainer } from './log-streams.ts';

/** PutLogEvents' own limits, and what it reckons for each event on top of its text. */
const BATCH = { events: 10_000, bytes: 1_000_000, overhead: 26 };
/** Lines that wait, in bytes; what comes beyond is left out and counted. */
const MOST_WAITING = 8 * 1024 * 1024;
const EVERY_MS = 1_000;
/** How long the end of a job waits for its last lines. */
const LAST_MS = 10_000;

interface Line {
  timestamp: number;
  message: string;
  bytes: number;
}

interface Stream {
  name: string;
  made: boolean;
  waiting: Line[];
  bytes: number;
  left: number;
}

export interface LogPlace {
  group: string;
  streams: Readonly<Record<JobContainer, string>>;
}

export class LogShipper {
  readonly #client: CloudWatchLogsClient;
  readonly #group: string;
  readonly #streams: Record<JobContainer, Stream>;
  readonly #warn: (line: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #warned = false;

  constructor(place: LogPlace, warn: (line: string) => void, client = new CloudWatchLogsClient({ maxAttempts: 4 })) {
    const stream = (name: JobContainer): Stream => ({
      name: place.streams[name],
      made: false,
      waiting: [],
      bytes: 0,
      left: 0,
    });
    this.#client = client;
    this.#group = place.group;
    this.#streams = { stage: stream('stage'), main: stream('main'), publish: stream('publish') };
    this.#warn = warn;
  }

  add(container: JobContainer, text: string): void {
    const stream = this.#streams[container];
    // An event has at least one character.
    const message = text === '' ? ' ' : text;
    const bytes = Buffer.byteLength(message) + BATCH.overhead;
    if (stream.bytes + bytes > MOST_WAITING) {
      stream.left += 1;
      return;
    }
    stream.waiting.push({ timestamp: Date.now(), message, bytes });
    stream.bytes += bytes;
    this.#timer ??= setTimeout(() => this.#send(), EVERY_MS);
  }

  /** Sends what waits, for at most ten seconds. */
  async close(): Promise<void> {
    this.#send();
    await Promise.race([this.#sending, delay(LAST_MS, undefined, { ref: false })]);
    clearTimeout(this.#timer);
    this.#client.destroy();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending = this.#sending.then(async () => {
      for (const stream of Object.values(this.#streams)) await this.#drain(stream);
    });
  }

  async #drain(stream: Stream): Promise<void> {
    try {
      for (let batch = take(stream); batch.length > 0; batch = take(stream)) {
        try {
          await this.#put(stream, batch);
        } catch (error) {
          stream.waiting.unshift(...batch);
          throw error;
        }
        stream.bytes -= batch.reduce((sum, { bytes }) => sum + bytes, 0);
      }
    } catch (error) {
      if (!this.#warned) this.#warn(`the log cannot be written to ${this.#group}: ${String(error)}`);
      this.#warned = true;
    }
  }

  async #put(stream: Stream, lines: readonly Line[]): Promise<void> {
    if (!stream.made) await this.#make(stream.name);
    stream.made = true;
    await this.#client.send(
      new PutLogEventsCommand({
        logGroupName: this.#group,
        logStreamName: stream.name,
        logEvents: lines.map(({ timestamp, message }) => ({ timestamp, message })),
      }),
    );
  }

  async #make(logStreamName: string): Promise<void> {
    const logGroupName = this.#group;
    const make = () => unlessThere(this.#client.send(new CreateLogStreamCommand({ logGroupName, logStreamName })));
    try {
      await make();
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      await unlessThere(this.#client.send(new CreateLogGroupCommand({ logGroupName })));
      await make();
    }
  }
}

async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!(error instanceof ResourceAlreadyExistsException)) throw error;
  }
}

/** The next lines one call takes; a line about those left out comes last. */
function take(stream: Stream): Line[] {
  const batch: Line[] = [];
  let bytes = 0;
  for (const line of stream.waiting) {
    if (batch.length === BATCH.events || bytes + line.bytes > BATCH.bytes) break;
    batch.push(line);
    bytes += line.bytes;
  }
  stream.waiting.splice(0, batch.length);
  if (batch.length === 0 && stream.left > 0) {
    const message = `[${stream.left} lines left out: they came faster than they could be stored]`;
    stream.left = 0;
    batch.push({ timestamp: Date.now(), message, bytes: 0 });
  }
  return batch;
}
