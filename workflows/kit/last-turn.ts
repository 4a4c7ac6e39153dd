/**
 * A turn after everything else that a workflow does in one activation.
 *
 * @module
 */
import { CancellationScope, condition } from '@temporalio/workflow';

/** More than any workflow goes on in one activation until it waits for something outside of it. */
const ROUNDS = 10;

/**
 * Waits until the rest of the workflow has gone on as far as it can. To be waited for after a local activity, before its end
 * is acted upon.
 *
 * A workflow task is kept alive while a local activity runs, and events that come then are told before its end. On replay they
 * are told together with its end (core resolves it by the marker ahead), and whoever is quicker would go first: commands in
 * another order are a nondeterminism error, and the run is stuck.
 */
export const lastTurn = (): Promise<void> =>
  CancellationScope.nonCancellable(async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const turn = { came: false };
      // Asked at once, and then each time all others have been: those that may go on do so before it is asked again.
      await condition(() => {
        const { came } = turn;
        turn.came = true;
        return came;
      });
    }
  });
