/**
 * What stands behind an order: inventory, payment, packaging and shipping, all mocked, and the reports of the route
 * `activity`.
 *
 * @module
 */
import type { ProgressWriter } from '../../lib/progress/log.ts';
import { createBackends } from './backends.ts';
import { createReportOrder } from './report.ts';

export interface OrderDependencies {
  progress: ProgressWriter;
}

export type OrderActivities = ReturnType<typeof createOrderActivities>;

export function createOrderActivities({ progress }: OrderDependencies) {
  return { ...createBackends(), reportOrder: createReportOrder(progress) };
}
