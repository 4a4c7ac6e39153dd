/**
 * The logs of runs on DynamoDB. An append is one transaction on head, events and steps, on the condition that the head is
 * the one it was reckoned from: so sequences have no gaps, and of two writers one goes first.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProgressEvent, Report, RunFacts, Snapshot } from '../../workflows/progress/model.ts';
import { stepPercent } from '../../workflows/progress/picture.ts';
import { KnownHeads } from '../progress/known-heads.ts';
import type { Appended, LogHead, ProgressReader, ProgressWriter } from '../progress/log.ts';
import {
  BOUNDS,
  type Bounds,
  emptyHead,
  fillIn,
  orderAfter,
  type Reckoned,
  reckon,
  type StoredEvent,
} from '../progress/reckon.ts';
import { checkFacts, checkReport, checkRun } from '../progress/report.ts';
import { Turns } from '../progress/turns.ts';
import type { Lives, ProgressTable, StoredHead, StoredStep } from './progress-table.ts';

const DAY_MS = 86_400_000;
/** A head outlives its events, so that clocks that differ do not find events of a log that has been begun anew. */
const OUTLIVES_MS = 3_600_000;
/** Transactions that may be lost to others, one after another, by an append. */
const TRIES = 40;
/** Between them, ms: at random up to these; and of what a transaction takes so many times, for a table that is slow. */
const FIRST_PAUSE = { ms: 8, times: 2 };
const LONGEST_PAUSE = { ms: 400, times: 16 };
/** Queries that may fall into the middle of a transaction. */
const LOOKS = 5;

export interface ProgressStoreOptions {
  /** Days after which what a run has told is deleted; the whole log so long after its last event. */
  retentionDays?: number;
  bounds?: Partial<Bounds>;
  /** Epoch ms. */
  now?(): number;
  /** Waits, after somebody else was quicker. */
  pause?(ms: number): Promise<unknown>;
  /** Told of a run that tells of more than is kept, and of steps that could not be given a new time to live. */
  warn?(message: string): void;
}

/** Too many writers of one run: nothing has been written, or a part of it, so that a repeat is right. */
export class ProgressBusyError extends Error {
  override readonly name = 'ProgressBusyError';
}

export class ProgressStore implements ProgressReader, ProgressWriter {
  readonly #table: ProgressTable;
  readonly #retentionMs: number;
  readonly #bounds: Bounds;
  readonly #now: () => number;
  readonly #pause: (ms: number) => Promise<unknown>;
  readonly #warn: (message: string) => void;
  readonly #known = new KnownHeads();
  readonly #turns = new Turns();

  constructor(table: ProgressTable, options: ProgressStoreOptions = {}) {
    this.#table = table;
    this.#retentionMs = (options.retentionDays ?? 14) * DAY_MS;
    this.#bounds = { ...BOUNDS, ...options.bounds };
    this.#now = options.now ?? Date.now;
    this.#pause = options.pause ?? delay;
    this.#warn = options.warn ?? (() => {});
  }

  /**
   * @throws InvalidProgressError where a report cannot be taken; none of them is then
   * @throws ProgressBusyError; and what the table's client throws
   */
  async append(run: string, facts: RunFacts, reports: readonly Report[]): Promise<Appended> {
    const checked = { run: checkRun(run), facts: checkFacts(facts), reports: reports.map(checkReport) };
    // Of this process one at a time: they would only get into one another's way.
    return this.#turns.take(run, async () => {
      try {
        return await this.#append(checked.run, checked.facts, checked.reports);
      } catch (error) {
        // Perhaps it was written all the same.
        this.#known.forget(run);
        throw error;
      }
    });
  }

  async #append(run: string, facts: RunFacts, reports: readonly Report[]): Promise<Appended> {
    const events: ProgressEvent[] = [];
    let refused = 0;
    let rest = reports;
    let lost = 0;
    let before = this.#known.get(run, this.#now()) ?? (await this.#look(run));
    while (rest.length > 0) {
      const now = this.#now();
      const base = before && !this.#expired(before, now) ? before.head : undefined;
      const head = base
        ? { ...base, view: fillIn(base.view, facts) }
        : emptyHead(run, facts, newEpoch(), rest[0]?.at ?? now, now);
      const { plan, ...reckoned } = await this.#reckon(run, head, rest);
      if (plan) {
        if (await this.#renewed(run, plan.head, now)) plan.head.renewedAt = now;
        const lives = this.#lives(now);
        const beganAt = performance.now();
        if (!(await this.#table.write(run, plan, before, lives))) {
          const took = performance.now() - beganAt;
          lost += 1;
          if (lost >= TRIES) throw new ProgressBusyError(`too many writers of the log of ${run}: try again later`);
          await this.#pause(pauseOf(lost, took));
          before = await this.#look(run);
          continue;
        }
        lost = 0;
        before = { head: plan.head, expiresAt: lives.head };
        this.#known.wrote(run, before, plan, now);
        events.push(...plan.events.map(withoutLocalSeq));
      }
      if (reckoned.leftOut > 0) this.#warnOf(run, reckoned.leftOut);
      refused += reckoned.refused;
      rest = rest.slice(reckoned.done);
    }
    return { epoch: before?.head.view.epoch ?? '', events, refused };
  }

  async #reckon(run: string, head: Parameters<typeof reckon>[0], reports: readonly Report[]): Promise<Reckoned> {
    const { names, counted } = this.#known.names(run, head.view);
    const reckoned = reckon(head, reports, names, counted, this.#bounds);
    if (!reckoned.recount) return reckoned;
    const all = new Set(await this.#table.stepNames(run, head.view));
    this.#known.count(run, head.view, all);
    return reckon({ ...head, steps: all.size }, reports, all, true, this.#bounds);
  }

  async #look(run: string): Promise<StoredHead | undefined> {
    const found = await this.#table.head(run);
    if (found) this.#known.found(run, found, this.#now());
    else this.#known.forget(run);
    return found;
  }

  /** Steps live twice as long as events, and are renewed once in an event's life: so a head has all of its steps. */
  async #renewed(
    run: string,
    head: { view: StoredHead['head']['view']; renewedAt: number },
    now: number,
  ): Promise<boolean> {
    if (now - head.renewedAt < this.#retentionMs) return false;
    try {
      await this.#table.renew(run, head.view, this.#lives(now).steps);
      return true;
    } catch (error) {
      this.#warn(`the steps of ${run} could not be kept for longer: ${String(error)}`);
      return false;
    }
  }

  async head(run: string): Promise<LogHead | undefined> {
    const found = await this.#live(run);
    if (!found) return undefined;
    const { view, first } = found.head;
    const { domain, consumer, owner, parent, epoch, seq, status, endedAt, changedAt } = view;
    return {
      domain,
      ...(consumer !== undefined && { consumer }),
      ...(owner !== undefined && { owner }),
      ...(parent !== undefined && { parent }),
      epoch,
      seq,
      first: await this.#first(run, found, first),
      ...(status !== undefined && { status }),
      ...(endedAt !== undefined && { endedAt }),
      changedAt,
    };
  }

  async read(run: string, after: number, limit: number): Promise<ProgressEvent[]> {
    for (let look = 0; look < LOOKS; look += 1) {
      const events = await this.#table.events(run, after, limit, seconds(this.#now()));
      const begin = events[0]?.seq;
      if (begin === undefined) return [];
      // A query may see a transaction half: what follows a gap is told the next time.
      if (begin === after + 1) return withoutGaps(events);
      const head = await this.head(run);
      if (!head) return [];
      if (begin === head.first) return withoutGaps(events);
    }
    return [];
  }

  /** Steps may be a few events newer than its `seq`: those events say the same of them once more. */
  async snapshot(run: string): Promise<Snapshot | undefined> {
    const found = await this.#live(run);
    if (!found) return undefined;
    const { view, bySteps } = found.head;
    const stored = await this.#table.steps(run, view);
    // Those that are new since will be told of, each in its place.
    const steps = stored
      .filter(({ order }) => order < orderAfter(view.seq))
      .sort((a, b) => a.order - b.order)
      .map(({ step }) => step);
    const percent = bySteps ? percentOf(steps) : undefined;
    return { ...view, ...(percent !== undefined && { percent }), steps };
  }

  async #live(run: string): Promise<StoredHead | undefined> {
    const found = await this.#table.head(run);
    return found && !this.#expired(found, this.#now()) ? found : undefined;
  }

  /** The oldest event that is there still: in a log older than events live, some have been deleted by their time. */
  async #first(run: string, { head }: StoredHead, first: number): Promise<number> {
    const now = this.#now();
    if (now - head.begunAt < this.#retentionMs) return first;
    const [event] = await this.#table.events(run, first - 1, 1, seconds(now));
    return event?.seq ?? head.view.seq + 1;
  }

  /** TTL deletes when it comes to it, up to days late. */
  #expired({ expiresAt }: StoredHead, now: number): boolean {
    return expiresAt <= seconds(now);
  }

  #lives(now: number): Lives {
    return {
      head: seconds(now + this.#retentionMs + OUTLIVES_MS),
      events: seconds(now + this.#retentionMs),
      steps: seconds(now + 2 * this.#retentionMs + OUTLIVES_MS),
    };
  }

  #warnOf(run: string, leftOut: number): void {
    this.#warn(
      `${run} tells of more than ${this.#bounds.steps} steps or ${this.#bounds.counts} counts: ${leftOut} were left out`,
    );
  }
}

/** Where writers come faster than the table takes them, nobody's turn would come: so they come less often. */
function pauseOf(lost: number, took: number): number {
  const first = Math.max(FIRST_PAUSE.ms, FIRST_PAUSE.times * took);
  const longest = Math.max(LONGEST_PAUSE.ms, LONGEST_PAUSE.times * took);
  return Math.random() * Math.min(longest, first * 2 ** (lost - 1));
}

const seconds = (ms: number): number => Math.floor(ms / 1000);
/** Part of addresses: letters and digits. */
const newEpoch = (): string => randomUUID().replaceAll('-', '').slice(0, 12);

function withoutLocalSeq({ localSeq: _ofTheSource, ...event }: StoredEvent): ProgressEvent {
  return event;
}

function withoutGaps(events: readonly StoredEvent[]): ProgressEvent[] {
  const begin = events[0]?.seq ?? 0;
  const gap = events.findIndex(({ seq }, index) => seq !== begin + index);
  return (gap < 0 ? events : events.slice(0, gap)).map(withoutLocalSeq);
}

/** Undefined where no step has a weight: then what was said before holds. */
function percentOf(steps: readonly StoredStep['step'][]): number | undefined {
  const weights = steps.map(({ weight = 1 }) => weight);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  if (all <= 0) return undefined;
  return (100 * steps.reduce((sum, step, index) => sum + ((weights[index] ?? 0) * stepPercent(step)) / 100, 0)) / all;
}
