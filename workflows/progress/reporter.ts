/**
 * Progress of any workflow, one line a step: docs/progress.md.
 *
 * History: by the route `direct` one event for each report by best effort, {@link MOST_REPORTS} at most a run, and six for
 * each status, each piece of data and the end; by the others six for each of all of them. After half of them reports are
 * spread over the rest of the run, put together; when none is left only statuses, data and the end go out, with all that
 * waits. test/workflow/progress.test.ts measures it.
 *
 * @module
 */
import {
  ApplicationFailure,
  CancellationScope,
  ContinueAsNew,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import { rootCause } from '../kit/failures.ts';
import { now } from '../kit/time.ts';
import { type Change, LIMITS, type RunError, type RunFacts, type StepView } from './model.ts';
import { type Batch, MOST_REPORTS, Outbox } from './outbox.ts';
import { BUS, createPump, DIRECT, type Way } from './pump.ts';
import { type PlannedStep, StepBook, type StepUpdate } from './steps.ts';

export interface ReporterOptions {
  facts: RunFacts;
  /** Whose log it is; this workflow's id when absent. */
  run?: string;
  /**
   * This workflow's own when absent; a newer one supersedes what an older one has said. A workflow that both has a retry
   * policy and continues as new has to carry it along: Temporal counts from 1 again.
   */
  attempt?: number;
  /**
   * `direct` when absent. `activity`: an activity of the domain composes what is told, and appends it.
   */
  route?: 'direct' | 'bus' | { activity(batch: Batch): Promise<unknown> };
  /** Told of before the first of them begins. */
  steps?: readonly PlannedStep[];
  /** The first status. */
  status?: string;
  /** Reports by best effort. */
  most?: number;
}

export type Said = Pick<Change, 'message' | 'percent' | 'counts' | 'etaAt' | 'steps'>;

/** None of these throws for want of a log, and only those that return a promise can be waited for. */
export interface Reporter {
  /** Tells when it begins and how it ends, whatever it does in between. */
  step<T>(name: string, run: (update: (more: StepUpdate) => void) => Promise<T>): Promise<T>;
  say(said: Said): void;
  /** Settles when it is told, or cannot be for now. */
  status(status: string, more?: { waitingFor?: string; message?: string }): Promise<void>;
  /**
   * What the run makes for its watchers.
   * @throws ApplicationFailure ProgressTooLargeError above `LIMITS.reportBytes`
   */
  data(value: unknown): Promise<void>;
  end(status: string, more?: { error?: RunError; message?: string }): Promise<void>;
  /** Everything said so far. To be waited for before continuing as new. */
  flush(): Promise<void>;
}

/** A bus keeps no order: what changed in the last minutes is told again, so that what comes late is missed by nobody. */
const BUS_OVERLAP_MS = 120_000;
/** Of a report, for everything that is not data, bytes. */
const ENVELOPE = 2_048;

export function createReporter(options: ReporterOptions): Reporter {
  const { workflowId, attempt: ownAttempt, continuedFromExecutionRunId: continued } = workflowInfo();
  const { facts, run = workflowId, attempt = ownAttempt, route = 'direct', steps = [] } = options;
  const outbox = new Outbox({ name: 'workflow', attempt }, now(), options.most ?? MOST_REPORTS);
  const pump = createPump(outbox, () => ({ run, facts }), wayOf(route));
  const book = new StepBook(steps);

  function told(...views: StepView[]): void {
    const also = route === 'bus' ? book.changedSince(now() - BUS_OVERLAP_MS) : views;
    outbox.add('progress', { steps: also }, now());
    pump.nudge();
  }

  async function surely(kind: 'status' | 'data' | 'end', change: Change): Promise<void> {
    outbox.add(kind, change, now());
    await pump.flush();
  }

  // A run that continues another one goes on where that was; a retry is one too, and begins anew.
  if (continued === undefined || ownAttempt > 1) {
    // Where the id was used before: what that run ended by is done with.
    outbox.add(
      'status',
      { begins: { attempt }, status: options.status ?? 'RUNNING', error: null, message: null },
      now(),
    );
    if (steps.length > 0) outbox.add('progress', { steps: book.all() }, now());
    pump.nudge();
  }

  return {
    async step(name, run) {
      told(book.begin(name, now()));
      try {
        const result = await run((more) => {
          const view = book.update(name, more, now());
          if (view) told(view);
        });
        told(book.end(name, 'SUCCEEDED', now()));
        return result;
      } catch (error) {
        if (isCancellation(error)) told(book.end(name, 'CANCELLED', now()));
        else told(book.end(name, 'FAILED', now(), rootCause(error).message));
        throw error;
      }
    },
    say({ message, percent, counts, etaAt, steps: views }) {
      const said = { message, percent, counts, etaAt, steps: views };
      const change = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
      outbox.add('progress', change, now());
      pump.nudge();
    },
    status: (status, more = {}) => surely('status', { status, ...more }),
    async data(value) {
      const bytes = utf8Bytes(JSON.stringify(value) ?? '');
      if (bytes > LIMITS.reportBytes - ENVELOPE)
        throw ApplicationFailure.nonRetryable(
          `data of a run may have ${LIMITS.reportBytes - ENVELOPE} bytes of JSON at a time, this has ${bytes}: tell it in pieces, or where it lies`,
          'ProgressTooLargeError',
        );
      await surely('data', { data: value });
    },
    async end(status, more = {}) {
      const open = book.cancelOpen(now());
      const last = route === 'bus' ? book.all() : open;
      if (last.length > 0) outbox.add('progress', { steps: last }, now());
      await surely('end', { status, ...more });
    },
    flush: () => pump.flush(),
  };
}

function wayOf(route: NonNullable<ReporterOptions['route']>): Way {
  if (route === 'direct') return DIRECT;
  if (route === 'bus') return BUS;
  return { light: (batch) => route.activity(batch), sure: (batch) => route.activity(batch) };
}

/**
 * Runs `body` with a reporter and tells how it ended: COMPLETE, FAILED or CANCELLED. One that continues as new has not
 * ended.
 */
export async function trackProgress<T>(options: ReporterOptions, body: (progress: Reporter) => Promise<T>): Promise<T> {
  const progress = createReporter(options);
  try {
    const result = await body(progress);
    await CancellationScope.nonCancellable(() => progress.end('COMPLETE'));
    return result;
  } catch (error) {
    await CancellationScope.nonCancellable(() => {
      if (error instanceof ContinueAsNew) return progress.flush();
      if (isCancellation(error)) return progress.end('CANCELLED');
      return progress.end('FAILED', { error: rootCause(error) });
    });
    throw error;
  }
}

function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // A surrogate is one of two that make four bytes.
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
