/**
 * Waiting out what is down.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isOutage } from './outage.ts';

const LONGEST_PAUSE_MS = 10_000;

/**
 * Tries for as long as something is down.
 * @returns the result; undefined when `signal` aborts, or when the error is no outage and trying again cannot help
 */
export async function persist<T>(
  { log, signal }: { log: Logger; signal: AbortSignal },
  what: string,
  run: () => Promise<T>,
  beforeRetry: () => Promise<void> = async () => {},
): Promise<{ result: T } | undefined> {
  for (let pause = 250; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return { result: await run() };
    } catch (error) {
      if (signal.aborted) return undefined;
      const outage = isOutage(error);
      const facts = { error: (error as Error).name, errorMessage: (error as Error).message };
      log[outage ? 'warn' : 'error']({ ...facts, ...(outage && { retryInMs: pause }) }, `could not ${what}`);
      if (!outage) return undefined;
      await beforeRetry();
      await delay(pause, undefined, { signal }).catch(() => {});
    }
  }
  return undefined;
}
