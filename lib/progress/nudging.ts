/**
 * A log whose gateways are told at once of what it has taken.
 *
 * @module
 */
import type { ProgressWriter } from './log.ts';
import type { Nudger } from './nudge.ts';

export const nudging = (writer: ProgressWriter, { nudge }: Pick<Nudger, 'nudge'>): ProgressWriter => ({
  async append(run, facts, reports) {
    const appended = await writer.append(run, facts, reports);
    const { epoch, events } = appended;
    if (events.length > 0) nudge({ run, epoch, events });
    return appended;
  },
});
