/**
 * The contract of the sample `order`: an order goes through inventory, payment, packaging and shipping, and its buyer
 * watches. Depends on nothing.
 *
 * @module
 */

export const ACTIVITY_TASK_QUEUE = 'longhaul-order';
export const WORKFLOW_TYPE = 'order';

export const workflowIdOf = (orderId: string): string => `order/${orderId}`;

/** Part of a workflow id and of an address. */
export const ORDER_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** How the mocked payment goes: refused for good, or not reached at its first try. */
export const PAYMENTS = ['accepted', 'declined', 'unreachable-once'] as const;
export type Payment = (typeof PAYMENTS)[number];

/** What is told, and what its share of the whole is; beginning counts as the first tenth. */
export const ORDER_STEPS = [
  { name: 'Order received', weight: 10 },
  { name: 'Inventory check', weight: 20, after: ['Order received'] },
  { name: 'Payment', weight: 25, after: ['Inventory check'] },
  { name: 'Packaging', weight: 25, after: ['Payment'] },
  { name: 'Shipping', weight: 20, after: ['Packaging'] },
] as const;

/** Of each mocked backend. */
export const STEP_MS = { fallback: 1_500, most: 600_000 } as const;

export interface OrderInput {
  orderId: string;
  /** User id of the buyer: whoever sent the order watches it. */
  owner: string;
  /** Of the order, from 1: one whose payment was declined may be sent again. */
  attempt: number;
  /** By which way its progress is told; `direct` when absent. */
  route?: 'direct' | 'activity' | 'bus';
  payment?: Payment;
  /** How long each backend takes. */
  stepMs?: number;
}

export interface OrderResult {
  orderId: string;
  parcel: string;
}

export const ERROR_TYPES = { paymentDeclined: 'PaymentDeclinedError' } as const;
