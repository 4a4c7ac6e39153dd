/**
 * `teleprinter.read` and `teleprinter.stop`: this user's own teleprinter types, or stops; it stops too when the user's last
 * connection goes.
 *
 * @module
 */
import { type Client, WithStartWorkflowOperation, WorkflowNotFoundError } from '@temporalio/client';
import { WORKFLOW_TASK_QUEUE } from '../../../workflows/kit/queues.ts';
import {
  PAUSE_SIGNAL,
  type PauseInput,
  READ_UPDATE,
  type ReadInput,
  type Reading,
  type TeleprinterInput,
  type TeleprinterResult,
  WORKFLOW_TYPE,
  workflowIdOf,
} from '../../../workflows/teleprinter/model.ts';
import type { RequestHandler } from '../requests.ts';
import { fieldsOf, soon, unavailable } from './input.ts';

/** One that ends just now does not take the update; the next try starts another. */
const TRIES = 3;

export const teleprinterRead: RequestHandler = {
  what: 'teleprinter.read',
  async handle(context, input) {
    fieldsOf(input, []);
    const { principal, client, at } = context;
    const run = workflowIdOf(principal.userId);
    const cursor = await context.cursor(run);
    try {
      return {
        run,
        output: await client.withDeadline(soon(), () =>
          read(client, principal.userId, { askedAt: at, ...(cursor && { cursor }) }),
        ),
      };
    } catch (error) {
      throw unavailable(error);
    }
  },
  left: ({ principal, client, at }) => pause(client, principal.userId, at),
};

export const teleprinterStop: RequestHandler = {
  what: 'teleprinter.stop',
  async handle({ principal, client, at }, input) {
    fieldsOf(input, []);
    await pause(client, principal.userId, at);
    return { run: workflowIdOf(principal.userId) };
  },
};

async function read(client: Client, userId: string, input: ReadInput): Promise<Reading> {
  for (let tries = 1; ; tries += 1) {
    const startWorkflowOperation = new WithStartWorkflowOperation<
      (input: TeleprinterInput) => Promise<TeleprinterResult>
    >(WORKFLOW_TYPE, {
      workflowId: workflowIdOf(userId),
      taskQueue: WORKFLOW_TASK_QUEUE,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [{ userId }],
      staticSummary: 'teleprinter',
    });
    try {
      return await client.workflow.executeUpdateWithStart<
        (input: TeleprinterInput) => Promise<TeleprinterResult>,
        Reading,
        [ReadInput]
      >(READ_UPDATE, { startWorkflowOperation, args: [input] });
    } catch (error) {
      if (tries >= TRIES || !isOfAnEnd(error)) throw error;
    }
  }
}

const isOfAnEnd = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError || (error as Error).name === 'WorkflowUpdateFailedError';

async function pause(client: Client, userId: string, since: number): Promise<void> {
  try {
    await client.withDeadline(soon(), () =>
      client.workflow.getHandle(workflowIdOf(userId)).signal<[PauseInput]>(PAUSE_SIGNAL, { since }),
    );
  } catch (error) {
    // Nothing types.
    if (!(error instanceof WorkflowNotFoundError)) throw unavailable(error);
  }
}
