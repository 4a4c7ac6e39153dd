/**
 * Ctrl-C and its like: the first stops in order, the second ends everything at once.
 *
 * @module
 */
import type { Progress } from '../tools/progress.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * @param options.stop ends everything in order
 * @returns takes the handlers away again
 */
export function onSignals(options: { stop(): Promise<void>; killNow(): void; progress: Progress }): () => void {
  let asked = false;
  const handle = (signal: NodeJS.Signals) => {
    if (asked) {
      options.killNow();
      process.exit(1);
    }
    asked = true;
    options.progress({ tool: 'platform', step: 'stopping', detail: `${signal}; once more ends everything at once` });
    options.stop().then(
      () => process.exit(0),
      (error: Error) => {
        console.error(`stopping failed: ${error.message}`);
        options.killNow();
        process.exit(1);
      },
    );
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return () => {
    for (const signal of SIGNALS) process.off(signal, handle);
  };
}
