/**
 * The workers of the samples.
 *
 * @module
 */
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { createOrderActivities } from '../activities/order/index.ts';
import { createTeleprinterActivities } from '../activities/teleprinter/index.ts';
import article from '../examples/teleprinter/article.txt';
import type { ProgressReader, ProgressWriter } from '../lib/progress/log.ts';
import { ACTIVITY_TASK_QUEUE as ORDER_QUEUE } from '../workflows/order/model.ts';
import { ACTIVITY_TASK_QUEUE as TELEPRINTER_QUEUE } from '../workflows/teleprinter/model.ts';
import { heartbeats } from './heartbeats.ts';

/** @param shared what all workers of the process have in common */
export const sampleWorkers = (
  shared: Omit<WorkerOptions, 'taskQueue'>,
  progress: ProgressReader & ProgressWriter,
): Promise<Worker>[] => [
  Worker.create({
    ...shared,
    taskQueue: ORDER_QUEUE,
    interceptors: { activity: [heartbeats] },
    activities: createOrderActivities({ progress }),
  }),
  Worker.create({
    ...shared,
    taskQueue: TELEPRINTER_QUEUE,
    interceptors: { activity: [heartbeats] },
    activities: createTeleprinterActivities({ progress, article }),
    // With its heartbeats it hears of a pause.
    maxHeartbeatThrottleInterval: '500 milliseconds',
  }),
];
