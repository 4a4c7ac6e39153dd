/**
 * `order.send`: an order begins, and its buyer may watch it. The same order twice is one order; one whose payment was
 * declined may be sent again.
 *
 * @module
 */
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { WORKFLOW_TASK_QUEUE } from '../../../workflows/kit/queues.ts';
import {
  ORDER_ID_PATTERN,
  type OrderInput,
  PAYMENTS,
  STEP_MS,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../../workflows/order/model.ts';
import { ROUTES } from '../../../workflows/progress/model.ts';
import { RequestError, type RequestHandler } from '../requests.ts';
import { bad, fieldsOf, oneOf, soon, unavailable } from './input.ts';

export const orderSend: RequestHandler = {
  what: 'order.send',
  async handle({ principal, client }, input) {
    const order = readOrder(input, principal.userId);
    try {
      return { run: workflowIdOf(order.orderId), output: await client.withDeadline(soon(), () => send(client, order)) };
    } catch (error) {
      throw unavailable(error);
    }
  },
};

/** @throws RequestError */
function readOrder(input: unknown, owner: string): Omit<OrderInput, 'attempt'> {
  const given = fieldsOf(input, ['orderId', 'route', 'payment', 'stepMs']);
  const { orderId, stepMs } = given;
  if (typeof orderId !== 'string' || !ORDER_ID_PATTERN.test(orderId))
    throw bad('the field orderId', 'up to 64 letters, digits, dots, dashes and underscores');
  if (stepMs !== undefined && !(Number.isInteger(stepMs) && Number(stepMs) >= 0 && Number(stepMs) <= STEP_MS.most))
    throw bad('the field stepMs', `milliseconds, 0 to ${STEP_MS.most}`);
  const route = oneOf(given.route, 'the field route', ROUTES);
  const payment = oneOf(given.payment, 'the field payment', PAYMENTS);
  return {
    orderId,
    owner,
    ...(route && { route }),
    ...(payment && { payment }),
    ...(stepMs !== undefined && { stepMs: Number(stepMs) }),
  };
}

interface Sent {
  outcome: 'started' | 'existing';
  attempt: number;
}

/** @throws RequestError when it is somebody else's */
async function send(client: Client, order: Omit<OrderInput, 'attempt'>): Promise<Sent> {
  const workflowId = workflowIdOf(order.orderId);
  const before = await find(client, workflowId, order.owner);
  if (before && ['RUNNING', 'COMPLETED'].includes(before.status))
    return { outcome: 'existing', attempt: before.attempt };
  const attempt = (before?.attempt ?? 0) + 1;
  try {
    await client.workflow.start(WORKFLOW_TYPE, {
      workflowId,
      taskQueue: WORKFLOW_TASK_QUEUE,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      args: [{ ...order, attempt } satisfies OrderInput],
      memo: { owner: order.owner, attempt },
      staticSummary: `order ${order.orderId}`,
    });
    return { outcome: 'started', attempt };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // Sent by two connections at once.
    const now = await find(client, workflowId, order.owner);
    return { outcome: 'existing', attempt: now?.attempt ?? attempt };
  }
}

async function find(
  client: Client,
  workflowId: string,
  owner: string,
): Promise<{ status: string; attempt: number } | undefined> {
  try {
    const { status, memo } = await client.workflow.getHandle(workflowId).describe();
    if (memo?.owner !== owner)
      throw new RequestError('forbidden', 'there is an order of this id by somebody else', 'choose another order id');
    return { status: status.name, attempt: typeof memo.attempt === 'number' ? memo.attempt : 1 };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
