/**
 * The sample `order`: its steps are mocked, its progress is not. Each step needs one line.
 *
 * History: under 70 events by the route `direct`, under 200 by the others. test/workflow/order.test.ts measures it.
 *
 * @module
 */
import { isCancellation, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { OrderActivities } from '../../activities/order/index.ts';
import { toFailure } from '../kit/failures.ts';
import { setVersioning } from '../kit/versioning.ts';
import { trackProgress } from '../progress/reporter.ts';
import { ACTIVITY_TASK_QUEUE, ORDER_STEPS, type OrderInput, type OrderResult, STEP_MS } from './model.ts';

const BACKEND = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '15 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
} as const;
const REPORT = {
  taskQueue: ACTIVITY_TASK_QUEUE,
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: '1 minute',
  summary: 'report progress',
} as const;

const backend = proxyActivities<OrderActivities>(BACKEND);
const { reportOrder } = proxyActivities<OrderActivities>(REPORT);

setVersioning('PINNED', order);
export async function order(input: OrderInput): Promise<OrderResult> {
  const { orderId, owner, attempt, route = 'direct', payment = 'accepted', stepMs = STEP_MS.fallback } = input;
  const tellAs = (what: string) => ({ ...BACKEND, summary: `${what} of order ${orderId}` });
  setCurrentDetails(`order ${orderId} of ${owner}, told by the route ${route}`);
  try {
    return await trackProgress(
      {
        facts: { domain: 'order', owner },
        attempt,
        route: route === 'activity' ? { activity: reportOrder } : route,
        steps: ORDER_STEPS,
        status: 'RUNNING',
      },
      async (progress) => {
        const work = { orderId, ms: stepMs };
        // By the route `activity` the words are the activity's.
        const say = (message: string) => {
          if (route !== 'activity') progress.say({ message });
        };
        await progress.step('Order received', async () => say('🥁 Workflow started'));
        await progress.step('Inventory check', () =>
          backend.checkInventory.executeWithOptions(tellAs('inventory check'), [work]),
        );
        say('📦 Everything is in stock');
        await progress.step('Payment', () =>
          backend.takePayment.executeWithOptions(tellAs('payment'), [{ ...work, payment }]),
        );
        say('💳 Paid');
        await progress.step('Packaging', () => backend.packOrder.executeWithOptions(tellAs('packaging'), [work]));
        say('🎁 Packed');
        const { parcel } = await progress.step('Shipping', () =>
          backend.shipOrder.executeWithOptions(tellAs('shipping'), [work]),
        );
        say(`🚚 Shipped as ${parcel}`);
        setCurrentDetails(`order ${orderId} of ${owner} was shipped as ${parcel}`);
        return { orderId, parcel };
      },
    );
  } catch (error) {
    throw isCancellation(error) ? error : toFailure(error);
  }
}
