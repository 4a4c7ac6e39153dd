/**
 * Backends that take their time, as those of a shop do; nothing is bought. They can be called twice: a parcel has its name
 * by the order.
 *
 * @module
 */
import { ApplicationFailure, activityInfo, Context } from '@temporalio/activity';
import { digestOf } from '../../lib/digest.ts';
import { ERROR_TYPES, type Payment } from '../../workflows/order/model.ts';

interface Work {
  orderId: string;
  /** How long it takes. */
  ms: number;
}

/** @throws CancelledFailure */
const work = ({ ms }: Work): Promise<void> => Context.current().sleep(ms);

export function createBackends() {
  return {
    async checkInventory(order: Work): Promise<void> {
      await work(order);
    },
    /** @throws ApplicationFailure PaymentDeclinedError */
    async takePayment(order: Work & { payment: Payment }): Promise<void> {
      await work(order);
      if (order.payment === 'declined')
        throw ApplicationFailure.nonRetryable(
          `the payment of order ${order.orderId} was declined: send it again with another one`,
          ERROR_TYPES.paymentDeclined,
        );
      // As a provider that is down for a moment: Temporal tries again.
      if (order.payment === 'unreachable-once' && activityInfo().attempt === 1)
        throw new Error('the payment provider cannot be reached');
    },
    async packOrder(order: Work): Promise<void> {
      await work(order);
    },
    async shipOrder(order: Work): Promise<{ parcel: string }> {
      await work(order);
      return { parcel: `LH${digestOf(order.orderId).slice(0, 10).toUpperCase()}` };
    },
  };
}
