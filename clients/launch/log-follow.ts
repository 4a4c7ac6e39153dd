/**
 * Following what the jobs of a launch write, while they write it.
 *
 * @module
 */
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { isEnded } from '../../workflows/launch/model.ts';
import {
  type Attempt,
  isSelected,
  type LogEvent,
  type LogLine,
  lastOfEach,
  mergeByTime,
  type Selection,
  streamsOf,
  toLine,
} from './log-lines.ts';
import { checkPodOptions, PodReader } from './log-pods.ts';
import { LogReader, patiently, wait } from './log-reader.ts';
import { askService } from './log-services.ts';
import { listStarts, readStarts } from './log-starts.ts';
import {
  checkNames,
  DoneItems,
  type LoggedLaunch,
  type LoggedStep,
  type LogSources,
  loggedLaunch,
} from './log-steps.ts';
import { FilteredWatch, type Followed, SingleWatch, type Watch } from './log-watch.ts';
import type { ReadOptions } from './logs.ts';
import { runsOnKubernetes } from './own-words.ts';

export interface FollowOptions extends Selection, ReadOptions {
  /** All steps when left out. */
  step?: string;
}

export class NoLaunchError extends Error {
  override readonly name = 'NoLaunchError';

  constructor(launchId: string) {
    super(`there is no launch ${launchId}`);
  }
}

/** More streams are read a hundred at a time. */
const SINGLE_STREAMS = 20;
const ROUND_MS = 1_000;
/** How often it is looked for attempts that have started, and for ends. A listing page more costs a second more. */
const LOOK_MS = 2_000;
const LISTING_PAGE = 1_000;
/** A job's last lines come a little after its end. */
const GRACE_MS = 5_000;
/** A launch that is only just being started may not be registered yet. */
const PATIENCE_MS = 5_000;

/**
 * Lines of a launch as they come, by time as far as that can be known, from those that are there already on. Ends when
 * the launch, or the step that was asked for, has ended and all of it was read, or when the signal is given.
 * @throws NoLaunchError; Error when the launch has no such step or item, and when a service is out of reach for a minute
 */
export async function* followLogs(
  sources: LogSources & { logs: CloudWatchLogsClient },
  launchId: string,
  options: FollowOptions,
): AsyncGenerator<LogLine> {
  const follower = new Follower(sources, launchId, options);
  try {
    yield* follower.lines();
  } catch (error) {
    if (!options.signal?.aborted) throw error;
  }
}

class Follower {
  readonly #sources: LogSources & { logs: CloudWatchLogsClient };
  readonly #launchId: string;
  readonly #options: FollowOptions;
  readonly #done: DoneItems;
  readonly #attempts = new Map<string, Attempt>();
  readonly #streams = new Map<string, Followed>();
  #launch: LoggedLaunch | undefined;
  #watch: Watch | undefined;
  #nextLook = 0;
  #over = false;

  constructor(sources: LogSources & { logs: CloudWatchLogsClient }, launchId: string, options: FollowOptions) {
    this.#sources = sources;
    this.#done = new DoneItems(sources);
    this.#launchId = launchId;
    this.#options = options;
  }

  async *lines(): AsyncGenerator<LogLine> {
    const { tail } = this.#options;
    const until = Date.now() + PATIENCE_MS;
    let first = true;
    while (!this.#options.signal?.aborted) {
      await this.#look();
      if (!this.#launch && Date.now() > until) throw new NoLaunchError(this.#launchId);
      if (this.#watch) {
        const begunAt = Date.now();
        const events = mergeByTime(await this.#watch.begin());
        if (first && tail !== undefined) yield* this.#toLines(lastOfEach(await all(events), tail));
        else for await (const event of events) yield* this.#toLines([event]);
        await this.#watch.end(begunAt);
        first = false;
      }
      if (this.#over && (this.#watch?.size ?? 0) === 0) return;
      await wait(ROUND_MS, this.#options.signal);
    }
  }

  *#toLines(events: Iterable<LogEvent>): Generator<LogLine> {
    for (const event of events) {
      const stream = this.#streams.get(event.stream);
      if (stream) yield toLine(stream, event);
    }
  }

  /** Looks for what has started, what is done, and whether there is more to come. */
  async #look(): Promise<void> {
    if (Date.now() < this.#nextLook) return;
    const { signal } = this.#options;
    this.#launch = await patiently(() => loggedLaunch(this.#sources, this.#launchId, this.#launch?.steps), signal);
    const { item, steps } = this.#launch ?? {};
    if (steps && !this.#watch) checkNames(steps, this.#options);
    const ended = item !== undefined && isEnded(item.status);
    const followed = steps?.filter(({ name }) => this.#options.step === undefined || name === this.#options.step);
    // What had ended before the listing is whole in it.
    this.#over = ended || (this.#options.step !== undefined && followed?.[0]?.row?.ended_at !== undefined);
    const listed = followed ? await this.#findAttempts(followed) : 0;
    this.#nextLook = Date.now() + LOOK_MS * Math.ceil((listed + 1) / LISTING_PAGE);
  }

  /** @returns how many start records were listed */
  async #findAttempts(steps: readonly LoggedStep[]): Promise<number> {
    const { step, items, signal } = this.#options;
    this.#watch ??= this.#newWatch(steps);
    const starts = await listStarts(this.#sources, this.#launchId, { step, items }, signal);
    const done = await this.#done.of(
      steps.filter(({ row }) => row !== undefined && row.ended_at === undefined),
      signal,
    );
    const news = starts.filter((start) => !this.#attempts.has(start.key) && isSelected(this.#options, start));
    const read = await readStarts(this.#sources, news, signal);
    for (const [place, start] of news.entries()) this.#attempts.set(start.key, read[place] as Attempt);
    for (const step of steps) await this.#askService(step, starts);
    this.#addStreams();
    this.#close(steps, done);
    return starts.length;
  }

  /** Attempts whose start record tells no streams; once a step has ended, those of its items without a record too. */
  async #askService(step: LoggedStep, starts: readonly { step: string; item: string }[]): Promise<void> {
    const own = [...this.#attempts].filter(([, attempt]) => attempt.step === step.name);
    const silent = own.some(([, { streams }]) => Object.keys(streams).length === 0);
    const started = new Set(starts.filter((start) => start.step === step.name).map(({ item }) => item));
    const wanted = this.#options.items ?? step.items;
    const without = step.row?.ended_at === undefined ? [] : wanted.filter((item) => !started.has(item));
    if (!silent && (without.length === 0 || !this.#over)) return;
    const attempts = own.map(([, attempt]) => attempt);
    const told = await askService(this.#sources, step, attempts, without, this.#options.signal);
    for (const [place, attempt] of told.entries()) {
      if (!isSelected(this.#options, attempt)) continue;
      this.#attempts.set(own[place]?.[0] ?? `${attempt.jobId}-${attempt.attempt}`, attempt);
    }
  }

  #addStreams(): void {
    const all = streamsOf([...this.#attempts.values()], this.#options.containers);
    const news = all
      .filter(({ name }) => !this.#streams.has(name))
      // `stage` wrote the record.
      .map((stream): Followed => ({ ...stream, there: stream.container === 'stage' }));
    for (const stream of news) this.#streams.set(stream.name, stream);
    if (news.length > 0) this.#watch?.add(news);
  }

  /** An attempt is over when its item is done, when there is a later one, or when its step or launch is over. */
  #close(steps: readonly LoggedStep[], doneItems: ReadonlySet<string>): void {
    const latest = new Map<string, Attempt>();
    for (const attempt of this.#attempts.values()) {
      const key = `${attempt.step}/${attempt.item}`;
      const other = latest.get(key);
      if (!other || (attempt.startedAt ?? '') >= (other.startedAt ?? '')) latest.set(key, attempt);
    }
    const rows = new Map(steps.map(({ name, row }) => [name, row]));
    const { item } = this.#launch ?? {};
    const launchEnd = item && isEnded(item.status) ? item.statuses[item.status] : undefined;
    const now = Date.now();
    for (const stream of this.#streams.values()) {
      const { step, item: key } = stream.attempt;
      const done = doneItems.has(`${step}/${key}`);
      const isLatest = latest.get(`${step}/${key}`)?.startedAt === stream.attempt.startedAt;
      // The containers of the attempt that committed have all run.
      if (done && isLatest) stream.there = true;
      if (stream.closedAt !== undefined) continue;
      const end = rows.get(step)?.ended_at ?? launchEnd;
      if (end !== undefined) stream.closedAt = Math.min(Date.parse(end), now) + GRACE_MS;
      else if (done || !isLatest) stream.closedAt = now + GRACE_MS;
    }
  }

  #newWatch(steps: readonly LoggedStep[]): Watch {
    const { items, containers, search, since, tail, signal } = this.#options;
    if (this.#launch && runsOnKubernetes(this.#launch.item)) {
      checkPodOptions(this.#options);
      return new SingleWatch(new PodReader(this.#sources, signal), { since, tail });
    }
    const reader = new LogReader(this.#sources.logs, signal);
    const expected = steps.reduce((sum, step) => sum + (items ?? step.items).length * containers.length, 0);
    const many = expected > SINGLE_STREAMS || search !== undefined;
    return many ? new FilteredWatch(reader, { since, search }) : new SingleWatch(reader, { since, tail });
  }
}

async function all<T>(generator: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of generator) found.push(one);
  return found;
}
