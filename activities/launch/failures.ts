/**
 * Why the items of a generation that have no commit have none: one ending for each, in few calls.
 *
 * @module
 */
import { heartbeat } from '@temporalio/activity';
import type { JobFailure } from '../../lib/store/steps.ts';
import { CAUSES, type CauseName, causeOf, culpritOf, type Ending } from '../../workflows/launch/causes.ts';
import type { Shard } from '../../workflows/launch/retries.ts';
import { type ComputeService, type JobView } from './compute/service.ts';

/** An item without a commit, how its job ended, and why. */
export interface Failure {
  index: number;
  memoryMiB: number;
  cause: CauseName;
  view: JobView;
}

/** Items that are looked at closely: the first of each cause say why all the others failed too. */
export const EXAMINED = 5;
const LOG_LINES = 20;
/** A log line in the registry is cut here: an item of DynamoDB holds 400 KB. */
const LINE_LENGTH = 500;

/** @param missing places in the plan of the items that have no commit */
export async function failuresOf(
  service: ComputeService,
  shard: Shard,
  job: JobView,
  missing: ReadonlySet<number>,
): Promise<Failure[]> {
  const wanted = shard.indexes.filter((index) => missing.has(index));
  if (wanted.length === 0) return [];
  const children = new Map<number, JobView>();
  if (shard.indexes.length > 1 && job.status !== 'LOST') {
    for await (const page of service.failedChildren(job.id)) {
      heartbeat();
      for (const view of page) children.set(Number(view.id.split(':')[1] ?? 0), view);
    }
  }
  const place = new Map(shard.indexes.map((index, child) => [index, child]));
  return wanted.map((index) => {
    const child = place.get(index) ?? 0;
    // A child that did not fail and left nothing, or one whose array is not known any more.
    const silent: JobView = {
      id: `${job.id}:${child}`,
      status: job.status === 'LOST' ? 'LOST' : 'SUCCEEDED',
      attempts: 0,
      containers: [],
    };
    const view = shard.indexes.length === 1 ? job : (children.get(child) ?? silent);
    return { index, memoryMiB: shard.memoryMiB, cause: causeOf(endingOf(view)), view };
  });
}

export const endingOf = ({ status, reason, containers }: JobView): Ending => ({
  status: status === 'LOST' || status === 'SUCCEEDED' ? status : 'FAILED',
  ...(reason !== undefined && { reason }),
  containers,
});

/** The first few of them with the last lines they logged, of different causes first. */
export async function examine(
  service: ComputeService,
  generation: number,
  failures: readonly Failure[],
  nameOf: (index: number) => string,
): Promise<JobFailure[]> {
  const seen = new Set<CauseName>();
  const firsts = failures.filter(({ cause }) => !seen.has(cause) && seen.add(cause));
  const others = failures.filter((failure) => !firsts.includes(failure)).slice(0, EXAMINED);
  const examined: JobFailure[] = [];
  for (const { index, cause, view } of [...firsts, ...others].slice(0, EXAMINED)) {
    heartbeat();
    const culprit = culpritOf(view);
    const lines = culprit?.logStream ? await service.lastLogLines(culprit.logStream, LOG_LINES) : [];
    examined.push({
      item: nameOf(index),
      cause,
      generation,
      job_id: view.id,
      ...(culprit && { container: culprit.name }),
      ...(culprit?.exitCode !== undefined && { exit_code: culprit.exitCode }),
      reason: culprit?.reason ?? view.reason ?? '',
      ...(culprit?.logStream && { log_stream: culprit.logStream }),
      ...(lines.length > 0 && { last_log_lines: lines.map((line) => line.slice(0, LINE_LENGTH)) }),
    });
  }
  return examined;
}

/** One line for a person: which item, what happened, the last thing it said. */
export function describeFailure(failure: JobFailure, others: number): string {
  const more = others > 0 ? ` (and ${others} more items)` : '';
  const last = failure.last_log_lines?.findLast((line) => line.trim() !== '');
  const said = last === undefined ? '' : `: ${last.trim().slice(0, 200)}`;
  const { title } = CAUSES[failure.cause];
  const code =
    failure.exit_code === undefined || failure.container !== 'main'
      ? ''
      : `, ${failure.container} exited with ${failure.exit_code}`;
  const reason = failure.reason ? ` (${failure.reason})` : '';
  return `item ${failure.item}: ${title}${code}${reason}${said}${more}`;
}
