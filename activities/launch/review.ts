/**
 * How a generation of a step ended: the commits say what is done, the compute service says why the rest is not, the
 * rules of the step say who is tried again.
 *
 * @module
 */
import { Context, heartbeat, log } from '@temporalio/activity';
import type { Claim } from '../../jobs/commit.ts';
import { readJson } from '../../lib/s3-objects.ts';
import { type JobFailure, stepKey as rowKey } from '../../lib/store/steps.ts';
import { CAUSES, type CauseName } from '../../workflows/launch/causes.ts';
import { claimAddress } from '../../workflows/launch/manifest.ts';
import type { LaunchErrorType, TaskCounts } from '../../workflows/launch/model.ts';
import { launchState } from '../../workflows/launch/places.ts';
import { itemsOf, type PlannedStep, type StepItem } from '../../workflows/launch/plan.ts';
import { decide, type ItemReview, noteFailure, shardsOfGeneration } from '../../workflows/launch/retries.ts';
import type { SubmittedJob } from '../../workflows/launch/step-jobs.ts';
import { type ComputeService, describeAll, hasEnded, type JobView, serviceNamed } from './compute/service.ts';
import { type LaunchDependencies } from './dependencies.ts';
import { describeFailure, EXAMINED, examine, type Failure, failuresOf } from './failures.ts';
import { causeOfHead, headSaid, tellTasks } from './head-failures.ts';
import { readPlan } from './plan-reader.ts';
import { createStepFiles, type GenerationReview, type StepItems, type StepPlace } from './step-files.ts';

export interface ReviewInput extends StepPlace {
  planAddress: string;
  generation: number;
  jobs: readonly SubmittedJob[];
  at: number;
}

/** `OPEN`: a job has not ended after all. `RETRY`: another generation is due. */
export type Review =
  | { state: 'OPEN' }
  | { state: 'RETRY'; again: number; causes: Partial<Record<CauseName, number>> }
  | ({ state: 'SUCCEEDED' } & Settled)
  | ({ state: 'FAILED'; cause: string; errorType: LaunchErrorType } & Settled);

interface Settled {
  succeeded: number;
  failed: number;
  /** Of a head job. */
  tasks?: readonly TaskCounts[];
}

/** A claim is a job id. */
const CLAIM_LIMIT = 4_096;
/** Items whose claims are read to find out who holds them: a doubled job holds many, and one tells. */
const CLAIMS_READ = 20;
/** How long ended jobs may take to say so before the launch goes on without them. */
const TERMINATION_SECONDS = 90;

export function createReviewActivities(dependencies: LaunchDependencies) {
  const { s3, steps, compute, settings } = dependencies;
  const { bucket } = settings;
  const files = createStepFiles(s3, bucket);
  return {
    /** Compares commits with items, finds the causes of what is missing, and writes both down. */
    async reviewStep(input: ReviewInput): Promise<Review> {
      const { plan, step } = await readPlan(s3, input.planAddress, input.step);
      const service = serviceNamed(compute, plan.computeService);
      const views = await describeAll(
        service,
        input.jobs.map(({ jobId }) => jobId),
        heartbeat,
      );
      if (!views.every(hasEnded)) return { state: 'OPEN' };
      const items = await files.items(input);
      const before = await files.review(input, input.generation - 1);
      const all = itemsOf(plan, step);
      const missing = await findMissing(input, all, items);
      const key = {
        launch_id: input.launchId,
        step_key: rowKey(input.attempt, step.name),
        generation: input.generation,
      };
      const cached = Object.keys(items.done).length;
      const counts = (failed: number) => ({
        total: step.items,
        running: 0,
        succeeded: step.items - missing.size,
        failed,
        ...(cached > 0 && { cached }),
      });
      const said = step.head ? await headSaid(s3, bucket, input) : undefined;
      const tasks = said && said.tasks.length > 0 ? { tasks: said.tasks } : {};
      const facts = { ended_at: new Date(input.at).toISOString(), ...timesAndStreams(views), ...tasks };
      if (missing.size === 0) {
        await steps.ended(key, { ...facts, items: counts(0), state: 'SUCCEEDED' });
        return { state: 'SUCCEEDED', succeeded: step.items, failed: 0, ...tasks };
      }
      const failures: Failure[] = [];
      const shards = shardsOfGeneration(step, items, before);
      for (const [nth, { shard }] of input.jobs.entries()) {
        const known = shards.find((candidate) => candidate.shard === shard);
        const view = views[nth];
        if (known && view) failures.push(...(await failuresOf(service, known, view, missing)));
      }
      if (said) {
        for (const failure of failures) failure.cause = causeOfHead(failure.cause, said);
      }
      if (await workedOnElsewhere(service, input, failures, all)) return { state: 'OPEN' };
      const nameOf = (index: number) => all[index]?.key ?? String(index);
      const closely = await examine(service, input.generation, failures, nameOf);
      const newest = said ? tellTasks(closely, said) : closely;
      const review = sumUp(step, failures, newest, before, { missing, nameOf });
      const { final, examined, failures: failed_jobs } = review;
      if (review.again.length > 0 && (final.length === 0 || plan.onFailure === 'finish')) {
        await files.keepReview(input, input.generation, review);
        await steps.reviewed(key, { items: counts(final.length), failures: examined, failed_jobs });
        return { state: 'RETRY', again: review.again.length, causes: countCauses(review.again) };
      }
      const { name, cause, errorType } = explain(final, examined);
      await steps.ended(key, {
        ...facts,
        items: counts(missing.size),
        state: 'FAILED',
        cause,
        error_type: errorType,
        failures: examined,
        failed_jobs,
      });
      log.warn('step failed', { launchId: input.launchId, step: step.name, failed: missing.size, cause: name });
      const succeeded = step.items - missing.size;
      return { state: 'FAILED', succeeded, failed: missing.size, cause, errorType, ...tasks };
    },

    /** Ends jobs and waits, within bounds, until the compute service says that they have ended. */
    async terminateJobs(input: {
      launchId: string;
      attempt: number;
      jobs: { step: string; jobId: string }[];
      reason: string;
      as: 'CANCELLED' | 'FAILED';
      at: number;
    }): Promise<void> {
      const rows = await steps.ofLaunch(input.launchId, input.attempt);
      const service = serviceNamed(compute, rows[0]?.compute_service);
      for (const { jobId } of input.jobs) {
        heartbeat();
        await service.terminate(jobId, input.reason);
      }
      let open = input.jobs.map(({ jobId }) => jobId);
      const until = Date.now() + TERMINATION_SECONDS * 1000;
      while (open.length > 0 && Date.now() < until) {
        heartbeat();
        open = (await describeAll(service, open, heartbeat)).filter((view) => !hasEnded(view)).map((view) => view.id);
        if (open.length > 0) await Context.current().sleep(500);
      }
      for (const row of rows.filter(({ step }) => input.jobs.some((job) => job.step === step))) {
        const late = row.jobs.some(({ id }) => open.includes(id));
        await steps.ended(row, {
          state: input.as,
          items: { ...row.items, running: 0 },
          ended_at: new Date(input.at).toISOString(),
          cause: late ? `${input.reason}; a job had not ended ${TERMINATION_SECONDS} s later` : input.reason,
          ...(input.as === 'FAILED' && { error_type: 'JobStuckError' }),
        });
      }
      log.info('jobs ended', { launchId: input.launchId, jobs: input.jobs.length, stillOpen: open.length });
    },
  };

  /** Places in the plan of the items that are neither committed under their key nor done before. */
  async function findMissing(place: StepPlace, all: readonly StepItem[], items: StepItems): Promise<Set<number>> {
    const committed = await files.committed(place);
    const missing = new Set<number>();
    for (const [index, item] of all.entries())
      if (!items.done[index] && !committed.has(`${item.key}/${items.keys[index]}`)) missing.add(index);
    return missing;
  }

  /**
   * A job that was submitted twice loses its items to its twin: the step is open for as long as the twin works on
   * them. The poller tells of the ended job again at each look, until there is a commit or the twin has ended too.
   */
  async function workedOnElsewhere(
    service: ComputeService,
    input: ReviewInput,
    failures: readonly Failure[],
    all: readonly StepItem[],
  ): Promise<boolean> {
    const superseded = failures.filter(({ cause }) => cause === 'SUPERSEDED').slice(0, CLAIMS_READ);
    const holders = new Set<string>();
    for (const { index } of superseded) {
      const item = all[index]?.key ?? '';
      const address = claimAddress(launchState(bucket, input.launchId), input.step, item, input);
      holders.add((await readJson<Claim>(s3, address, CLAIM_LIMIT)).jobId);
    }
    return (await describeAll(service, [...holders], heartbeat)).some((view) => !hasEnded(view));
  }
}

/** What is known of all generations so far, and who is tried again. */
function sumUp(
  step: PlannedStep,
  failures: readonly Failure[],
  newest: readonly JobFailure[],
  before: GenerationReview | undefined,
  { missing, nameOf }: { missing: ReadonlySet<number>; nameOf(index: number): string },
): GenerationReview {
  const earlier = new Map((before?.again ?? []).map((review) => [review.index, review]));
  const decision = decide(
    step,
    failures.map((failure) => noteFailure(failure, failure.cause, earlier.get(failure.index))),
  );
  const final = [...(before?.final ?? []), ...decision.final].filter(({ index }) => missing.has(index));
  return {
    version: 1,
    again: decision.again,
    final,
    failures: addCauses(before?.failures, failures),
    examined: keepTelling(newest, before?.examined ?? [], new Set(final.map(({ index }) => nameOf(index)))),
  };
}

/** Streams of a single job; those of children stand in their start records. */
function timesAndStreams(views: readonly JobView[]) {
  const started = views.flatMap(({ startedAt }) => startedAt ?? []);
  const streams = views.length === 1 ? (views[0]?.containers ?? []) : [];
  return {
    log_streams: Object.fromEntries(streams.flatMap(({ name, logStream }) => (logStream ? [[name, logStream]] : []))),
    ...(started.length > 0 && { started_at: new Date(Math.min(...started)).toISOString() }),
  };
}

function addCauses(
  before: GenerationReview['failures'] = {},
  failures: readonly Failure[],
): GenerationReview['failures'] {
  const sum = { ...before };
  for (const { cause } of failures) sum[cause] = (sum[cause] ?? 0) + 1;
  return sum;
}

/** What has failed for good comes first, also from generations ago; then the newest. */
function keepTelling(newest: readonly JobFailure[], before: readonly JobFailure[], final: ReadonlySet<string>) {
  const all = [...newest, ...before];
  const first = all.filter(({ item }) => final.has(item));
  return [...first, ...all.filter((failure) => !first.includes(failure))].slice(0, EXAMINED);
}

function countCauses(reviews: readonly ItemReview[]): Partial<Record<CauseName, number>> {
  const counts: Partial<Record<CauseName, number>> = {};
  for (const { cause } of reviews) counts[cause] = (counts[cause] ?? 0) + 1;
  return counts;
}

/** The cause of most of the items that failed for good, by the first of them that was looked at. */
function explain(
  final: readonly ItemReview[],
  examined: readonly JobFailure[],
): { name: CauseName; cause: string; errorType: LaunchErrorType } {
  const counts = Object.entries(countCauses(final)) as [CauseName, number][];
  const [name = 'UNKNOWN'] = counts.toSorted((a, b) => b[1] - a[1])[0] ?? [];
  const example = examined.find(({ cause }) => cause === name);
  const cause = example ? describeFailure(example, final.length - 1) : `${final.length} items ${CAUSES[name].title}`;
  const uncommitted = name === 'OUTPUTS_MISSING' || name === 'UNCOMMITTED';
  return { name, cause, errorType: uncommitted ? 'OutputsMissingError' : 'StepFailedError' };
}
