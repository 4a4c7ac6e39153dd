/**
 * Heartbeats that stop an activity whose workflow has been cancelled: what is not asked for yet costs nothing.
 *
 * @module
 */
import { cancellationSignal, heartbeat } from '@temporalio/activity';

/** @throws CancelledFailure */
export function beat(): void {
  heartbeat();
  cancellationSignal().throwIfAborted();
}
