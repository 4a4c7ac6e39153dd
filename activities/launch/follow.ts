/**
 * Following the log of a head job while it runs: what its engine says of its own tasks goes to the launch and into the
 * step's row, and the last picture into S3, for the review.
 *
 * @module
 */
import { Context, heartbeat } from '@temporalio/activity';
import { putJson } from '../../lib/s3-objects.ts';
import { stepKey } from '../../lib/store/steps.ts';
import type { TaskCounts, TasksReport } from '../../workflows/launch/model.ts';
import { stepState } from '../../workflows/launch/places.ts';
import { pluginOf } from '../../workflows/launch/types/index.ts';
import type { LogParser, LogPicture } from '../../workflows/launch/types/plugin.ts';
import { hasEnded, serviceNamed } from './compute/service.ts';
import type { LaunchDependencies } from './dependencies.ts';
import { readPlan } from './plan-reader.ts';
import type { StepPlace } from './step-files.ts';

export interface FollowInput extends StepPlace {
  planAddress: string;
  generation: number;
  workflowId: string;
  jobId: string;
}

/** Between two looks at the log, in milliseconds: sooner while something happens. */
const LOOK = { first: 1_000, last: 5_000, factor: 1.3 };
/** Reports to a launch that one head may make; each costs the launch's history up to four events. */
const REPORTS = { first: 150, mostGenerations: 20 };
/** Names told one by one; the rest is one sum. */
const TASKS = 40;
/** Failures that are kept. */
const FAILURES = 20;
/** Pages read at one look: a head that logs faster than this is read on at the next. */
const PAGES = 50;

/** Where the last picture of a head's log lies. */
export const logPictureAddress = (bucket: string, { launchId, attempt, step }: StepPlace, generation: number): string =>
  `${stepState(bucket, launchId, attempt, step)}${generation}.log.json`;

/** How many reports this generation may make: in all generations of a launch under 550. */
export const reportsOf = (generation: number): number =>
  generation > REPORTS.mostGenerations ? 0 : Math.floor(REPORTS.first / generation);

export function createFollowActivities({ s3, steps, compute, settings, report }: LaunchDependencies) {
  return {
    /** Ends when the job has ended and its log has been read. */
    async followHead(input: FollowInput): Promise<void> {
      const { plan, step } = await readPlan(s3, input.planAddress, input.step);
      const service = serviceNamed(compute, plan.computeService);
      if (!step.head || !service.logPage) return;
      const plugin = pluginOf(step.head.type);
      const key = {
        launch_id: input.launchId,
        step_key: stepKey(input.attempt, input.step),
        generation: input.generation,
      };
      let log: { stream: string; token?: string; parser: LogParser } | undefined;
      let told = '';
      let left = reportsOf(input.generation);
      let pause = LOOK.first;
      for (;;) {
        heartbeat();
        const [view] = await service.describe([input.jobId]);
        const ended = !view || hasEnded(view);
        const stream = view?.containers.find(({ name }) => name === 'main')?.logStream;
        // Another attempt of the job is another run of the engine, which says anew what is to be done.
        if (stream !== undefined && stream !== log?.stream) log = { stream, parser: plugin.parser() };
        const read = log ? await drain(log) : 0;
        const tasks = log ? bounded(log.parser.picture()).tasks : [];
        const text = JSON.stringify(tasks);
        if (text !== told && tasks.length > 0) {
          told = text;
          await steps.tasks(key, tasks);
          if (left > 0) await tell({ attempt: input.attempt, step: input.step, generation: input.generation, tasks });
          left -= 1;
        }
        if (ended) {
          if (log)
            await putJson(
              s3,
              logPictureAddress(settings.bucket, input, input.generation),
              bounded(log.parser.picture()),
            );
          return;
        }
        pause = read > 0 ? LOOK.first : Math.min(pause * LOOK.factor, LOOK.last);
        await Context.current().sleep(pause);
      }

      async function drain(from: NonNullable<typeof log>): Promise<number> {
        let lines = 0;
        for (let pages = 0; pages < PAGES; pages += 1) {
          heartbeat();
          const page = await service.logPage?.(from.stream, from.token);
          for (const line of page?.lines ?? []) from.parser.read(line);
          lines += page?.lines.length ?? 0;
          if (page?.token === undefined || page.token === from.token) break;
          from.token = page.token;
        }
        return lines;
      }

      async function tell(news: TasksReport): Promise<void> {
        await report(input.workflowId, news);
      }
    },
  };
}

function bounded({ tasks, failures, problem }: LogPicture): LogPicture {
  const rest = tasks.slice(TASKS);
  const others: TaskCounts = { name: `${rest.length} others`, total: 0, running: 0, succeeded: 0, failed: 0 };
  for (const { total, running, succeeded, failed } of rest) {
    others.total += total;
    others.running += running;
    others.succeeded += succeeded;
    others.failed += failed;
  }
  return {
    tasks: [...tasks.slice(0, TASKS), ...(rest.length > 0 ? [others] : [])],
    failures: failures.slice(0, FAILURES),
    ...(problem !== undefined && { problem }),
  };
}
