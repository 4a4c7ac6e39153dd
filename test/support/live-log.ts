/**
 * Logs of runs in memory, with what the one on DynamoDB promises: repeats and superseded attempts are refused, sequences
 * have no gaps, what is too old is dropped. Counts reads, and can be made to fail or to wait.
 *
 * @module
 */
import type { Appended, LogHead, ProgressReader, ProgressWriter } from '../../lib/progress/log.ts';
import {
  LIMITS,
  type ProgressEvent,
  type Report,
  type RunFacts,
  type Snapshot,
} from '../../workflows/progress/model.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';

interface Log {
  head: LogHead;
  /** Of `head.first` and on. */
  events: ProgressEvent[];
  picture: RunPicture;
  /** By source: what it said last. */
  sources: Map<string, { attempt: number; localSeq: number }>;
}

export interface MemoryLog extends ProgressReader, ProgressWriter {
  /** What readers have asked, by method. */
  readonly calls: { head: number; read: number; snapshot: number };
  /** As when its time to live has passed: the next append begins another log. */
  remove(run: string): void;
  /** Keeps only so many of the newest events. */
  keep(run: string, events: number): void;
  /** Called before every read: throw, or wait. */
  before: (what: 'head' | 'read' | 'snapshot', run: string) => void | Promise<void>;
  /** Called after every append, as a nudge would be sent. */
  onAppend: (run: string, appended: Appended) => void;
}

export function createMemoryLog(limits: { events: number } = LIMITS): MemoryLog {
  const logs = new Map<string, Log>();
  let epochs = 0;
  const begin = (run: string, facts: RunFacts, at: number): Log => {
    epochs += 1;
    const epoch = `epoch-${epochs}`;
    const head = { ...facts, epoch, seq: 0, first: 1, changedAt: at };
    const log = { head, events: [], picture: RunPicture.empty(run, facts, epoch, at), sources: new Map() };
    logs.set(run, log);
    return log;
  };
  const trim = (log: Log, events: number) => {
    log.events.splice(0, log.events.length - events);
    log.head.first = log.events[0]?.seq ?? log.head.seq + 1;
  };
  const memory: MemoryLog = {
    calls: { head: 0, read: 0, snapshot: 0 },
    before: () => {},
    onAppend: () => {},
    remove: (run) => void logs.delete(run),
    keep(run, events) {
      const log = logs.get(run);
      if (log) trim(log, events);
    },
    async head(run) {
      memory.calls.head += 1;
      await memory.before('head', run);
      const log = logs.get(run);
      return log && { ...log.head };
    },
    async read(run, after, limit) {
      memory.calls.read += 1;
      await memory.before('read', run);
      const { head, events } = logs.get(run) ?? { head: { first: 1 }, events: [] };
      const from = Math.max(0, after + 1 - head.first);
      return events.slice(from, from + limit);
    },
    async snapshot(run): Promise<Snapshot | undefined> {
      memory.calls.snapshot += 1;
      await memory.before('snapshot', run);
      return logs.get(run)?.picture.snapshot();
    },
    async append(run, facts, reports) {
      const log = logs.get(run) ?? begin(run, facts, reports[0]?.at ?? 0);
      const events = reports.flatMap((report) => take(log, report) ?? []);
      if (log.events.length > limits.events) trim(log, limits.events);
      const appended = { epoch: log.head.epoch, events, refused: reports.length - events.length };
      if (events.length > 0) memory.onAppend(run, appended);
      return appended;
    },
  };
  return memory;
}

function take(log: Log, { localSeq, ...report }: Report): ProgressEvent | undefined {
  const { name, attempt } = report.source;
  const before = log.sources.get(name);
  if (before && (attempt < before.attempt || localSeq <= before.localSeq)) return undefined;
  log.sources.set(name, { attempt, localSeq });
  const event: ProgressEvent = { ...report, seq: log.head.seq + 1 };
  log.events.push(event);
  log.picture.apply(event);
  log.head.seq = event.seq;
  log.head.changedAt = event.at;
  if (event.status !== undefined) log.head.status = event.status;
  if (event.begins) delete log.head.endedAt;
  if (event.kind === 'end') log.head.endedAt = event.at;
  return event;
}
