/**
 * The activities by which workflows report: straight into the log, or over EventBridge.
 *
 * @module
 */
import { ApplicationFailure, log } from '@temporalio/activity';
import { type Batch, detailsOf } from '../../lib/progress/bus.ts';
import type { ProgressWriter } from '../../lib/progress/log.ts';
import type { Nudger } from '../../lib/progress/nudge.ts';
import { InvalidProgressError, takeReport } from '../../lib/progress/report.ts';
import type { Report } from '../../workflows/progress/model.ts';
import { type Bus, publish } from './bus.ts';

export interface ProgressDependencies {
  writer: ProgressWriter;
  nudge?: Pick<Nudger, 'nudge'>;
  bus: Bus;
}

export function createProgressActivities({ writer, nudge, bus }: ProgressDependencies) {
  return {
    /** Appends what the log has not taken yet; a repeat changes nothing. */
    async appendProgress({ run, facts, reports }: Batch): Promise<void> {
      const parts = understood(reports);
      const { epoch, events } = await refusing(() => writer.append(run, facts, parts));
      if (events.length > 0) nudge?.nudge({ run, epoch, events });
    },

    /** Puts reports on the bus; whoever reads it appends them. A repeat arrives twice, and is taken once. */
    async publishProgress({ run, facts, reports }: Batch): Promise<void> {
      const details = await refusing(async () => detailsOf({ run, facts, reports: understood(reports) }));
      await publish(bus, details);
    },
  };
}

export type ProgressActivities = ReturnType<typeof createProgressActivities>;

/** In parts the log takes. One that cannot be taken is left out: it would keep back all that comes after it. */
function understood(reports: readonly Report[]): Report[] {
  return reports.flatMap((report) => {
    try {
      return takeReport(report);
    } catch (error) {
      if (!(error instanceof InvalidProgressError)) throw error;
      log.warn('a report of progress is lost', { reason: error.message });
      return [];
    }
  });
}

/** What is wrong with the call itself stays wrong. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InvalidProgressError) throw ApplicationFailure.nonRetryable(error.message, error.name);
    throw error;
  }
}
