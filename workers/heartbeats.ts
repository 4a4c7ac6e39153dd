/**
 * Heartbeats of every activity that has a heartbeat timeout, while it runs: so the death of a worker is noticed within
 * seconds, also during a long call. What an activity that hangs may take is bounded by its start-to-close timeout.
 *
 * @module
 */
import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor, ActivityInterceptors } from '@temporalio/worker';

/** Of its timeout: two may get lost. */
const PART = 1 / 3;

export function heartbeats(context: Context): ActivityInterceptors {
  const inbound: ActivityInboundCallsInterceptor = {
    async execute(input, next) {
      const timeout = context.info.heartbeatTimeoutMs;
      if (!timeout) return next(input);
      const timer = setInterval(keepDetails(context), timeout * PART);
      try {
        return await next(input);
      } finally {
        clearInterval(timer);
      }
    },
  };
  return { inbound };
}

/**
 * A heartbeat without details would wipe out what the activity has told last, from which its next try goes on.
 * @returns repeats the last one
 */
function keepDetails(context: Context): () => void {
  const beat = context.heartbeat;
  let last: unknown = context.info.heartbeatDetails;
  Object.assign(context, {
    heartbeat(details?: unknown) {
      if (details !== undefined) last = details;
      beat(last);
    },
  });
  return () => beat(last);
}
