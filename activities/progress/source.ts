/**
 * Progress of an activity's own, whatever domain it is of.
 *
 * @module
 */
import type { Info } from '@temporalio/activity';
import type { Appender } from '../../lib/progress/appender.ts';
import { createSource } from '../../lib/progress/source.ts';
import type { Change, EventKind, RunFacts } from '../../workflows/progress/model.ts';

export interface ActivityProgress {
  /** Neither waits nor throws. */
  report(change: Change, kind?: EventKind): void;
}

/**
 * `progressOf(activityInfo(), …)`: what this attempt of an activity reports supersedes what earlier ones said, those of an
 * earlier call of the same activity for the same thing too. Their attempts begin at 1 again, so the time an attempt was
 * scheduled at, by the server's clock, stands for it.
 *
 * @param options.key what it works on, such as `sample-7`: two that run at the same time have different ones
 * @param options.facts of the log, should nothing stand in it yet
 * @param options.run the log; that of the activity's workflow when absent
 */
export function progressOf(
  info: Pick<Info, 'activityType' | 'workflowExecution' | 'currentAttemptScheduledTimestampMs'>,
  options: { appender: Pick<Appender, 'report'>; key: string; facts: RunFacts; run?: string },
): ActivityProgress {
  const { appender, key, facts } = options;
  const run = options.run ?? info.workflowExecution?.workflowId;
  if (run === undefined) throw new Error(`activity ${info.activityType} has no workflow: say which run it reports to`);
  const source = createSource(`${info.activityType}/${key}`, info.currentAttemptScheduledTimestampMs);
  return { report: (change, kind) => appender.report(run, facts, source.report(change, kind)) };
}
