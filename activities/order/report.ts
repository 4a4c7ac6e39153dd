/**
 * The route `activity`: what buyers are told is composed here, by what the shop's own code knows, not in the workflow.
 *
 * @module
 */
import type { ProgressWriter } from '../../lib/progress/log.ts';
import { ORDER_STEPS } from '../../workflows/order/model.ts';
import type { Report } from '../../workflows/progress/model.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';

export const createReportOrder =
  (progress: ProgressWriter) =>
  async ({ run, facts, reports }: Batch): Promise<void> => {
    await progress.append(run, facts, reports.map(compose));
  };

/** The same report with a sentence about the step it is of, and how many of them are done. */
function compose(report: Report): Report {
  const step = report.steps?.length === 1 ? report.steps[0] : undefined;
  if (!step || report.message !== undefined) return report;
  const place = ORDER_STEPS.findIndex(({ name }) => name === step.name) + 1;
  const of = `step ${place} of ${ORDER_STEPS.length}`;
  const again = (step.attempt ?? 1) > 1 ? ', again' : '';
  const words: Partial<Record<typeof step.state, string>> = {
    RUNNING: `${step.name} has begun${again} (${of})`,
    SUCCEEDED: `${step.name} is done (${of})`,
    FAILED: `${step.name} failed (${of})`,
  };
  const message = words[step.state];
  return message === undefined ? report : { ...report, message };
}
