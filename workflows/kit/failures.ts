/**
 * Reading failures inside workflows.
 *
 * @module
 */
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';

/** The named error behind a failed activity or a thrown `ApplicationFailure`. */
export function rootCause(error: unknown): { type: string; message: string } {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return { type: cause.type ?? 'Error', message: cause.message };
  if (cause instanceof Error) return { type: cause.name, message: cause.message };
  return { type: 'Error', message: String(cause) };
}
