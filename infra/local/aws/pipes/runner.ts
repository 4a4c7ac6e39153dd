/**
 * What runs in a pipe: from its stream through its filter into its queue, for as long as it is wanted. The pace is that
 * of the service, four polls a second for each shard; while DynamoDB or the queue is not there it tries on.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { matches, type Pattern, parsePattern } from '../events/pattern.ts';
import type { Place, QueuePort } from '../ports.ts';
import { StreamReader } from './reader.ts';
import type { Pipe, PipeStore } from './store.ts';
import { type StreamRecord, type StreamsClient, StreamsError } from './streams.ts';

export interface RunnerOptions {
  store: PipeStore;
  streams: StreamsClient;
  queues: QueuePort;
  place: Place;
}

/** EventBridge polls the shards of a DynamoDB stream at a base rate of four times per second. */
const ROUND_MS = 250;
const AFTER_TROUBLE_MS = 500;

export class Runner {
  readonly #options: RunnerOptions;
  readonly #running = new Map<string, { stop: AbortController; ended: Promise<void> }>();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  start(name: string): void {
    const stop = new AbortController();
    const ended = this.#run(name, stop.signal)
      .catch((error: unknown) => console.error(`stand-in: the pipe ${name} has ended`, error))
      .finally(() => this.#running.delete(name));
    this.#running.set(name, { stop, ended });
  }

  /** Resolves once nothing of it runs any more; its place is kept. */
  async stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    running?.stop.abort();
    await running?.ended;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.stop(name)));
  }

  async #run(name: string, signal: AbortSignal): Promise<void> {
    const { store, streams } = this.#options;
    const pipe = store.find(name);
    if (!pipe) return;
    const take = this.#way(pipe);
    const reader = new StreamReader({
      streams,
      streamArn: pipe.source,
      positions: store.positions(name),
      mark: (shard, position) => store.mark(name, shard, position),
      take,
    });
    let trouble = '';
    while (!signal.aborted) {
      const next = performance.now() + ROUND_MS;
      try {
        if (!(await this.#isUp(name, reader, signal))) return;
        await reader.round();
        if (trouble !== '') console.error(`stand-in: the pipe ${name} goes on`);
        trouble = '';
      } catch (error) {
        const { message } = error as Error;
        if (message !== trouble && !signal.aborted) console.error(`stand-in: the pipe ${name} waits: ${message}`);
        trouble = message;
      }
      const pause = trouble === '' ? Math.max(0, next - performance.now()) : AFTER_TROUBLE_MS;
      await delay(pause, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /**
   * Settles where the pipe begins, and that it runs.
   * @returns false when it cannot run, or is not to run any more
   */
  async #isUp(name: string, reader: StreamReader, signal: AbortSignal): Promise<boolean> {
    const { store } = this.#options;
    const pipe = store.find(name);
    if (!pipe) return false;
    if (pipe.state === 'RUNNING') return true;
    const from = pipe.sourceParameters.DynamoDBStreamParameters.StartingPosition;
    try {
      const positions = await (pipe.begun ? reader.list() : reader.beginning(from));
      if (signal.aborted) return false;
      if (positions) store.begin(name, positions);
      store.change(store.find(name) ?? pipe, { state: 'RUNNING' });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof StreamsError) || error.code !== 'ResourceNotFoundException') throw error;
      const state = pipe.state === 'STARTING' ? 'START_FAILED' : 'CREATE_FAILED';
      store.change(pipe, { state, stateReason: `The stream ${pipe.source} does not exist.` });
      return false;
    }
  }

  /** Filters records and puts each that is left into the queue, in order, as a message of its own. */
  #way({ source, target, sourceParameters }: Pipe): (records: readonly StreamRecord[]) => void {
    const { queues, place } = this.#options;
    const patterns = (sourceParameters.FilterCriteria?.Filters ?? []).map(({ Pattern }) => parsePattern(Pattern));
    return (records) => {
      const bodies = records
        .map((record) => ({ ...record, awsRegion: place.region, eventSourceARN: source }))
        .filter((record) => passes(patterns, record))
        .map((record) => JSON.stringify(record));
      const refused = bodies.length === 0 ? undefined : queues.send(target, bodies);
      if (refused !== undefined) throw new Error(refused);
    };
  }
}

/** Without filters everything passes; else what any of them matches. */
function passes(patterns: readonly Pattern[], record: unknown): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matches(pattern, record));
}
