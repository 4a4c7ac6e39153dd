/**
 * The schedule by which users who are away are forgotten: made by the first gateway that starts, used by all.
 *
 * @module
 */
import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { EVERY_MS, SCHEDULE_ID, WORKFLOW_TYPE } from '../../workflows/sessions/model.ts';

/** @returns whether it was not there before */
export async function ensureSchedule({ schedule }: Pick<Client, 'schedule'>): Promise<boolean> {
  try {
    await schedule.create({
      scheduleId: SCHEDULE_ID,
      spec: { intervals: [{ every: EVERY_MS }] },
      action: {
        type: 'startWorkflow',
        workflowType: WORKFLOW_TYPE,
        workflowId: SCHEDULE_ID,
        taskQueue: WORKFLOW_TASK_QUEUE,
        args: [],
      },
      // Each does all there is to do: those missed while the server was down need not be made up for.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: EVERY_MS },
    });
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}
