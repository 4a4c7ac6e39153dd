/**
 * Reading failures inside workflows.
 *
 * @module
 */
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure } from '@temporalio/workflow';

/** The named error behind a failed activity, a failed child or a thrown `ApplicationFailure`. */
export function rootCause(error: unknown): { type: string; message: string } {
  const failed = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
  const cause = failed ? error.cause : error;
  if (cause instanceof ApplicationFailure) return { type: cause.type ?? 'Error', message: cause.message };
  if (cause instanceof Error) return { type: cause.name, message: cause.message };
  return { type: 'Error', message: String(cause) };
}

/** The same as a failure of the workflow itself, which no retry mends. */
export function toFailure(error: unknown): ApplicationFailure {
  const { type, message } = rootCause(error);
  return ApplicationFailure.create({
    message,
    type,
    nonRetryable: true,
    ...(error instanceof Error && { cause: error }),
  });
}
