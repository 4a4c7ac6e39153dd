/**
 * The route `activity`: what buyers are told is composed here, by what the shop's own code knows, not in the workflow.
 *
 * @module
 */
import type { ProgressWriter } from '../../lib/progress/log.ts';
import { ORDER_STEPS } from '../../workflows/order/model.ts';
import type { Report, StepView } from '../../workflows/progress/model.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';

export const createReportOrder =
  (progress: ProgressWriter) =>
  async ({ run, facts, reports }: Batch): Promise<void> => {
    await progress.append(run, facts, reports.map(compose));
  };

/** The same report with a sentence about the step it is of last, and how many of them there are. */
function compose(report: Report): Report {
  const { steps = [] } = report;
  const step = steps.findLast(({ state }) => state === 'RUNNING' || state === 'FAILED') ?? steps.at(-1);
  const words = step && wordsOf(step);
  return words === undefined ? report : { ...report, message: words };
}

function wordsOf({ name, state, attempt = 1 }: StepView): string | undefined {
  const of = `step ${ORDER_STEPS.findIndex((step) => step.name === name) + 1} of ${ORDER_STEPS.length}`;
  if (state === 'RUNNING') return `${name} has begun${attempt > 1 ? ' again' : ''} (${of})`;
  if (state === 'SUCCEEDED') return `${name} is done (${of})`;
  return state === 'FAILED' ? `${name} failed (${of})` : undefined;
}
